"""Part 5: the form of a record is made from the rows of its version, in a few statements."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import event, select

from app.extensions import db
from app.models import ChecklistItem, Inspection
from tests.inspection.conftest import TODAY, _noon, item, publish  # noqa: F401
from tests.inspection.test_inspection_flow import open_draft, stored
from tests.visitor import read


@pytest.fixture
def leader(county):
    return county.person("王镇长", place=county.a_township)


@pytest.fixture
def visitor(login, county, leader):
    return login("township_leader", township=county.a_township, person=leader)


def test_form_follows_the_rows_not_the_file(county, visitor, leader):
    publish(county, "annex_1", [item("first", is_required=True)], date(2026, 2, 24))
    url = open_draft(visitor, county.a_school, leader)
    row = county.scalar(select(ChecklistItem).filter_by(key="first"))
    row.text = "行里的文字"
    county.add(row)

    page = read(visitor.get(url))

    assert "行里的文字" in page.get_text()
    assert page.select_one("#item_first_verdict .required") is not None
    names = {field["name"] for field in page.select("form.inspection-form [name^=item_]")}
    assert names >= {"item_first_verdict", "item_first_note", "item_first_opinion",
                     "item_first_evidence"}  # fmt: skip


def test_fields_of_the_real_annex_are_named_after_their_items(county, visitor, leader):
    room = county.school_class(county.a_school)
    county.child("休学生", school=county.a_school, school_class=room, status="policy_suspension")
    url = open_draft(visitor, county.a_school, leader)

    page = read(visitor.get(url))

    keys = county.all(
        select(ChecklistItem.key).where(
            ChecklistItem.version_id == stored(county).checklist_version_id
        )
    )
    for key in keys:
        assert page.select_one(f"[name=item_{key}_verdict]") is not None, key
    assert "休学生" in page.get_text()
    ids = [tag["id"] for tag in page.select("[id]")]
    assert len(ids) == len(set(ids))


def statements_of(app, visitor, url) -> int:
    seen: list[str] = []

    def note(_connection, _cursor, statement, *_rest):
        seen.append(statement)

    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", note)
        try:
            assert visitor.get(url).status_code == 200
        finally:
            event.remove(db.engine, "before_cursor_execute", note)
    return len([one for one in seen if one.startswith("SELECT")])


def test_number_of_statements_does_not_grow_with_the_items(app, county, visitor, leader):
    publish(county, "annex_1", [item("one", "roster")], date(2026, 2, 24), number=90)
    county.child(school=county.a_school, status="suspected")
    short = open_draft(visitor, county.a_school, leader)
    many = [item(f"it{n}", "roster" if n % 2 else "document") for n in range(40)]
    publish(county, "annex_1", many, date(2026, 2, 25), number=91)
    for _ in range(20):
        county.child(school=county.a_school, status="suspected")
    long = open_draft(visitor, county.a_school, leader)
    visitor.get(short)

    few, more = statements_of(app, visitor, short), statements_of(app, visitor, long)

    assert more <= few
    assert few <= 30


def test_opening_a_form_writes_nothing(app, county, visitor, leader):
    publish(county, "annex_1", [item("one")], date(2026, 2, 24))
    url = open_draft(visitor, county.a_school, leader)
    before = county.scalar(select(Inspection.row_version))

    visitor.get(url)

    assert county.scalar(select(Inspection.row_version)) == before
    assert stored(county).occurred_on == TODAY
