"""Name where superior findings come from, the kinds of cases and their states."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from app.kit import _l

PLUGIN: Final = "accountability"
SOURCES: Final[Mapping[str, Any]] = MappingProxyType(
    {"covert": _l("Covert check"), "central": _l("Central check"), "other": _l("Other check")}
)

OVERLOOKED, INTERVIEW = "overlooked", "interview"
KINDS: Final[Mapping[str, Any]] = MappingProxyType(
    {OVERLOOKED: _l("Clean inspection, problem found later"), INTERVIEW: _l("Interview")}
)

OPENED, RECOMMENDED, APPEALED, TRANSFERRED, CONCLUDED, DISMISSED = (
    "opened", "recommended", "appealed", "transferred", "concluded", "dismissed",
)  # fmt: skip
STATES: Final[Mapping[str, Any]] = MappingProxyType(
    {
        OPENED: _l("To be established"),
        RECOMMENDED: _l("Recommendation made"),
        APPEALED: _l("Appealed"),
        TRANSFERRED: _l("Transferred"),
        CONCLUDED: _l("Outcome entered"),
        DISMISSED: _l("Not pursued"),
    }
)

HELD, UNCLEAR = "held", "unclear"
"""What the comparison with an inspection gives: somebody may answer for it, or it is unclear."""

CANDIDATE: Final = "ACC-2"
"""The code of the rules that name candidates for interviews."""
