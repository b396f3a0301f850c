"""Cut school years into the periods 周期 of a cadence: fortnights, school months, semesters.

Fortnights and school months follow the county's school days: LP24-3-1-2 to LP24-3-1-5.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.cadence.calendar import ONE_DAY, Calendar, days_after, load_days
from app.models import SchoolYear, Semester
from app.parameters.value import Parameters, load_parameters
from app.parameters.window import Period

WEEK: Final = timedelta(days=7)
FORTNIGHT: Final = 2 * WEEK
NO_TIME: Final = timedelta()
PARAMETERS: Final = (
    "core.fortnight_mode",
    "core.fortnight_first_week_min_days",
    "core.fortnight_min_days",
    "core.month_min_days",
    "core.semester_min_days",
)


@dataclass(frozen=True, slots=True)
class Term:
    """Hold a semester 学期: its first and last day, and the county's school days in it."""

    start: date
    end: date
    days: tuple[date, ...]


@dataclass(frozen=True, slots=True)
class Terms:
    """Hold a school year with its semesters, and the values that cut them into periods."""

    year: tuple[date, date] | None
    semesters: tuple[Term, ...]
    parameters: Parameters
    earlier: Terms | None = None
    """The school year before, where it was asked for and is known."""

    def least(self, name: str, day: date) -> int:
        """Return a number of school days that was in force on a day; none asks for none."""
        return int(self.parameters.on(f"core.{name}", day) or 0)


@dataclass(frozen=True, slots=True)
class _Block:
    """Hold the days from one to another, and the school days among them."""

    start: date
    end: date
    days: tuple[date, ...]

    def __add__(self, following: _Block) -> _Block:
        return _Block(self.start, following.end, self.days + following.days)


def load_terms(
    session: Session,
    day: date,
    *,
    county_id: int | None = None,
    parameters: Parameters | None = None,
) -> Terms:
    """Read the school year that holds a day, in at most five statements."""
    values = load_parameters(session, PARAMETERS) if parameters is None else parameters
    year = session.execute(_years_until(day, county_id).where(SchoolYear.ends_on >= day)).first()
    return Terms(None, (), values) if year is None else _terms_of(session, [year], values)[0]


def load_years(session: Session, day: date, *, parameters: Parameters | None = None) -> Terms:
    """Read the school year that holds a day with the one before it, in at most four statements."""
    values = load_parameters(session, PARAMETERS) if parameters is None else parameters
    years = session.execute(_years_until(day, None).limit(2)).all()
    if not years or years[0].ends_on < day:
        return Terms(None, (), values)
    present, *before = (
        year for year in years if year is years[0] or year.ends_on < years[0].starts_on
    )
    read = _terms_of(session, [present, *before], values)
    return replace(read[0], earlier=read[1] if before else None)


def _years_until(day: date, county_id: int | None) -> Select[int, int, date, date]:
    """Select the school years that began by a day, the latest first."""
    query = (
        select(SchoolYear.id, SchoolYear.county_id, SchoolYear.starts_on, SchoolYear.ends_on)
        .where(SchoolYear.starts_on <= day)
        .order_by(SchoolYear.starts_on.desc())
    )
    return query if county_id is None else query.where(SchoolYear.county_id == county_id)


def _terms_of(session: Session, years: Sequence[Any], values: Parameters) -> list[Terms]:
    """Read the semesters of school years with their school days, in two statements."""
    spans = session.execute(
        select(Semester.school_year_id, Semester.starts_on, Semester.ends_on)
        .where(Semester.school_year_id.in_([year.id for year in years]))
        .order_by(Semester.starts_on)
    ).all()
    first, last = min(y.starts_on for y in years), max(y.ends_on for y in years)
    days = load_days(session, first, last, years[0].county_id)
    calendar = replace(days, semesters=tuple((start, end) for _year, start, end in spans))
    return [
        Terms(
            (year.starts_on, year.ends_on),
            tuple(_term(calendar, start, end) for key, start, end in spans if key == year.id),
            values,
        )
        for year in years
    ]


def _term(calendar: Calendar, first: date, last: date) -> Term:
    days = days_after(first - ONE_DAY, last)
    return Term(first, last, tuple(filter(calendar.is_school_day, days)))


def periods_of(kind: str, terms: Terms, as_of: date) -> tuple[Period, ...]:
    """Return the periods of a kind that have begun by the judging day; none without a calendar."""
    return tuple(period for period in _PERIODS[kind](terms, as_of) if period.start <= as_of)


def spans_of(changes: Iterable[date], as_of: date) -> tuple[Period, ...]:
    """Return all time up to the judging day, parted where a value changes."""
    starts = [date.min, *sorted({day for day in changes if date.min < day <= as_of})]
    ends = [*(start - ONE_DAY for start in starts[1:]), as_of]
    return tuple(_whole(start, end) for start, end in zip(starts, ends, strict=True))


def school_months(terms: Terms) -> tuple[Period, ...]:
    """Return the months of a school year that are long enough, short ones joined to a neighbour.

    A period begins on the 1st of its first month and ends with its last month; it is due on its
    last school day.
    """
    periods: list[Period] = []
    for term in terms.semesters:
        if len(term.days) >= max(terms.least("semester_min_days", term.start), 1):
            blocks = _joined(_months_of(term), terms.least("month_min_days", term.start))
            _append(periods, term, blocks)
    return tuple(replace(period, key=period.start.isoformat()[:7]) for period in periods)


def months_of_years(terms: Terms) -> tuple[Period, ...]:
    """Return the school months of the school year before, where it is known, and of this one."""
    before = school_months(terms.earlier) if terms.earlier else ()
    return (*before, *school_months(terms))


def fortnights(terms: Terms) -> tuple[Period, ...]:
    """Return the teaching fortnights 两周 of a school year; each is due on its last school day."""
    periods: list[Period] = []
    for term in terms.semesters:
        if term.days:
            mode = str(terms.parameters.on("core.fortnight_mode", term.start) or TEACHING)
            first_week_min = terms.least("fortnight_first_week_min_days", term.start)
            blocks = _fortnights_of(term, *_BEGINNINGS[mode](term, first_week_min))
            least = terms.least("fortnight_min_days", term.start)
            _append(periods, term, _joined(blocks, least))
    return tuple(periods)


def _append(periods: list[Period], term: Term, blocks: Iterable[_Block]) -> None:
    """Append a semester's periods; where two semesters share days, each keeps its own."""
    for block in blocks:
        start = block.start
        if periods and start <= periods[-1].end:
            start = term.start
            periods[-1] = replace(periods[-1], end=start - ONE_DAY)
        due_on = block.days[-1] if block.days else block.end
        periods.append(Period(start.isoformat(), start, block.end, due_on))


def _teaching(term: Term, first_week_min: int) -> tuple[date, date]:
    """Begin with the week of the first school day; a short one joins the two weeks after it."""
    monday = _monday(term.days[0])
    in_first_week = bisect_left(term.days, monday + WEEK)
    return monday, monday + FORTNIGHT + (WEEK if in_first_week < first_week_min else NO_TIME)


def _rolling(term: Term, _first_week_min: int) -> tuple[date, date]:
    """Begin with the first school day, whatever day of the week it is."""
    return term.days[0], term.days[0] + FORTNIGHT


def _iso(term: Term, _first_week_min: int) -> tuple[date, date]:
    """Begin with the odd week of the year in or before which the first school day lies."""
    monday = _monday(term.days[0])
    start = monday if monday.isocalendar().week % 2 else monday - WEEK
    return start, start + FORTNIGHT


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


TEACHING: Final = "teaching_fortnight"
_BEGINNINGS: Final[dict[str, Callable[[Term, int], tuple[date, date]]]] = {
    TEACHING: _teaching,
    "rolling_14": _rolling,
    "iso_fortnight": _iso,
}
"""How a semester's first fortnight begins, and on which day the second one does."""


def _fortnights_of(term: Term, first: date, second: date) -> Iterator[_Block]:
    while first <= term.days[-1]:
        yield _block(term, first, second - ONE_DAY)
        first, second = second, second + FORTNIGHT


def _months_of(term: Term) -> Iterator[_Block]:
    first = term.start.replace(day=1)
    while first <= term.end:
        following = (first + timedelta(days=32)).replace(day=1)
        yield _block(term, first, following - ONE_DAY)
        first = following


def _block(term: Term, first: date, last: date) -> _Block:
    inside = slice(bisect_left(term.days, first), bisect_right(term.days, last))
    return _Block(first, last, term.days[inside])


def _joined(blocks: Iterable[_Block], least: int) -> Sequence[_Block]:
    """Join a block with too few school days to the one before; the first to the next."""
    kept: list[_Block] = []
    for block in blocks:
        if kept and min(len(block.days), len(kept[-1].days)) < least:
            kept[-1] += block
        else:
            kept.append(block)
    return kept


def _day(_terms: Terms, as_of: date) -> Iterator[Period]:
    """Yield the judging day alone."""
    yield _whole(as_of, as_of)


def _months(terms: Terms, as_of: date) -> Iterator[Period]:
    """Yield the calendar months of the school year, or the one of the day without a calendar."""
    start = (terms.year[0] if terms.year else as_of).replace(day=1)
    while start <= as_of:
        following = (start + timedelta(days=32)).replace(day=1)
        yield replace(_whole(start, following - ONE_DAY), key=start.isoformat()[:7])
        start = following


def _semesters(terms: Terms, _as_of: date) -> Iterator[Period]:
    """Yield the semesters, each due on its last school day."""
    for term in terms.semesters:
        yield replace(_whole(term.start, term.end), due_on=max(term.days, default=term.end))


def _years(terms: Terms, _as_of: date) -> Iterator[Period]:
    if terms.year:
        yield _whole(*terms.year)


def _past_years(terms: Terms, as_of: date) -> Iterator[Period]:
    """Yield the school year before, which is over."""
    return _years(terms.earlier, as_of) if terms.earlier else iter(())


def _whole(first: date, last: date) -> Period:
    return Period(first.isoformat(), first, last, last)


_PERIODS: Final[dict[str, Callable[[Terms, date], Iterable[Period]]]] = {
    "day": _day,
    "none": _day,
    "month": _months,
    "school_month": lambda terms, _as_of: school_months(terms),
    "fortnight": lambda terms, _as_of: fortnights(terms),
    "semester": _semesters,
    "school_year": _years,
    "past_school_year": _past_years,
}
