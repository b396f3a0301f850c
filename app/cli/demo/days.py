"""Know the days of the demonstration: school days, working days, semesters and local instants."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import clock
from app.cadence.calendar import Calendar, load_calendar
from app.models import CalendarDay, SchoolYear, Semester

HALF_A_YEAR = timedelta(days=183)
MARGIN = timedelta(days=120)
FORTNIGHT = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Period:
    """A span of school days within one semester."""

    semester: int
    days: tuple[date, ...]


@dataclass(frozen=True, slots=True)
class Days:
    """Hold the calendar around the day on which the demonstration stands."""

    as_of: date
    start: date
    """The first day of which there are records."""
    calendar: Calendar
    school_days: tuple[date, ...]
    """The school days from the start to ``as_of``, both included."""
    semesters: tuple[tuple[int, date, date], ...]
    years: tuple[tuple[int, str, date, date], ...]
    """The school years with records, oldest first; the last is the present one."""

    @property
    def past(self) -> tuple[date, ...]:
        """Return the school days before the day itself: those whose records are complete."""
        return tuple(day for day in self.school_days if day < self.as_of)

    def year_of(self, day: date) -> int:
        """Return the key of the school year that a day lies in."""
        return next(key for key, _, first, last in self.years if first <= day <= last)

    def semester_of(self, day: date) -> int | None:
        """Return the key of the semester that a day lies in."""
        for key, first, last in self.semesters:
            if first <= day <= last:
                return key
        return None

    def after(self, day: date, count: int, *, in_term: bool = False) -> date:
        """Return the day on which so many working days have elapsed."""
        reached = day
        while count > 0:
            reached += timedelta(days=1)
            count -= self.calendar.counts(reached, in_term=in_term)
        return reached

    def elapsed(self, after: date, day: date, *, in_term: bool = False) -> int:
        """Return the working days elapsed between two days."""
        return self.calendar.elapsed(after, day, in_term=in_term)

    def school_day_before(self, day: date, count: int) -> date:
        """Return the school day so many school days before a day, or the first there is."""
        place = bisect_right(self.school_days, day) - 1 - count
        return self.school_days[max(place, 0)]

    def fortnights(self) -> Iterator[Period]:
        """Yield two weeks after two weeks of each semester."""
        yield from self._periods(lambda day, first: (day - monday(first)) // FORTNIGHT)

    def months(self) -> Iterator[Period]:
        """Yield the months of each semester."""
        yield from self._periods(lambda day, _first: day.month)

    def whole_semesters(self) -> Iterator[Period]:
        """Yield the semesters."""
        yield from self._periods(lambda _day, _first: 0)

    def _periods(self, part_of: Callable[[date, date], int]) -> Iterator[Period]:
        for key, first, last in self.semesters:
            parts: dict[int, list[date]] = {}
            for day in self.past:
                if first <= day <= last:
                    parts.setdefault(part_of(day, first), []).append(day)
            for held in parts.values():
                yield Period(key, tuple(held))


def monday(day: date) -> date:
    """Return the Monday of a day's week."""
    return day - timedelta(days=day.weekday())


@lru_cache(maxsize=4096)
def midnight(day: date) -> datetime:
    """Return the instant at which a day begins on the bureau's clock."""
    return datetime.combine(day, time(), clock.zone()).astimezone(UTC)


def at(day: date, hour: int, minute: int = 0) -> datetime:
    """Return an instant of a day by the bureau's clock."""
    return midnight(day) + timedelta(hours=hour, minutes=minute)


def known_span(session: Session) -> tuple[date, date]:
    """Return the first and the last day of the school years in the calendar."""
    first, last = session.execute(
        select(func.min(SchoolYear.starts_on), func.max(SchoolYear.ends_on))
    ).one()
    return first, last


def read_days(session: Session, county_id: int, as_of: date) -> Days:
    """Read the calendar of the half year before a day."""
    years = [
        (row.id, row.name, row.starts_on, row.ends_on)
        for row in session.scalars(select(SchoolYear).order_by(SchoolYear.starts_on))
        if row.starts_on <= as_of and row.ends_on >= as_of - HALF_A_YEAR
    ]
    start = max(as_of - HALF_A_YEAR, years[0][2])
    days = select(CalendarDay.day).where(
        CalendarDay.day.between(start, as_of), CalendarDay.is_school_day
    )
    school_days = tuple(session.scalars(days.order_by(CalendarDay.day)))
    return Days(
        as_of=as_of,
        start=start,
        calendar=load_calendar(session, start - MARGIN, as_of + MARGIN, county_id),
        school_days=school_days,
        semesters=tuple(
            (row.id, row.starts_on, row.ends_on)
            for row in session.scalars(select(Semester).order_by(Semester.starts_on))
        ),
        # A school year of which no school day lies in the half year needs no classes of its own.
        years=tuple(
            year
            for year in years
            if year is years[-1] or any(year[2] <= day <= year[3] for day in school_days)
        ),
    )
