"""Test the import in a browser: upload, columns, preview, run, result, workbook of what failed."""

from __future__ import annotations

import io
import re
import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path

import openpyxl
from playwright.sync_api import Page, expect

from tests.browser.conftest import SignIn
from tests.imports import sheets

HEADS = ("姓名*", "证件编号", "★出生日期", "学校名称*", "班级")
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 360, "height": 740}


def place(instance: Path) -> tuple[str, str]:
    """Return the school of the demonstration's school clerk and one of its present classes."""
    query = """
        SELECT school.name, school_class.name FROM appointment
        JOIN school ON school.id = appointment.school_id
        JOIN school_class ON school_class.school_id = school.id
        WHERE appointment.template = 'school_clerk' AND school_class.is_active
        ORDER BY appointment.id, school_class.school_year_id DESC, school_class.id LIMIT 1"""
    path = f"file:{instance / 'bureau.db'}?mode=ro"
    with closing(sqlite3.connect(path, uri=True)) as connection:
        return connection.execute(query).fetchone()


def error_file(school: str, seat: str) -> bytes:
    """Return a roster of a good line, an old child, and three lines that fail."""
    good, old, wrong = (sheets.id_number(date(2014, 5, 6), n) for n in (901, 902, 903))
    old = sheets.id_number(date(1999, 5, 6), 902)
    wrong = wrong[:-1] + ("0" if wrong[-1] != "0" else "1")
    return sheets.workbook(
        [
            ["覃良好", good, "20140506", school, seat],
            ["韦错号", wrong, "20140506", school, seat],
            ["莫年长", old, "19990506", school, seat],
            [None] * 5,
            ["罗浮点", 452331201405060019, "20140506", school, seat],
            ["陆无校", sheets.id_number(date(2014, 5, 6), 904), "20140506", "没有的学校", ""],
        ],
        HEADS,
        title="荔浦市学生基本信息",
    )


def rows_of(page: Page, heading: str) -> dict[str, tuple[str, str]]:
    """Return the table under a heading: column and reason by row number."""
    table = page.locator(f"h2:has-text('{heading}') + .list-card tbody tr")
    cells = [row.locator("td").all_inner_texts() for row in table.all()]
    return {number.strip(): (column.strip(), reason.strip()) for number, column, reason in cells}


def figures(page: Page) -> list[str]:
    """Return the counts of a batch: rows, added, changed, skipped, failed, to look at."""
    row = page.locator("main .list-table").first.locator("tbody tr")
    return [text.strip() for text in row.locator("td").all_inner_texts()[2:]]


def finished(page: Page) -> None:
    """Wait until the work behind the page has ended; the page renews itself."""
    expect(page.locator("progress")).to_have_count(0, timeout=60_000)


def led_to_preview(page: Page, live: str, content: bytes) -> str:
    """Upload a file, match its columns, wait for the preview; return what was remembered."""
    page.goto(f"{live}/import/new/child")
    page.set_input_files("#file", {"name": "学生.xlsx", "mimeType": "", "buffer": content})
    page.get_by_role("button", name="上传并对应列").click()
    chosen = page.locator("#head_1")
    remembered = chosen.input_value()
    assert page.locator("#head_0").input_value() == "name"
    assert fits(page)
    chosen.select_option("id_number")
    page.get_by_role("button", name="检查文件").click()
    page.wait_for_url(re.compile(r"/import/\d+$"))
    finished(page)
    assert fits(page)
    return remembered


def fits(page: Page) -> bool:
    """Tell whether the page is as wide as the screen."""
    return page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_file_with_errors_is_led_to_its_good_rows(
    page: Page, live: str, instance: Path, sign_in: SignIn
) -> None:
    content = error_file(*place(instance))
    page.set_viewport_size(WIDE)
    sign_in(page, "school_clerk")

    first = led_to_preview(page, live, content)
    wrong, unusual = rows_of(page, "存在的问题"), rows_of(page, "需核对")
    previewed = figures(page)
    page.get_by_role("button", name="导入2行").click()
    expect(page.locator("main .list-table").first).to_contain_text("已导入", timeout=60_000)
    stored = figures(page)
    workbook = downloaded(page)
    page.set_viewport_size(NARROW)
    second = led_to_preview(page, live, content)
    again = figures(page)

    assert (first, second) == ("", "id_number")  # the choice is remembered
    assert set(wrong) == {"4", "7", "8"}
    assert wrong["4"][0] == wrong["7"][0] == "证件号码"
    assert "末几位已丢失" in wrong["7"][1]
    assert wrong["8"][0] == "学校"
    assert set(unusual) == {"5"}
    assert previewed == stored == ["6", "2", "0", "1", "3", "1"]
    assert again == ["6", "0", "0", "3", "3", "0"]
    check_workbook(workbook, has_warnings=True)
    check_workbook(downloaded(page), has_warnings=False)


def downloaded(page: Page) -> bytes:
    """Return the workbook of the rows that failed or should be looked at."""
    with page.expect_download() as download:
        page.get_by_role("link", name="下载").click()
    return download.value.path().read_bytes()


def check_workbook(content: bytes, *, has_warnings: bool) -> None:
    """Read the workbook of errors: original row numbers, columns and reasons in Chinese."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    failed, *others = [list(sheet.iter_rows(values_only=True)) for sheet in book.worksheets]
    heads = next(row for row in failed if row[0] == "行号")
    lines = {row[0]: row for row in failed if isinstance(row[0], int)}
    assert heads[3:8] == HEADS
    assert set(lines) == {4, 7, 8}
    assert lines[4][1] == "证件号码"
    assert re.search(r"[\u4e00-\u9fff]", lines[4][2])
    assert lines[8][3] == "陆无校"
    assert bool(others) is has_warnings
    if has_warnings:
        warned = {row[0]: row for row in others[0] if isinstance(row[0], int)}
        assert set(warned) == {5}
        assert "岁" in warned[5][2]
