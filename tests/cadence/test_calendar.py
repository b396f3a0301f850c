"""Test working days and school days, over the edges and over any calendar."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from app.cadence import calendar
from app.cadence.calendar import Calendar, days_after
from app.models import CalendarDay, CalendarException, Semester
from tests.builder import CountyBuilder

TUESDAY = date(2026, 3, 3)
days = st.dates(date(2026, 1, 1), date(2026, 12, 31))


def ask(county: CountyBuilder, call: Any, *args: Any, **kwargs: Any) -> Any:
    with county.context():
        answer = call(county.session, *args, **kwargs)
        county.session.rollback()
    return answer


def mark(county: CountyBuilder, day: date, is_working: bool, is_school: bool | None = None) -> None:
    county.add(
        CalendarDay(
            county_id=county.here.id,
            day=day,
            is_working_day=is_working,
            is_school_day=is_working if is_school is None else is_school,
        )
    )


@pytest.mark.parametrize(
    ("day", "elapsed"),
    [
        (date(2026, 3, 3), 0),
        (date(2026, 3, 4), 1),
        (date(2026, 3, 6), 3),
        (date(2026, 3, 7), 3),
        (date(2026, 3, 8), 3),
        (date(2026, 3, 9), 4),
    ],
)
def test_tuesday_to_friday_is_three_and_so_is_saturday(
    county: CountyBuilder, day: date, elapsed: int
) -> None:
    assert ask(county, calendar.working_days_between, TUESDAY, day) == elapsed


@pytest.mark.parametrize(
    ("count", "day"),
    [(0, date(2026, 3, 3)), (1, date(2026, 3, 4)), (3, date(2026, 3, 6)), (4, date(2026, 3, 9))],
)
def test_day_is_reached_when_the_working_days_have_elapsed(
    county: CountyBuilder, count: int, day: date
) -> None:
    assert ask(county, calendar.working_days_after, TUESDAY, count) == day


def test_holidays_do_not_count_and_make_up_days_do(county: CountyBuilder) -> None:
    mark(county, date(2026, 3, 4), False)
    mark(county, date(2026, 3, 7), True)

    assert ask(county, calendar.working_days_after, TUESDAY, 3) == date(2026, 3, 7)
    for day, elapsed in ((date(2026, 3, 4), 0), (date(2026, 3, 5), 1)):
        assert ask(county, calendar.working_days_between, date(2026, 3, 3), day) == elapsed


def test_closures_are_working_days(county: CountyBuilder) -> None:
    mark(county, date(2026, 3, 4), True, is_school=False)

    assert ask(county, calendar.working_days_after, TUESDAY, 1) == date(2026, 3, 4)
    assert not ask(county, calendar.is_school_day, county.a_school, date(2026, 3, 4))


def test_long_holiday_is_crossed(county: CountyBuilder) -> None:
    for day in days_after(TUESDAY, TUESDAY + timedelta(days=60)):
        mark(county, day, False)

    assert ask(county, calendar.working_days_after, TUESDAY, 1) == date(2026, 5, 4)


def test_negative_count_is_refused(county: CountyBuilder) -> None:
    with pytest.raises(ValueError, match="-1"):
        ask(county, calendar.working_days_after, TUESDAY, -1)


@given(st.dictionaries(days, st.booleans(), max_size=60), days, st.integers(0, 120))
def test_elapsed_grows_by_one_on_days_that_count(
    working: dict[date, bool], start: date, length: int
) -> None:
    known = Calendar(working=working)
    end = start + timedelta(days=length)

    elapsed = known.elapsed(start, end)

    assert known.elapsed(start, start) == 0
    assert elapsed == sum(known.is_working_day(day) for day in days_after(start, end))
    assert known.elapsed(start, end + timedelta(days=1)) - elapsed in {0, 1}


@given(st.lists(st.tuples(days, st.integers(10, 100)), max_size=3), days, st.integers(0, 60))
def test_vacations_lie_only_between_semesters(
    spans: list[tuple[date, int]], day: date, length: int
) -> None:
    semesters = tuple((start, start + timedelta(days=held)) for start, held in spans)
    known = Calendar(semesters=semesters)
    end = day + timedelta(days=length)

    assert known.elapsed(day, end, in_term=True) <= known.elapsed(day, end)
    for start, last in semesters:
        assert not known.is_vacation(start)
        assert not known.is_vacation(last)
    if len(semesters) < 2:
        assert not known.is_vacation(day)


def test_statement_and_calendar_agree_on_the_last_working_day(county: CountyBuilder) -> None:
    first, last = date(2026, 2, 1), date(2026, 4, 30)
    off = {date(2026, 2, 16), date(2026, 2, 17), date(2026, 4, 6), date(2026, 3, 13)}
    for day in days_after(first - timedelta(days=1), last):
        mark(county, day, (day.weekday() < 5 or day == date(2026, 2, 28)) and day not in off)
    for start, end in (
        (date(2025, 9, 1), date(2026, 2, 6)),
        (date(2026, 3, 2), date(2026, 7, 10)),
    ):
        county.add(
            Semester(
                county_id=county.here.id,
                school_year_id=county.year.id,
                name=str(start),
                starts_on=start,
                ends_on=end,
            )
        )
    known = ask(county, calendar.load_calendar, first, last)

    for day in days_after(date(2026, 2, 8), last):
        for in_term in (False, True):
            told = county.scalar(select(calendar.last_working_day(day, in_term=in_term)))
            assert told <= day
            assert known.counts(told, in_term=in_term)
            assert known.elapsed(told, day, in_term=in_term) == 0


def test_last_working_day_without_a_calendar_is_a_weekday(county: CountyBuilder) -> None:
    told = [
        county.scalar(select(calendar.last_working_day(TUESDAY + timedelta(days=n))))
        for n in range(7)
    ]

    assert told == [
        date(2026, 3, 3),
        date(2026, 3, 4),
        date(2026, 3, 5),
        date(2026, 3, 6),
        date(2026, 3, 6),
        date(2026, 3, 6),
        date(2026, 3, 9),
    ]


def test_semester_of_a_day(county: CountyBuilder) -> None:
    county.add(
        Semester(
            county_id=county.here.id,
            school_year_id=county.year.id,
            name="下学期",
            starts_on=date(2026, 3, 2),
            ends_on=date(2026, 7, 10),
        )
    )

    assert ask(county, calendar.semester_of, date(2026, 3, 1)) is None
    assert ask(county, calendar.semester_of, date(2026, 3, 2)).name == "下学期"
    assert ask(county, calendar.semester_of, date(2026, 7, 10)).name == "下学期"
    assert ask(county, calendar.semester_of, date(2026, 7, 11)) is None


SATURDAY, MONDAY = date(2026, 3, 7), date(2026, 3, 9)


@pytest.mark.parametrize(
    ("exceptions", "day", "expected"),
    [
        ([], MONDAY, True),
        ([], SATURDAY, False),
        ([("school", False)], MONDAY, False),
        ([("school", True)], SATURDAY, True),
        ([("grade", False)], MONDAY, True),
        ([("grade", True)], SATURDAY, True),
        ([("class", True)], SATURDAY, True),
        ([("school", False), ("class", True)], MONDAY, True),
        ([("grade", False), ("other", False)], MONDAY, False),
        ([("grade", True), ("class", False)], SATURDAY, False),
    ],
)
def test_exceptions_hold_in_both_directions(
    county: CountyBuilder, exceptions: list[tuple[str, bool]], day: date, expected: bool
) -> None:
    seventh, eighth = county.school_class(grades=(7,)), county.school_class(grades=(8,))
    targets = {
        "school": {},
        "grade": {"grade": 7},
        "class": {"class_id": seventh.id},
        "other": {"class_id": eighth.id},
    }
    for target, is_school_day in exceptions:
        county.add(
            CalendarException(
                day=day,
                is_school_day=is_school_day,
                reason="运动会",
                **targets[target],
                **county.scope_of(county.a_school),
            )
        )

    assert ask(county, calendar.is_school_day, county.a_school, day) is expected


def test_multigrade_class_has_class_while_one_of_its_grades_has(county: CountyBuilder) -> None:
    both = county.school_class(grades=(1, 2))
    county.add(
        CalendarException(
            grade=1,
            day=MONDAY,
            is_school_day=False,
            reason="春游",
            **county.scope_of(county.a_school),
        )
    )

    known = ask(county, calendar.load_exceptions, county.a_school, MONDAY, MONDAY)

    assert known.has_class(both.id, MONDAY)


def test_school_days_elapse_by_the_schools_own_calendar(county: CountyBuilder) -> None:
    school = county.a_school
    mark(county, date(2026, 3, 4), True, is_school=False)
    scope = county.scope_of(school)
    held = {"day": date(2026, 3, 7), "is_school_day": True, "reason": "补课"}
    county.add(CalendarException(**held, **scope))

    elapsed = [
        ask(county, calendar.school_days_elapsed, school, TUESDAY, date(2026, 3, day))
        for day in (2, 3, 4, 5, 6, 7, 8, 9)
    ]

    assert elapsed == [0, 0, 0, 1, 2, 3, 3, 4]
