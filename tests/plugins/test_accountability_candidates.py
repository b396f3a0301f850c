"""Rules name candidates for interviews on one side of each edge, and nobody on the other."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.clock import zone
from app.models import (
    ChecklistItem,
    ChecklistVersion,
    Finding,
    Inspection,
    InspectionParticipant,
    LedgerEntry,
    Obligation,
    RequestState,
    Semester,
    Violation,
    VisitCheck,
)

AS_OF = date(2026, 6, 10)
MARCH, APRIL, MAY = date(2026, 3, 2), date(2026, 4, 6), date(2026, 5, 11)


@pytest.fixture
def spring(county) -> Any:
    county.add(
        Semester(
            county_id=county.here.id, school_year_id=county.year.id, name="下学期",
            starts_on=date(2026, 3, 2), ends_on=date(2026, 7, 10),
        )
    )  # fmt: skip
    county.version = county.scalar(select(ChecklistVersion.id).limit(1))
    county.items = county.all(select(ChecklistItem.id).limit(2))
    return county


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=zone())


def inspected(county: Any, school: Any, day: date, type_key: str, capacity: str) -> Inspection:
    """Store a confirmed inspection with one participant."""
    scope = county.scope_of(school)
    row = county.add(
        Inspection(
            type_key=type_key, occurred_on=day, state="submitted", submitted_at=noon(day),
            captured_at=noon(day), confirmed_at=noon(day), checklist_version_id=county.version,
            **scope,
        )
    )  # fmt: skip
    county.add(
        InspectionParticipant(
            inspection_id=row.id, person_id=county.person().id, capacity=capacity, **scope
        )
    )
    return row


def due(county: Any, school: Any, day: date, type_key: str, capacity: str, **values: Any) -> None:
    county.add(
        Obligation(
            type_key=type_key, capacity=capacity, period_start=day, period_end=day, due_on=day,
            **values, **county.scope_of(school),
        )
    )  # fmt: skip


def checks(county: Any, school: Any, first: date, done: int, of: int, excused: int = 0) -> None:
    """Let a school owe checks on some days from a Monday on, of which the first ones are done."""
    for number in range(of + excused):
        day = first + timedelta(days=number)
        at = {"excused_at": noon(day)} if number >= of else {}
        due(county, school, day, "daily_check", "school_leader", **at)
        if number < done:
            inspected(county, school, day, "daily_check", "school_leader")


def said(county: Any, run_rule: Any, rule: str) -> list[tuple[int, date, str]]:
    run_rule(f"accountability.{rule}", AS_OF)
    rows = county.all(
        select(Violation)
        .where(Violation.rule_key == f"accountability.{rule}", Violation.resolved_on.is_(None))
        .order_by(Violation.subject_id)
    )
    assert {row.code for row in rows} <= {"ACC-2"}
    return [(row.subject_id, row.period_start, row.observed) for row in rows]


def test_too_low_a_rate_in_two_bulletins_running(spring, run_rule):
    given = {
        # school: what it did in which month: (first day, done, of, excused)
        "twice below": [(MARCH, 3, 5), (APRIL, 3, 5)],
        "exactly at it": [(MARCH, 4, 5), (APRIL, 4, 5)],
        "once below": [(MARCH, 3, 5), (APRIL, 4, 5)],
        "not running": [(MARCH, 3, 5), (MAY, 3, 5)],
        "too few": [(MARCH, 0, 4), (APRIL, 0, 4)],
        "too few with what is excused": [(MARCH, 0, 4, 1), (APRIL, 0, 4, 1)],
    }
    schools = {name: spring.school(name) for name in given}
    for name, months in given.items():
        for first, *figures in months:
            checks(spring, schools[name], first, *figures)

    found = said(spring, run_rule, "low_rate_of_school")

    assert found == [(schools["twice below"].id, date(2026, 4, 1), "60")]


def test_the_unit_that_had_to_inspect_answers_never_the_schools(spring, run_rule):
    """Nobody in office for the second township: what is due there is excused."""
    towns = [spring.township(name) for name in ("修仁镇", "蒲芦瑶族乡")]
    spring.appointment(spring.person(), "township_leader", township=towns[0])
    for town in towns:
        for number in range(5):
            school = spring.school(f"{town.name}{number}", town)
            for first in (MARCH, APRIL):
                spring.add(
                    Obligation(
                        type_key="township_visit", capacity="township_leader",
                        period_start=first, period_end=first + timedelta(days=13),
                        due_on=first + timedelta(days=11), **spring.scope_of(school),
                    )
                )  # fmt: skip

    found = said(spring, run_rule, "low_rate_of_township_leader")

    assert found == [(towns[0].id, date(2026, 4, 1), "0")]
    assert spring.all(select(Violation.school_id)) == [None]
    assert said(spring, run_rule, "low_rate_of_school") == []
    assert said(spring, run_rule, "low_rate_of_liaison_department") == []


def finding(county: Any, school: Any, day: date, **values: Any) -> None:
    visit = inspected(county, school, day, "department_visit", "liaison_department")
    values.setdefault("item_id", county.items[0])
    values.setdefault("state", "served")
    county.add(
        Finding(
            inspection_id=visit.id, facts="问题", found_on=day, due_on=day + timedelta(days=15),
            **values, **county.scope_of(school),
        )
    )  # fmt: skip


def test_problems_that_came_back_after_they_were_closed(spring, run_rule):
    closed = {"state": "closed", "closed_on": date(2026, 3, 20)}
    again = {
        "twice": [{}, {}],
        "once": [{}],
        "another item": [{}, {"item_id": spring.items[1]}],
        "self-found": [{}, {"is_self_found": True}],
        "objected to": [{}, {"state": "objected"}],
        "withdrawn": [{}, {"state": "withdrawn"}],
        "rectified in time": [{}, {"state": "closed", "closed_on": date(2026, 5, 12)}],
        "rectified late": [{}, {"state": "closed", "closed_on": date(2026, 6, 9)}],
    }
    schools = {name: spring.school(name) for name in (*again, "never closed")}
    for name, rows in again.items():
        finding(spring, schools[name], MARCH, **closed)
        for values in rows:
            finding(spring, schools[name], MAY, **values)
    for day in (MARCH, APRIL, MAY):
        finding(spring, schools["never closed"], day)

    found = said(spring, run_rule, "recurrence")

    expected = sorted(schools[name].id for name in ("twice", "rectified late"))
    assert found == [(key, date(2025, 9, 1), "2") for key in expected]


def test_children_found_away_whom_no_ledger_held(spring, run_rule):
    schools = {
        name: spring.school(name) for name in ("hidden", "reported", "reported after", "no child")
    }
    children = {name: spring.child(school=school) for name, school in schools.items()}
    for name, opened_on in (("reported", MAY), ("reported after", MAY + timedelta(days=1))):
        spring.add(
            LedgerEntry(
                child_id=children[name].id, ledger="roll_and_attendance.suspected", category="A",
                opened_on=opened_on, since=MAY, **spring.scope_of(schools[name]),
            )
        )  # fmt: skip
    for name, school in schools.items():
        child = {} if name == "no child" else {"child_id": children[name].id}
        finding(spring, school, MAY, is_urgent=True, **child)

    found = said(spring, run_rule, "unreported_dropout")

    expected = sorted(schools[name].id for name in ("hidden", "reported after"))
    assert [key for key, _start, _observed in found] == expected


def test_records_of_visits_to_which_nobody_came(spring, run_rule):
    rows = {
        state: inspected(spring, spring.a_school, MAY, "department_visit", "liaison_department")
        for state in RequestState
    }
    for state, row in rows.items():
        spring.add(
            VisitCheck(
                inspection_id=row.id, reason="未到校", state=state, decided_at=noon(MAY),
                **spring.scope_of(spring.a_school),
            )
        )  # fmt: skip

    found = said(spring, run_rule, "false_record")

    assert found == [(rows[RequestState.APPROVED].id, MAY, "1")]
    assert spring.all(select(Violation.school_id)) == [None]  # never against the school that spoke
