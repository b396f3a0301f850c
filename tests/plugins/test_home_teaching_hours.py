"""Test what counts of the sessions of home teaching, against slow and plain Python."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select

from app.parameters.settings import Settings, settings_of
from plugins.home_teaching.clock import minutes_of, time_of
from plugins.home_teaching.hours import cases, visits
from plugins.home_teaching.models import Case, TeachingSession
from tests.builder import CountyBuilder
from tests.plugins.home_teaching import FIRST, Span, session, taught

LAST = date(2026, 8, 31)
DAY = date(2025, 10, 9)


def counted(county: CountyBuilder) -> dict[date, tuple[int, int, int, bool]]:
    """Return minutes, stated hours, counted hours and whether it is a visit, by day."""
    with county.context():
        values = settings_of(county.session, "home_teaching", LAST)
        made = visits(cases(), values, FIRST, LAST)
        rows = county.session.execute(select(*made.c)).all()
        county.session.rollback()
    return {
        row.taught_on: (row.minutes, row.stated, row.hours, bool(row.qualifies)) for row in rows
    }


UNITED = [
    ([("09:00", "10:30", 3)], (90, 3, 3, True)),
    ([("09:00", "10:29", 3)], (89, 3, 2, False)),
    ([("09:00", "10:30", 2)], (90, 2, 2, False)),
    ([("09:00", "10:00", 2), ("10:00", "10:30", 1)], (90, 3, 3, True)),
    ([("09:00", "10:00", 2), ("14:00", "14:30", 1)], (90, 3, 3, True)),
    ([("09:00", "10:30", 3), ("10:00", "11:00", 2)], (120, 5, 4, True)),
    ([("09:00", "11:00", 4), ("09:30", "10:00", 1)], (120, 5, 4, True)),
    ([("08:00", "12:00", 8)], (240, 8, 6, True)),
    ([("09:00", "09:29", 1)], (29, 1, 0, False)),
]


def test_hours_follow_from_the_united_minutes(county) -> None:
    case, expected = taught(county), {}
    for offset, (spans, figures) in enumerate(UNITED):
        expected[DAY + timedelta(days=offset)] = figures
        for span in spans:
            session(county, case, DAY + timedelta(days=offset), span)

    assert counted(county) == expected


def test_days_outside_the_case_do_not_count(county) -> None:
    live = county.school(township=county.township(go_live_on=DAY))
    coming = county.school(township=county.township(go_live_on=None))
    held = [
        taught(county, starts_on=DAY, ends_on=DAY, end_reason="to_school"),
        taught(county, county.child(school=live), **county.scope_of(live)),
        taught(county, county.child(school=coming), **county.scope_of(coming)),
    ]
    for case, offsets in zip(held, ((-1, 0, 1), (-1, 2), (0, 1)), strict=True):
        for offset in offsets:
            session(county, case, DAY + timedelta(days=offset))

    assert sorted(counted(county)) == [DAY, DAY + timedelta(days=2)]


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _span(start: int, length: int, hours: int) -> Span:
    return _clock(start), _clock(min(start + length, 23 * 60 + 59)), hours


SPANS = st.lists(
    st.builds(
        _span,
        st.integers(8 * 12, 16 * 12).map(lambda five: five * 5),
        st.integers(1, 240),
        st.integers(1, 9),
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda span: span[0],
)
DAYS = st.dictionaries(st.integers(0, 300), SPANS, min_size=1, max_size=12)


def slowly(spans: Iterable[Span], values: Settings) -> tuple[int, int, int, bool]:
    """Unite spans minute by minute."""
    minutes: set[int] = set()
    stated = 0
    for start, end, hours in spans:
        since = int(start[:2]) * 60 + int(start[3:])
        minutes |= set(range(since, since + minutes_of(start, end)))
        stated += hours
    fitting = len(minutes) // values.hour_minutes
    hours = min(stated, fitting, values.day_hours)
    return len(minutes), stated, hours, hours >= values.visit_hours


@examples(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(days=DAYS)
def test_select_equals_plain_python(county, days) -> None:
    case = county.scalar(select(Case)) or taught(county)
    scope = {name: getattr(case, name) for name in ("county_id", "township_id", "school_id")}
    rows = [
        {
            "child_id": case.child_id,
            "taught_on": FIRST + timedelta(days=offset),
            "starts_at": start,
            "ends_at": end,
            "minutes": minutes_of(start, end),
            "stated_hours": hours,
            **scope,
        }
        for offset, spans in days.items()
        for start, end, hours in spans
    ]
    county.execute(delete(TeachingSession))
    county.execute(insert(TeachingSession).values(rows))

    with county.context():
        values = settings_of(county.session, "home_teaching", LAST)
        county.session.rollback()
    assert counted(county) == {
        FIRST + timedelta(days=offset): slowly(spans, values) for offset, spans in days.items()
    }


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("9:00", "09:00"),
        ("09:00", "09:00"),
        ("09:00:00", "09:00"),
        ("9：05", "09:05"),
        ("0905", "09:05"),
        ("9时05分", "09:05"),
        ("24:00", None),
        ("9:60", None),
        ("上午", None),
        ("", None),
    ],
)
def test_times_are_read_as_people_write_them(written, expected) -> None:
    assert time_of(written) == expected
