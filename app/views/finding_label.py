"""Name what the pages of the findings loop show."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from flask_babel import lazy_gettext as _l

FEEDBACK_TITLES: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "written_feedback": _l("Inspection feedback"),
        "rectification_order": _l("Rectification order"),
        "inspection_opinion": _l("Inspection opinion"),
    }
)
CLOSING_TITLES: Final[Mapping[str, Any]] = MappingProxyType(
    {"evidence": _l("on accepted evidence"), "return_visit": _l("by an on-site return visit")}
)
LABELS: Final[dict[str, Any]] = {
    "found_on": _l("Found on"),
    "found_by": _l("Found by"),
    "facts": _l("Facts"),
    "due_on": _l("Rectify by"),
    "closed_on": _l("Closed on"),
    "claimed_on": _l("Claimed on"),
    "is_urgent": _l("Urgent"),
    "is_self_found": _l("Found by the school itself"),
    "inspection": _l("Inspection"),
    "served_on": _l("Served on"),
    "received_on": _l("Receipt signed on"),
    "served_by": _l("Served by"),
    "received_by": _l("Receipt signed by"),
    "happened_on": _l("On"),
    "step": _l("Step"),
    "finding": _l("Finding"),
    "from_state": _l("State before"),
    "to_state": _l("State after"),
    "visited_on": _l("Visited on"),
    "is_on_site": _l("On site"),
    "is_rectified": _l("Rectified"),
    "closing": _l("Closes"),
    "feedback": _l("Written feedback"),
}
SHORT: Final = 60


def short(text: str | None) -> str:
    """Return the beginning of a text on one line."""
    line = " ".join((text or "").split())
    return line if len(line) <= SHORT else line[:SHORT] + "…"
