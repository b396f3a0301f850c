"""Name what keeps rules from judging: no calendar, no assignments, values with a gap."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from flask_babel import gettext as _
from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from app.base import registry
from app.cadence.calendar import ONE_DAY
from app.models import (
    CalendarDay,
    County,
    LiaisonAssignment,
    Obligation,
    Parameter,
    SchoolYear,
    Semester,
)
from app.models.inspection import type_title
from app.parameters.value import Timeline
from app.rules.judge import Judge, judge_on, keys_of
from app.rules.reads import tables_of
from app.rules.rule import Rule
from app.words import words

WITHOUT_CALENDAR = frozenset({"none", "event"})


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Say what is missing or contradictory, and how to cure it."""

    message: str
    hint: str


def obstacles(session: Session, as_of: date, rules: Iterable[Rule]) -> list[Obstacle]:
    """Return what keeps some of these rules from judging on a day, in a few statements."""
    judge = judge_on(session, as_of)
    chosen = list(rules)
    found: list[Obstacle] = []
    if any(rule.period not in WITHOUT_CALENDAR for rule in chosen):
        found += _of_calendar(session, judge)
    if any(_reads_obligations(judge, rule) for rule in chosen):
        found += _of_assignments(session, as_of)
    return found + list(_of_parameters(session, judge, chosen))


def _of_calendar(session: Session, judge: Judge) -> Iterator[Obstacle]:
    day = judge.as_of
    named = session.execute(select(County.id, County.name))
    counties = {row[0]: row[1] for row in named}
    years = session.execute(
        select(SchoolYear.id, SchoolYear.county_id, SchoolYear.name).where(
            SchoolYear.starts_on <= day, SchoolYear.ends_on >= day
        )
    ).all()
    known = {row.county_id for row in years}
    for key, county in sorted(counties.items()):
        if key not in known:
            yield Obstacle(
                _("%(county)s: no school year holds %(day)s", county=county, day=day.isoformat()),
                _("Enter the school year with its semesters; until then nothing is judged"),
            )
    semesters = session.scalars(
        select(Semester)
        .where(Semester.school_year_id.in_([row.id for row in years]))
        .order_by(Semester.school_year_id, Semester.starts_on)
    ).all()
    entered = _entered(session, day)
    for row in years:
        county = counties[row.county_id]
        own = [one for one in semesters if one.school_year_id == row.id]
        yield from _of_year(county, words(row.name), own, judge)
        yield from _of_days(county, own, entered, day)


def _of_year(
    county: str, year: str, semesters: Sequence[Semester], judge: Judge
) -> Iterator[Obstacle]:
    if not semesters:
        yield Obstacle(
            _("%(county)s: the school year %(year)s has no semester", county=county, year=year),
            _("Enter its semesters; until then fortnights and months are not judged"),
        )
    for earlier, later in pairwise(semesters):
        if later.starts_on <= earlier.ends_on:
            yield Obstacle(
                _(
                    "%(county)s: %(one)s and %(other)s overlap",
                    county=county,
                    one=str(earlier),
                    other=str(later),
                ),
                _("Correct the days of the semesters: days in both would be judged twice"),
            )
    empty = {(term.start, term.end) for term in judge.terms.semesters if not term.days}
    for one in semesters:
        if one.ends_on < one.starts_on or (one.starts_on, one.ends_on) in empty:
            yield Obstacle(
                _("%(county)s: %(semester)s has no school day", county=county, semester=str(one)),
                _("Correct its first and last day, or the calendar between them"),
            )


def _entered(session: Session, day: date) -> dict[int, int]:
    """Return how many days of each semester up to a day the calendar holds."""
    query = (
        select(Semester.id, func.count(CalendarDay.id))
        .join(
            CalendarDay,
            and_(
                CalendarDay.county_id == Semester.county_id,
                CalendarDay.day.between(Semester.starts_on, Semester.ends_on),
            ),
        )
        .where(CalendarDay.day <= day)
        .group_by(Semester.id)
    )
    return {row[0]: row[1] for row in session.execute(query)}


def _of_days(
    county: str, semesters: Sequence[Semester], entered: Mapping[int, int], day: date
) -> Iterator[Obstacle]:
    for one in semesters:
        needed = (min(one.ends_on, day) - one.starts_on).days + 1
        if entered.get(one.id, 0) < needed:
            yield Obstacle(
                _(
                    "%(county)s: the calendar holds %(count)s of the %(days)s days of "
                    "%(semester)s so far",
                    county=county,
                    count=entered.get(one.id, 0),
                    days=needed,
                    semester=str(one),
                ),
                _(
                    "Enter the missing days of the calendar; until then verdicts on them cannot be "
                    "relied on"
                ),
            )


def _reads_obligations(judge: Judge, rule: Rule) -> bool:
    try:
        return Obligation.__tablename__ in tables_of(judge, rule)
    except Exception:  # noqa: BLE001  # a rule that raises is told by its own run
        return False


def _of_assignments(session: Session, as_of: date) -> Iterator[Obstacle]:
    held = set(
        session.scalars(
            select(LiaisonAssignment.capacity)
            .where(
                LiaisonAssignment.valid_from <= as_of,
                or_(LiaisonAssignment.valid_to.is_(None), LiaisonAssignment.valid_to >= as_of),
            )
            .distinct()
        )
    )
    for kind in registry.inspection_types():
        if kind.cadence.scope == "linked_schools" and kind.capacity not in held:
            yield Obstacle(
                _("%(kind)s: nobody is assigned to any school", kind=type_title(kind.key)),
                _("Enter the liaison assignments; until then none of these inspections is due"),
            )


def _of_parameters(session: Session, judge: Judge, rules: Iterable[Rule]) -> Iterator[Obstacle]:
    keys = sorted({key for rule in rules for key in keys_of(rule)})
    gaps = [
        (key, first, last)
        for key in keys
        for first, last in _gaps(judge.parameters.timelines.get(key))
        if first <= judge.as_of
    ]
    if not gaps:
        return
    named = select(Parameter.key, Parameter.title).where(
        Parameter.key.in_([key for key, _first, _last in gaps])
    )
    titles = {row[0]: row[1] for row in session.execute(named)}
    for key, first, last in gaps:
        yield Obstacle(
            _(
                "“%(title)s” has no value from %(first)s to %(last)s",
                title=words(titles.get(key, key)),
                first=first.isoformat(),
                last=last.isoformat(),
            ),
            _("Enter a value for these days; until then its rules judge nothing in them"),
        )


def _gaps(timeline: Timeline | None) -> Iterator[tuple[date, date]]:
    """Yield the days between an end of a parameter and its next value."""
    values = timeline.values if timeline is not None else ()
    for dated, following in pairwise(values):
        if dated.value is None and following.value is not None:
            yield dated.valid_from, following.valid_from - ONE_DAY
