"""Decide on requests: never by oneself, and by the next level."""

from __future__ import annotations

from flask_babel import gettext as _

from app import clock
from app.base import Refused, actor
from app.models import RequestState
from app.models.request import Requested


def refusal_of_hand(request: Requested) -> str | None:
    """Return why nobody, or not the acting person, decides on a request; None where he may."""
    if request.state != RequestState.REQUESTED:
        return _("This request is decided already.")
    person_id = actor.get().person_id
    if person_id is None or person_id == request.requested_by_id:
        return _("Nobody decides on his own request.")
    return None


def settle(request: Requested, *, is_approved: bool, note: str) -> None:
    """Write down a decision; one that refuses says why."""
    if not is_approved and not note.strip():
        raise Refused(_("Say why the request is refused."))
    request.state = RequestState.APPROVED if is_approved else RequestState.REFUSED
    request.decided_by_id = actor.get().person_id
    request.decided_at = clock.now()
    request.decision_note = note.strip() or None
