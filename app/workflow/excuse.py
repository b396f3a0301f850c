"""Excuse an inspection that is due: asked for by who answers for it, decided by the next level."""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.base import Refused, actor, registry
from app.cadence.fulfilment import Fulfilment, status_of
from app.models import Appointment, Excuse, Obligation, RequestState
from app.security.guard import unrestricted
from app.security.roles import title_of
from app.workflow.capacity import capacities_of
from app.workflow.decision import refusal_of_hand, settle
from app.workflow.kind import Unit

DONE = (Fulfilment.MET, Fulfilment.LATE)


def refusal_of_request(session: Session, obligation: Obligation) -> str | None:
    """Return why the acting person cannot ask to be excused; None where he can."""
    kind = registry.inspection_type(obligation.type_key)
    if kind is None or not kind.excused_by:
        return _("No inspection of this kind is excused.")
    if not _answers(session, obligation):
        return _("Only who answers for this inspection asks to be excused from it.")
    asked = select(Excuse.id).where(
        Excuse.obligation_id == obligation.id, Excuse.state == RequestState.REQUESTED
    )
    if session.scalar(asked.limit(1)) is not None:
        return _("This was asked for already and waits for a decision.")
    with unrestricted():
        status = status_of(session, obligation, clock.today())
    if status in DONE:
        return _("This inspection is done: there is nothing to excuse.")
    if status == Fulfilment.EXCUSED:
        return _("This inspection is excused already.")
    return None


def ask(session: Session, excuse: Excuse) -> None:
    """Ask to be excused from an inspection that is due."""
    obligation = excuse.obligation
    # The row lock keeps two people from asking twice.
    session.execute(select(Obligation.id).where(Obligation.id == obligation.id).with_for_update())
    reason = refusal_of_request(session, obligation)
    if reason:
        raise Refused(reason)
    excuse.state = RequestState.REQUESTED
    excuse.requested_by_id = actor.get().person_id


def refusal_of_decision(session: Session, excuse: Excuse) -> str | None:
    """Return why the acting person cannot decide on a request; None where he can."""
    reason = refusal_of_hand(excuse)
    if reason is not None:
        return reason
    if _answers(session, excuse.obligation):
        return _("The next level decides, not who answers for the inspection.")
    kind = registry.inspection_type(excuse.obligation.type_key)
    deciding = kind.excused_by if kind is not None else ()
    acting = session.get(Appointment, actor.get().appointment_id or 0)
    if acting is None or acting.template not in deciding:
        roles = _(", ").join(title_of(role) for role in deciding)
        return _("The next level decides: %(roles)s.", roles=roles)
    return None


def decide(session: Session, excuse: Excuse, *, is_approved: bool, note: str) -> None:
    """Excuse an inspection that is due, or refuse it; what was done meanwhile stays done."""
    reason = refusal_of_decision(session, excuse)
    if reason:
        raise Refused(reason)
    settle(excuse, is_approved=is_approved, note=note)
    if is_approved:
        obligation = excuse.obligation
        obligation.excused_reason = excuse.reason
        obligation.excused_by_id = excuse.decided_by_id
        obligation.excused_at = excuse.decided_at
    session.flush()


def _answers(session: Session, obligation: Obligation) -> bool:
    """Tell whether the acting person holds the office that owes the inspection."""
    person_id = actor.get().person_id
    if person_id is None:
        return False
    unit = Unit.of(obligation.school)
    return obligation.capacity in capacities_of(session, person_id, unit, clock.today())
