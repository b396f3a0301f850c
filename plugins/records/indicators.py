"""Take the indicators of a month: children by status, and those at school on its last day."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from sqlalchemy import Integer, Select, func, insert, literal, select, union_all
from sqlalchemy.orm import aliased

from app.kit import (
    AttendanceReport,
    Child,
    ChildStatus,
    Session,
    StatusEvent,
    counted_elsewhere,
)

from .models import Indicator

ON_ROLL, AT_SCHOOL, BY_STATUS = "on_roll", "at_school", "status"
ONE_DAY = timedelta(days=1)
PLACES = ("county_id", "township_id", "school_id")


def month_before(day: date) -> date:
    """Return the first day of the month before a day's."""
    return (day.replace(day=1) - ONE_DAY).replace(day=1)


def last_day(month: date) -> date:
    """Return the last day of a month."""
    return (month + timedelta(days=32)).replace(day=1) - ONE_DAY


def take(session: Session, month: date, taken_on: date) -> int:
    """Store the indicators of a month, unless they are there already; return their number.

    Three statements, however many children there are. A child whom several schools report counts
    where he sits.
    """
    known = select(Indicator.id).where(Indicator.month == month).limit(1)
    if session.scalar(known) is not None:
        return 0
    elsewhere = counted_elsewhere(session, last_day(month))
    figures = union_all(*_figures(last_day(month), elsewhere)).subquery()
    rows = select(
        *(figures.c[name] for name in PLACES),
        literal(month).label("month"),
        figures.c.indicator,
        figures.c.status_id,
        figures.c.value,
        literal(taken_on).label("taken_on"),
    )
    names = [*PLACES, "month", "indicator", "status_id", "value", "taken_on"]
    stored = insert(Indicator.__table__).from_select(names, rows)
    keep = {"preserve_rowcount": True}
    return session.connection().execute(stored, execution_options=keep).rowcount


def _figures(day: date, elsewhere: frozenset[int]) -> list[Select[Any]]:
    """Return the selects of all figures, by place."""
    status, place = _statuses_on(day), [getattr(Child, name) for name in PLACES]
    counted = (
        select(
            *place,
            literal(BY_STATUS).label("indicator"),
            status.c.status_id.label("status_id"),
            func.count().label("value"),
        )
        .join(status, status.c.child_id == Child.id)
        .where(Child.id.not_in(elsewhere))
        .group_by(*place, status.c.status_id)
    )
    on_roll = (
        select(*place, literal(ON_ROLL), literal(None, Integer), func.count())
        .join(status, status.c.child_id == Child.id)
        .join(ChildStatus, ChildStatus.id == status.c.status_id)
        .where(ChildStatus.is_enrolled, Child.id.not_in(elsewhere))
        .group_by(*place)
    )
    return [counted, on_roll, _present(day)]


def _statuses_on(day: date) -> Any:
    """Return the status that each child had at the end of a day."""
    place = func.row_number().over(
        partition_by=StatusEvent.child_id,
        order_by=(StatusEvent.happened_on.desc(), StatusEvent.id.desc()),
    )
    ranked = (
        select(StatusEvent.child_id, StatusEvent.status_id, place.label("place"))
        .where(StatusEvent.happened_on <= day)
        .subquery()
    )
    return select(ranked.c.child_id, ranked.c.status_id).where(ranked.c.place == 1).subquery()


def _present(day: date) -> Select[Any]:
    """Return how many were there on the last reported day of each school in the month."""
    later = aliased(AttendanceReport)
    last = (
        select(func.max(later.day))
        .where(later.school_id == AttendanceReport.school_id, later.day <= day)
        .where(later.day >= day.replace(day=1))
        .correlate(AttendanceReport)
        .scalar_subquery()
    )
    place = [getattr(AttendanceReport, name) for name in PLACES]
    return (
        select(
            *place, literal(AT_SCHOOL), literal(None, Integer), func.sum(AttendanceReport.present)
        )
        .where(AttendanceReport.day == last)
        .group_by(*place)
    )
