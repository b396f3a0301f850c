"""Test the main job in a browser: inspect, feed back, rectify, return, close, report.

A township leader opens the form that the 附件1 plugin brought and inspects a school; failed items
become findings; the school gets a written opinion, objects to one finding and rectifies the others;
they are visited again and close; the month's bulletin comes out with the true figures.
"""

from __future__ import annotations

import io
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import openpyxl
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

from app import clock
from tests.browser.conftest import SignIn

DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 360, "height": 740}
ON_SITE = "desks_and_chairs"
"""An item whose finding closes only by a return visit."""
ON_PAPER = "attendance_sheet"
"""An item whose finding may close on evidence."""
OBJECTED = "home_visit_plan"


class Office:
    """Somebody's browser: a page of his own, signed in under his role."""

    def __init__(
        self, chromium: Browser, sign_in: SignIn, live: str, role: str, size: dict
    ) -> None:
        self.live = live
        self.context = chromium.new_context(locale="zh-CN", viewport=size)
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(15_000)
        sign_in(self.page, role)

    def open(self, path: str) -> Page:
        answer = self.page.goto(self.live + path)
        assert answer is not None
        assert answer.status == 200, f"{path} answered {answer.status}"
        return self.page

    def said(self) -> str:
        return " ".join(self.page.locator(".alert").all_inner_texts())

    def close(self) -> None:
        self.context.close()


class Records:
    """Look into the served database, read-only."""

    def __init__(self, instance: Path) -> None:
        self.path = instance / "bureau.db"

    def rows(self, statement: str, *values: object) -> list[tuple]:
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)) as connection:
            return connection.execute(statement, values).fetchall()

    def one(self, statement: str, *values: object) -> object:
        return self.rows(statement, *values)[0][0]


def choose_school(page: Page, name: str) -> None:
    """Pick a school as a person does: open the lookup, type, take the first answer."""
    page.locator("label[for=school], label[for=school_id]").first.wait_for()
    page.locator(".select2-container").first.click()
    page.locator(".select2-input:visible, .select2-search__field:visible").first.fill(name)
    page.get_by_text(name, exact=False).locator("visible=true").last.wait_for()
    page.locator(".select2-result-selectable, .select2-results__option").first.click()


def tick(page: Page, name: str, value: str) -> None:
    """Choose a verdict by its label, the large touch target."""
    page.locator(f"label:has(input[name={name}][value={value}])").click()


def answer_everything(page: Page) -> None:
    """Find everything in order: each verdict conforms, each class is complete, counts agree."""
    page.evaluate(
        """() => {
          for (const fold of document.querySelectorAll("details")) fold.open = true;
          for (const radio of document.querySelectorAll("input[type=radio][value=conforms]"))
            radio.click();
          for (const card of document.querySelectorAll(".class-card, .class-line")) {
            const of = part => card.querySelector(`input[name$='${part}']`);
            const roll = of("on_roll") ? of("on_roll").value : "";
            const counts = {present: roll, on_leave: 0, unexplained: 0, desks: roll, chairs: roll};
            for (const [part, value] of Object.entries(counts))
              if (of(part)) of(part).value = value;
          }
          for (const field of document.querySelectorAll("input[type=number]"))
            if (field.value === "") field.value = "40";
          for (const field of document.querySelectorAll("select[name^=item_]"))
            if (field.value === "") field.selectedIndex = 1;
        }"""
    )


def fail(page: Page, item: str, note: str) -> None:
    """Find one item not in order, with facts and an opinion."""
    tick(page, f"item_{item}_verdict", "fails")
    page.fill(f"[name=item_{item}_note]", note)
    page.fill(f"[name=item_{item}_opinion]", "请于期限内整改到位。")


def take(office: Office, finding: int, step: str, note: str, **fields: object) -> None:
    """Take one step of a finding on its page."""
    page = office.open(f"/finding/show/{finding}")
    page.evaluate("() => document.querySelectorAll('details').forEach(fold => fold.open = true)")
    form = page.locator(f"form[action$='/step/{finding}/{step}']")
    assert form.count() == 1, f"{step} is not offered: {page.inner_text('#next')}"
    form.locator(f"[name={step}-note]").fill(note)
    for name, value in fields.items():
        field = form.locator(f"[name={step}-{name}]")
        if field.first.get_attribute("type") == "file":
            field.set_input_files(value)  # type: ignore[arg-type]
        else:
            field.select_option(str(value))
    form.locator("button[type=submit]").click()
    page.wait_for_load_state()


def inspect(leader: Office, records: Records, school: str) -> dict[str, int]:
    """Open the form of the plugin, save it half-filled, fail three items, submit; name findings."""
    page = leader.open("/inspection/township-visit/add")
    choose_school(page, school)
    today = clock.today().isoformat()
    open_day = "select max(day) from calendar_day where is_school_day and day <= ?"
    page.locator("[name=occurred_on]").fill(str(records.one(open_day, today)))
    page.locator("main form button[type=submit]").first.click()
    page.wait_for_url("**/edit/*")
    inspection = int(page.url.rsplit("/", 1)[1])
    page.locator("button[name=deed][value=save]").click()
    page.wait_for_load_state()
    assert records.one("select state from inspection where id = ?", inspection) == "draft"
    leader.open(f"/inspection/township-visit/edit/{inspection}")
    answer_everything(page)
    fail(page, ON_SITE, "七年级（1）班缺课椅1把。")
    fail(page, ON_PAPER, "会议签到表缺少签名。")
    fail(page, OBJECTED, "未见家访工作方案。")
    page.locator("button[name=deed][value=submit]").click()
    page.wait_for_url("**/show/*")
    assert records.one("select state from inspection where id = ?", inspection) == "submitted"
    return dict(
        records.rows(
            "select item.key, finding.id from finding join checklist_item item"
            " on item.id = finding.item_id where finding.inspection_id = ?"
            " and item.key in (?, ?, ?)",
            inspection,
            ON_SITE,
            ON_PAPER,
            OBJECTED,
        )
    )


def feed_back(leader: Office, clerk: Office, records: Records, finding: int) -> None:
    """Serve the written opinion on the school, which signs for it."""
    feedback = records.one("select feedback_id from finding where id = ?", finding)
    page = leader.open(f"/feedback/show/{feedback}")
    assert "七年级（1）班缺课椅1把" in page.locator("[name=opinion]").input_value()
    page.locator("#serve-form button[type=submit]").click()
    page.wait_for_load_state()
    page = clerk.open(f"/feedback/show/{feedback}")
    page.locator("#receive-form button").click()
    page.wait_for_load_state()
    assert records.one("select received_on is not null from feedback where id = ?", feedback)
    assert records.one("select due_on is not null from finding where id = ?", finding)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_main_job_from_form_to_bulletin(
    chromium: Browser, live: str, sign_in: SignIn, instance: Path, size: dict, tmp_path: Path
) -> None:
    records = Records(instance)
    roles = ("township_leader", "school_clerk", "supervision_office", "task_group")
    leader, clerk, office, group = (Office(chromium, sign_in, live, role, size) for role in roles)
    school = next(login["scope"] for login in logins(instance) if login["role"] == "school_clerk")

    findings = inspect(leader, records, school)
    assert set(findings) == {ON_SITE, ON_PAPER, OBJECTED}
    feed_back(leader, clerk, records, findings[ON_SITE])

    take(clerk, findings[OBJECTED], "object", "家访工作方案在档案室，当时未能取出。")
    assert state(records, findings[OBJECTED]) == "objected"
    take(office, findings[OBJECTED], "decide", "经复核，方案属实。", decision="uphold")
    assert state(records, findings[OBJECTED]) == "withdrawn"

    picture = tmp_path / "整改照片.png"
    Image.new("RGB", (320, 200), "teal").save(picture)
    for item in (ON_SITE, ON_PAPER):
        take(clerk, findings[item], "claim", "已整改完成。", evidence=picture)
        assert state(records, findings[item]) == "claimed"

    take(leader, findings[ON_SITE], "return_visit", "现场核实已补齐。", rectified="yes")
    assert state(records, findings[ON_SITE]) == "closed"
    take(office, findings[ON_PAPER], "accept", "佐证材料属实。")
    assert state(records, findings[ON_PAPER]) == "closed"

    month = str(records.one("select closed_on from finding where id = ?", findings[ON_SITE]))[:7]
    figures = bulletin_figures(group, school, month)
    for column, title in (("found_on", "本月新增"), ("closed_on", "本月销号")):
        counted = records.one(
            f"select count(*) from finding join school on school.id = finding.school_id"
            f" where school.name = ? and substr(finding.{column}, 1, 7) = ?"
            " and not (finding.state = 'withdrawn' and 'found_on' = ?)",
            school,
            month,
            column,
        )
        assert figures[title] == counted, title


def logins(instance: Path) -> list[dict]:
    return json.loads((instance / "logins.json").read_text(encoding="utf-8"))["logins"]


def state(records: Records, finding: int) -> str:
    return str(records.one("select state from finding where id = ?", finding))


def bulletin_figures(office: Office, school: str, month: str) -> dict[str, int]:
    """Return the school's line of the month's workbook, by the heads of its columns."""
    page = office.open("/bulletin/")
    page.fill("input[type=month]", month)
    with page.expect_download() as download:
        page.locator("main form button[type=submit]").first.click()
    book = openpyxl.load_workbook(io.BytesIO(download.value.path().read_bytes()))
    for sheet in book:
        rows = list(sheet.iter_rows(values_only=True))
        lines = [row for row in rows if school in row]
        heads = next((row for row in rows if "学校" in row), None)
        if lines and heads:
            deepest = rows[rows.index(lines[0]) - 1]
            titles = [low or high for low, high in zip(deepest, heads, strict=True)]
            return {str(title): value for title, value in zip(titles, lines[0], strict=True)}
    raise AssertionError("the school is not in the bulletin")
