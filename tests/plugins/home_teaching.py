"""Build home teaching for a test: a calendar, a case, sessions of a child."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from sqlalchemy import insert

from app.models import CalendarDay, Child, SchoolYear, Semester
from plugins.home_teaching.clock import minutes_of
from plugins.home_teaching.models import Case, Excuse, SessionTeacher, TeachingSession
from tests.builder import CountyBuilder

SEMESTERS = (
    (date(2025, 9, 1), date(2026, 1, 30)),
    (date(2026, 3, 2), date(2026, 7, 10)),
    (date(2026, 9, 1), date(2027, 1, 22)),
    (date(2027, 2, 22), date(2027, 7, 9)),
)
"""Of 2025–26 nine months count: July has 8 school days and joins June."""
FIRST = date(2025, 9, 1)
Span = tuple[str, str, int]
VISIT: Span = ("09:00", "10:30", 3)


def lay_out_calendar(county: CountyBuilder) -> None:
    """Add two school years in which every weekday of a semester is a school day."""
    place = {"county_id": county.here.id}
    following = county.add(
        SchoolYear(
            name="2026—2027学年", starts_on=date(2026, 9, 1), ends_on=date(2027, 8, 31), **place
        )
    )
    for number, (first, last) in enumerate(SEMESTERS):
        year = county.year if number < 2 else following
        county.add(
            Semester(
                school_year_id=year.id, name=f"学期{number}", starts_on=first, ends_on=last, **place
            )
        )
    days = (FIRST + timedelta(days=offset) for offset in range(730))
    rows = [
        {
            "day": day,
            "is_working_day": day.weekday() < 5,
            "is_school_day": day.weekday() < 5 and any(a <= day <= b for a, b in SEMESTERS),
            **place,
        }
        for day in days
    ]
    county.execute(insert(CalendarDay).values(rows))


def taught(county: CountyBuilder, child: Child | None = None, **values: Any) -> Case:
    """Add a case that runs from the beginning of the school year."""
    someone = child or county.child(status="home_taught")
    values.setdefault("starts_on", FIRST)
    values.setdefault("determined_on", date(2025, 6, 1))
    values.setdefault("determination", "unable")
    scope = county.scope_of(county.a_school)
    return county.add(Case(child_id=someone.id, **{**scope, **values}))


def session(
    county: CountyBuilder, case: Case, day: date, span: Span = VISIT, teachers: Iterable[Any] = ()
) -> TeachingSession:
    """Add a session of a case."""
    start, end, hours = span
    scope = {name: getattr(case, name) for name in ("county_id", "township_id", "school_id")}
    return county.add(
        TeachingSession(
            child_id=case.child_id,
            taught_on=day,
            starts_at=start,
            ends_at=end,
            minutes=minutes_of(start, end),
            stated_hours=hours,
            teachers=[SessionTeacher(person_id=person.id, **scope) for person in teachers],
            **scope,
        )
    )


def excuse(county: CountyBuilder, case: Case, month: date, state: str = "approved") -> Excuse:
    """Excuse a month of a case."""
    scope = {name: getattr(case, name) for name in ("county_id", "township_id", "school_id")}
    return county.add(
        Excuse(
            child_id=case.child_id,
            month=month,
            reason="hospital",
            note="住院",
            state=state,
            **scope,
        )
    )


def months_of(county: CountyBuilder, case: Case, months: Iterable[tuple[int, int]]) -> None:
    """Add two full visits in each of some months."""
    for year, month in months:
        for day in (9, 16):
            session(county, case, date(year, month, day))
