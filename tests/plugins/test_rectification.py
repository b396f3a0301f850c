"""Judge findings at the edges of their terms, by the functions that the screens use."""

from __future__ import annotations

import itertools
import random
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select

from app.models import (
    CalendarDay,
    ChecklistItem,
    Finding,
    FindingStep,
    Inspection,
    Semester,
    Violation,
)
from app.testing import PluginContract
from app.workflow import deadline

SPANS = ((date(2025, 9, 1), date(2026, 1, 23)), (date(2026, 2, 23), date(2026, 7, 10)))
MAKE_UP, HOLIDAY = date(2026, 3, 14), date(2026, 3, 16)
MARCH = [date(2026, 3, 1) + timedelta(days=n) for n in range(31)]


class TestRectification(PluginContract):
    """Hold the plugin to the contract."""

    name = "rectification"


@pytest.fixture
def terms(county) -> None:
    """Lay out a year with a vacation, a make-up Saturday 2026-03-14 and a holiday on the Monday."""
    place = {"county_id": county.here.id}
    for first, last in SPANS:
        county.add(
            Semester(
                school_year_id=county.year.id, name=f"{first}", starts_on=first, ends_on=last,
                **place,
            )
        )  # fmt: skip
    rows = [
        {"day": day, "is_working_day": is_working(day), "is_school_day": is_working(day), **place}
        for day in (date(2025, 9, 1) + timedelta(days=n) for n in range(365))
    ]
    county.execute(insert(CalendarDay).values(rows))


def is_working(day: date) -> bool:
    return day == MAKE_UP or (day.weekday() < 5 and day != HOLIDAY)


def found(county, *steps: tuple[str, date], item: str = "meeting_notice", **values: Any) -> Finding:
    """Store a finding with the states that it had from days on."""
    scope = county.scope_of(county.a_school)
    row = county.scalar(select(ChecklistItem).where(ChecklistItem.key == item).limit(1))
    inspection = county.add(
        Inspection(
            type_key="township_visit", checklist_version_id=row.version_id, occurred_on=steps[0][1],
            state="submitted", **scope,
        )
    )  # fmt: skip
    finding = Finding(
        inspection_id=inspection.id, item_id=row.id, facts="事实", found_on=steps[0][1],
        state=steps[-1][0], **{"needs_pupils": False, **values}, **scope,
    )  # fmt: skip
    states = ["", *(state for state, _day in steps)]
    for before, (state, day) in zip(states, steps, strict=False):
        finding.steps.append(
            FindingStep(
                step="find", from_state=before, to_state=state, happened_on=day,
                happened_at=datetime.combine(day, time(4), UTC), due_on=values.get("due_on"),
                **scope,
            )
        )  # fmt: skip
    return county.add(finding)


def said(county, run_rule, code: str, as_of: date) -> dict[tuple[int, date], tuple[str, str]]:
    run_rule(code, as_of)
    rows = county.all(
        select(Violation).where(Violation.code == code, Violation.resolved_on.is_(None))
    )
    return {(one.subject_id, one.period_start): (one.observed, one.required) for one in rows}


def test_feedback_is_missing_after_its_working_days(county, run_rule, terms) -> None:
    days = [date(2026, 3, day) for day in (9, 10, 11, 12, 13)]
    rows = [found(county, ("open", day)) for day in days]
    found(county, ("open", days[0]), is_self_found=True)
    late = found(county, ("open", days[0]), ("served", date(2026, 3, 16)))
    double = found(county, ("open", days[0]))
    double.inspection_id = rows[0].inspection_id
    county.add(double)

    sunday, tuesday = (
        {key[0]: value for key, value in said(county, run_rule, "FB-1", day).items()}
        for day in (date(2026, 3, 15), date(2026, 3, 17))
    )

    first, second, third, served = (row.inspection_id for row in (*rows[:3], late))
    assert sunday == {first: ("2", "3"), second: ("1", "3"), served: ("1", "3")}
    assert tuesday == {first: ("2", "3"), second: ("1", "3"), third: ("1", "3")}


def test_rules_agree_with_the_terms_on_the_pages(county, run_rule, terms) -> None:
    dice = random.Random(1)
    winter = [date(2026, 1, 12) + timedelta(days=n) for n in range(60)]
    rows = []
    for state, _turn in itertools.product(("open", "claimed"), range(25)):
        first = dice.choice(winter)
        steps = [("open", first)]
        if state == "claimed":
            steps += [("served", first), ("claimed", first + timedelta(days=dice.randint(0, 9)))]
        rows.append(
            found(
                county, *steps, needs_pupils=dice.random() < 0.5, is_urgent=dice.random() < 0.3,
                is_self_found=dice.random() < 0.2 and state == "open",
            )
        )  # fmt: skip

    for as_of in (date(2026, 2, 10), date(2026, 3, 15), date(2026, 3, 17)):
        seen = said(county, run_rule, "FB-1", as_of) | said(county, run_rule, "REV-1", as_of)
        late = set()
        for row in rows:
            since = row.steps[-1].happened_on
            if since > as_of or (row.state == "claimed" and row.found_on > as_of):
                continue
            with county.context():
                due = deadline.next_due(county.session, row, since)
                over = due and deadline.next_overdue(county.session, row, due, as_of)
            if over:
                subject = row.id if row.state == "claimed" else row.inspection_id
                late.add((subject, since))

        assert {key for key in seen if key[1] <= as_of} == late
        assert late


@pytest.mark.parametrize(
    ("state", "urgent", "pupils", "as_of", "is_late"),
    [
        ("served", False, False, date(2026, 3, 15), True),
        ("served", False, False, date(2026, 3, 13), False),
        ("open", False, False, date(2026, 3, 31), False),
        ("open", True, False, date(2026, 3, 15), True),
        ("objected", False, False, date(2026, 3, 31), False),
        ("claimed", False, False, date(2026, 3, 31), False),
        ("closed", False, False, date(2026, 3, 31), False),
    ],
)
def test_rectification_is_overdue_while_its_clock_runs(
    county, run_rule, terms, state, urgent, pupils, as_of, is_late
) -> None:
    due = date(2026, 3, 13)
    steps = [("open", date(2026, 3, 2))]
    if state != "open":
        steps += [("served", date(2026, 3, 3)), (state, date(2026, 3, 4))]
    row = found(county, *steps, due_on=due, is_urgent=urgent, needs_pupils=pupils)

    seen = said(county, run_rule, "RECT-1", as_of)

    assert seen == ({(row.id, due): ("2026-03-02", "2026-03-13")} if is_late else {})


def test_same_matter_fails_again_only_after_it_was_closed(county, run_rule, terms) -> None:
    closed = [("open", MARCH[1]), ("served", MARCH[2]), ("closed", MARCH[9])]
    child, other = county.child(), county.child()
    found(county, *closed)
    found(county, *closed, item="leave_formalities", child_id=child.id)
    same_day = found(county, ("open", MARCH[9]))
    again = found(county, ("open", MARCH[10]))
    third = found(county, *((state, day + timedelta(days=14)) for state, day in closed))
    fourth = found(county, ("open", MARCH[30]))
    of_child = found(county, ("open", MARCH[11]), item="leave_formalities", child_id=child.id)
    found(county, ("open", MARCH[11]), item="leave_formalities", child_id=other.id)
    found(county, ("open", MARCH[11]), item="attendance_sheet")
    found(county, ("open", MARCH[11]), is_self_found=True)
    found(county, ("open", MARCH[11]), ("served", MARCH[12]), ("objected", MARCH[13]))
    found(county, ("open", MARCH[11]), ("withdrawn", MARCH[12]))

    seen = said(county, run_rule, "RPT-1", MARCH[30])

    assert {key[0]: value[0] for key, value in seen.items()} == {
        again.id: "1", third.id: "1", fourth.id: "2", of_child.id: "1",
    }  # fmt: skip
    assert same_day.id not in {key[0] for key in seen}


def test_nothing_before_the_go_live_is_judged(county, run_rule, terms) -> None:
    county.a_township.go_live_on = date(2026, 3, 10)
    county.add(county.a_township)
    found(county, ("open", date(2026, 3, 9)))
    live = found(county, ("open", date(2026, 3, 10)))

    seen = said(county, run_rule, "FB-1", date(2026, 3, 31))

    assert {key[0] for key in seen} == {live.inspection_id}
