"""Test the plugin roll_and_attendance: what opens entries, when they may be closed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from itertools import islice
from typing import Any

import openpyxl
import pytest
import time_machine
from sqlalchemy import select

from app import database
from app.base import Refused
from app.extensions import db
from app.models import (
    Absence,
    AttendanceReport,
    CalendarDay,
    CalendarException,
    Child,
    Code,
    EvidenceSet,
    Leave,
    LedgerEntry,
    SchoolClass,
    Semester,
    StatusEvent,
    Transfer,
)
from app.rules.openings import open_entries
from app.testing import PluginContract
from app.workflow.ledger import basis_of
from app.workflow.ledger_step import Closing, close
from app.workflow.party import Hand
from tests.builder import CountyBuilder

MONDAY = date(2026, 3, 2)
THURSDAY, FRIDAY, SATURDAY, NEXT_MONDAY = (date(2026, 3, day) for day in (5, 6, 7, 9))
ONE_DAY = timedelta(days=1)
NAME = "roll_and_attendance"
MONITORED, SUSPECTED, DROPPED_OUT = (
    f"{NAME}.{key}" for key in ("priority_monitoring", "suspected", "dropped_out")
)
Opened = Callable[[date], list[LedgerEntry]]


class TestRollAndAttendance(PluginContract):
    """Hold the plugin to the contract."""

    name = NAME


def weekdays(first: date, count: int) -> list[date]:
    """Return so many weekdays from the first on."""
    days = (first + timedelta(days=offset) for offset in range(400))
    return list(islice((day for day in days if day.weekday() < 5), count))


def absent(
    county: CountyBuilder,
    days: Sequence[date],
    kind: str = "unexplained",
    group: SchoolClass | None = None,
) -> Child:
    """Add a child, in a class of its own unless one is given, that is away on days."""
    child = county.child(school_class=group or county.school_class())
    county.session.add_all(
        Absence(child_id=child.id, class_id=child.class_id, day=day, kind=kind, **_here(county))
        for day in days
    )
    county.session.commit()
    return child


def report(county: CountyBuilder, child: Child, days: Sequence[date]) -> None:
    """Note that the child's class was reported on days."""
    county.session.add_all(
        AttendanceReport(
            class_id=child.class_id,
            day=day,
            on_roll=1,
            present=0,
            reported_at=datetime(day.year, day.month, day.day, 1, tzinfo=UTC),
            **_here(county),
        )
        for day in days
    )
    county.session.commit()


def _here(county: CountyBuilder) -> dict[str, Any]:
    return county.scope_of(county.a_school)


@pytest.fixture
def opened(app, county: CountyBuilder) -> Opened:
    """Return a function that runs the openings as of a day and returns all entries."""

    def run(as_of: date) -> list[LedgerEntry]:
        with app.app_context(), database.writing():
            results = open_entries(db.session(), as_of)
            db.session.commit()
            db.session.remove()
        assert [one.error for one in results if one.error] == []
        return county.all(select(LedgerEntry).order_by(LedgerEntry.id))

    return run


def held(entries: list[LedgerEntry], child: Child) -> set[tuple[str, str]]:
    """Return the ledgers and categories in which a child is."""
    return {(entry.ledger, entry.category) for entry in entries if entry.child_id == child.id}


A, B, C = ((SUSPECTED, category) for category in "ABC")
AT_RISK, DETERMINE = (MONITORED, ""), (DROPPED_OUT, "")


def test_days_in_a_row_open_entries_at_the_dated_limits(county, opened) -> None:
    last = weekdays(MONDAY, 60)[-1]
    table = [
        ("unexplained", 2, set()),
        ("unexplained", 3, {A}),
        ("unexplained", 4, {A}),
        ("unexplained", 5, {A, AT_RISK}),
        ("unexplained", 19, {A, AT_RISK}),
        ("unexplained", 20, {A, AT_RISK, DETERMINE}),
        ("personal_leave", 10, set()),
        ("personal_leave", 11, {AT_RISK}),
        ("sick_leave", 20, set()),
        ("sick_leave", 21, {AT_RISK}),
        ("pending", 30, set()),
    ]
    cases = []
    for kind, count, wanted in table:
        days = weekdays(MONDAY, 60)[-count:]
        cases.append((kind, days, absent(county, days, kind), wanted))

    entries = opened(last)

    for kind, days, child, wanted in cases:
        assert held(entries, child) == wanted, (kind, len(days))
    for entry in entries:
        days = next(days for _kind, days, child, _wanted in cases if child.id == entry.child_id)
        assert (entry.since, entry.observed, entry.opened_on) == (days[0], str(len(days)), last)
        assert (entry.school_id, entry.township_id) == (county.a_school.id, county.a_township.id)
    assert {child.status.key for child in county.all(select(Child))} == {"enrolled"}


def test_weekends_make_up_days_and_exceptions_part_or_join_days(county, opened) -> None:
    other = county.school("蒲芦中学", county.township("蒲芦镇"))
    over_weekend = absent(county, [THURSDAY, FRIDAY, NEXT_MONDAY])
    works_saturday = absent(county, [THURSDAY, FRIDAY, NEXT_MONDAY])
    grade = absent(county, [MONDAY, THURSDAY, FRIDAY], group=county.school_class(grades=(8,)))
    both = absent(county, [MONDAY, THURSDAY, FRIDAY], group=county.school_class(grades=(8, 9)))
    elsewhere = county.child(school=other, school_class=county.school_class(other))
    for child in (grade, both):
        absence = Absence(
            child_id=child.id, class_id=child.class_id, day=NEXT_MONDAY, kind="unexplained",
            **_here(county),
        )  # fmt: skip
        county.add(absence)
    for whole, day, is_school_day in (
        ({"class_id": works_saturday.class_id}, SATURDAY, True),
        ({"grade": 8}, MONDAY + ONE_DAY, False),
        ({"grade": 8}, MONDAY + 2 * ONE_DAY, False),
    ):
        county.add(
            CalendarException(
                day=day, is_school_day=is_school_day, reason="调课", **whole, **_here(county)
            )
        )

    entries = opened(NEXT_MONDAY)

    assert held(entries, over_weekend) == {A}
    assert held(entries, works_saturday) == set()
    assert [e.observed for e in entries if e.child_id == grade.id and e.category] == ["4"]
    assert [e.observed for e in entries if e.child_id == both.id and e.category] == ["3"]
    assert held(entries, elsewhere) == set()


def test_make_up_day_of_the_county_counts_for_all(county, opened) -> None:
    county.add(
        CalendarDay(county_id=county.here.id, day=SATURDAY, is_working_day=True, is_school_day=True)
    )
    missed = absent(county, [THURSDAY, FRIDAY, NEXT_MONDAY])
    there = absent(county, [FRIDAY, SATURDAY, NEXT_MONDAY])

    entries = opened(NEXT_MONDAY)

    assert (held(entries, missed), held(entries, there)) == (set(), {A})


def test_child_who_was_seen_since_is_left_alone_and_silence_ends_nothing(county, opened) -> None:
    days = weekdays(MONDAY, 4)
    seen, unknown, waiting, ill = (absent(county, days[:3]) for _each in range(4))
    for child in (seen, waiting, ill):
        report(county, child, days)
    for child, kind in ((waiting, "pending"), (ill, "sick_leave")):
        absence = Absence(
            child_id=child.id, class_id=child.class_id, day=days[3], kind=kind, **_here(county)
        )
        county.add(absence)

    entries = opened(FRIDAY)

    assert [held(entries, child) for child in (seen, unknown, waiting, ill)] == [
        set(), {A}, {A}, set(),
    ]  # fmt: skip


def test_five_absences_among_the_last_twenty_school_days_are_at_risk(county, opened) -> None:
    days = weekdays(MONDAY, 21)
    four, five, six = (absent(county, days[1 : 1 + 2 * count : 2]) for count in (4, 5, 6))
    too_old = absent(county, [days[0], *days[3:11:2]])
    for child in (four, five, six, too_old):
        report(county, child, days)

    entries = opened(days[-1])

    assert [held(entries, child) for child in (four, five, six, too_old)] == [
        set(), {AT_RISK}, {AT_RISK}, set(),
    ]  # fmt: skip


def test_sick_leave_with_a_paper_and_a_township_not_live_open_nothing(county, opened) -> None:
    days = weekdays(MONDAY, 21)
    child = absent(county, days, "sick_leave")
    paper = county.add(EvidenceSet(**_here(county)))
    county.add(
        Leave(
            child_id=child.id, kind="sick_leave", starts_on=days[0], ends_on=days[-1],
            reason="住院", asked_by="母亲", evidence_set_id=paper.id, **_here(county),
        )
    )  # fmt: skip
    absent(county, days[-3:])
    county.a_township.go_live_on = days[-1] + ONE_DAY
    county.add(county.a_township)

    assert opened(days[-1]) == []
    assert {entry.category for entry in opened(days[-1] + ONE_DAY)} == {"A"}


def test_statuses_open_entries_since_their_last_event(county, opened) -> None:
    wanted = {
        "policy_suspension": {B}, "policy_deferral": {B}, "returned": {C},
        "dropped_out": {DETERMINE}, "medical_suspension": set(), "transferred": set(),
    }  # fmt: skip
    children = {key: county.child(status=key) for key in wanted}
    for child in children.values():
        for day in (MONDAY, FRIDAY):
            event = StatusEvent(
                child_id=child.id, status_id=child.status_id, happened_on=day, basis="文件",
                **_here(county),
            )  # fmt: skip
            county.add(event)

    entries = opened(NEXT_MONDAY)

    assert {key: held(entries, child) for key, child in children.items()} == wanted
    assert {entry.since for entry in entries} == {FRIDAY}


def test_entries_open_once_and_again_only_for_what_is_newer(app, county, opened) -> None:
    first, again = weekdays(MONDAY, 3), weekdays(date(2026, 3, 16), 3)
    child = absent(county, first)
    opened(first[-1])
    (entry,) = opened(first[-1] + ONE_DAY)
    county.execute(LedgerEntry.__table__.update().values(closed_on=first[-1] + ONE_DAY))

    assert len(opened(first[-1] + 2 * ONE_DAY)) == 1
    for day in again:
        county.add(
            Absence(
                child_id=child.id, class_id=child.class_id, day=day, kind="unexplained",
                **_here(county),
            )
        )  # fmt: skip
    entries = opened(again[-1])
    assert [one.since for one in entries if one.category] == [first[0], again[0]]
    with app.app_context():
        assert basis_of(entry) == "自2026-03-02起连续3个上学日旷课"


def test_returned_child_is_watched_to_the_end_of_the_first_full_semester(
    app, county, opened
) -> None:
    for first, last in ((MONDAY, date(2026, 7, 3)), (date(2026, 9, 1), date(2027, 1, 20))):
        county.add(
            Semester(
                county_id=county.here.id, school_year_id=county.year.id, name=first.isoformat(),
                starts_on=first, ends_on=last,
            )
        )  # fmt: skip
    child = county.child(status="returned")
    county.add(
        StatusEvent(
            child_id=child.id, status_id=child.status_id, happened_on=NEXT_MONDAY, basis="返校",
            **_here(county),
        )
    )  # fmt: skip
    (entry,) = opened(NEXT_MONDAY)

    for day, reason, is_refused in (
        (date(2026, 7, 4), "monitored_to_end", True),
        (date(2027, 1, 20), "monitored_to_end", True),
        (date(2027, 1, 21), "monitored_to_end", False),
        (date(2026, 7, 4), "transferred", False),
    ):
        assert _is_refused(app, county, entry.id, reason, day) is is_refused, (day, reason)


def test_returning_counts_after_twenty_school_days(app, county, opened) -> None:
    days = weekdays(MONDAY, 3)
    absent(county, days)
    (entry,) = opened(days[-1])
    after = weekdays(days[-1] + ONE_DAY, 20)

    for day, reason, is_refused in (
        (after[18], "returned", True),
        (after[19], "returned", False),
        (after[0], "record_error", False),
    ):
        assert _is_refused(app, county, entry.id, reason, day) is is_refused, (day, reason)


def _is_refused(app, county, entry_id: int, reason: str, day: date) -> bool:
    """Tell whether closing an entry on a day is refused; nothing is kept."""
    with time_machine.travel(day), app.app_context():
        session = db.session()
        entry = session.get(LedgerEntry, entry_id)
        code = session.scalars(select(Code).filter_by(domain="ledger_closing", key=reason)).one()
        proof = EvidenceSet(**_here(county))
        session.add(proof)
        session.flush()
        try:
            close(session, entry, Hand(None, None, ""), Closing(code, None, proof.id))
        except Refused:
            return True
        finally:
            session.rollback()
            db.session.remove()
    return False


def test_open_transfers_are_at_risk_and_then_suspected_of_the_sender(county, opened) -> None:
    days = weekdays(MONDAY, 40)
    county.session.add_all(
        CalendarDay(county_id=county.here.id, day=day, is_working_day=True, is_school_day=True)
        for day in days
    )
    county.session.commit()
    proof = county.add(EvidenceSet(**_here(county)))
    cases = []
    for elapsed, values, wanted in (
        (10, {}, set()),
        (11, {}, {AT_RISK}),
        (20, {}, {AT_RISK}),
        (21, {}, {AT_RISK, A}),
        (21, {"evidence_set_id": proof.id}, {AT_RISK}),
        (21, {"arrived_on": days[-1]}, set()),
    ):
        child = county.child(status="transfer_under_way")
        county.add(
            Transfer(
                child_id=child.id, to_place="桂林市", started_on=days[-1 - elapsed],
                basis="转学申请", **values, **_here(county),
            )
        )  # fmt: skip
        cases.append((child, wanted))

    entries = opened(days[-1])

    assert [held(entries, child) for child, _wanted in cases] == [wanted for _c, wanted in cases]


def test_register_holds_the_children_of_school_age_and_leaves_as_a_workbook(county, login) -> None:
    group, today = county.school_class(), date(2026, 3, 4)
    table: list[tuple[date | None, dict[str, Any], bool]] = [
        (date(2019, 8, 31), {}, True),
        (date(2019, 9, 1), {}, False),
        (date(2010, 3, 5), {}, True),
        (date(2010, 3, 4), {}, False),
        (date(2010, 3, 4), {"school_class": group}, True),
        (None, {}, True),
        (date(2012, 1, 1), {"status": "not_enrolled"}, True),
        (date(2012, 1, 1), {"status": "graduated"}, False),
        (date(2012, 1, 1), {"status": "deceased"}, False),
    ]
    children = [county.child(born_on=born, **values) for born, values, _wanted in table]
    elsewhere = county.child(school=county.school("蒲芦中学", county.township("蒲芦镇")))
    with time_machine.travel(today):
        clerk = login("school_clerk", school=county.a_school)
        page = clerk.soup("/school-age/list/")
        book = clerk.get("/school-age/workbook")

    names = {link.get_text(strip=True) for link in page.select("a.row-link")}
    rows = list(openpyxl.load_workbook(BytesIO(book.data)).active.values)
    listed = [one.name for one, (*_rest, wanted) in zip(children, table, strict=True) if wanted]
    assert names == set(listed)
    assert {row[0] for row in rows if row[0] in {one.name for one in children}} == set(listed)
    assert elsewhere.name not in page.get_text()
    links = {link["href"].partition("?")[0] for link in page.select("a.row-link")}
    assert f"/childview/show/{children[0].id}" in links
