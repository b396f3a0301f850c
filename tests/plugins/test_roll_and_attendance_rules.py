"""Test what roll_and_attendance judges: absence, leave, transfers, the counts of classes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.extensions import db
from app.models import (
    Absence,
    AttendanceReport,
    CalendarDay,
    CalendarException,
    ChecklistVersion,
    Child,
    ChildStatus,
    ClassLine,
    Enrolment,
    EvidenceSet,
    Inspection,
    Leave,
    LedgerEntry,
    SchoolClass,
    StatusEvent,
    Transfer,
    Violation,
)
from app.parameters.settings import settings_of
from app.parameters.window import Period, Window
from plugins.roll_and_attendance import rules as judged
from tests.builder import CountyBuilder
from tests.plugins.test_roll_and_attendance import absent, weekdays

MONDAY, TUESDAY, SATURDAY = date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 7)
ONE_DAY = timedelta(days=1)
DAYS = weekdays(MONDAY, 60)
LAST = DAYS[-1]
NAME = "roll_and_attendance"
A = {"ledger": f"{NAME}.suspected", "category": "A"}
B = {**A, "category": "B"}
MONITORED, DROPPED = ({"ledger": f"{NAME}.{key}"} for key in ("priority_monitoring", "dropped_out"))


@pytest.fixture(autouse=True)
def _year(county: CountyBuilder) -> None:
    county.year  # noqa: B018  # the school year is what is judged


def here(county: CountyBuilder) -> dict[str, Any]:
    return county.scope_of(county.a_school)


def found(county: CountyBuilder, rule: str) -> dict[int, tuple[date, str, str]]:
    """Return what stands open under a rule, by the key of its subject."""
    query = select(Violation).where(
        Violation.rule_key == f"{NAME}.{rule}", Violation.resolved_on.is_(None)
    )
    return {
        one.subject_id: (one.period_start, one.observed, one.required) for one in county.all(query)
    }


def entry(county: CountyBuilder, child: Child, **values: Any) -> None:
    values = {"category": "", "opened_on": LAST, "since": MONDAY, **values}
    county.add(LedgerEntry(child_id=child.id, **values, **here(county)))


def test_absence_over_the_threshold_is_found_unless_a_ledger_holds_the_child(
    county, run_rule
) -> None:
    since = DAYS[-3]
    listed = "absence_not_in_ledger"
    often, determine = "frequent_absence_not_in_ledger", "determination_not_in_ledger"
    table: list[tuple[int, list[dict[str, Any]], set[str]]] = [
        (2, [], set()),
        (3, [], {listed}),
        (3, [A], set()),
        (3, [B, MONITORED], {listed}),
        (3, [DROPPED], set()),
        (3, [{**A, "opened_on": LAST + ONE_DAY}], {listed}),
        (3, [{**A, "opened_on": since, "closed_on": since}], set()),
        (3, [{**A, "opened_on": MONDAY, "closed_on": since - ONE_DAY}], {listed}),
        (4, [A], set()),
        (5, [A], set()),
        (5, [MONITORED], {listed}),
        (5, [], {listed, often}),
        (19, [A], set()),
        (20, [A], {determine}),
        (20, [DROPPED], set()),
    ]
    children = []
    for count, entries, _wanted in table:
        child = absent(county, DAYS[-count:])
        for values in entries:
            entry(county, child, **values)
        children.append(child)

    run_rule("ABS-1", LAST)

    standing = {rule: found(county, rule) for rule in (listed, often, determine)}
    seen = [{rule for rule in standing if child.id in standing[rule]} for child in children]
    assert seen == [wanted for _count, _entries, wanted in table]
    assert standing[listed][children[1].id] == (since, "3", "3")
    assert standing[often][children[11].id] == (DAYS[-5], "5", "5")
    assert standing[determine][children[13].id] == (DAYS[-20], "20", "20")


def test_absence_before_the_go_live_of_the_township_accuses_nobody(county, run_rule) -> None:
    absent(county, DAYS[-3:])
    county.a_township.go_live_on = LAST + ONE_DAY
    county.add(county.a_township)

    run_rule("ABS-1", LAST)
    assert found(county, "absence_not_in_ledger") == {}
    run_rule("ABS-1", LAST + ONE_DAY)
    assert len(found(county, "absence_not_in_ledger")) == 1


def test_paper_of_leave_may_come_until_the_third_school_day_after_the_return(
    county, run_rule
) -> None:
    paper = county.add(EvidenceSet(**here(county)))
    leave = {"kind": "personal_leave", "reason": "家中有事", "asked_by": "母亲", **here(county)}
    called = {"called_on": MONDAY, "call_note": "电话核实"}
    away = [MONDAY, TUESDAY]
    bare, scanned, noted, _unexplained = (
        absent(county, away, kind)
        for kind in ("personal_leave", "sick_leave", "sick_leave", "unexplained")
    )
    longer = absent(county, [*away, DAYS[2]], "sick_leave")
    first_day, asked, carried = (absent(county, away, "personal_leave") for _each in range(3))
    saturday = absent(county, away, "personal_leave")
    change = Absence.__table__.update()
    county.execute(change.where(Absence.child_id == scanned.id).values(evidence_set_id=paper.id))
    county.execute(change.where(Absence.child_id == noted.id).values(contact_note="已电话"))
    for child, last, values in (
        (first_day, MONDAY, called), (asked, TUESDAY, {}), (carried, TUESDAY, called),
    ):  # fmt: skip
        row = Leave(child_id=child.id, starts_on=MONDAY, ends_on=last, **leave, **values)
        county.add(row)
    county.add(
        CalendarException(
            day=SATURDAY, is_school_day=True, reason="补课", class_id=saturday.class_id,
            **here(county),
        )
    )  # fmt: skip

    # Back on Wednesday: Thursday, Friday and Monday are the three days.
    run_rule("ABS-2", date(2026, 3, 9))
    on_the_third = found(county, "leave_without_paper")
    run_rule("ABS-2", date(2026, 3, 10))

    two_days = (MONDAY, "2", "3")
    assert on_the_third == {saturday.id: two_days}
    assert found(county, "leave_without_paper") == {
        saturday.id: two_days,
        bare.id: two_days,
        asked.id: two_days,
        first_day.id: (MONDAY, "1", "3"),
    }
    run_rule("ABS-2", date(2026, 3, 11))
    assert found(county, "leave_without_paper")[longer.id] == (MONDAY, "3", "3")


def test_long_leave_is_a_hidden_dropout(county, run_rule) -> None:
    paper = county.add(EvidenceSet(**here(county)))
    table = [
        ("personal_leave", 10, None),
        ("personal_leave", 11, "10"),
        ("sick_leave", 20, None),
        ("sick_leave", 21, "20"),
        ("unexplained", 21, None),
    ]
    children = [absent(county, DAYS[-count:], kind) for kind, count, _required in table]
    proven = absent(county, DAYS[-21:], "sick_leave")
    county.execute(
        Absence.__table__.update()
        .where(Absence.child_id == proven.id)
        .values(evidence_set_id=paper.id)
    )

    run_rule("LV-1", LAST)

    assert found(county, "hidden_dropout") == {
        child.id: (DAYS[-count], str(count), required)
        for child, (_kind, count, required) in zip(children, table, strict=True)
        if required
    }


def test_transfer_is_to_be_confirmed_within_ten_working_days(county, run_rule) -> None:
    county.session.add_all(
        CalendarDay(county_id=county.here.id, day=day, is_working_day=True, is_school_day=True)
        for day in DAYS
    )
    county.session.commit()
    children = []
    for elapsed, values in ((10, {}), (11, {}), (11, {"arrived_on": LAST}),
                            (11, {"cancelled_on": LAST})):  # fmt: skip
        child = county.child(status="transfer_under_way")
        county.add(
            Transfer(
                child_id=child.id, to_place="桂林市", started_on=DAYS[-1 - elapsed],
                basis="转学申请", **values, **here(county),
            )
        )  # fmt: skip
        children.append(child)

    run_rule("TRF-1", LAST)

    assert found(county, "transfer_not_confirmed") == {children[1].id: (DAYS[-12], "11", "10")}


def test_leaver_without_a_place_at_another_school_is_looked_for(county, run_rule) -> None:
    county.session.add_all(
        CalendarDay(county_id=county.here.id, day=day, is_working_day=True, is_school_day=True)
        for day in DAYS
    )
    county.session.commit()
    other = county.school("蒲芦中学")
    lost, sits, transferred, back = (
        county.child(status="transfer_under_way") for _each in range(4)
    )
    left_on = DAYS[-12]
    for child in (lost, sits, transferred, back):
        status_id = child.status_id
        event = StatusEvent(
            child_id=child.id, status_id=status_id, happened_on=left_on, basis="升级",
            **here(county),
        )  # fmt: skip
        county.add(event)
    place = {"valid_from": left_on + ONE_DAY, **county.scope_of(other)}
    county.add(Enrolment(child_id=sits.id, **place))
    transfer = {"to_place": "蒲芦中学", "basis": "升学", **here(county)}
    county.add(Transfer(child_id=transferred.id, started_on=LAST, **transfer))
    enrolled = county.scalar(select(ChildStatus.id).filter_by(key="enrolled"))
    county.execute(Child.__table__.update().where(Child.id == back.id).values(status_id=enrolled))

    run_rule("TRF-1", DAYS[-2])
    early = found(county, "transfer_not_confirmed")
    run_rule("TRF-1", LAST)

    assert early == {}
    assert found(county, "transfer_not_confirmed") == {lost.id: (left_on, "11", "10")}


def check(county: CountyBuilder, day: date = MONDAY, **values: Any) -> Inspection:
    """Add a record of an inspection, a submitted daily check unless said otherwise."""
    values = {"type_key": "daily_check", "state": "submitted", **values}
    version = county.scalar(select(ChecklistVersion.id).limit(1))
    return county.add(
        Inspection(occurred_on=day, checklist_version_id=version, **values, **here(county))
    )


def line(county: CountyBuilder, record: Inspection, group: SchoolClass, **values: Any) -> None:
    county.add(
        ClassLine(
            inspection_id=record.id, class_id=group.id, day=record.occurred_on, **values,
            **here(county),
        )
    )  # fmt: skip


def report(county: CountyBuilder, group: SchoolClass, present: int, day: date = MONDAY) -> None:
    county.add(
        AttendanceReport(
            class_id=group.id, day=day, on_roll=40, present=present,
            reported_at=datetime(2026, 3, 2, 1, tzinfo=UTC), **here(county),
        )
    )  # fmt: skip


def test_leaders_count_is_compared_with_the_class_report(county, run_rule) -> None:
    table: list[tuple[dict[str, Any], int | None, tuple[date, str, str] | None]] = [
        ({"present": 39}, 40, (MONDAY, "39", "40")),
        ({"present": 41}, 40, (MONDAY, "41", "40")),
        ({"present": 40}, 40, None),
        ({"present": 39, "note": "一名学生在医务室"}, 40, None),
        ({"present": 39, "note": " "}, 40, (MONDAY, "39", "40")),
        ({"present": 39}, None, None),
        ({}, 40, None),
    ]
    record, visit = check(county), check(county, type_key="township_visit")
    draft, early = check(county, state="draft"), check(county, date(2024, 2, 25))
    classes = [county.school_class() for _row in table]
    for group, (values, reported, _wanted) in zip(classes, table, strict=True):
        line(county, record, group, **values)
        if reported is not None:
            report(county, group, reported)
    for other in (visit, draft, early):
        line(county, other, classes[2], present=12)
    report(county, classes[2], 40, early.occurred_on)

    run_rule("ROLL-2", TUESDAY)

    assert found(county, "count_differs") == {
        group.id: wanted
        for group, (_values, _reported, wanted) in zip(classes, table, strict=True)
        if wanted
    }


def test_desks_and_chairs_are_as_many_as_the_pupils_on_the_list(county, run_rule) -> None:
    table: list[tuple[dict[str, Any], str | None]] = [
        ({"desks": 40, "chairs": 40, "present": 38}, None),
        ({"desks": 39, "chairs": 40}, "39 / 40"),
        ({"desks": 40, "chairs": 41}, "40 / 41"),
        ({"chairs": 41}, "– / 41"),
        ({"desks": 41, "chairs": 41, "note": "备用一套"}, None),
        ({"desks": 12, "chairs": 12, "on_roll": None}, None),
        ({}, None),
    ]
    record = check(county)
    classes = [county.school_class() for _row in table]
    for group, (values, _wanted) in zip(classes, table, strict=True):
        line(county, record, group, **{"on_roll": 40, **values})
    # The later count of the day is the one that stands.
    line(county, check(county, type_key="township_visit"), classes[2], on_roll=40, desks=40)

    run_rule("ROLL-3", TUESDAY)

    assert found(county, "desks_and_chairs") == {
        classes[1].id: (MONDAY, "39 / 40", "40"), classes[3].id: (MONDAY, "– / 41", "40"),
    }  # fmt: skip


def test_daily_check_counts_every_active_class_that_has_school(county, run_rule) -> None:
    counted, forgotten, absent_line, closed, free = (county.school_class() for _each in range(5))
    closed.is_active = False
    county.add(closed)
    county.add(
        CalendarException(
            day=MONDAY, is_school_day=False, reason="研学", class_id=free.id, **here(county)
        )
    )
    record = check(county)
    line(county, record, counted, present=40)
    line(county, record, forgotten)
    newer = county.school_class(created_at=datetime(2030, 1, 1, tzinfo=UTC))
    check(county, TUESDAY, state="lapsed")

    run_rule("CLS-COV", TUESDAY)

    assert found(county, "class_not_checked") == {
        group.id: (MONDAY, "0", "1") for group in (forgotten, absent_line)
    }
    assert newer.id not in found(county, "class_not_checked")


@pytest.mark.parametrize(
    ("rule", "kinds"),
    [
        ("absence_not_in_ledger", {"unexplained": 21}),
        ("hidden_dropout", {"personal_leave": 21}),
        ("leave_without_paper", {"personal_leave": 21}),
    ],
)
def test_evidence_names_the_days_behind_a_judgement(app, county, rule, kinds) -> None:
    (kind,) = kinds
    child = absent(county, DAYS[-30:-9], kind)
    chosen = next(one for one in judged.rules() if one.key == f"{NAME}.{rule}")
    period = Period("", date(2025, 9, 1), date(2026, 8, 31), LAST)
    window = Window(LAST, (period,))

    with app.app_context():
        query = chosen.evidence(window, settings_of(db.session(), NAME, LAST))
        rows = db.session.execute(query).all()
        db.session.remove()

    assert {(row.subject_id, row.period_start) for row in rows} == {(child.id, DAYS[-30])}
    assert sorted(row.day for row in rows) == DAYS[-30:-9]
