"""Keep leave 请假: what carries it, until when its paper may come, which absences it explains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session, joinedload

from app import clock
from app.base import Refused
from app.cadence.calendar import school_days_elapsed
from app.models import Absence, Child, ChildStatus, Leave, SchoolClass
from app.parameters.value import number_on

PAPER_DAYS = "core.leave_paper_days"
ONE_DAY = timedelta(days=1)
UNSETTLED = ("pending", "unexplained")
"""Kinds of absence that a leave explains."""


@dataclass(frozen=True, slots=True)
class Expected:
    """A child who is on leave today, as the attendance form begins with it."""

    child: Child
    kind: str
    contact_note: str | None = None
    evidence_set_id: int | None = None


def is_carried(leave: Leave) -> bool:
    """Tell whether a paper or a recorded call carries the leave."""
    return leave.evidence_set_id is not None or leave.called_on is not None


def last_day(leave: Leave) -> date:
    """Return the last day that the leave covers: it ends early when the child is back."""
    if leave.returned_on is None:
        return leave.ends_on
    return min(leave.ends_on, leave.returned_on - ONE_DAY)


def covering(day: date) -> ColumnElement[bool]:
    """Return the condition of leaves that cover a day."""
    is_away = or_(Leave.returned_on.is_(None), Leave.returned_on > day)
    return (Leave.starts_on <= day) & (Leave.ends_on >= day) & is_away


def is_too_late(session: Session, leave: Leave, child: Child) -> bool:
    """Tell whether the paper would come after the last school day on which it is valid.

    The day of return is the first school day after the leave, unless it is noted.
    """
    limit = number_on(session, PAPER_DAYS, leave.starts_on)
    if limit is None or child.school is None:
        return False
    back = leave.returned_on
    if back is not None:
        return school_days_elapsed(session, child.school, back, clock.today()) > limit
    return school_days_elapsed(session, child.school, leave.ends_on, clock.today()) > limit + 1


def overlapping(session: Session, leave: Leave, child: Child) -> Leave | None:
    """Return another leave of the child on one of the same days."""
    query = select(Leave).where(
        Leave.child_id == child.id,
        Leave.starts_on <= last_day(leave),
        Leave.ends_on >= leave.starts_on,
        or_(Leave.returned_on.is_(None), Leave.returned_on > leave.starts_on),
    )
    if leave.id is not None:
        query = query.where(Leave.id != leave.id)
    return session.scalars(query.limit(1)).first()


def refuse_too_late(session: Session, leave: Leave, child: Child) -> None:
    """Refuse a leave, or its paper, that comes too late after the return."""
    if is_too_late(session, leave, child):
        limit = number_on(session, PAPER_DAYS, leave.starts_on)
        raise Refused(
            _(
                "Paper and call are valid until the %(count)s. school day after the return; that "
                "day has passed.",
                count=limit,
            )
        )


def explain_absences(session: Session, leave: Leave) -> None:
    """Let a leave that is carried explain the absences of its days that wait for a reason."""
    if not is_carried(leave):
        return
    waiting = select(Absence).where(
        Absence.child_id == leave.child_id,
        Absence.day.between(leave.starts_on, last_day(leave)),
        Absence.kind.in_(UNSETTLED),
    )
    for absence in session.scalars(waiting):
        absence.kind = leave.kind
    session.flush()


def expected(session: Session, school_class: SchoolClass, day: date) -> Sequence[Expected]:
    """Return the children of a class who are on leave on a day."""
    query = (
        select(Leave)
        .join(Child, Child.id == Leave.child_id)
        .join(ChildStatus, ChildStatus.id == Child.status_id)
        .where(Child.class_id == school_class.id, ChildStatus.is_enrolled, covering(day))
        .options(joinedload(Leave.child))
        .order_by(Child.name)
    )
    return [Expected(leave.child, leave.kind, leave.call_note) for leave in session.scalars(query)]
