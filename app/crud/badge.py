"""Show states in words and colour."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from markupsafe import Markup

from app.models import FindingState
from app.workflow.state import STATE_TITLES

TONES: Final[Mapping[str, str]] = MappingProxyType(
    {
        FindingState.OPEN: "tone-warning",
        FindingState.SERVED: "tone-info",
        FindingState.OBJECTED: "tone-warning",
        FindingState.CLAIMED: "tone-info",
        FindingState.CLOSED: "tone-success",
        FindingState.WITHDRAWN: "",
    }
)


def state_badge(state: str) -> Markup:
    """Return a state in words, with its colour."""
    tone = TONES.get(state, "")
    return Markup('<span class="badge-soft {}">{}</span>').format(
        tone, str(STATE_TITLES.get(state, state))
    )
