"""Tell at which school a child sits whom several schools report 问题学籍: he counts there alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, timedelta
from typing import Final

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Select, Subquery, and_, func, literal, or_, select
from sqlalchemy.orm import Session

from app.base import Refused
from app.cadence.school_day import class_days
from app.models import (
    Absence,
    AttendanceReport,
    Child,
    Enrolment,
    EnrolmentProblem,
    SchoolClass,
)
from app.parameters.value import value_at
from app.security import guard

SEAT_DAYS: Final = "core.seat_days"
LOOKBACK: Final = timedelta(days=100)
"""Long enough for the school days before the summer vacation."""


def is_open() -> ColumnElement[bool]:
    """Return the condition that a problem is not settled."""
    return EnrolmentProblem.settled_on.is_(None)


def refuse_open(session: Session, child_id: int) -> None:
    """Refuse to move a child whose enrolment is a problem: that is settled first."""
    query = select(EnrolmentProblem.id).where(EnrolmentProblem.child_id == child_id, is_open())
    with guard.unrestricted(), session.no_autoflush:
        if session.scalars(query.limit(1)).first() is not None:
            raise Refused(_("Several schools report the number of this child: settle that first."))


def counted_elsewhere(session: Session, day: date) -> frozenset[int]:
    """Return the records of children who sit at another school on a day, and count there.

    The seat is where a roll-call saw the child last, within the last school days of the class;
    where none did, the first record counts. Children of different names are different children.
    One statement, whatever the scope of the reader: whether a child counts is no matter of scope.
    """
    with guard.unrestricted():
        return frozenset(session.scalars(_away_from_seat(day)))


def last_seen(session: Session, child_ids: Collection[int], day: date) -> Mapping[int, date]:
    """Return the last day on which a roll-call saw each of these children, where one did."""
    seen = _seen(day, Child.id.in_(sorted(child_ids)))
    with guard.unrestricted():
        return {row.child_id: row.day for row in session.execute(select(seen))}


def _away_from_seat(day: date) -> Select[tuple[int]]:
    seen = _seen(day, Child.id.in_(select(EnrolmentProblem.child_id).where(_was_open(day))))
    name = func.replace(Child.name, " ", "")
    place = func.row_number().over(
        partition_by=(EnrolmentProblem.county_id, EnrolmentProblem.number_index, name),
        order_by=(seen.c.day.is_(None), seen.c.day.desc(), Child.id),
    )
    ranked = (
        select(Child.id.label("child_id"), place.label("place"))
        .join(EnrolmentProblem, EnrolmentProblem.child_id == Child.id)
        .outerjoin(seen, seen.c.child_id == Child.id)
        .where(_was_open(day))
        .subquery()
    )
    return select(ranked.c.child_id).where(ranked.c.place > 1)


def _was_open(day: date) -> ColumnElement[bool]:
    later = or_(EnrolmentProblem.settled_on.is_(None), EnrolmentProblem.settled_on > day)
    return and_(EnrolmentProblem.opened_on <= day, later)


def _seen(day: date, chosen: ColumnElement[bool]) -> Subquery:
    """Select the last day on which children were there when their class was reported.

    Only days on which the child had his place in the class already: before, nobody looked for him.
    """
    classes = select(Child.class_id).where(chosen)
    days = class_days(day - LOOKBACK, day, SchoolClass.id.in_(classes), name="roll_call_day")
    report = AttendanceReport
    return (
        select(Child.id.label("child_id"), func.max(report.day).label("day"))
        .join(report, report.class_id == Child.class_id)
        .join(days, and_(days.c.class_id == report.class_id, days.c.day == report.day))
        .join(
            Enrolment,
            and_(
                Enrolment.child_id == Child.id,
                Enrolment.class_id == Child.class_id,
                Enrolment.valid_from <= report.day,
                or_(Enrolment.valid_to.is_(None), Enrolment.valid_to >= report.day),
            ),
        )
        .outerjoin(Absence, and_(Absence.child_id == Child.id, Absence.day == report.day))
        .where(
            chosen,
            Absence.id.is_(None),
            days.c.from_end <= value_at(SEAT_DAYS, literal(day)),
        )
        .group_by(Child.id)
        .subquery()
    )
