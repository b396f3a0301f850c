"""Return the periods that a run judges: those of the school year that holds the judging day."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import SchoolYear, Semester
from app.parameters.window import Period

FORTNIGHT: Final = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Terms:
    """Hold the school year of a day and its semesters, as spans of days."""

    year: tuple[date, date] | None
    semesters: tuple[tuple[date, date], ...]


def terms_of(session: Session, day: date) -> Terms:
    """Read the school year of a day with its semesters, in two statements."""
    year = session.execute(
        select(SchoolYear.id, SchoolYear.starts_on, SchoolYear.ends_on).where(
            SchoolYear.starts_on <= day, SchoolYear.ends_on >= day
        )
    ).first()
    if year is None:
        return Terms(None, ())
    spans = session.execute(
        select(Semester.starts_on, Semester.ends_on)
        .where(Semester.school_year_id == year.id)
        .order_by(Semester.starts_on)
    )
    return Terms((year.starts_on, year.ends_on), tuple((row[0], row[1]) for row in spans))


def periods_of(kind: str, terms: Terms, as_of: date) -> tuple[Period, ...]:
    """Return the periods of a kind that have begun by the judging day; none without a calendar."""
    return tuple(
        Period(_key(kind, start), start, end, end)
        for start, end in _SPANS[kind](terms, as_of)
        if start <= as_of
    )


def _day(_terms: Terms, as_of: date) -> Iterator[tuple[date, date]]:
    """Yield the judging day alone."""
    yield as_of, as_of


def _months(terms: Terms, as_of: date) -> Iterator[tuple[date, date]]:
    """Yield the calendar months of the school year, or the one of the day without a calendar."""
    start = (terms.year[0] if terms.year else as_of).replace(day=1)
    while start <= as_of:
        following = (start + timedelta(days=32)).replace(day=1)
        yield start, following - timedelta(days=1)
        start = following


def _fortnights(terms: Terms, as_of: date) -> Iterator[tuple[date, date]]:
    """Yield two weeks each from the Monday of a semester's first week."""
    for first, last in terms.semesters:
        start = first - timedelta(days=first.weekday())
        while start <= min(last, as_of):
            yield start, start + FORTNIGHT - timedelta(days=1)
            start += FORTNIGHT


def _semesters(terms: Terms, _as_of: date) -> Iterator[tuple[date, date]]:
    """Yield the semesters of the school year."""
    yield from terms.semesters


def _years(terms: Terms, _as_of: date) -> Iterator[tuple[date, date]]:
    """Yield the school year."""
    if terms.year:
        yield terms.year


_SPANS: Final[dict[str, Callable[[Terms, date], Iterator[tuple[date, date]]]]] = {
    "day": _day,
    "none": _day,
    "month": _months,
    "fortnight": _fortnights,
    "semester": _semesters,
    "school_year": _years,
}


def _key(kind: str, start: date) -> str:
    """Name a period for people: a month by year and month, the others by their first day."""
    return start.isoformat()[:7] if kind == "month" else start.isoformat()
