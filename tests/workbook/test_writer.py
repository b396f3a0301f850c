"""Test workbooks by reading them back."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from io import BytesIO
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.workbook import Column, Head, Sheet, sheet_name, write

COLUMNS = (
    Column("学校"),
    Column("每日", "count", group="督导次数", is_summed=True),
    Column("合计", "count", group="督导次数", is_summed=True),
    Column("比例", "percent"),
    Column("日期", "date"),
)
ROWS = (
    ("修仁中学", 3, 1234567, 0.5, date(2026, 3, 2)),
    ("茶城小学", 4, Decimal(1), None, None),
)


def written(
    rows: Sequence[Sequence[Any]] = ROWS, constant_memory: bool = False, name: str = "分学校"
) -> bytes:
    sheet = Sheet(
        name,
        Head("三月通报", "全市"),
        COLUMNS,
        rows,
        total_title="合计",
        note="说明",
        frozen_columns=1,
    )
    out = BytesIO()
    write(out, [sheet], title="三月通报", constant_memory=constant_memory)
    return out.getvalue()


def read(body: bytes) -> Any:
    return openpyxl.load_workbook(BytesIO(body))


@pytest.mark.parametrize("constant_memory", [False, True])
def test_sheet_is_read_back_as_it_was_written(constant_memory: bool) -> None:
    paper = read(written(constant_memory=constant_memory))["分学校"]

    values = list(paper.iter_rows(values_only=True))

    assert values[0][0] == "三月通报"
    assert values[1][0] == "全市"
    assert values[2][1] == "督导次数"
    assert values[3] == ("学校", "每日", "合计", "比例", "日期")
    assert values[4][:4] == ("修仁中学", 3, 1234567, 0.5)
    assert values[4][4].date() == date(2026, 3, 2)
    assert values[6][:4] == ("合计", 7, 1234568, None)
    assert values[8][0] == "说明"


def test_sheet_is_set_up_for_reading_and_print() -> None:
    paper = read(written())["分学校"]

    assert paper.freeze_panes == "B5"
    assert paper.print_title_rows == "$3:$4"
    assert paper.auto_filter.ref == "A4:E6"
    assert paper.page_setup.orientation == "landscape"
    assert paper.page_setup.paperSize == 9
    assert paper.page_setup.fitToWidth in {None, 1}  # 1 is the default and may be left out
    assert paper.page_setup.fitToHeight == 0
    assert paper.sheet_properties.pageSetUpPr.fitToPage


def test_heads_are_merged_and_numbers_have_their_format() -> None:
    paper = read(written())["分学校"]

    merged = {str(cells) for cells in paper.merged_cells.ranges}
    formats = [cell.number_format for cell in paper[5]]

    assert {"A1:E1", "A2:E2", "B3:C3"} <= merged
    assert formats == ["@", "#,##0", "#,##0", "0.0%", "yyyy-mm-dd"]


@given(st.sampled_from("=+-@\t\r"), st.text(max_size=20))
def test_text_stays_text_whatever_it_begins_with(first: str, rest: str) -> None:
    paper = read(written([(first + rest, 1, 2, 0.1, None)]))["分学校"]

    cell = paper["A5"]

    assert cell.data_type == "s"
    assert all(one.data_type != "f" for row in paper.iter_rows() for one in row)


def test_same_rows_give_the_same_bytes_without_a_name() -> None:
    first, second = written(), written()

    core = zipfile.ZipFile(BytesIO(first)).read("docProps/core.xml").decode()

    assert hashlib.sha256(first).digest() == hashlib.sha256(second).digest()
    assert "<dc:creator></dc:creator>" in core
    assert "<cp:lastModifiedBy></cp:lastModifiedBy>" in core


def test_sheet_without_rows_has_its_heads() -> None:
    paper = read(written([]))["分学校"]

    values = list(paper.iter_rows(values_only=True))

    assert values[3][0] == "学校"
    assert values[4][:3] == ("合计", 0, 0)


@pytest.mark.parametrize(
    ("wanted", "taken", "name"),
    [
        ("分学校", (), "分学校"),
        ("一/二:三*四?五[六]\\七", (), "一 二 三 四 五 六  七"),
        ("学" * 40, (), "学" * 31),
        ("分学校", ("分学校",), "分学校 (2)"),
        ("学" * 40, ("学" * 31,), "学" * 27 + " (2)"),
        ("'", (), "Sheet"),
        ("", (), "Sheet"),
        ("History", (), "History_"),
    ],
)
def test_sheet_name_is_one_that_a_workbook_allows(
    wanted: str, taken: tuple[str, ...], name: str
) -> None:
    held = {one.casefold() for one in taken}

    assert sheet_name(wanted, held) == name
    assert name.casefold() in held


@given(st.lists(st.text(max_size=50), max_size=6))
def test_any_sheet_names_can_be_written(names: list[str]) -> None:
    out = BytesIO()

    write(out, [Sheet(name, Head(name), COLUMNS[:1], [(name,)]) for name in [*names, "尾"]])

    assert len(read(out.getvalue()).sheetnames) == len(names) + 1
