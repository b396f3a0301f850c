"""Import in the browser: upload, match, look, store, take back, within rights and scope."""

from __future__ import annotations

from datetime import date
from io import BytesIO

import openpyxl
import pytest
from sqlalchemy import func, select

from app.models import Child, ImportBatch, ImportHeader, Job
from tests.visitor import read

HEADS = ("姓名", "证件编号", "学校名称", "班级")


@pytest.fixture
def clerk(login, county):
    return login("school_clerk", school=county.a_school)


@pytest.fixture
def roster(sheets, ground):
    good = ["罗 燕", sheets.id_number(date(2012, 3, 4), 1), "修仁中学", "七年级1班"]
    bad = ["覃小明", "45033", "修仁中学", "七年级1班"]
    return sheets.workbook([good, bad], HEADS)


def upload(visitor, content, name="学生.xlsx", key="child", **values):
    return visitor.submit(
        f"/import/new/{key}",
        {"file": (BytesIO(content), name), **values},
        select="form.bureau-form",
    )


def to_check(visitor, content):
    page = upload(visitor, content)
    form = read(page).select_one("form.bureau-form")
    path = page.request.path
    return path, visitor.send(form, path, {"head_1": "id_number"})


def test_a_file_goes_from_the_upload_to_its_rows_and_back(county, clerk, roster):
    path, checked = to_check(clerk, roster)
    batch = path.split("/")[2]
    assert county.scalar(select(func.count(Child.id))) == 0
    text = checked.get_data(as_text=True)
    assert "3" in [cell.get_text() for cell in read(checked).select("td")]  # the row that failed
    assert county.scalar(select(ImportBatch.state)) == "checked"
    assert county.scalar(select(ImportBatch.failed)) == 1
    assert "45033" not in text

    stored = clerk.submit(f"/import/{batch}", select=f'form[action$="/import/{batch}/run"]')

    assert county.all(select(Child.name)) == ["罗燕"]
    assert county.scalar(select(ImportBatch.state)) == "stored"
    assert county.all(select(Job.state)) == ["done", "done"]
    failed = clerk.get(f"/import/{batch}/errors")
    rows = list(openpyxl.load_workbook(BytesIO(failed.data)).active.iter_rows(values_only=True))
    assert rows[3][0] == 3
    assert stored.status_code == 200

    clerk.submit(f"/import/{batch}", select=f'form[action$="/import/{batch}/undo"]')

    assert county.scalar(select(func.count(Child.id))) == 0
    assert county.scalar(select(ImportBatch.state)) == "undone"


def test_the_choice_of_columns_is_remembered_for_the_next_file(county, clerk, roster):
    to_check(clerk, roster)

    page = upload(clerk, roster)

    chosen = read(page).select_one("#head_1 option[selected]")
    assert chosen is not None
    assert chosen["value"] == "id_number"
    assert county.scalar(select(func.count(ImportHeader.id))) == 4


def test_a_file_that_is_none_is_told_beside_the_field(county, clerk):
    page = upload(clerk, b"\x00nothing", "a.csv")

    assert read(page).select_one("#file-error") is not None
    assert county.scalar(select(func.count(ImportBatch.id))) == 0


def test_a_batch_is_nobody_elses_and_rights_open_the_entities(county, login, clerk, roster):
    path, _checked = to_check(clerk, roster)
    batch = path.split("/")[2]
    other = login("school_clerk", school=county.school("外校"))
    leader = login("township_leader", township=county.a_township)

    answers = [other.get(f"/import/{batch}{rest}").status_code for rest in ("", "/errors")]
    posted = other.post_with_token(f"/import/{batch}/run").status_code
    closed = clerk.get("/import/new/township").status_code
    commands_only = clerk.get("/import/new/appointment").status_code

    assert answers == [404, 404]
    assert posted == 404
    assert (closed, commands_only) == (404, 404)
    assert leader.get("/import/").status_code in {302, 403}
    assert county.scalar(select(ImportBatch.state)) == "checked"


def test_a_job_stores_within_the_scope_of_who_started_it(county, clerk, sheets, ground):
    county.school("外地中学", county.township("外镇"))
    number = sheets.id_number(date(2012, 3, 4), 9)
    content = sheets.workbook([["莫小军", number, "外地中学", ""]], HEADS)

    _path, checked = to_check(clerk, content)

    assert county.scalar(select(ImportBatch.failed)) == 1
    assert checked.status_code == 200


def test_templates_are_handed_out_with_the_schools_of_the_scope(county, clerk):
    county.school("外地中学", county.township("外镇"))
    _ = county.a_school

    answer = clerk.get("/import/template/child")

    book = openpyxl.load_workbook(BytesIO(answer.data))
    rules = str([rule.formula1 for rule in book.active.data_validations.dataValidation])
    assert "修仁中学" in rules
    assert "外地中学" not in rules


def test_the_administrator_sees_the_jobs(county, login, clerk, roster):
    to_check(clerk, roster)
    administrator = login("system_administrator")

    page = administrator.get("/jobview/list/")

    assert page.status_code == 200
    assert clerk.get("/jobview/list/").status_code in {302, 403}
