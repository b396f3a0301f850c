"""Export every core entity and import it again: equal rows change nothing, lost ones return."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime
from io import BytesIO

import openpyxl
import pytest
from sqlalchemy import func, select

from app import imports
from app.extensions import db
from app.imports.core import CORE
from app.models import (
    Absence,
    CalendarDay,
    CalendarException,
    Change,
    Child,
    ChildGroup,
    ChildStatus,
    Code,
    Enrolment,
    Guardian,
    Inspection,
    InspectionParticipant,
    Leave,
    LedgerEntry,
    School,
    SchoolClass,
    Semester,
    StatusEvent,
    Transfer,
    Visit,
    VisitParticipant,
)
from app.security.scope import EVERYTHING
from plugins.records.models import Activity, MonthlyReport, Review

RECORDS = ("records_monthly_report", "records_review", "records_activity")
SMALL = [*(entity.key for entity in CORE), *RECORDS]
MONITORED = "roll_and_attendance.priority_monitoring"


@pytest.fixture
def filled(county, sheets):
    """Fill the county with a row or two of everything."""
    with county.context():
        _fill(county, sheets)
    return county


def _fill(county, sheets):
    school, scope = county.a_school, county.scope_of(county.a_school)
    county.add(
        School(
            county_id=county.here.id, township_id=county.a_township.id, code="A1",
            name="山口教学点", kind="teaching_point", parent_id=school.id,
        )
    )  # fmt: skip
    teacher = county.person("罗燕", school, phone="13800000001")
    county.person("罗燕", county.a_township, phone="13800000002")
    seats = [
        county.school_class(grades=(7,), name="七年级1班", teacher_id=teacher.id),
        county.school_class(grades=(1, 2), name="复式班"),
    ]
    county.add(
        Semester(
            county_id=county.here.id, school_year_id=county.year.id, name="第一学期",
            starts_on=date(2025, 9, 1), ends_on=date(2026, 1, 20),
        )
    )  # fmt: skip
    county.add(
        CalendarDay(
            county_id=county.here.id, day=date(2026, 4, 19), is_working_day=False,
            is_school_day=False, name="三月三", source="entered",
        )
    )  # fmt: skip
    county.add(
        CalendarException(
            day=date(2026, 4, 20), is_school_day=False, reason="=校运会", grade=7, **scope
        )
    )
    county.appointment(teacher, "class_teacher", school=school)
    county.liaison(teacher, "liaison_department", county.a_township, department="基教股")
    number = sheets.id_number(date(2012, 3, 4), 5)
    child = county.child(
        "覃小明", school_class=seats[0], id_number=number, born_on=date(2012, 3, 4), sex="male"
    )
    county.child("无证儿童", born_on=date(2013, 1, 2))
    relation, group, kind, reason = (
        county.scalar(select(Code.id).filter_by(domain=domain).order_by(Code.id))
        for domain in ("guardian_relation", "special_group", "organisation_kind", "visit_reason")
    )
    belongs = {"child_id": child.id, **scope}
    county.add(Guardian(name="覃父", relation_id=relation, phone="13900000000", **belongs))
    county.add(ChildGroup(group_id=group, valid_from=date(2025, 9, 1), **belongs))
    county.add(Enrolment(class_id=seats[0].id, valid_from=date(2025, 9, 1), **belongs))
    enrolled = county.scalar(select(ChildStatus.id).filter_by(key="enrolled"))
    county.add(
        StatusEvent(status_id=enrolled, happened_on=date(2025, 9, 1), basis="入学", **belongs)
    )
    visit = county.add(
        Visit(kind="home", visited_on=date(2026, 3, 4), reason_id=reason, met_child=True, **belongs)
    )
    county.add(VisitParticipant(visit_id=visit.id, name="罗燕", organisation_kind_id=kind, **scope))
    county.add(
        Leave(
            kind="sick_leave", starts_on=date(2026, 3, 5), ends_on=date(2026, 3, 6), reason="发烧",
            asked_by="覃父", called_on=date(2026, 3, 5), call_note="住院", **belongs,
        )
    )  # fmt: skip
    county.add(Absence(class_id=seats[0].id, day=date(2026, 3, 5), kind="sick_leave", **belongs))
    county.add(
        Transfer(
            to_place="桂林某校", started_on=date(2026, 3, 9), basis="随父母迁居",
            arrived_on=date(2026, 3, 12), **belongs,
        )
    )  # fmt: skip
    county.add(
        LedgerEntry(
            ledger=MONITORED, since=date(2026, 3, 1), opened_on=date(2026, 3, 2),
            reason_id=reason, next_action="家访", next_on=date(2026, 3, 20), **belongs,
        )
    )  # fmt: skip
    month = date(2026, 2, 1)
    filed = datetime(2026, 3, 1, tzinfo=UTC)
    county.add(MonthlyReport(month=month, suspected=1, filed_at=filed, **scope))
    county.add(
        Review(
            quarter=date(2026, 1, 1), reviewed_on=date(2026, 3, 8), schools=3, households=20,
            conclusion="总体平稳", county_id=county.here.id,
        )
    )  # fmt: skip
    county.add(Activity(held_on=date(2026, 3, 3), kind="lecture", topic="义务教育法宣传", **scope))
    return county


def last_change(county):
    query = select(Change.before, Change.after, Change.table_name).order_by(Change.id.desc())
    with county.context():
        county.session.rollback()
        return county.session.execute(query.limit(2)).all()


def written(app, key, suffix=".xlsx"):
    with app.app_context():
        content = imports.export(db.session(), imports.find_entity(key), suffix)
        db.session.rollback()
        return content


@pytest.mark.parametrize("suffix", [".xlsx", ".csv"])
def test_an_export_reads_back_as_the_same_rows(app, filled, load, suffix):
    for key in SMALL:
        content = written(app, key, suffix)

        if key == "inspection":  # there is none yet, and a file without rows is refused
            continue
        result = load(key, content, name=f"{key}{suffix}")

        assert (key, result.faults) == (key, ())
        assert (key, result.added, result.changed) == (key, 0, 0), last_change(filled)
        assert (key, result.total) == (key, result.skipped)


def test_rows_that_went_come_back_from_their_export(app, filled, load):
    keys = (
        "visit", "guardian", "absence", "calendar_exception", "child_group", "class", "transfer",
        "ledger", "records_review", "records_activity", "leave",
    )  # fmt: skip
    kept = {key: written(app, key) for key in keys}
    gone = (VisitParticipant, Visit, Guardian, Absence, CalendarException, ChildGroup, Transfer)
    for model in (*gone, LedgerEntry, Review, Activity, Leave):
        filled.execute(model.__table__.delete())

    results = {key: load(key, content) for key, content in kept.items()}

    assert {key: (one.added, one.failed) for key, one in results.items()} == {
        "visit": (1, 0), "guardian": (1, 0), "absence": (1, 0), "calendar_exception": (1, 0),
        "child_group": (1, 0), "class": (0, 0), "transfer": (1, 0), "ledger": (1, 0),
        "records_review": (1, 0), "records_activity": (1, 0), "leave": (1, 0),
    }  # fmt: skip
    assert {key: written(app, key) for key in keys} == kept
    assert filled.scalar(select(Guardian.phone)) == "13900000000"


def test_a_school_may_name_its_parent_in_the_same_file(county, load):
    town = county.a_township
    rows = [
        ["P1", "山口教学点", town.name, "教学点", "新中心校"],
        ["P2", "新中心校", town.code, "小学", ""],
    ]

    result = load("school", rows, ("学校标识码", "学校名称", "所属乡镇", "学校类别", "中心校"))

    assert (result.added, result.failed) == (2, 0)
    child, parent = county.all(select(School).order_by(School.code))
    assert child.parent_id == parent.id


def test_participants_and_history_of_a_past_inspection_load(county, load):
    county.person("罗燕", county.a_school)
    kind = "部门督导"
    with county.context():
        entity = imports.find_entity("inspection")
        kind = next(iter(entity.column("type").options))

    result = load(
        "inspection",
        [[kind, "修仁中学", "20240410", "罗燕"]],
        ("督导类型", "学校", "督导日期", "督导人员"),
        backfilled=True,
    )

    assert (result.added, result.failed) == (1, 0), result.faults
    row = county.scalar(select(Inspection))
    assert row.is_backfilled
    assert row.state == "submitted"
    assert county.scalar(select(func.count(InspectionParticipant.id))) == 1


def test_a_past_inspection_on_a_day_without_school_is_refused(county, load):
    county.person("罗燕", county.a_school)
    with county.context():
        kind = next(iter(imports.find_entity("inspection").column("type").options))
    sunday, monday = "20240414", "20240415"

    result = load(
        "inspection",
        [[kind, "修仁中学", day, "罗燕"] for day in (sunday, monday)],
        ("督导类型", "学校", "督导日期", "督导人员"),
        backfilled=True,
    )

    assert (result.added, result.failed) == (1, 1)
    (fault,) = result.faults
    assert "不上课" in fault.message
    assert county.scalar(select(Inspection.occurred_on)) == date(2024, 4, 15)


def test_grades_and_other_items_are_replaced_as_a_whole(county, filled, load):
    rows = [["修仁中学", "复式班", "2、3"]]

    first = load("class", rows, ("学校名称", "班级名称", "年级"))
    second = load("class", rows, ("学校名称", "班级名称", "年级"))

    multigrade = county.scalar(select(SchoolClass).where(SchoolClass.name == "复式班"))
    with county.context():
        assert [grade.grade for grade in multigrade.grades] == [2, 3]
    assert (first.changed, second.changed) == (1, 0)


def test_statuses_step_as_allowed_and_the_child_follows(county, filled, load, sheets):
    number = sheets.id_number(date(2012, 3, 4), 5)
    heads = ("身份证件号", "学生状态", "变动日期", "依据")

    result = load(
        "status",
        [
            [number, "疑似辍学", "20260310", "连续旷课"],
            [number, "毕业", "20260311", "误填"],
            [number, "劝返复学", "20260320", "已返校"],
        ],
        heads,
    )
    good = load("status", [[number, "疑似辍学", "20260310", "连续旷课"]], heads)
    stays = load("status", [[number, "疑似辍学", "20260310", "改了依据"]], heads)

    assert {fault.number for fault in result.faults} == {3}
    assert (result.added, good.added, good.skipped) == (2, 0, 1)
    assert (stays.changed, stays.failed) == (0, 1)
    returned = select(ChildStatus.id).filter_by(key="returned").scalar_subquery()
    assert county.scalar(select(func.count(Child.id)).where(Child.status_id == returned)) == 1


def test_no_cell_of_an_export_is_a_formula(app, county, load):
    marks = ("=1+1", "+1", "-1", "@a", "\t=1", "=cmd|' /C calc'!A0")
    for at, mark in enumerate(marks):
        county.person(f"人员{at}", county.a_school, unit=mark, title=mark)

    book = openpyxl.load_workbook(BytesIO(written(app, "person")))
    text = written(app, "person", ".csv").decode("utf-8-sig")
    again = load("person", written(app, "person", ".csv"), name="人.csv")

    assert {cell.data_type for row in book.active.iter_rows() for cell in row} <= {"n", "s"}
    cells = [cell for line in csv.reader(io.StringIO(text)) for cell in line]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert (again.added, again.failed) == (0, 0)


@pytest.mark.parametrize("key", SMALL)
def test_a_template_explains_itself_and_counts_as_empty(app, county, key):
    _ = county.here
    with app.app_context():
        entity = imports.find_entity(key)
        content = imports.template(db.session(), entity, EVERYTHING)
        opened = imports.open_file(entity, content, "t.xlsx")
        db.session.rollback()

    assert set(opened.match.places) == {column.name for column in entity.columns}
    assert not opened.table.rows
    sheet = openpyxl.load_workbook(BytesIO(content)).active
    heads = [cell.value for cell in sheet[1]]
    required = sum(column.is_required for column in entity.columns)
    assert sum(str(head).endswith("*") for head in heads) == required
    listed = [c for c in entity.columns if c.kind in {"choice", "flag"}]
    assert len(sheet.data_validations.dataValidation) >= len(listed)
