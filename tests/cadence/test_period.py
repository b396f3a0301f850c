"""Test the periods of a cadence: fortnights, school months, and any calendar at all."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from itertools import pairwise
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.cadence.calendar import ONE_DAY, days_after
from app.cadence.period import (
    PARAMETERS,
    Term,
    Terms,
    fortnights,
    load_terms,
    load_years,
    months_of_years,
    periods_of,
    school_months,
)
from app.models import SchoolYear, Semester
from app.parameters.value import Dated, Parameters, Timeline
from tests.builder import CountyBuilder

VALUES = dict(zip(PARAMETERS, ("teaching_fortnight", 3, 5, 10, 10), strict=True))
MONDAY = date(2026, 3, 2)


def parameters(**changed: int | str) -> Parameters:
    values = {**VALUES, **{f"core.{name}": value for name, value in changed.items()}}
    return Parameters(
        MappingProxyType(
            {
                key: Timeline((Dated(key, "", date(2024, 2, 26), value, None, "decision"),))
                for key, value in values.items()
            }
        )
    )


def term(first: date, last: date, off: Iterable[date] = ()) -> Term:
    weekdays = (day for day in days_after(first - ONE_DAY, last) if day.weekday() < 5)
    return Term(first, last, tuple(day for day in weekdays if day not in set(off)))


def terms(*semesters: Term, **changed: int | str) -> Terms:
    year = (semesters[0].start, semesters[-1].end) if semesters else None
    return Terms(year, semesters, parameters(**changed))


def spans(periods):
    return [(str(p.start)[5:], str(p.end)[5:], str(p.due_on)[5:]) for p in periods]


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        # Wednesday: three school days are a week of their own.
        (date(2026, 3, 4), [("03-02", "03-15", "03-13"), ("03-16", "03-29", "03-27")]),
        # Thursday: two days join the two weeks after them.
        (date(2026, 3, 5), [("03-02", "03-22", "03-20"), ("03-23", "04-05", "03-27")]),
    ],
)
def test_a_first_week_with_less_than_three_school_days_joins_the_fortnight_after_it(
    first, expected
):
    assert spans(fortnights(terms(term(first, date(2026, 3, 27))))) == expected


@pytest.mark.parametrize(
    ("last", "starts"),
    [
        (date(2026, 4, 2), ["03-02", "03-16"]),  # four days in the third: it joins the second
        (date(2026, 4, 3), ["03-02", "03-16", "03-30"]),  # five stand alone
    ],
)
def test_a_fortnight_with_less_than_five_school_days_joins_the_one_before(last, starts):
    periods = fortnights(terms(term(MONDAY, last)))

    assert [str(period.start)[5:] for period in periods] == starts
    assert periods[-1].due_on == last


def test_a_short_first_fortnight_joins_the_next_and_a_lone_one_stays():
    off = [MONDAY + timedelta(days=n) for n in range(3, 14)]

    joined = fortnights(terms(term(MONDAY, date(2026, 4, 10), off)))
    lone = fortnights(terms(term(MONDAY, date(2026, 3, 4))))

    assert spans(joined)[0] == ("03-02", "03-29", "03-27")
    assert spans(lone) == [("03-02", "03-15", "03-04")]


@pytest.mark.parametrize(
    ("mode", "starts"),
    [
        ("teaching_fortnight", ["03-02", "03-16", "03-30"]),
        ("rolling_14", ["03-03", "03-17", "03-31"]),
        ("iso_fortnight", ["02-23", "03-23", "04-06"]),
    ],
)
def test_fortnights_are_counted_as_the_parameter_says(mode, starts):
    made = terms(term(date(2026, 3, 3), date(2026, 4, 11)), fortnight_mode=mode)

    assert [str(period.start)[5:] for period in fortnights(made)] == starts


def test_short_months_join_their_neighbours_in_the_same_semester():
    year = terms(
        term(date(2025, 9, 1), date(2026, 1, 9)),  # seven days in January
        term(date(2026, 2, 23), date(2026, 7, 3)),  # five in February, three in July
    )

    assert spans(school_months(year)) == [
        ("09-01", "09-30", "09-30"),
        ("10-01", "10-31", "10-31"),
        ("11-01", "11-30", "11-28"),
        ("12-01", "01-31", "01-09"),
        ("02-01", "03-31", "03-31"),
        ("04-01", "04-30", "04-30"),
        ("05-01", "05-31", "05-29"),
        ("06-01", "07-31", "07-03"),
    ]


@pytest.mark.parametrize(("days", "count"), [(9, 0), (10, 1)])
def test_a_semester_with_less_than_ten_school_days_has_no_month(days, count):
    whole = term(MONDAY, date(2026, 3, 31))

    assert len(school_months(terms(Term(whole.start, whole.end, whole.days[:days])))) == count


def test_two_semesters_in_one_month_keep_their_own_days_of_it():
    first = term(date(2025, 12, 1), date(2026, 2, 10))
    second = term(date(2026, 2, 24), date(2026, 4, 30))

    months = school_months(terms(first, second))

    assert [(p.key, str(p.start), str(p.end)) for p in months][1:3] == [
        ("2026-01", "2026-01-01", "2026-02-23"),
        ("2026-02", "2026-02-24", "2026-03-31"),
    ]


@st.composite
def calendars(draw: st.DrawFn) -> Terms:
    """Make two semesters of any length with any days off."""
    made, start = [], draw(st.dates(date(2025, 8, 20), date(2025, 9, 20)))
    for _ in range(2):
        end = start + timedelta(days=draw(st.integers(0, 150)))
        days = list(days_after(start - ONE_DAY, end))
        off = draw(st.sets(st.sampled_from(days), max_size=len(days)))
        made.append(Term(start, end, tuple(d for d in days if d not in off)))
        start = end + timedelta(days=draw(st.integers(1, 40)))
    return terms(*made, fortnight_mode=draw(st.sampled_from(MODES)))


MODES = ("teaching_fortnight", "rolling_14", "iso_fortnight")


def holding(periods, day):
    return sum(period.start <= day <= period.end for period in periods)


@settings(deadline=None)
@given(calendars())
def test_every_school_day_lies_in_one_fortnight_and_in_one_month_at_most(year):
    for periods in (fortnights(year), school_months(year)):
        assert all(one.end < following.start for one, following in pairwise(periods))
        for period in periods:
            assert period.start <= period.due_on <= period.end
    for one in year.semesters:
        for day in one.days:
            assert holding(fortnights(year), day) == 1
            assert holding(school_months(year), day) in ({1} if len(one.days) >= 10 else {0, 1})


@settings(deadline=None)
@given(calendars())
def test_only_a_lone_period_is_short(year):
    for one in year.semesters:
        of_term = terms(one, fortnight_mode=year.parameters.on("core.fortnight_mode", one.start))
        for periods, least in ((fortnights(of_term), 5), (school_months(of_term), 10)):
            counts = [sum(p.start <= day <= p.end for day in one.days) for p in periods]
            assert len(counts) < 2 or min(counts) >= least


def test_terms_come_from_the_calendar_of_the_county(county: CountyBuilder) -> None:
    year = county.year
    county.add(
        Semester(
            county_id=county.here.id,
            school_year_id=year.id,
            name="下学期",
            starts_on=date(2026, 3, 2),
            ends_on=date(2026, 7, 10),
        )
    )

    with county.context():
        loaded = load_terms(county.session, date(2026, 4, 1))
        nothing = load_terms(county.session, date(2036, 4, 1))
        begun = periods_of("fortnight", loaded, date(2026, 3, 16))
        county.session.rollback()

    assert loaded.year == (year.starts_on, year.ends_on)
    assert [str(period.start) for period in begun] == ["2026-03-02", "2026-03-16"]
    assert periods_of("fortnight", nothing, date(2036, 4, 1)) == ()
    assert [p.key for p in periods_of("month", nothing, date(2036, 4, 1))] == ["2036-04"]


def test_year_before_is_judged_when_it_is_over(county: CountyBuilder) -> None:
    year, scope = county.year, {"county_id": county.here.id}
    following = county.add(
        SchoolYear(
            name="2026—2027学年", starts_on=date(2026, 9, 1), ends_on=date(2027, 8, 31), **scope
        )
    )
    for held, first, last in (
        (year, date(2026, 3, 2), date(2026, 7, 10)),
        (following, date(2026, 9, 1), date(2027, 1, 22)),
    ):
        county.add(
            Semester(school_year_id=held.id, name="学期", starts_on=first, ends_on=last, **scope)
        )

    with county.context():
        loaded = load_years(county.session, date(2026, 9, 1))
        first_known = load_years(county.session, date(2026, 8, 31))
        county.session.rollback()

    past = periods_of("past_school_year", loaded, date(2026, 9, 1))
    assert [(p.start, p.end) for p in past] == [(year.starts_on, year.ends_on)]
    assert periods_of("past_school_year", first_known, date(2026, 8, 31)) == ()
    months = [period.key for period in months_of_years(loaded)]
    assert months == ["2026-03", "2026-04", "2026-05", "2026-06",
                      "2026-09", "2026-10", "2026-11", "2026-12", "2027-01"]  # fmt: skip
