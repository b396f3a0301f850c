"""Reckon with days in statements as the calendar does."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import cast, literal, null, select
from sqlalchemy.types import Date

from app.days import DaysAfter, DaysBetween, MonthsAfter, earlier, later

NONE = cast(null(), Date)


@pytest.mark.parametrize(
    ("start", "months", "expected"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2028, 1, 31), 1, date(2028, 2, 29)),
        (date(2025, 11, 30), 3, date(2026, 2, 28)),
        (date(2025, 8, 31), 3, date(2025, 11, 30)),
        (date(2026, 3, 2), 3, date(2026, 6, 2)),
        (date(2026, 3, 2), 0, date(2026, 3, 2)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
    ],
)
def test_months_are_clipped_to_the_end_of_the_month(county, start, months, expected):
    assert county.scalar(select(MonthsAfter(literal(start, Date), months))) == expected


def test_days_are_added_taken_away_and_counted(county):
    day, other = literal(date(2026, 2, 27), Date), literal(date(2026, 3, 2), Date)

    assert county.scalar(select(DaysAfter(day, 3))) == date(2026, 3, 2)
    assert county.scalar(select(DaysAfter(day, -1))) == date(2026, 2, 26)
    assert county.scalar(select(DaysBetween(day, other))) == 3


def test_missing_day_is_neither_earlier_nor_later(county):
    day, other = literal(date(2026, 2, 27), Date), literal(date(2026, 3, 2), Date)

    assert county.scalar(select(earlier(day, other))) == date(2026, 2, 27)
    assert county.scalar(select(later(day, other))) == date(2026, 3, 2)
    for one, two in ((NONE, day), (day, NONE)):
        assert county.scalar(select(earlier(one, two))) == date(2026, 2, 27)
        assert county.scalar(select(later(one, two))) == date(2026, 2, 27)
