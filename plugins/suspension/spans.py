"""Say from when to when a case is active, and which visits count in that time."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Date,
    Select,
    Subquery,
    and_,
    case,
    distinct,
    func,
    literal,
    select,
)
from sqlalchemy.orm import aliased

from app.kit import (
    CalendarDay,
    CalendarException,
    Child,
    ChildStatus,
    DaysAfter,
    DaysBetween,
    MonthsAfter,
    Settings,
    StatusEvent,
    Township,
    Visit,
    earlier,
    is_counted,
    later,
)

from .kinds import POLICY, STILL_AWAY
from .models import SuspensionCase

MONTHS_A_YEAR: Final = 12
A_MONDAY, WEEK, FRIDAY, SATURDAY = date(2024, 1, 1), 7, 4, 5
_EVENT = StatusEvent.__table__
_STATUS = ChildStatus.__table__


def spans(settings: Settings) -> Select[Any]:
    """Select the approved cases by policy with their active time.

    ``starts_on`` is the approval or the go-live, ``ends_on`` the earliest of the day before the
    return, the end and the last day of school age; ``last_on`` is the last day on which a visit
    counts, the day of the return included.
    """
    back = back_on()
    limit = earlier(SuspensionCase.ends_on, _last_day_of_age(settings))
    query: Select[Any] = (
        select(
            SuspensionCase.id.label("case_id"),
            SuspensionCase.county_id,
            SuspensionCase.township_id,
            SuspensionCase.school_id,
            SuspensionCase.child_id,
            SuspensionCase.approved_on,
            SuspensionCase.ends_on.label("expires_on"),
            back.label("back_on"),
            later(SuspensionCase.approved_on, Township.go_live_on).label("starts_on"),
            earlier(limit, DaysAfter(back, -1)).label("ends_on"),
            earlier(limit, back).label("last_on"),
        )
        .join(Township, Township.id == SuspensionCase.township_id)
        .join(Child, Child.id == SuspensionCase.child_id)
        .where(
            SuspensionCase.kind.in_(POLICY),
            SuspensionCase.approved_on.is_not(None),
            Township.go_live_on.is_not(None),
        )
    )
    return query


def back_on() -> ColumnElement[Any]:
    """Return the day on which the child came back or left: recorded here or by its status."""
    event, status = _EVENT.alias(), _STATUS.alias()
    gone = (
        select(func.min(event.c.happened_on))
        .join(status, status.c.id == event.c.status_id)
        .where(
            event.c.child_id == SuspensionCase.child_id,
            event.c.happened_on > SuspensionCase.approved_on,
            status.c.key.not_in((*POLICY, *STILL_AWAY)),
        )
        .correlate(SuspensionCase)
        .scalar_subquery()
    )
    return earlier(SuspensionCase.returned_on, gone)


def _last_day_of_age(settings: Settings) -> ColumnElement[Any]:
    """Return the last day before the age limit; a child that still has a class stays of age."""
    birthday = MonthsAfter(Child.born_on, settings.age_below * MONTHS_A_YEAR)
    return case((Child.class_id.is_(None), DaysAfter(birthday, -1)))


def counted(span: Subquery, first: Any, last: Any) -> ColumnElement[int]:
    """Count the days of visits to the child of a span from one day to another."""
    visits = select(func.count(distinct(Visit.visited_on))).where(within(span, Visit, first, last))
    return visits.correlate_except(Visit).scalar_subquery()


def within(span: Subquery, visit: type[Visit], first: Any, last: Any) -> ColumnElement[bool]:
    """Tell whether a visit counts for a span; one on the day of approval counts nowhere."""
    return and_(
        visit.child_id == span.c.child_id,
        visit.visited_on > span.c.approved_on,
        visit.visited_on >= first,
        visit.visited_on <= last,
        visit.visited_on <= span.c.last_on,
        is_counted(visit),
    )


def next_school_day(span: Subquery) -> ColumnElement[Any]:
    """Return the first school day after the end of a case, of its school or of the county.

    Where the calendar knows no later day, the next weekday stands in for it.
    """
    day, other = aliased(CalendarDay), aliased(CalendarException)
    own = (
        select(other.is_school_day)
        .where(
            other.school_id == span.c.school_id,
            other.day == day.day,
            other.grade.is_(None),
            other.class_id.is_(None),
        )
        .correlate(day, span)
        .scalar_subquery()
    )
    known = (
        select(func.min(day.day))
        .where(
            day.county_id == span.c.county_id,
            day.day > span.c.expires_on,
            func.coalesce(own, day.is_school_day),
        )
        .correlate(span)
        .scalar_subquery()
    )
    return func.coalesce(known, _next_weekday(span.c.expires_on))


def _next_weekday(day: ColumnElement[Any]) -> ColumnElement[Any]:
    weekday = DaysBetween(literal(A_MONDAY, Date), day) % WEEK
    return DaysAfter(day, case((weekday == FRIDAY, 3), (weekday == SATURDAY, 2), else_=1))
