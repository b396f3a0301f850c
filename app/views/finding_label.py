"""Name what the pages of the findings loop show."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup

from app.models import FindingState

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
    "happened_on": _l("Date"),
    "step": _l("Step"),
    "finding": _l("Finding"),
    "finding.facts": _l("Finding"),
    "from_state": _l("State before"),
    "to_state": _l("State after"),
    "inspection.occurred_on": _l("Visited on"),
    "outcome": _l("Result of the look"),
    "reviewed_by": _l("Looked at by"),
    "visited_on": _l("Visited on"),
    "is_on_site": _l("On site"),
    "is_rectified": _l("Rectified"),
    "closing": _l("How it closes"),
    "feedback": _l("Written feedback"),
}
DUE_LABELS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        FindingState.OPEN: _l("Serve by"),
        FindingState.OBJECTED: _l("Decide by"),
        FindingState.CLAIMED: _l("Verify by"),
    }
)
"""What the other side owes in a state; the inspected unit owes the rectification."""


def facts_line(text: str | None, *, is_urgent: bool = False) -> Markup:
    """Return facts as a list shows them: the item, then what was found, each on its own line."""
    item, _newline, found = (text or "").partition("\n")
    shown = Markup("<span>{}</span>").format(item)
    if is_urgent:
        badge = Markup('<span class="badge-soft tone-danger">{}</span> ').format(_("Urgent"))
        shown = badge + shown
    if found:
        note = " ".join(found.split())
        shown += Markup('<small class="finding-note">{}</small>').format(note)
    return shown
