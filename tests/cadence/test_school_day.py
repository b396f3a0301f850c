"""Test the school days of classes in SQL against a calendar kept with a pencil."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import insert, select

from app.cadence.school_day import class_days
from app.extensions import db
from app.models import CalendarDay, CalendarException, SchoolClass, Semester
from tests.builder import CountyBuilder

FIRST, LAST = date(2025, 12, 20), date(2026, 3, 31)
SEMESTERS = ((date(2025, 9, 1), date(2026, 1, 23)), (date(2026, 3, 2), date(2026, 7, 3)))
DAYS = [FIRST + timedelta(days=offset) for offset in range((LAST - FIRST).days + 1)]
GRADES = (1, 2, 3)


def pencilled(
    grades: tuple[int, ...],
    of_county: dict[date, bool],
    of_school: dict[date, bool],
    of_grade: dict[tuple[int, date], bool],
    of_class: dict[date, bool],
) -> list[date]:
    """Return a class's school days by the written decision: the nearest exception wins."""
    found = []
    for day in DAYS:
        in_term = any(first <= day <= last for first, last in SEMESTERS)
        in_school = of_school.get(day, of_county.get(day, day.weekday() < 5 and in_term))
        by_grade = [of_grade.get((grade, day), in_school) for grade in grades]
        if of_class.get(day, any(by_grade) if by_grade else in_school):
            found.append(day)
    return found


@pytest.mark.parametrize("seed", [1, 2])
def test_days_of_classes_are_those_of_a_plain_calendar(county: CountyBuilder, seed: int) -> None:
    random = Random(seed)

    def some(count: int) -> dict[date, bool]:
        return {day: random.random() < 0.5 for day in random.sample(DAYS, count)}

    here: dict[str, Any] = {"county_id": county.here.id}
    for number, (first, last) in enumerate(SEMESTERS):
        county.add(
            Semester(
                school_year_id=county.year.id, name=f"学期{number}", starts_on=first,
                ends_on=last, **here,
            )
        )  # fmt: skip
    of_county = some(25)
    county.execute(
        insert(CalendarDay).values(
            [
                {"day": day, "is_working_day": held, "is_school_day": held, **here}
                for day, held in of_county.items()
            ]
        )
    )
    expected: dict[int, list[date]] = {}
    exceptions: list[dict[str, Any]] = []
    for school in (county.school(), county.school()):
        scope = county.scope_of(school)
        of_school = some(12)
        of_grade = {(grade, day): v for grade in GRADES for day, v in some(12).items()}
        own = [
            *({"day": d, "is_school_day": v} for d, v in of_school.items()),
            *({"day": d, "grade": g, "is_school_day": v} for (g, d), v in of_grade.items()),
        ]
        for grades in ((), (1,), (2,), (1, 2), (1, 2, 3)):
            group = county.school_class(school, grades or (1,))
            if not grades:
                group.grades = []
                county.add(group)
            of_class = some(10)
            own += [
                {"day": d, "class_id": group.id, "is_school_day": v} for d, v in of_class.items()
            ]
            expected[group.id] = pencilled(grades, of_county, of_school, of_grade, of_class)
        blank = {"grade": None, "class_id": None, "reason": "调整", **scope}
        exceptions += [{**blank, **one} for one in own]
    county.execute(insert(CalendarException).values(exceptions))

    with county.context():
        days = class_days(FIRST, LAST, SchoolClass.id.in_(expected))
        rows = db.session.execute(select(days).order_by(days.c.class_id, days.c.day)).all()
        db.session.remove()

    found: dict[int, list[Any]] = {key: [] for key in expected}
    for row in rows:
        found[row.class_id].append(row)
    assert {key: [row.day for row in held] for key, held in found.items()} == expected
    for held in found.values():
        assert [row.number for row in held] == list(range(1, len(held) + 1))
        assert [row.from_end for row in held] == list(range(len(held), 0, -1))
