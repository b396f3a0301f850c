"""Import transfers, ledger entries, monthly reports and reviews: what loads, what fails and why."""

from __future__ import annotations

from datetime import date

import pytest
import time_machine
from sqlalchemy import select

from app import database, imports
from app.extensions import db
from app.models import Child, ChildStatus, LedgerEntry, StatusEvent, Township, Transfer
from app.security.scope import EVERYTHING
from plugins.records.models import MonthlyReport, Review

TRANSFER = ("证件号码", "转出日期", "转入学校", "依据", "到校日期")
LEDGER = ("证件号码", "台账", "类别", "起始日期", "销号日期", "销号原因")


@pytest.fixture(autouse=True)
def march():
    """Stop the clock on a school day."""
    with time_machine.travel("2026-03-10T04:00:00+00:00", tick=True):
        yield


@pytest.fixture
def children(county, sheets):
    """Return the numbers of three children of the school."""
    numbers = [sheets.id_number(date(2012, 3, 4), each) for each in (1, 2, 3)]
    for number in numbers:
        county.child(id_number=number, status="deceased" if number is numbers[2] else "enrolled")
    return numbers


def undone(app, result):
    with app.app_context(), database.writing():
        imports.undo(db.session(), result.batch_id, EVERYTHING)
        db.session.commit()


def columns(result):
    return [(fault.number, fault.column) for fault in result.faults]


def test_transfers_begin_with_the_child_on_the_way_and_are_settled_on_screen(
    app, county, load, children
):
    there = county.school("青山初级中学", county.township("青山镇"))
    first, second, gone = children
    rows = [
        [first, "20260302", "青山初级中学", "随父母迁居", ""],
        [first, "20260303", "青山初级中学", "又一次", ""],
        [second, "20240902", "*桂林某校", "已转出", "20240905"],
        [gone, "20260302", "青山初级中学", "不可能", ""],
        [second, "20260302", "修仁中学", "本校", ""],
        [second, "20990101", "青山初级中学", "将来", ""],
    ]

    result = load("transfer", rows, TRANSFER)
    again = load("transfer", [rows[0], rows[2]], TRANSFER)
    rows[0][4] = "20260309"
    settled = load("transfer", [rows[0]], TRANSFER)

    assert (result.added, again.skipped) == (2, 2)
    assert columns(result) == [(3, "child"), (5, "child"), (6, "child"), (7, "started_on")]
    assert columns(settled) == [(2, "arrived_on")]
    kept = county.all(select(Transfer).order_by(Transfer.id))
    assert [(one.to_school_id, one.to_place) for one in kept] == [
        (there.id, "青山初级中学"),
        (None, "桂林某校"),
    ]
    status = select(ChildStatus.key).join(Child).order_by(Child.id)
    assert county.all(status) == ["transfer_under_way", "enrolled", "deceased"]
    undone(app, result)
    assert county.all(status) == ["enrolled", "enrolled", "deceased"]
    assert county.all(select(StatusEvent)) == county.all(select(Transfer)) == []


def test_entries_of_ledgers_load_open_and_closed_ones_only_from_before_go_live(
    app, county, load, children
):
    with county.context():
        entity = imports.find_entity("ledger")
        titles = {key: str(title) for key, title in entity.column("ledger").options.items()}
        kind = str(entity.column("category").options["A"])
    suspected = titles["roll_and_attendance.suspected"]
    watched = titles["roll_and_attendance.priority_monitoring"]
    rows = [
        [children[0], suspected, kind, "20260301", "", ""],
        [children[0], suspected, kind, "20260302", "", ""],
        [children[1], watched, "", "20230901", "20231201", "returned"],
        [children[1], watched, "", "20250901", "20251201", "returned"],
        [children[1], suspected, "", "20260301", "", ""],
        [children[1], watched, "", "20260301", "20260302", ""],
    ]

    result = load("ledger", rows, LEDGER)
    again = load("ledger", [rows[0], rows[2]], LEDGER)

    assert (result.added, again.skipped) == (2, 2), result.faults
    assert columns(result) == [
        (3, "child"), (5, "closed_on"), (6, "category"), (7, "closing_reason"),
    ]  # fmt: skip
    kept = county.all(select(LedgerEntry).order_by(LedgerEntry.id))
    assert [(one.opened_on, one.closed_on) for one in kept] == [
        (date(2026, 3, 10), None),
        (date(2023, 12, 1), date(2023, 12, 1)),
    ]
    undone(app, result)
    assert county.all(select(LedgerEntry)) == []


def test_reports_and_reviews_of_the_past_load_and_say_what_they_say(app, county, load):
    _ = county.a_school
    county.execute(Township.__table__.update().values(go_live_on=date(2025, 9, 1)))
    with county.context():
        entity = imports.find_entity("records_monthly_report")
        heads = tuple(
            str(entity.column(name).header)
            for name in ("school", "month", "is_nil", "suspected", "dropped_out")
        )
        review = imports.find_entity("records_review")
        names = ("quarter", "reviewed_on", "conclusion", "schools")
        review_heads = tuple(str(review.column(name).header) for name in names)

    reports = load(
        "records_monthly_report",
        [
            ["修仁中学", "20250315", "否", 2, 0],
            ["修仁中学", "20250401", "是", 1, 0],
            ["修仁中学", "20250501", "是", 0, 0],
            ["修仁中学", "20251001", "是", 0, 0],
        ],
        heads,
    )
    reviews = load(
        "records_review",
        [["20250520", "20250610", "总体平稳", 3], ["20250520", "20250611", "总体平稳", -3]],
        review_heads,
    )

    assert (reports.added, columns(reports)) == (2, [(3, "is_nil"), (5, "month")])
    assert county.all(select(MonthlyReport.month).order_by(MonthlyReport.id)) == [
        date(2025, 3, 1),
        date(2025, 5, 1),
    ]
    assert (reviews.added, columns(reviews)) == (1, [(3, "schools")])
    assert county.scalar(select(Review.quarter)) == date(2025, 4, 1)
    for result in (reports, reviews):
        undone(app, result)
    assert county.all(select(MonthlyReport)) == county.all(select(Review)) == []
