"""Small checklists in place of the real ones, and people who inspect."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from app.clock import zone
from app.models import (
    Checklist,
    ChecklistChoice,
    ChecklistItem,
    ChecklistSection,
    ChecklistVersion,
    SchoolClass,
    Semester,
)

TODAY = date(2026, 3, 5)  # a Thursday in term
NOON = datetime(2026, 3, 5, 12, 0, tzinfo=zone())


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    with time_machine.travel(NOON, tick=True):
        yield


def item(key: str, kind: str = "plain", **values: Any) -> dict[str, Any]:
    return {"key": key, "kind": kind, "text": f"检查{key}", **values}


def publish(
    county: Any, key: str, items: list[dict[str, Any]], since: date, number: int = 90
) -> int:
    """Publish a later version of a checklist with just these items; return its id."""
    checklist = county.scalar(select(Checklist).filter_by(key=key))
    version = county.add(
        ChecklistVersion(
            checklist_id=checklist.id,
            number=number,
            digest=f"test{number}",
            valid_from=since,
            published_at=NOON,
        )
    )
    section = county.add(
        ChecklistSection(version_id=version.id, key="only", title="一、测试", position=1)
    )
    for position, values in enumerate(items, start=1):
        choices = values.pop("choices", ())
        row = ChecklistItem(
            version_id=version.id, section_id=section.id, position=position, **values
        )
        row.choices = [
            ChecklistChoice(key=choice, title=f"选{choice}", position=place)
            for place, choice in enumerate(choices)
        ]
        county.add(row)
    return version.id


@pytest.fixture
def semester(county: Any) -> Semester:
    return county.add(
        Semester(
            county_id=county.here.id,
            school_year_id=county.year.id,
            name="春季学期",
            starts_on=date(2026, 2, 23),
            ends_on=date(2026, 7, 3),
        )
    )


@pytest.fixture
def classes(county: Any) -> list[SchoolClass]:
    """Make four classes of three children, and a daily check that counts them."""
    made = []
    for number in range(4):
        one = county.school_class(county.a_school, position=number)
        for _ in range(3):
            county.child(school=county.a_school, school_class=one)
        made.append(one)
    publish(
        county,
        "daily_check",
        [item("classes", "class_lines", is_required=True, is_urgent=True)],
        date(2026, 2, 24),
    )
    return made
