"""Enter a day late: within a few school days with a reason, afterwards only by approval."""

from __future__ import annotations

from datetime import date

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.base import Refused, actor, registry
from app.cadence.calendar import school_days_elapsed
from app.models import Inspection, InspectionState, LateEntry, RequestState, School
from app.parameters.value import number_on
from app.workflow.capacity import capacities_of
from app.workflow.decision import refusal_of_hand, settle
from app.workflow.kind import Kind, Unit

LATE_DAYS = "core.daily_late_school_days"


def refusal_of_entry(session: Session, kind: Kind, school: School, day: date) -> str | None:
    """Return why a school's own check of a day cannot be entered now; None where it can."""
    limit = _passed(session, school, day)
    if limit is None or RequestState.APPROVED in _states(session, kind.key, school, day):
        return None
    return _(
        "More than %(count)s school days have passed since. Ask for an approval first, under "
        "“Late entries”.",
        count=limit,
    )


def ask(session: Session, entry: LateEntry) -> None:
    """Ask for the approval of an entry that comes too late."""
    school, day = entry.school, entry.day
    # The row lock keeps two leaders from asking twice.
    session.execute(select(School.id).where(School.id == school.id).with_for_update())
    reason = _refusal_of_request(session, entry.type_key, school, day)
    if reason:
        raise Refused(reason)
    entry.state = RequestState.REQUESTED
    entry.requested_by_id = actor.get().person_id


def _refusal_of_request(session: Session, type_key: str, school: School, day: date) -> str | None:
    if day > clock.today():
        return _("This day lies in the future.")
    if _passed(session, school, day) is None:
        return _("No approval is needed: this day can still be entered, with a reason.")
    states = _states(session, type_key, school, day)
    if RequestState.APPROVED in states:
        return _("The entry of this day is approved already.")
    if RequestState.REQUESTED in states:
        return _("The approval of this day was asked for already.")
    submitted = select(Inspection.id).where(
        Inspection.type_key == type_key,
        Inspection.school_id == school.id,
        Inspection.occurred_on == day,
        Inspection.state == InspectionState.SUBMITTED,
    )
    if session.scalar(submitted.limit(1)) is not None:
        return _("The record of this day was submitted already.")
    return None


def refusal_of_decision(session: Session, entry: LateEntry) -> str | None:
    """Return why the acting person cannot decide on a request; None where he can."""
    reason = refusal_of_hand(entry)
    if reason is not None:
        return reason
    person_id = actor.get().person_id
    assert person_id is not None
    kind = registry.inspection_type(entry.type_key)
    held = capacities_of(session, person_id, Unit.of(entry.school), clock.today())
    if kind is not None and kind.capacity in held:
        return _("The next level decides, not the school itself.")
    return None


def decide(session: Session, entry: LateEntry, *, is_approved: bool, note: str) -> None:
    """Approve or refuse a late entry; the one who asked, and his school, never decide."""
    reason = refusal_of_decision(session, entry)
    if reason:
        raise Refused(reason)
    settle(entry, is_approved=is_approved, note=note)
    session.flush()


def _passed(session: Session, school: School, day: date) -> int | None:
    """Return the limit in school days where more have elapsed; None while it is not passed."""
    if day >= clock.today():
        return None
    limit = number_on(session, LATE_DAYS, day)
    if limit is None or school_days_elapsed(session, school, day, clock.today()) <= limit:
        return None
    return limit


def _states(session: Session, type_key: str, school: School, day: date) -> set[str]:
    asked = select(LateEntry.state).where(
        LateEntry.type_key == type_key, LateEntry.school_id == school.id, LateEntry.day == day
    )
    return set(session.scalars(asked))
