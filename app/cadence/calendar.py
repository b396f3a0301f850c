"""Count working days and school days; a day without a calendar row counts by its weekday."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, literal, not_, or_, select
from sqlalchemy.orm import Session, aliased

from app.models import CalendarDay, CalendarException, ClassGrade, School, SchoolClass, Semester

ONE_DAY = timedelta(days=1)
SATURDAY = 5
MARGIN = timedelta(days=30)
"""Read this much more than the working days asked for: no holiday is longer."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """Hold the days and semesters of a county between two dates."""

    working: Mapping[date, bool] = field(default_factory=dict)
    school: Mapping[date, bool] = field(default_factory=dict)
    semesters: tuple[tuple[date, date], ...] = ()

    def is_working_day(self, day: date) -> bool:
        """Tell whether offices work: weekdays and make-up days less holidays."""
        return self.working.get(day, day.weekday() < SATURDAY)

    def is_school_day(self, day: date) -> bool:
        """Tell whether the county's schools have class, their own exceptions aside."""
        return self.school.get(day, day.weekday() < SATURDAY and not self.is_vacation(day))

    def is_vacation(self, day: date) -> bool:
        """Tell whether the day lies between two semesters that are known."""
        if any(start <= day <= end for start, end in self.semesters):
            return False
        return any(end < day for _, end in self.semesters) and any(
            start > day for start, _ in self.semesters
        )

    def counts(self, day: date, *, in_term: bool = False) -> bool:
        """Tell whether a clock runs on the day; one that needs pupils stops in vacations."""
        return self.is_working_day(day) and not (in_term and self.is_vacation(day))

    def day_after(self, after: date, count: int, counts: Callable[[date], bool]) -> date:
        """Return the day on which so many days that count have elapsed after another."""
        reached = after
        while count > 0:
            reached += ONE_DAY
            count -= counts(reached)
        return reached

    def elapsed(self, after: date, day: date, *, in_term: bool = False) -> int:
        """Return the days that count after the first day, up to and with the second."""
        return sum(self.counts(each, in_term=in_term) for each in days_after(after, day))


def days_after(after: date, until: date) -> Iterator[date]:
    """Yield the days after the first, up to and with the second."""
    for offset in range(1, (until - after).days + 1):
        yield after + timedelta(days=offset)


def load_calendar(
    session: Session, first: date, last: date, county_id: int | None = None
) -> Calendar:
    """Read the days from the first to the last, and every semester, in two statements."""
    semesters = select(Semester.starts_on, Semester.ends_on).order_by(Semester.starts_on)
    if county_id is not None:
        semesters = semesters.where(Semester.county_id == county_id)
    spans = tuple((start, end) for start, end in session.execute(semesters))
    return replace(load_days(session, first, last, county_id), semesters=spans)


def load_days(session: Session, first: date, last: date, county_id: int | None = None) -> Calendar:
    """Read the days from the first to the last, without semesters, in one statement."""
    days = select(CalendarDay.day, CalendarDay.is_working_day, CalendarDay.is_school_day).where(
        CalendarDay.day.between(first, last)
    )
    if county_id is not None:
        days = days.where(CalendarDay.county_id == county_id)
    rows = session.execute(days).all()
    return Calendar(
        working={row.day: row.is_working_day for row in rows},
        school={row.day: row.is_school_day for row in rows},
    )


def load_calendars(session: Session, first: date, last: date) -> Mapping[int, Calendar]:
    """Read the days and semesters of every county, in two statements."""
    days: dict[int, list[Any]] = {}
    for row in session.execute(
        select(
            CalendarDay.county_id,
            CalendarDay.day,
            CalendarDay.is_working_day,
            CalendarDay.is_school_day,
        ).where(CalendarDay.day.between(first, last))
    ):
        days.setdefault(row.county_id, []).append(row)
    spans: dict[int, list[tuple[date, date]]] = {}
    for county_id, start, end in session.execute(
        select(Semester.county_id, Semester.starts_on, Semester.ends_on).order_by(
            Semester.starts_on
        )
    ):
        spans.setdefault(county_id, []).append((start, end))
    return {
        county_id: Calendar(
            {row.day: row.is_working_day for row in days.get(county_id, ())},
            {row.day: row.is_school_day for row in days.get(county_id, ())},
            tuple(spans.get(county_id, ())),
        )
        for county_id in {*days, *spans}
    }


def working_days_after(
    session: Session,
    day: date,
    count: int,
    *,
    in_term: bool = False,
    county_id: int | None = None,
) -> date:
    """Return the day on which `count` working days have elapsed after `day`.

    Tuesday and 3 give Friday; what is done on the Saturday after is still in time, because no
    further working day has elapsed. With `in_term` the days of vacations do not count.
    """
    if count < 0:
        raise ValueError(count)
    elapsed, reached, step = 0, day, timedelta(days=2 * count) + MARGIN
    while elapsed < count:
        calendar = load_calendar(session, reached, reached + step, county_id)
        for each in days_after(reached, reached + step):
            reached = each
            elapsed += calendar.counts(each, in_term=in_term)
            if elapsed == count:
                break
    return reached


def working_days_between(
    session: Session,
    after: date,
    day: date,
    *,
    in_term: bool = False,
    county_id: int | None = None,
) -> int:
    """Return the working days elapsed after the first day, up to and with the second."""
    if day <= after:
        return 0
    return load_calendar(session, after, day, county_id).elapsed(after, day, in_term=in_term)


def semester_of(session: Session, day: date, county_id: int | None = None) -> Semester | None:
    """Return the semester 学期 that the day lies in; None in vacations."""
    query = select(Semester).where(Semester.starts_on <= day, Semester.ends_on >= day)
    if county_id is not None:
        query = query.where(Semester.county_id == county_id)
    return session.scalars(query.order_by(Semester.starts_on).limit(1)).first()


@dataclass(frozen=True, slots=True)
class Exceptions:
    """Hold one school's departures from the county's calendar, for the school, grades, classes."""

    calendar: Calendar
    of_school: dict[date, bool]
    of_grade: dict[tuple[int, date], bool]
    of_class: dict[tuple[int, date], bool]
    grades: dict[int, set[int]]
    """The grades that sit in each active class."""

    def is_school_day(self, day: date) -> bool:
        """Tell whether the school, or at least one of its classes, has class."""
        if not self.grades:
            return self._of_whole_school(day)
        return any(self.has_class(class_id, day) for class_id in self.grades)

    def has_class(self, class_id: int, day: date) -> bool:
        """Tell whether a class has class: its exception wins, then its grades', its school's."""
        own = self.of_class.get((class_id, day))
        if own is not None:
            return own
        in_school = self._of_whole_school(day)
        grades = [
            self.of_grade.get((grade, day), in_school) for grade in self.grades.get(class_id, ())
        ]
        return any(grades) if grades else in_school

    def school_days(self, first: date, last: date) -> Iterator[date]:
        """Yield the school days from the first day to the last."""
        return (day for day in days_after(first - ONE_DAY, last) if self.is_school_day(day))

    def _of_whole_school(self, day: date) -> bool:
        return self.of_school.get(day, self.calendar.is_school_day(day))


def load_exceptions(session: Session, school: School, first: date, last: date) -> Exceptions:
    """Read a school's days from the first to the last, in four statements."""
    return load_many_exceptions(session, school.county_id, [school.id], first, last)[school.id]


def load_many_exceptions(
    session: Session, county_id: int, school_ids: Collection[int], first: date, last: date
) -> dict[int, Exceptions]:
    """Read the days of several schools of a county, in four statements."""
    calendar = load_calendar(session, first, last, county_id)
    found = {key: Exceptions(calendar, {}, {}, {}, {}) for key in school_ids}
    query = select(CalendarException).where(
        CalendarException.school_id.in_(found), CalendarException.day.between(first, last)
    )
    parted: set[int] = set()
    for row in session.scalars(query):
        assert row.school_id is not None
        days = found[row.school_id]
        if row.class_id is not None:
            days.of_class[row.class_id, row.day] = row.is_school_day
        elif row.grade is not None:
            days.of_grade[row.grade, row.day] = row.is_school_day
        else:
            days.of_school[row.day] = row.is_school_day
            continue
        parted.add(row.school_id)
    for school_id, class_id, grade in _grades(session, parted) if parted else ():
        held = found[school_id].grades.setdefault(class_id, set())
        held.update({grade} - {None})
    return found


def is_school_day(session: Session, school: School, day: date) -> bool:
    """Tell whether the school has class on the day, in at least one class."""
    return load_exceptions(session, school, day, day).is_school_day(day)


def school_days_elapsed(session: Session, school: School, after: date, day: date) -> int:
    """Return the school's days elapsed after the first day, up to and with the second."""
    if day <= after:
        return 0
    exceptions = load_exceptions(session, school, after + ONE_DAY, day)
    return sum(1 for _ in exceptions.school_days(after + ONE_DAY, day))


def _grades(session: Session, school_ids: Collection[int]) -> Iterable[Any]:
    """Return the active classes of schools, a row for each of their grades."""
    return session.execute(
        select(SchoolClass.school_id, SchoolClass.id, ClassGrade.grade)
        .outerjoin(ClassGrade, ClassGrade.class_id == SchoolClass.id)
        .where(SchoolClass.school_id.in_(school_ids), SchoolClass.is_active)
    )


def last_working_day(as_of: date, *, in_term: bool = False, before: int = 0) -> ColumnElement[date]:
    """Return, for use in a select, the last working day up to a day, or some working days before.

    A deadline is over when its due day lies before this day; a term of `before` working days is
    over when the day after which it counts does. With `in_term`, vacations do not count. Where the
    calendar has no row for the day, weekdays decide.
    """
    day = aliased(CalendarDay)
    query = select(day.day).where(day.is_working_day, day.day <= as_of)
    if in_term:
        query = query.where(_outside_vacations(day))
    query = query.order_by(day.day.desc()).offset(before).limit(1)
    known = exists().where(CalendarDay.day == as_of)
    weekday = as_of - timedelta(days=max(0, as_of.weekday() - SATURDAY + 1))
    weeks, days = divmod(before, SATURDAY)
    weekday -= timedelta(weeks=weeks, days=days if days <= weekday.weekday() else days + 2)
    return case((known, query.scalar_subquery()), else_=literal(weekday))


def _outside_vacations(day: type[CalendarDay]) -> ColumnElement[bool]:
    inside, before, after = aliased(Semester), aliased(Semester), aliased(Semester)
    return or_(
        exists().where(and_(inside.starts_on <= day.day, inside.ends_on >= day.day)),
        not_(exists().where(before.ends_on < day.day)),
        not_(exists().where(after.starts_on > day.day)),
    )
