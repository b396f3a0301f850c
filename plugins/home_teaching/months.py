"""Count visits in months and class hours in years: which months count, and what they ask for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import (
    Select,
    Subquery,
    and_,
    case,
    exists,
    extract,
    false,
    func,
    literal,
    select,
    union_all,
)

from app.kit import CalendarDay, CalendarException, Period, Settings

from .hours import FOR_EVER, added_up, visits
from .models import Excuse
from .words import APPROVED

ONE_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Year:
    """Hold a year in which class hours are counted, and the school months that are due in it."""

    start: date
    end: date
    months: tuple[Period, ...]


def year_of(day: date, months: Iterable[Period], settings: Settings) -> Year:
    """Return the year that holds a day: from September on, or from the month that is set."""
    first = min(max(int(settings.year_first_month), 1), 12)
    start = date(day.year if day.month >= first else day.year - 1, first, 1)
    end = start.replace(year=start.year + 1) - ONE_DAY
    return Year(start, end, tuple(month for month in months if start <= month.due_on <= end))


def table_of(periods: Sequence[Period]) -> Subquery:
    """Return periods as rows."""
    rows = [
        select(
            literal(period.start).label("start"),
            literal(period.end).label("end"),
            literal(period.due_on).label("due_on"),
        )
        for period in periods
    ]
    day = literal(FOR_EVER)
    none = select(day.label("start"), day.label("end"), day.label("due_on")).where(false())
    return union_all(*(rows or [none])).subquery("month")


def countable(held: Subquery, settings: Settings, periods: Sequence[Period]) -> Subquery:
    """Select the months that count for a child: enough school days inside the case, none excused.

    School days are those of the school; exceptions of single grades or classes do not concern a
    child who is taught at home. Days in an excused calendar month are left out.
    """
    month, own = table_of(periods), CalendarException
    excused = exists().where(
        Excuse.child_id == held.c.child_id,
        Excuse.state == APPROVED,
        extract("year", Excuse.month) == extract("year", CalendarDay.day),
        extract("month", Excuse.month) == extract("month", CalendarDay.day),
    )
    of_school = and_(
        own.school_id == held.c.school_id,
        own.day == CalendarDay.day,
        own.grade.is_(None),
        own.class_id.is_(None),
    )
    days = func.count(CalendarDay.day.distinct())
    return (
        select(
            held.c.child_id,
            month.c.start,
            month.c.end,
            func.max(held.c.starts_on).label("starts_on"),
            days.label("days"),
        )
        .join(CalendarDay, CalendarDay.county_id == held.c.county_id)
        .join(month, CalendarDay.day.between(month.c.start, month.c.end))
        .outerjoin(own, of_school)
        .where(
            CalendarDay.day.between(held.c.first_day, held.c.last_day),
            func.coalesce(own.is_school_day, CalendarDay.is_school_day),
            ~excused,
        )
        .group_by(held.c.child_id, month.c.start, month.c.end)
        .having(days >= settings.month_school_days)
        .subquery("countable")
    )


def by_month(
    held: Subquery, settings: Settings, periods: Sequence[Period]
) -> tuple[Subquery, Subquery]:
    """Select how many qualifying visits each countable month has, and the visits behind it."""
    months = countable(held, settings, periods)
    first = min((period.start for period in periods), default=FOR_EVER)
    last = max((period.end for period in periods), default=FOR_EVER)
    made = visits(held, settings, first, last)
    counted = (
        select(
            months.c.child_id,
            months.c.start,
            months.c.end,
            months.c.starts_on,
            func.coalesce(added_up(made.c.qualifies), 0).label("visits"),
        )
        .outerjoin(
            made,
            and_(
                made.c.child_id == months.c.child_id,
                made.c.taught_on.between(months.c.start, months.c.end),
            ),
        )
        .group_by(months.c.child_id, months.c.start, months.c.end, months.c.starts_on)
        .subquery("counted")
    )
    return counted, made


def progress(held: Subquery, settings: Settings, year: Year, as_of: date) -> Select[Any]:
    """Select for each child of a year: hours until a day, countable months, those that are over.

    `required` is the year's figure in the share of the child's countable months among the
    calendar's, `due` the same for the months that are over, both rounded down.
    """
    months = countable(held, settings, year.months)
    made = visits(held, settings, year.start, min(year.end, as_of))
    hours = (
        select(made.c.child_id, added_up(made.c.hours).label("hours"))
        .group_by(made.c.child_id)
        .subquery("hours")
    )
    is_over = case((months.c.end < as_of, 1), else_=0)
    total, over = func.count(), added_up(is_over)
    whole = max(len(year.months), 1)
    return (
        select(
            months.c.child_id,
            func.max(months.c.starts_on).label("starts_on"),
            func.coalesce(func.max(hours.c.hours), 0).label("hours"),
            total.label("months"),
            over.label("over"),
            (total * settings.year_hours // whole).label("required"),
            (over * settings.year_hours // whole).label("due"),
        )
        .outerjoin(hours, hours.c.child_id == months.c.child_id)
        .group_by(months.c.child_id)
    )
