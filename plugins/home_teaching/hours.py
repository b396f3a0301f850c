"""Derive what counts of the sessions: visits with their class hours. Set-based.

What is written down is never believed as such: spans of a child and day are united, the class
hours follow from their minutes, and days outside the case do not count.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Integer,
    Subquery,
    and_,
    case,
    cast,
    func,
    literal,
    or_,
    select,
)

from app.kit import Settings, Township

from .models import Case, TeachingSession

FOR_EVER: Final = date(9999, 12, 31)
DIGITS: Final = {str(digit): digit for digit in range(10)}


def cases(
    *, child_ids: Collection[int] | None = None, school_ids: Collection[int] | None = None
) -> Subquery:
    """Select the cases with the days that count in them: none before the township went live.

    With `school_ids` all cases of the children who have, or had, one at these schools: a child's
    month is the same whichever schools are looked at.
    """
    live_on = case(
        (Case.starts_on >= Township.go_live_on, Case.starts_on), else_=Township.go_live_on
    )
    query = select(
        Case.child_id,
        Case.county_id,
        Case.school_id,
        Case.starts_on,
        live_on.label("first_day"),
        func.coalesce(Case.ends_on, literal(FOR_EVER)).label("last_day"),
    ).join(Township, Township.id == Case.township_id)
    query = query.where(Township.go_live_on.is_not(None))
    if child_ids is not None:
        query = query.where(Case.child_id.in_(child_ids))
    if school_ids is not None:
        theirs = select(Case.child_id).where(Case.school_id.in_(school_ids))
        query = query.where(Case.child_id.in_(theirs))
    return query.subquery("held")


def visits(held: Subquery, settings: Settings, first: date, last: date) -> Subquery:
    """Select the visits of the cases between two days, one for each child and day.

    `hours` are those that count: at most the stated ones, the whole class hours in the united
    minutes, and the most of a day. A visit `qualifies` from so many hours on.
    """
    days = _days(held, first, last)
    fitting = days.c.minutes // settings.hour_minutes
    counted = _least(_least(days.c.stated, fitting), literal(settings.day_hours))
    return select(
        days.c.child_id,
        days.c.taught_on,
        days.c.starts_on,
        days.c.session_id,
        days.c.minutes,
        days.c.stated,
        fitting.label("fitting"),
        counted.label("hours"),
        case((counted >= settings.visit_hours, 1), else_=0).label("qualifies"),
    ).subquery("visit")


def _days(held: Subquery, first: date, last: date) -> Subquery:
    """Add up the sessions of each child and day."""
    spans = _spans(held, first, last)
    reach = func.max(spans.c.until).over(
        partition_by=(spans.c.child_id, spans.c.taught_on),
        order_by=(spans.c.since, spans.c.until),
        rows=(None, -1),
    )
    # Each span adds what lies beyond the furthest end before it: together that is their union.
    added = case(
        (reach.is_(None), spans.c.until - spans.c.since),
        (reach >= spans.c.until, 0),
        (reach > spans.c.since, spans.c.until - reach),
        else_=spans.c.until - spans.c.since,
    )
    pieces = select(*spans.c, added.label("added")).subquery("piece")
    return (
        select(
            pieces.c.child_id,
            pieces.c.taught_on,
            func.max(pieces.c.starts_on).label("starts_on"),
            func.min(pieces.c.session_id).label("session_id"),
            added_up(pieces.c.stated).label("stated"),
            added_up(pieces.c.added).label("minutes"),
        )
        .group_by(pieces.c.child_id, pieces.c.taught_on)
        .subquery("day")
    )


def _spans(held: Subquery, first: date, last: date) -> Subquery:
    """Select the spans of time inside the cases."""
    row = TeachingSession
    return (
        select(
            row.child_id,
            row.taught_on,
            _minute(row.starts_at).label("since"),
            _minute(row.ends_at).label("until"),
            func.max(row.stated_hours).label("stated"),
            func.min(row.id).label("session_id"),
            func.max(held.c.starts_on).label("starts_on"),
        )
        .join(held, held.c.child_id == row.child_id)
        .where(
            row.taught_on.between(first, last),
            row.taught_on.between(held.c.first_day, held.c.last_day),
        )
        .group_by(row.child_id, row.taught_on, row.starts_at, row.ends_at)
        .subquery("span")
    )


def _minute(clock: Any) -> ColumnElement[int]:
    """Return the minute of the day of a time that is kept as ``09:00``.

    Digit by digit: a cast fails on PostgreSQL where a text is no number, and one such row would
    stop every figure.
    """
    first, second, third, fourth = (
        case(DIGITS, value=func.substr(clock, place, 1), else_=0) for place in (1, 2, 4, 5)
    )
    return (first * 10 + second) * 60 + third * 10 + fourth


def added_up(number: ColumnElement[Any]) -> ColumnElement[int]:
    """Add whole numbers up; PostgreSQL would return a decimal, which divides otherwise."""
    return cast(func.sum(number), Integer)


def _least(one: ColumnElement[Any], other: ColumnElement[Any]) -> ColumnElement[Any]:
    return case((one <= other, one), else_=other)


def at_school(rows: Subquery, school_ids: Collection[int] | None) -> ColumnElement[bool]:
    """Join rows of a child with the case that they name by its first day, at some schools."""
    same = and_(Case.child_id == rows.c.child_id, Case.starts_on == rows.c.starts_on)
    return same if school_ids is None else and_(same, Case.school_id.in_(school_ids))


def running(day: date) -> ColumnElement[bool]:
    """Tell whether a case runs on a day."""
    return and_(Case.starts_on <= day, or_(Case.ends_on.is_(None), Case.ends_on >= day))
