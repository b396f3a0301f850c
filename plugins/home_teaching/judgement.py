"""Select what home teaching lacks: visits, class hours, eligibility, a place on the roster."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    Subquery,
    and_,
    cast,
    exists,
    literal,
    or_,
    select,
    union_all,
)

from app.kit import Period, Settings, Window

from .hours import at_school, cases, running, visits
from .models import Case, Disability
from .months import Year, by_month, progress, year_of
from .words import UNABLE

SESSION: Final = "plg_home_teaching_session"


def too_few_visits(window: Window, settings: Settings) -> Select[Any]:
    """Select the children with too few qualifying visits in a countable month that is over."""
    held = cases(school_ids=window.school_ids)
    counted, _made = by_month(held, settings, _over(window))
    return (
        _child(counted, counted.c.start, counted.c.visits, literal(settings.month_visits))
        .join(Case, at_school(counted, window.school_ids))
        .where(counted.c.visits < settings.month_visits)
    )


def short_visits(window: Window, settings: Settings) -> Select[Any]:
    """Select the visits with too few class hours that a month lacks: one row for each visit."""
    held = cases(school_ids=window.school_ids)
    counted, made = by_month(held, settings, _over(window))
    return (
        _session(made, counted.c.start, made.c.hours, literal(settings.visit_hours))
        .join(
            counted,
            and_(
                counted.c.child_id == made.c.child_id,
                made.c.taught_on.between(counted.c.start, counted.c.end),
            ),
        )
        .join(Case, at_school(made, window.school_ids))
        .where(counted.c.visits < settings.month_visits, made.c.qualifies == 0)
    )


def short_hours(window: Window, settings: Settings) -> Select[Any]:
    """Select the visits that state more class hours than their minutes hold."""
    over = _over(window)
    held = cases(school_ids=window.school_ids)
    rows = [_overstated(held, period, window, settings) for period in over]
    if not rows:
        return _overstated(held, window.periods[0], window, settings).where(literal(False))
    found = union_all(*rows).subquery()
    return select(*found.c)


def _overstated(held: Subquery, period: Period, window: Window, settings: Settings) -> Select[Any]:
    made = visits(held, settings, period.start, period.end)
    return (
        _session(made, literal(period.start), made.c.stated, made.c.fitting)
        .join(Case, at_school(made, window.school_ids))
        .where(made.c.stated > made.c.fitting)
    )


def too_few_hours(window: Window, settings: Settings) -> Select[Any]:
    """Select the children who had too few class hours in a year that is over."""
    return _behind(window, settings, list(_years_over(window, settings)), "required")


def behind_the_pace(window: Window, settings: Settings) -> Select[Any]:
    """Select the children who have too few class hours for the months of the year so far."""
    year = year_of(window.as_of, window.months, settings)
    return _behind(window, settings, [year] if year.months else [], "due")


def _years_over(window: Window, settings: Settings) -> Iterator[Year]:
    """Yield the years that begin in the periods, are over, and have months."""
    for period in window.periods:
        year = year_of(period.end, window.months, settings)
        begins_inside = period.start <= year.start <= period.end
        if begins_inside and year.months and year.end < window.as_of:
            yield year


def _behind(window: Window, settings: Settings, years: list[Year], measure: str) -> Select[Any]:
    held = cases(school_ids=window.school_ids)
    rows = [_less_than(held, year, window, settings, measure) for year in years]
    if not rows:
        year = year_of(window.as_of, (), settings)
        return _less_than(held, year, window, settings, measure).where(literal(False))
    found = union_all(*rows).subquery()
    return select(*found.c)


def _less_than(
    held: Subquery, year: Year, window: Window, settings: Settings, measure: str
) -> Select[Any]:
    """Select the children with fewer hours; `required` shows how the figure comes about."""
    made = progress(held, settings, year, window.as_of).subquery("progress")
    months = made.c.months if measure == "required" else made.c.over
    arithmetic = (
        cast(made.c[measure], String)
        + literal(f" ({settings.year_hours}×")
        + cast(months, String)
        + literal(f"÷{len(year.months)})")
    )
    return (
        _child(made, literal(year.start), made.c.hours, arithmetic)
        .join(Case, at_school(made, window.school_ids))
        .where(made.c.hours < made.c[measure])
    )


def not_eligible(window: Window, _settings: Settings) -> Select[Any]:
    """Select the running cases whose determination does not say that school is impossible."""
    return _of_case(window, Case.determination, literal(UNABLE)).where(
        running(window.as_of), Case.determination != UNABLE
    )


def not_linked(window: Window, _settings: Settings) -> Select[Any]:
    """Select home-taught children off the disability roster, and roster children placed nowhere."""
    listed = exists().where(Disability.child_id == Case.child_id, _in_force(window))
    off = _of_case(window, literal(0), literal(1)).where(running(window.as_of), ~listed)
    placeless = select(
        literal("child").label("subject_type"),
        Disability.child_id.label("subject_id"),
        Disability.school_id,
        Disability.township_id,
        Disability.valid_from.label("period_start"),
        literal(0).label("observed"),
        literal(1).label("required"),
    ).where(Disability.placement.is_(None), _in_force(window))
    placeless = placeless.where(_inside(Disability.school_id, window.school_ids))
    found = union_all(off, placeless).subquery()
    return select(*found.c)


def _in_force(window: Window) -> ColumnElement[bool]:
    not_ended = or_(Disability.valid_to.is_(None), Disability.valid_to >= window.as_of)
    return and_(Disability.valid_from <= window.as_of, not_ended)


def _inside(school: Any, school_ids: Collection[int] | None) -> ColumnElement[bool]:
    return literal(True) if school_ids is None else school.in_(school_ids)


def _over(window: Window) -> list[Period]:
    """Return the periods whose last day is over: until then there may be another visit."""
    return [period for period in window.periods if period.end < window.as_of]


def _child(
    rows: Subquery, start: ColumnElement[Any], observed: ColumnElement[Any], required: Any
) -> Select[Any]:
    return select(
        literal("child").label("subject_type"),
        rows.c.child_id.label("subject_id"),
        Case.school_id,
        Case.township_id,
        start.label("period_start"),
        observed.label("observed"),
        required.label("required"),
    ).select_from(rows)


def _session(
    made: Subquery, start: ColumnElement[Any], observed: ColumnElement[Any], required: Any
) -> Select[Any]:
    return select(
        literal(SESSION).label("subject_type"),
        made.c.session_id.label("subject_id"),
        Case.school_id,
        Case.township_id,
        start.label("period_start"),
        observed.label("observed"),
        required.label("required"),
    ).select_from(made)


def _of_case(window: Window, observed: Any, required: Any) -> Select[Any]:
    return select(
        literal("child").label("subject_type"),
        Case.child_id.label("subject_id"),
        Case.school_id,
        Case.township_id,
        Case.starts_on.label("period_start"),
        observed.label("observed"),
        required.label("required"),
    ).where(_inside(Case.school_id, window.school_ids))
