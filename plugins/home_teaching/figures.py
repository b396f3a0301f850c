"""Gather what screens show: a child's year with its months, and where all cases stand today."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import CompoundSelect, literal, select, union_all

from app.kit import (
    NoValue,
    Period,
    Session,
    Settings,
    _,
    _l,
    load_parameters,
    load_years,
    months_of_years,
    settings_of,
    today,
)

from .hours import cases, visits
from .models import Excuse
from .months import Year, by_month, countable, progress, year_of
from .words import APPROVED

PLUGIN: Final = "home_teaching"
VISIT, MONTH = "visit", "month"
DONE, SHORT, RUNNING, AHEAD = "done", "short", "running", "ahead"
LEFT_OUT, EXCUSED = "left_out", "excused"
STATES: Final = {
    DONE: _l("Enough visits"),
    SHORT: _l("Too few visits"),
    RUNNING: _l("Under way"),
    AHEAD: _l("Not begun"),
    LEFT_OUT: _l("Does not count"),
    EXCUSED: _l("Excused"),
}
TONES: Final = dict.fromkeys(STATES, "") | {DONE: "success", SHORT: "danger", RUNNING: "warning"}


@dataclass(frozen=True, slots=True)
class Visit:
    """One day of home teaching: what is stated, what the minutes hold, what counts."""

    taught_on: date
    minutes: int
    stated: int
    fitting: int
    hours: int
    qualifies: bool


@dataclass(frozen=True, slots=True)
class Month:
    """A school month of a child: its qualifying visits, its hours and how it stands."""

    period: Period
    visits: int
    hours: int
    required: int
    state: str

    @property
    def title(self) -> str:
        """Return the months in numbers, a joined one with both."""
        first, last = self.period.start, self.period.end
        if (first.year, first.month) == (last.year, last.month):
            return f"{first:%Y-%m}"
        return f"{first:%Y-%m} – {last:%m}"

    @property
    def lacking(self) -> int:
        """Return how many qualifying visits the month still needs."""
        counts = self.state in (SHORT, RUNNING)
        return max(self.required - self.visits, 0) if counts else 0


@dataclass(frozen=True, slots=True)
class ChildYear:
    """A child's year: the hours that count, those that are required, and the months."""

    year: Year
    hours: int
    required: int
    due: int
    """The hours that the months which are over ask for."""
    months: Sequence[Month]
    visits: Mapping[date, Visit]

    def month_of(self, day: date) -> Month | None:
        """Return the school month that holds a day; None in vacations."""
        found = (m for m in self.months if m.period.start <= day <= m.period.end)
        return next(found, None)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a child stands today: hours of the year, and visits of the month."""

    hours: int = 0
    required: int = 0
    due: int = 0
    visits: int | None = None
    """The qualifying visits of the month; None where it does not count for the child."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Hold the year of a day with its months and the values that are in force."""

    settings: Settings
    year: Year

    def month_of(self, day: date) -> Period | None:
        """Return the school month that holds a day; None in vacations."""
        found = (month for month in self.year.months if month.start <= day <= month.end)
        return next(found, None)


def terms_of(session: Session, day: date) -> Terms:
    """Read the year of a day: a past one with the values of its last day, as the rules have it."""
    values = load_parameters(session)
    settings = settings_of(session, PLUGIN, day, parameters=values)
    year = year_of(day, (), settings)
    if year.end < today():
        settings = settings_of(session, PLUGIN, year.end, parameters=values)
    known = load_years(session, year.end, parameters=values)
    if known.year is None:
        known = load_years(session, day, parameters=values)
    return Terms(settings, year_of(day, months_of_years(known), settings))


def child_year(session: Session, child_id: int, day: date) -> ChildYear:
    """Return a child's year that holds a day; the child's rows are read in one statement.

    Where the policy has no figures for the year, nothing counts and nothing is required.
    """
    try:
        terms = terms_of(session, day)
        facts = session.execute(_facts(child_id, terms)).all()
    except NoValue:
        return ChildYear(Year(day, day, ()), 0, 0, 0, (), {})
    return _told(terms, facts)


def _facts(child_id: int, terms: Terms) -> CompoundSelect[Any]:
    """Select the visits of a child's year, its countable months and its excused ones."""
    held = cases(child_ids=[child_id])
    made = visits(held, terms.settings, terms.year.start, terms.year.end)
    months = countable(held, terms.settings, terms.year.months)
    visit = (made.c.minutes, made.c.stated, made.c.fitting, made.c.hours, made.c.qualifies)
    nothing = [literal(0)] * len(visit)
    excused = select(literal(EXCUSED), Excuse.month, *nothing)
    return union_all(
        select(literal(VISIT).label("kind"), made.c.taught_on.label("day"), *visit),
        select(literal(MONTH), months.c.start, *nothing),
        excused.where(Excuse.child_id == child_id, Excuse.state == APPROVED),
    )


def _told(terms: Terms, facts: Sequence[Any]) -> ChildYear:
    """Put the facts of a child's year together."""
    year, yearly = terms.year, int(terms.settings.year_hours)
    found = {
        day: Visit(day, minutes, stated, fitting, hours, bool(qualifies))
        for kind, day, minutes, stated, fitting, hours, qualifies in sorted(facts)
        if kind == VISIT
    }
    counted = {row.day for row in facts if row.kind == MONTH}
    excused = {row.day for row in facts if row.kind == EXCUSED}
    over = sum(month.end < today() for month in year.months if month.start in counted)
    whole = max(len(year.months), 1)
    return ChildYear(
        year,
        sum(visit.hours for visit in found.values()),
        yearly * len(counted) // whole,
        yearly * over // whole,
        _months(year.months, found, counted, excused, int(terms.settings.month_visits)),
        found,
    )


def _months(
    periods: Iterable[Period],
    found: Mapping[date, Visit],
    counted: set[date],
    excused: set[date],
    required: int,
) -> list[Month]:
    months = []
    for period in periods:
        inside = [v for v in found.values() if period.start <= v.taught_on <= period.end]
        made = sum(visit.qualifies for visit in inside)
        state = _state(period, made >= required, counted, excused)
        hours = sum(visit.hours for visit in inside)
        months.append(Month(period, made, hours, required, state))
    return months


def _state(period: Period, is_enough: bool, counted: set[date], excused: set[date]) -> str:
    if period.start not in counted:
        is_excused = any(period.start <= month <= period.end for month in excused)
        return EXCUSED if is_excused else LEFT_OUT
    if is_enough:
        return DONE
    if period.start > today():
        return AHEAD
    return SHORT if period.end < today() else RUNNING


def standings(
    session: Session, child_ids: Collection[int], day: date
) -> tuple[Terms, Mapping[int, Standing]]:
    """Return where many children stand on a day, in a constant number of statements.

    Raises NoValue where the policy has no figures for the year.
    """
    terms = terms_of(session, day)
    held = cases(child_ids=child_ids)
    rows = session.execute(progress(held, terms.settings, terms.year, day)).all()
    month = terms.month_of(day)
    counted, _made = by_month(held, terms.settings, [month] if month else [])
    visited: dict[int, int] = {
        row.child_id: row.visits for row in session.execute(select(*counted.c))
    }
    return terms, {
        row.child_id: Standing(row.hours, row.required, row.due, visited.get(row.child_id))
        for row in rows
    }


def hours_text(hours: int, required: int) -> str:
    """Return hours against the required ones, as lists show them."""
    return _("%(hours)s of %(required)s class hours", hours=hours, required=required)
