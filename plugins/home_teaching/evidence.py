"""Show the rows behind a judgement: visits with what counts, papers, the roster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, String, cast, literal, null, select

from app.kit import Period, Settings, Window, _l, sentence

from .hours import cases, running, visits
from .judgement import SESSION
from .models import Case, Disability, Paper
from .months import table_of, year_of

COUNTED = _l("%(hours)s class hours count, of %(minutes)s minutes")


def of_months(window: Window, settings: Settings) -> Select[Any]:
    """Select the visits of each month."""
    return _visits(window, settings, window.periods)


def of_years(window: Window, settings: Settings) -> Select[Any]:
    """Select the visits of each year that begins in the periods."""
    years = [year_of(period.end, window.months, settings) for period in window.periods]
    periods = [Period(str(year.start), year.start, year.end, year.end) for year in years]
    return _visits(window, settings, periods)


def _visits(window: Window, settings: Settings, periods: Sequence[Period]) -> Select[Any]:
    first, last = min(one.start for one in periods), max(one.end for one in periods)
    made = visits(cases(school_ids=window.school_ids), settings, first, last)
    period = table_of(periods)
    return select(
        literal("child").label("subject_type"),
        made.c.child_id.label("subject_id"),
        period.c.start.label("period_start"),
        literal(SESSION).label("record_type"),
        made.c.session_id.label("record_id"),
        made.c.taught_on.label("day"),
        sentence(COUNTED, hours=made.c.hours, minutes=made.c.minutes).label("detail"),
    ).join(period, made.c.taught_on.between(period.c.start, period.c.end))


def of_cases(window: Window, _settings: Settings) -> Select[Any]:
    """Select the papers in the files of the running cases."""
    columns: list[Any] = [
        literal("child").label("subject_type"),
        Case.child_id.label("subject_id"),
        Case.starts_on.label("period_start"),
        literal(Paper.__tablename__).label("record_type"),
        Paper.id.label("record_id"),
        null().label("day"),
        cast(Paper.form_year, String).label("detail"),
    ]
    query: Select[Any] = select(*columns)
    return query.join(Paper, Paper.case_id == Case.id).where(running(window.as_of))


def of_roster(window: Window, _settings: Settings) -> Select[Any]:
    """Select the lines of the disability roster of the children, whatever day they are of."""
    columns: list[Any] = [
        literal("child").label("subject_type"),
        Disability.child_id.label("subject_id"),
        Disability.valid_from.label("period_start"),
        literal(Disability.__tablename__).label("record_type"),
        Disability.id.label("record_id"),
        Disability.valid_from.label("day"),
        null().label("detail"),
    ]
    query: Select[Any] = select(*columns)
    return query.where(Disability.valid_from <= window.as_of)
