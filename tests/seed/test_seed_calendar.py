"""Check the calendar: semesters, vacations, make-up days and the region's holiday."""

from __future__ import annotations

import tomllib
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import holidays
import pytest

CALENDAR: dict[str, Any] = tomllib.loads(
    (Path(__file__).resolve().parents[2] / "seed" / "calendar.toml").read_text(encoding="utf-8")
)
DAY = timedelta(days=1)


def days(kind: str) -> list[date]:
    """Return the seeded days of one kind."""
    return [row["day"] for row in CALENDAR["day"] if row["kind"] == kind]


def test_school_years_follow_each_other() -> None:
    years = CALENDAR["school_year"]

    assert [(y["starts_on"], y["ends_on"]) for y in years] == [
        (date(2025, 9, 1), date(2026, 8, 31)),
        (date(2026, 9, 1), date(2027, 8, 31)),
    ]


@pytest.mark.parametrize("year", CALENDAR["school_year"], ids=lambda year: str(year["name"]))
def test_school_year_is_two_semesters_and_two_vacations_without_gap(year: dict[str, Any]) -> None:
    spans = [*year["semester"], *CALENDAR["vacation"]]
    inside = sorted(
        (span["starts_on"], span["ends_on"])
        for span in spans
        if year["starts_on"] <= span["starts_on"] <= year["ends_on"]
    )

    assert len(year["semester"]) == 2
    assert inside[0][0] == year["starts_on"]
    assert inside[-1][1] == year["ends_on"]
    assert all(earlier[1] + DAY == later[0] for earlier, later in pairwise(inside))


def test_semesters_begin_and_end_on_weekdays() -> None:
    semesters = [s for year in CALENDAR["school_year"] for s in year["semester"]]

    assert all(s["starts_on"].weekday() < 5 and s["ends_on"].weekday() < 5 for s in semesters)


def test_seeded_days_are_unique_and_of_a_known_kind() -> None:
    seeded = [row["day"] for row in CALENDAR["day"]]

    assert len(seeded) == len(set(seeded))
    assert {row["kind"] for row in CALENDAR["day"]} <= {"make_up", "regional_holiday", "closure"}
    assert all(date(2025, 9, 1) <= day <= date(2027, 8, 31) for day in seeded)


def test_make_up_days_are_those_of_the_state_council() -> None:
    china = holidays.country_holidays("CN", years=(2025, 2026))
    expected = [day for day in sorted(china.weekend_workdays) if day >= date(2025, 9, 1)]

    assert days("make_up") == expected
    assert all(day.weekday() >= 5 for day in days("make_up"))


def test_third_of_third_gives_two_weekdays_of_rest_each_year() -> None:
    china = holidays.country_holidays("CN", years=(2026, 2027))

    rest = [day for day in days("regional_holiday") if day.weekday() < 5]

    assert rest == [date(2026, 4, 20), date(2026, 4, 21), date(2027, 4, 9), date(2027, 4, 12)]
    assert not [day for day in rest if day in china]
