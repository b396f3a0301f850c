"""Cut the active time of cases into the windows in which visits are asked for.

Each select has a row a window: ``period_start`` names it, ``last`` is its last day, ``judged_on``
the day whose values judge it, ``required`` the visits that are asked for.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    Subquery,
    case,
    func,
    literal,
    select,
    union,
    union_all,
)
from sqlalchemy.orm import aliased

from app.kit import (
    DaysAfter,
    DaysBetween,
    MonthsAfter,
    Semester,
    Settings,
    Visit,
    earlier,
    is_counted,
    later,
)

from .spans import MONTHS_A_YEAR, spans, within

YEARS: Final = 9
"""No case lasts longer than compulsory education, not even an old one."""
PERCENT: Final = 100
CARRIED: Final = ("child_id", "school_id", "township_id", "approved_on", "last_on")


def stretches(settings: Settings) -> Select[Any]:
    """Select the stretches between visits at whose due day the case was active and nobody came.

    A stretch begins with the approval, the go-live or a visit; a visit on its due day counts.
    """
    span = spans(settings).subquery("span")
    columns = [*_carried(span), span.c.ends_on]
    began = select(*columns, span.c.starts_on.label("since"))
    on_the_way = within(span, Visit, span.c.starts_on, span.c.last_on)
    visited = select(*columns, Visit.visited_on.label("since")).join(Visit, on_the_way)
    row = union(began, visited).subquery("stretch")
    due, following = MonthsAfter(row.c.since, settings.visit_months), aliased(Visit)
    came = (
        select(following.id)
        .where(
            following.child_id == row.c.child_id,
            following.visited_on > row.c.since,
            following.visited_on <= due,
            is_counted(following),
        )
        .correlate(row)
        .exists()
    )
    return select(
        *_carried(row),
        row.c.since.label("period_start"),
        due.label("last"),
        due.label("judged_on"),
        literal(settings.visit_months).label("required"),
    ).where(due <= row.c.ends_on, ~came)


def semesters(settings: Settings) -> Select[Any]:
    """Select the semesters of each case, from one semester's start to the next one's."""
    span, semester = spans(settings).subquery("span"), _semesters()
    last = DaysAfter(semester.c.following, -1)
    first_active = later(span.c.starts_on, semester.c.first)
    active = DaysBetween(first_active, earlier(span.c.ends_on, last)) + 1
    whole = DaysBetween(semester.c.first, semester.c.following)
    required = case(
        (active < settings.semester_days_min, literal(0)),
        (
            active * PERCENT < whole * settings.short_semester_percent,
            literal(settings.short_semester_visits),
        ),
        else_=literal(settings.semester_visits),
    )
    return (
        select(
            *_carried(span),
            first_active.label("period_start"),
            last.label("last"),
            last.label("judged_on"),
            required.label("required"),
        )
        .join(semester, semester.c.county_id == span.c.county_id)
        .where(span.c.starts_on <= last, span.c.ends_on >= first_active)
    )


def years(settings: Settings) -> Select[Any]:
    """Select each twelve months of each case; the last ones ask for their full months only."""
    return _years(settings, None)


def years_so_far(settings: Settings, as_of: date) -> Select[Any]:
    """Select the twelve months that run on a day, with what they ask for up to it."""
    return _years(settings, as_of)


def _years(settings: Settings, as_of: date | None) -> Select[Any]:
    span, number = spans(settings).subquery("span"), _numbers()
    months = number.c.number * MONTHS_A_YEAR
    first = MonthsAfter(span.c.starts_on, months)
    year_end = DaysAfter(MonthsAfter(span.c.starts_on, months + MONTHS_A_YEAR), -1)
    end = earlier(span.c.ends_on, year_end)
    until: Any = DaysAfter(end, 1) if as_of is None else literal(as_of)
    full: Any = sum(
        (
            case((MonthsAfter(span.c.starts_on, months + count) <= until, 1), else_=0)
            for count in range(1, MONTHS_A_YEAR + 1)
        ),
        start=literal(0, Integer),
    )
    query = select(
        *_carried(span),
        first.label("period_start"),
        (year_end if as_of is None else literal(as_of)).label("last"),
        (end if as_of is None else literal(as_of)).label("judged_on"),
        (settings.year_visits * full // MONTHS_A_YEAR).label("required"),
    ).where(first <= span.c.ends_on)
    if as_of is not None:
        query = query.where(first <= as_of, end >= as_of)
    return query.select_from(span.join(number, literal(value=True)))


def _carried(rows: Subquery) -> list[ColumnElement[Any]]:
    return [rows.c[name] for name in CARRIED]


def _semesters() -> Subquery:
    """Return the semesters that are followed by another one in the calendar."""
    other = aliased(Semester)
    following = (
        select(func.min(other.starts_on))
        .where(other.county_id == Semester.county_id, other.starts_on > Semester.starts_on)
        .correlate(Semester)
        .scalar_subquery()
    )
    columns = Semester.county_id, Semester.starts_on.label("first"), following.label("following")
    rows = select(*columns).subquery("known")
    return select(rows).where(rows.c.following.is_not(None)).subquery("semester")


def _numbers() -> Subquery:
    return union_all(*(select(literal(n).label("number")) for n in range(YEARS))).subquery("year")
