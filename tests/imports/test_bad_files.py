"""Files that nobody can load: each is refused with a clear word and leaves nothing behind."""

from __future__ import annotations

import io
import zipfile
from datetime import date

import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from app import imports
from app.base import Refused
from app.imports import package
from app.models import Child, ImportBatch, StatusEvent

HEADS = ("姓名", "身份证件号", "学校名称", "出生日期")


def rewritten(content, part, change):
    """Return a workbook with one of its parts changed."""
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for item in old.infolist():
            data = old.read(item)
            new.writestr(item.filename, change(data) if item.filename == part else data)
    return target.getvalue()


SHEET = "xl/worksheets/sheet1.xml"


def merged_heads():
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True}) as book:
        sheet = book.add_worksheet("学生")
        sheet.merge_range(0, 0, 0, 1, "姓名")
        sheet.write_row(0, 2, ["学校名称", "出生日期"])
        sheet.write_row(1, 0, ["甲", "", "修仁中学", "20120304"])
    return target.getvalue()


def with_macros(good):
    target = io.BytesIO(good)
    with zipfile.ZipFile(target, "a") as book:
        book.writestr("xl/vbaProject.bin", b"macro")
    return target.getvalue()


def bomb(good):
    return rewritten(good, SHEET, lambda data: data + b" " * (package.UNPACKED_LIMIT + 1))


def lying_bomb(good):
    content = bytearray(bomb(good))
    size = (package.UNPACKED_LIMIT + 1).to_bytes(4, "little")[1:]
    at = content.rfind(b"PK\x01\x02")
    while at >= 0:
        if size in content[at + 24 : at + 28]:
            content[at + 24 : at + 28] = (1000).to_bytes(4, "little")
        at = content.rfind(b"PK\x01\x02", 0, at)
    return bytes(content)


def far_corner(good):
    return rewritten(good, SHEET, lambda data: data.replace(b'r="A2"', b'r="XFD1048576"', 1))


def oddly_written_corner(good):
    return rewritten(good, SHEET, lambda data: data.replace(b'r="A2"', b"r = 'XFD1048576'", 1))


def wrong_heads(sheets):
    return sheets.workbook([["a", "b"]], ("奇怪", "列名"))


@pytest.fixture
def good(sheets, ground):
    return sheets.workbook([["甲", sheets.id_number(date(2012, 3, 4), 1), "修仁中学", ""]], HEADS)


FILES = {
    "empty": lambda good, sheets: b"",
    "text": lambda good, sheets: b"\x00\x01\x02\xff\xfe",
    "truncated": lambda good, sheets: good[: len(good) // 2],
    "not a workbook": lambda good, sheets: b"PK\x03\x04 nothing",
    "wrong sheet": lambda good, sheets: wrong_heads(sheets),
    "missing column": lambda good, sheets: sheets.workbook([["x"]], ("身份证件号",)),
    "no rows": lambda good, sheets: sheets.workbook([], HEADS),
    "heads twice": lambda good, sheets: sheets.workbook([["甲", "乙"]], ("姓名", "姓名")),
    "merged heads": lambda good, sheets: merged_heads(),
    "macros": lambda good, sheets: with_macros(good),
    "macros in the old format": lambda good, sheets: package.OLE + package.MACROS_IN_OLE,
    "bomb": lambda good, sheets: bomb(good),
    "bomb that lies": lambda good, sheets: lying_bomb(good),
    "far corner": lambda good, sheets: far_corner(good),
    "oddly written corner": lambda good, sheets: oddly_written_corner(good),
    "entities": lambda good, sheets: rewritten(
        good, SHEET, lambda data: b'<!DOCTYPE x [<!ENTITY a "b">]>' + data[:60] + b"&a;"
    ),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_file_that_cannot_load_is_refused_in_words(load, county, good, sheets, kind):
    content = FILES[kind](good, sheets)

    with pytest.raises(Refused) as refusal:
        load("child", content)

    assert len(refusal.value.message) > 5
    assert "Traceback" not in refusal.value.message
    assert county.scalar(select(func.count(ImportBatch.id))) == 0
    assert county.scalar(select(func.count(Child.id))) == 0


def test_too_many_rows_are_refused_before_they_are_read(app, good):
    rows = "\n".join(["姓名,学校名称", *["甲,修仁中学"] * (package.ROWS_LIMIT + 20)]).encode()

    with app.app_context(), pytest.raises(Refused):
        imports.open_file(imports.find_entity("child"), rows, "a.csv")


def test_a_formula_without_a_value_fails_its_row(load, good):
    cell = b'<c r="D2"><f>TODAY()</f></c></row></sheetData>'
    content = rewritten(good, SHEET, lambda data: data.replace(b"</row></sheetData>", cell))

    result = load("child", content)

    assert [(fault.number, fault.column) for fault in result.faults] == [(2, "born_on")]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "utf-16"])
def test_text_files_load_in_their_encodings(county, load, sheets, ground, encoding):
    number = sheets.id_number(date(2012, 3, 4), 1)
    text = f"姓名,身份证件号,学校名称\r\n罗 燕,{number},修仁中学\r\n"

    result = load("child", text.encode(encoding), name="a.csv")

    assert (result.added, result.faults) == (1, ())
    assert county.scalar(select(Child.name)) == "罗燕"


def test_days_of_both_epochs_are_the_same_day(county, load, sheets, good):
    later = rewritten(
        sheets.workbook([["乙", "", "修仁中学", date(2012, 3, 4)]], HEADS),
        "xl/workbook.xml",
        lambda data: data.replace(b"<workbookPr ", b'<workbookPr date1904="1" '),
    )

    load("child", sheets.workbook([["甲", "", "修仁中学", date(2012, 3, 4)]], HEADS))
    load("child", later)

    first, second = county.all(select(Child.born_on).order_by(Child.id))
    assert (second - first).days == 1462


CELLS = st.one_of(
    st.none(),
    st.text(max_size=20),
    st.integers(-(10**20), 10**20).map(float),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.dates(date(1900, 3, 1), date(2150, 1, 1)),
    st.sampled_from(["修仁中学", "七年级1班", "男", "20120304", "２０１２０３０４", "是", "=1+1"]),
)


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rows=st.lists(st.lists(CELLS, min_size=7, max_size=7), min_size=1, max_size=12))
def test_whatever_stands_in_the_cells_each_row_loads_or_is_named(
    county, load, ground, sheets, rows
):
    heads = ("姓名", "身份证件号", "全国学籍号", "学校名称", "班级", "出生日期", "是否寄宿")
    before = county.scalar(select(func.count(Child.id)))

    try:
        result = load("child", sheets.workbook(rows, heads))
    except Refused:
        return

    named = {fault.number for fault in result.faults}
    assert result.total == result.added + result.changed + result.skipped + result.failed
    assert len(named) == result.failed
    assert county.scalar(select(func.count(Child.id))) == before + result.added
    assert county.scalar(select(func.count(StatusEvent.id))) == before + result.added
