"""Test the head-count of a day: every enrolment record is somewhere, or it is residue."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from typing import Any

import openpyxl
import pytest
from sqlalchemy import event, select

from app.extensions import db
from app.models import (
    Absence,
    AttendanceReport,
    Child,
    ChildStatus,
    ClassLine,
    Enrolment,
    EvidenceSet,
    Inspection,
    School,
    SchoolClass,
    StatusEvent,
    Violation,
)
from plugins.reconciliation.headcount import LEAVE, UNEXPLAINED, Headcount, rows_of, total
from tests.builder import CountyBuilder

DAY = date(2026, 3, 4)
BEFORE = date(2026, 2, 20)
NOON = datetime(2026, 3, 4, 4, tzinfo=UTC)


class Roll:
    """Build a class with children in every state."""

    def __init__(self, county: CountyBuilder, school: School | None = None) -> None:
        self.county = county
        self.school = school or county.a_school
        self.scope = county.scope_of(self.school)
        self.seat = county.school_class(self.school)

    def child(
        self,
        status: str = "enrolled",
        since: date = BEFORE,
        *,
        has_paper: bool = False,
        is_registered: bool = True,
    ) -> Child:
        """Add a child with its place and the last change of its status."""
        child = self.county.child(school=self.school, school_class=self.seat, status=status)
        self.place(child, is_registered=is_registered)
        paper = self.county.add(EvidenceSet(is_staged=False, **self.scope)) if has_paper else None
        key = self.county.scalar(select(ChildStatus.id).filter_by(key=status))
        self.county.add(
            StatusEvent(
                child_id=child.id,
                status_id=key,
                happened_on=since,
                basis="测试",
                evidence_set_id=paper.id if paper else None,
                **self.scope,
            )
        )
        return child

    def place(self, child: Child, *, is_registered: bool = True) -> None:
        self.county.add(
            Enrolment(
                child_id=child.id,
                class_id=self.seat.id,
                valid_from=BEFORE,
                is_registered=is_registered,
                **self.scope,
            )
        )

    def away(self, kind: str) -> None:
        child = self.child()
        self.county.add(
            Absence(child_id=child.id, class_id=self.seat.id, day=DAY, kind=kind, **self.scope)
        )

    def report(self, present: int) -> None:
        self.county.add(
            AttendanceReport(
                class_id=self.seat.id,
                day=DAY,
                on_roll=present,
                present=present,
                reported_at=NOON,
                **self.scope,
            )
        )


@pytest.fixture
def roll(county) -> Roll:
    return Roll(county)


def figures(county: CountyBuilder, day: date = DAY) -> Headcount:
    with county.context():
        found = total(rows_of(db.session(), day))
        db.session.remove()
    return found


@pytest.mark.parametrize(
    ("status", "options", "part"),
    [
        ("medical_suspension", {}, "suspended"),
        ("policy_suspension", {}, "suspended"),
        ("home_taught", {}, "home_taught"),
        ("transfer_under_way", {}, "transfer"),
        ("out_of_county", {"has_paper": True}, "elsewhere"),
        ("out_of_county", {}, None),
        ("dropped_out", {}, None),
        ("lost_contact", {}, None),
        ("medical_suspension", {"since": DAY + timedelta(days=1)}, "present"),
    ],
)
def test_record_counts_in_the_part_of_its_status_on_the_day(county, roll, status, options, part):
    roll.child(status, **options)
    roll.report(1 if part == "present" else 0)

    found = figures(county)

    assert found.registered == 1
    assert found.residue == (1 if part is None else 0)
    assert {key: n for key, n in found.parts.items() if n} == (
        {part: 1} if part not in {None, "present"} else {}
    )


@pytest.mark.parametrize(
    ("kind", "part"),
    [
        ("sick_leave", LEAVE),
        ("personal_leave", LEAVE),
        ("unexplained", UNEXPLAINED),
        ("pending", UNEXPLAINED),
    ],
)
def test_absence_of_the_day_is_leave_or_unexplained(county, roll, kind, part):
    roll.child()
    roll.away(kind)
    roll.report(1)

    found = figures(county)

    assert (found.registered, found.present, found.parts[part], found.residue) == (2, 1, 1, 0)


def test_guest_without_a_record_is_at_school_and_elsewhere_at_his_own(county, roll):
    other = Roll(county, county.school("马岭中学"))
    guest = roll.child()
    other.place(guest, is_registered=False)
    roll.report(0)
    other.report(1)

    with county.context():
        found = {row.school_id: row.figures for row in rows_of(db.session(), DAY)}
        db.session.remove()

    at_home, there = found[roll.school.id], found[other.school.id]
    assert (at_home.registered, at_home.parts["elsewhere"], at_home.residue) == (1, 1, 0)
    assert (there.registered, there.guests, there.counted, there.present) == (0, 1, 1, 0)
    assert there.residue == 0


def test_missing_child_is_residue_and_the_leader_counts_before_the_teacher(county, roll):
    for _number in range(3):
        roll.child()
    roll.report(3)
    before = figures(county).residue
    inspection = county.add(
        Inspection(
            type_key="daily_check",
            state="submitted",
            occurred_on=DAY,
            **roll.scope,
            **version_of(county),
        )
    )
    county.add(
        ClassLine(
            inspection_id=inspection.id, class_id=roll.seat.id, day=DAY, present=2, **roll.scope
        )
    )

    after = figures(county)

    assert before == 0
    assert (after.counted, after.present, after.residue) == (2, 2, 1)


def version_of(county: CountyBuilder) -> dict[str, Any]:
    from app.models import ChecklistVersion

    return {"checklist_version_id": county.scalar(select(ChecklistVersion.id).limit(1))}


def test_class_that_nobody_counted_is_told_and_not_judged(county, roll):
    roll.child()

    found = figures(county)

    assert (found.registered, found.counted, found.residue, found.uncounted) == (1, None, None, 1)


def test_place_that_ended_is_no_record_any_more(county, roll):
    child = roll.child()
    roll.report(0)
    with county.context():
        place = county.session.scalar(select(Enrolment).filter_by(child_id=child.id))
        place.valid_to = DAY - timedelta(days=1)
        county.session.commit()

    assert figures(county).registered == 0
    assert figures(county, DAY - timedelta(days=1)).registered == 1


def test_reader_sees_his_own_schools_in_one_statement(county, roll, login):
    roll.child()
    roll.report(1)
    other = Roll(county, county.school("马岭中学", county.township("马岭镇")))
    other.child()
    other.report(0)
    clerk = login("school_clerk", school=roll.school)
    office = login("supervision_office")
    asked: list[str] = []

    def count(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        asked.extend([statement] if "is_registered" in statement else [])

    with county.context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", count)
    own = clerk.soup(f"/headcount/?day={DAY}")
    event.remove(engine, "before_cursor_execute", count)
    all_schools = office.soup(f"/headcount/?day={DAY}")
    foreign = clerk.soup(f"/headcount/?day={DAY}&school={other.school.id}")

    assert len(asked) == 1
    assert roll.seat.name in own.get_text()
    assert "马岭中学" not in own.get_text()
    assert "马岭中学" in all_schools.get_text()
    assert all_schools.select_one(".badge-soft.tone-danger").get_text() == "1"
    assert other.seat.name not in foreign.get_text()


def test_figures_leave_as_a_workbook_by_school_and_by_class(county, roll, login):
    roll.child()
    roll.away("sick_leave")
    roll.report(1)
    office = login("supervision_office")

    answer = office.get(f"/headcount/workbook?day={DAY}")

    book = openpyxl.load_workbook(BytesIO(answer.data))
    by_school, by_class = book.worksheets
    head, first = list(by_school.values)[1:3]
    row = dict(zip(head, first, strict=True))
    assert (row["学籍数"], row["到校（有学籍）"], row["请假"], row["差额"]) == (2, 1, 1, 0)
    assert list(by_class.values)[2][2] == county.scalar(
        select(SchoolClass.name).where(SchoolClass.id == roll.seat.id)
    )


@pytest.mark.parametrize(("typed", "words"), [("3月4日", "2026-03-05"), ("2999-01-01", "今天")])
def test_day_that_is_none_is_refused_at_its_field(county, roll, login, typed, words):
    page = login("supervision_office").soup(f"/headcount/?day={typed}")

    assert words in page.select_one("#day-error").get_text()


def residues(county: CountyBuilder) -> dict[tuple[str, int], str | None]:
    """Return the residues that stand open, by what they are found at."""
    rows = county.all(select(Violation).filter_by(code="ROLL-1", resolved_on=None))
    return {(row.subject_type, row.subject_id): row.observed for row in rows}


def test_residue_of_the_last_counted_day_stands_until_it_is_explained(county, roll, run_rule):
    county.year  # noqa: B018  # the school year is what is judged
    whole, uncounted = Roll(county), Roll(county)
    for one in (roll, whole, uncounted):
        one.child()
        one.child()
    roll.report(1)
    whole.report(2)
    nowhere = county.child(status="lost_contact")
    county.add(Enrolment(child_id=nowhere.id, class_id=None, valid_from=BEFORE, **roll.scope))

    run_rule("ROLL-1", DAY - timedelta(days=1))
    before = residues(county)
    run_rule("ROLL-1", DAY + timedelta(days=3))
    found = residues(county)
    county.execute(AttendanceReport.__table__.update().values(present=2))
    run_rule("ROLL-1", DAY + timedelta(days=4))

    school = ("school", roll.school.id)
    assert before == {}
    assert found == {("school_class", roll.seat.id): "1", school: "1"}
    assert residues(county) == {school: "1"}


def test_more_children_than_records_are_a_residue_too(county, roll, run_rule):
    county.year  # noqa: B018  # the school year is what is judged
    roll.child()
    roll.report(3)

    run_rule("ROLL-1", DAY)

    assert residues(county) == {("school_class", roll.seat.id): "-2"}
