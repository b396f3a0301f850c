"""Follow a school's word that nobody came 未到校: the bureau looks into it and decides."""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.base import Refused, actor
from app.models import Appointment, Inspection, InspectionState, RequestState, VisitCheck
from app.workflow.decision import refusal_of_hand, settle
from app.workflow.inspection import awaits_parent, may_sign, signed_by_school


def refusal_of_denial(session: Session, inspection: Inspection) -> str | None:
    """Return why the acting person cannot say that nobody came; None where he can."""
    if inspection.state != InspectionState.SUBMITTED:
        return _("Only of a submitted record can it be said that nobody came.")
    if not may_sign(session, inspection) or awaits_parent(inspection) or _is_own(inspection):
        return _("Only the inspected school says that nobody came.")
    if signed_by_school(inspection):
        return _("The school has signed that the inspection took place.")
    asked = select(VisitCheck.id).where(VisitCheck.inspection_id == inspection.id)
    if session.scalar(asked.limit(1)) is not None:
        return _("The school has said so already.")
    return None


def deny(session: Session, check: VisitCheck) -> None:
    """Say for the school that nobody came."""
    inspection = check.inspection
    # The row lock keeps two people of a school from saying it twice.
    session.execute(select(Inspection.id).where(Inspection.id == inspection.id).with_for_update())
    reason = refusal_of_denial(session, inspection)
    if reason:
        raise Refused(reason)
    check.state = RequestState.REQUESTED
    check.requested_by_id = actor.get().person_id


def refusal_of_decision(session: Session, check: VisitCheck) -> str | None:
    """Return why the acting person cannot decide; None where he can: who took part never does."""
    reason = refusal_of_hand(check)
    if reason is not None:
        return reason
    acting = session.get(Appointment, actor.get().appointment_id or 0)
    own = None if acting is None else acting.capacity or acting.template
    parts = check.inspection.participants
    if any(part.person_id == actor.get().person_id or part.capacity == own for part in parts):
        return _("Nobody who took part, and no office that did, decides whether it took place.")
    return None


def decide(session: Session, check: VisitCheck, *, took_place: bool, note: str) -> None:
    """Decide whether the inspection took place, with the reason; what did not counts no more."""
    reason = refusal_of_decision(session, check)
    if reason is None and not note.strip():
        reason = _("Say what you found out.")
    if reason:
        raise Refused(reason)
    settle(check, is_approved=not took_place, note=note)
    session.flush()


def _is_own(inspection: Inspection) -> bool:
    person_id = actor.get().person_id
    return any(part.person_id == person_id for part in inspection.participants)
