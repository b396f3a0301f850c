"""Import children: who loads, who fails and why, what a second run does, what undo leaves."""

from __future__ import annotations

from datetime import date
from io import BytesIO

import openpyxl
import pytest
from sqlalchemy import func, select

from app import database, imports
from app.base import Refused
from app.columns import blind_index
from app.extensions import db
from app.models import Change, Child, Enrolment, ImportBatch, ImportRow, StatusEvent
from app.security.scope import EVERYTHING, Scope

HEADS = ("姓名★", "身份证件号", "全国学籍号", "学校名称*", "班级", "出生日期", "是否寄宿")


def counts(result):
    return result.added, result.changed, result.skipped, result.failed


def by_column(result):
    return {(fault.number, fault.column) for fault in result.faults}


@pytest.fixture
def lines(sheets, ground):
    first, second = (sheets.id_number(date(2012, 3, 4), n) for n in (11, 12))
    return [
        ["罗 燕", first, f"G{first}", "修仁中学", "七年级1班", "20120304", "是"],
        ["覃小明", second, "", "修仁中学", "七年级2班", "2012年3月4日", "走读"],
    ]


def test_children_load_with_what_follows_from_them(county, load, lines, ground):
    result = load("child", lines, HEADS)

    query = select(Child).where(Child.name == "罗燕")
    assert counts(result) == (2, 0, 0, 0)
    with county.context():
        check_first(county.scalar(query), lines[0][1], ground)
    assert county.scalar(select(func.count(StatusEvent.id))) == 2
    assert county.scalar(select(func.count(Enrolment.id))) == 2


def check_first(child, number, ground):
    assert (child.sex, child.born_on) == ("male", date(2012, 3, 4))
    assert (child.school_id, child.class_id) == (ground[0].id, ground[1][0].id)
    assert child.is_boarding
    assert child.id_kind == "resident"
    assert "luoyan" in child.search_key
    assert child.id_number_index == blind_index(number)


def test_the_same_file_twice_changes_nothing_and_an_edit_only_what_it_says(county, load, lines):
    load("child", lines, HEADS)
    before = county.scalar(select(func.count(Change.id)))

    again = load("child", lines, HEADS)
    between = county.scalar(select(func.count(Change.id)))
    lines[0][0], lines[0][6] = "罗艳", ""
    edited = load("child", lines, HEADS)

    assert counts(again) == (0, 0, 2, 0)
    assert between - before == 1  # the batch itself
    assert counts(edited) == (0, 1, 1, 0)
    named = Child.name == "罗艳"
    assert county.scalar(select(Child.is_boarding).where(named))  # blank leaves what is stored
    assert county.scalar(select(Child.row_version).where(named)) == 2
    trail = (Change.table_name == "child", Change.action == "update")
    assert '"name":"罗燕"' in county.scalar(select(Change.before).where(*trail))
    assert '"name":"罗艳"' in county.scalar(select(Change.after).where(*trail))


def test_bad_rows_fail_with_row_column_and_reason_and_good_ones_load(county, load, sheets, lines):
    good = lines[1][1]
    bad = [
        ["甲", good[:-1] + ("1" if good[-1] != "1" else "2"), "", "修仁中学", "七年级1班", "", ""],
        ["乙", 450331201101010013, "", "修仁中学", "", "", ""],
        ["", sheets.id_number(date(2012, 1, 1), 1), "", "修仁中学", "", "", ""],
        ["丙", sheets.id_number(date(2012, 1, 1), 2), "", "没有中学", "", "", ""],
        ["丁", sheets.id_number(date(2012, 1, 1), 3), "", "修仁中学", "九年级9班", "", "也许"],
        ["戊", lines[1][1], "", "修仁中学", "", "", ""],
        [None] * 7,
        ["己", "", "", "修仁中学", "", "2099-01-01", ""],
    ]

    result = load("child", [*lines, *bad], HEADS)

    assert counts(result) == (2, 0, 1, 7)
    assert by_column(result) == {
        (4, "id_number"), (5, "id_number"), (6, "name"), (7, "school"), (8, "class"),
        (8, "is_boarding"), (9, "id_number"), (11, "born_on"),
    }  # fmt: skip
    reasons = {fault.number: fault.message for fault in result.faults}
    assert good not in str(reasons)
    assert county.scalar(select(func.count(Child.id))) == 2


def test_full_width_digits_and_names_instead_of_codes_are_read(county, load, sheets, ground):
    number = sheets.id_number(date(2012, 3, 4), 21)
    wide = "".join(chr(ord(char) + 0xFEE0) for char in number)

    result = load("child", [["韦小丽", wide, "", ground[0].code, "七年级1班", "", "１"]], HEADS)

    assert counts(result) == (1, 0, 0, 0)
    assert county.scalar(select(Child.is_boarding)) is True


def test_a_child_is_found_by_any_number_and_a_corrected_id_number_is_taken(county, load, sheets):
    county.child("韦小丽", enrolment_number="G1", born_on=date(2012, 3, 4))
    with county.context():
        child = county.session.get(Child, county.scalar(select(Child.id)))
        child.enrolment_number_index = blind_index("G1")
        county.session.commit()
    number = sheets.id_number(date(2012, 3, 4), 31)

    result = load("child", [["韦小丽", number, "G1", "修仁中学", "", "", ""]], HEADS)

    assert counts(result) == (0, 1, 0, 0)
    assert county.scalar(select(Child.id_number)) == number


def test_a_scope_loads_its_own_rows_only_and_pulls_nobody_over(county, load, sheets, lines):
    there = county.school("外地中学", county.township("外镇"))
    number = sheets.id_number(date(2012, 3, 4), 41)
    county.child("莫小军", there, id_number=number)
    school = county.a_school
    scope = Scope("schools", school.county_id, school_ids=frozenset({school.id}))
    moved = ["莫小军", number, "", "修仁中学", "", "", ""]
    foreign = ["梁小平", sheets.id_number(date(2012, 3, 4), 42), "", "外地中学", "", "", ""]

    result = load("child", [*lines, moved, foreign], HEADS, scope=scope)

    assert counts(result) == (3, 0, 0, 1)
    assert {fault.number for fault in result.faults} == {5}
    both = select(Child.school_id).where(Child.name == "莫小军").order_by(Child.id)
    assert county.all(both) == [there.id, school.id]


def test_an_unusual_age_is_a_warning_and_loads(app, county, load, sheets, ground):
    births = (date(2002, 1, 1), date(2012, 3, 4), date(2023, 1, 1))
    numbers = [sheets.id_number(born, 71) for born in births]
    lines = [["甲", number, "", "修仁中学", "七年级1班", "", ""] for number in numbers]
    content = sheets.workbook(lines, HEADS)

    dry = load("child", content, dry=True)
    result = load("child", content)
    again = load("child", content)

    assert counts(dry) == counts(result) == (3, 0, 0, 0)
    assert [(one.number, one.column) for one in result.warnings] == [
        (2, "born_on"),
        (4, "born_on"),
    ]
    assert dry.warned == result.warned == 2
    assert county.scalar(select(ImportBatch.warned).order_by(ImportBatch.id)) == 2
    assert (again.skipped, again.warned) == (3, 0)  # told once, when it is new
    with app.app_context():
        entity = imports.find_entity("child")
        opened = imports.open_file(entity, content, "a.xlsx")
        told = imports.error_workbook(entity, opened.table, result.warnings)
    sheet = openpyxl.load_workbook(BytesIO(told)).active
    assert [row[0] for row in sheet.iter_rows(min_row=4, values_only=True)] == [2, 4]


def test_a_dry_run_says_the_same_and_stores_nothing(county, load, lines):
    dry = load("child", lines, HEADS, dry=True)

    assert counts(dry) == (2, 0, 0, 0)
    assert county.scalar(select(func.count(Child.id))) == 0
    assert county.scalar(select(func.count(ImportBatch.id))) == 0


def test_statements_do_not_grow_with_the_rows(load, sheets, ground, statements):
    schools = [("修仁中学", ["七年级1班", "七年级2班"])]
    load("child", sheets.workbook(sheets.roster(4, schools)))
    few = len(statements)
    statements.clear()

    load("child", sheets.workbook(sheets.roster(300, schools, bad=[7, 8])))

    assert len(statements) <= few + 12  # the update that the first run did not need
    assert few < 80


def test_the_error_workbook_repeats_the_rows_under_their_numbers(app, load, sheets, lines):
    lines[1][1] = "=1+1"
    content = sheets.workbook([*lines], HEADS, title="学生基本信息")
    result = load("child", content)

    with app.app_context():
        entity = imports.find_entity("child")
        opened = imports.open_file(entity, content, "a.xlsx")
        book = openpyxl.load_workbook(
            BytesIO(imports.error_workbook(entity, opened.table, result.faults))
        )
        back = imports.open_file(
            entity, imports.error_workbook(entity, opened.table, result.faults), "b.xlsx"
        )

    rows = list(book.active.iter_rows(values_only=True))
    assert rows[3][0] == 4
    assert rows[3][1]
    assert rows[3][2]
    assert rows[3][3:5] == ("覃小明", None) or rows[3][3] == "覃小明"
    assert {cell.data_type for row in book.active.iter_rows() for cell in row} <= {"n", "s"}
    assert "name" in back.match.places  # it can be mended and imported again


def test_a_batch_is_undone_while_nobody_touched_it(app, county, load, lines, sheets):
    number = sheets.id_number(date(2012, 3, 4), 51)
    county.child("潘小霞", id_number=number)
    edit = ["潘小霞", number, "", "修仁中学", "七年级1班", "", ""]
    result = load("child", [*lines, edit], HEADS)
    assert counts(result) == (2, 1, 0, 0)

    with app.app_context(), database.writing():
        imports.undo(db.session(), result.batch_id, EVERYTHING)
        db.session.commit()

    assert county.all(select(Child.name)) == ["潘小霞"]
    assert county.scalar(select(Child.class_id)) is None
    assert county.scalar(select(Child.sex)) is None
    assert county.scalar(select(Child.id_number)) == number
    assert county.scalar(select(func.count(StatusEvent.id))) == 0
    assert county.scalar(select(ImportBatch.state)) == "undone"
    with app.app_context(), pytest.raises(Refused), database.writing():
        imports.undo(db.session(), result.batch_id, EVERYTHING)


def test_a_batch_that_others_build_on_stays(app, county, load, lines):
    result = load("child", lines, HEADS)
    with county.context():
        child = county.scalar(select(Child).where(Child.name == "罗燕"))
        child.village = "上村"
        county.add(child)

    with app.app_context(), database.writing():
        with pytest.raises(Refused):
            imports.undo(db.session(), result.batch_id, EVERYTHING)
        db.session.rollback()

    assert county.scalar(select(func.count(Child.id))) == 2
    assert county.scalar(select(ImportBatch.state)) == "stored"
    assert county.scalar(select(func.count(ImportRow.id))) == 6
