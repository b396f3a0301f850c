"""Ledgers on the screen: open by hand, follow, confirm level by level, close with proof."""

from __future__ import annotations

from datetime import date, timedelta
from io import BytesIO

import pytest
import time_machine
from sqlalchemy import event, func, select

from app import database
from app.base import registry
from app.extensions import db
from app.models import Absence, Child, Code, LedgerConfirmation, LedgerEntry, StatusEvent
from app.rules.openings import open_entries
from tests.visitor import read
from tests.workflow.test_pages import PDF, text

DAY = date(2026, 3, 20)
SUSPECTED, DROPPED_OUT = "roll_and_attendance.suspected", "roll_and_attendance.dropped_out"


@pytest.fixture(autouse=True)
def _friday():
    with time_machine.travel(DAY):
        yield


def entry_of(county, ledger: str, category: str = "", **values) -> LedgerEntry:
    """Add an open entry of a new child."""
    child = county.child("覃小明")
    values = {"opened_on": DAY, "since": DAY} | values
    return county.add(
        LedgerEntry(
            child_id=child.id,
            ledger=ledger,
            category=category,
            **values,
            **county.scope_of(county.a_school),
        )
    )


def test_entry_is_opened_by_hand_once_with_the_childs_responsible_persons(county, login) -> None:
    teacher = county.person("韦老师", county.a_school)
    child = county.child("覃小明", school_responsible_id=teacher.id)
    clerk = login("school_clerk", school=county.a_school)
    typed = {"child": str(child.id), "ledger": SUSPECTED, "category": "A", "since": "2026-03-16"}

    without_category = clerk.submit("/ledger/add", typed | {"category": ""}, select="#model_form")
    shown = clerk.submit("/ledger/add", typed, select="#model_form")
    again = clerk.submit("/ledger/add", typed, select="#model_form")

    assert "请选择台账类别。" in text(without_category)
    assert "A类：旷课疑似辍学" in text(shown)
    assert "该生在此台账中已有未销号的条目。" in text(again)
    (entry,) = county.all(select(LedgerEntry))
    assert (entry.opened_on, entry.school_responsible_id) == (DAY, teacher.id)
    assert entry.source is None
    assert entry.opened_by_id is not None


def test_list_says_what_is_missing_overdue_and_closed(county, login) -> None:
    entry_of(county, SUSPECTED, "A", next_on=DAY - timedelta(days=2))
    entry_of(county, SUSPECTED, "B", next_on=DAY)
    entry_of(county, DROPPED_OUT)
    entry_of(county, DROPPED_OUT, closed_on=DAY)
    office = login("supervision_office")

    page = office.soup("/ledger/list/")
    tabs = [tab.get_text(" ", strip=True) for tab in page.select(".ledger-tabs li")]
    badges = [badge.get_text() for badge in page.select("tbody .badge-soft")]
    only = office.soup(page.select(".ledger-tabs a")[1]["href"])

    assert tabs == ["重点监测台账 0", "疑似辍学台账 2", "辍学台账 1"]
    assert sorted(badges) == ["2026-03-20已销号", "未填下一步措施", "逾期2天"]
    assert len(only.select("tbody tr")) == 2


def test_closing_needs_reason_and_proof_and_ends_every_change(county, login) -> None:
    entry = entry_of(county, SUSPECTED, "A")
    clerk = login("school_clerk", school=county.a_school)
    page, form = f"/ledger/show/{entry.id}", f"form[action$='close/{entry.id}']"
    code = county.scalar(select(Code.id).filter_by(domain="ledger_closing", key="record_error"))
    other = county.scalar(select(Code.id).filter_by(domain="visit_reason"))
    typed = {"close-reason": str(code), "close-note": "身份证号登记有误"}

    refused = clerk.submit(page, typed, select=form)
    foreign = clerk.submit(page, typed | {"close-reason": str(other)}, select=form)
    assert "请上传销号证明材料，至少一个文件。" in text(refused)
    assert "身份证号登记有误" in text(refused)
    assert county.scalar(select(LedgerEntry.closed_on)) is None
    assert "close-reason-error" in text(foreign)

    proof = {"close-evidence": (BytesIO(PDF), "证明.pdf")}
    closed = clerk.submit(page, typed | proof, select=form)

    assert "证明.pdf" in text(closed)
    stored = county.scalar(select(LedgerEntry))
    assert (stored.closed_on, stored.closing_reason_id) == (DAY, code)
    assert stored.closed_by_id is not None
    edited = clerk.submit(f"/ledger/edit/{entry.id}", {"note": "改"}, select="#model_form")
    assert "该条目已销号。" in text(edited)


def test_dropping_out_is_confirmed_by_school_township_and_bureau(county, login) -> None:
    entry = entry_of(county, DROPPED_OUT)
    page, form = f"/ledger/show/{entry.id}", f"form[action$='confirm/{entry.id}']"
    clerk = login("school_clerk", school=county.a_school)
    assistant = login("education_assistant", township=county.a_township)
    office = login("supervision_office")

    assert not office.soup(page).select(form)
    early = office.post_with_token(f"/ledger/confirm/{entry.id}", {"confirm-note": "早"})
    assert "须先由学校认定。" in text(early)
    for visitor in (clerk, assistant, office):
        note = {"confirm-note": "未转学、未患病"}
        assert "已认定。" in text(visitor.submit(page, note, select=form))

    levels = county.all(select(LedgerConfirmation.level).order_by(LedgerConfirmation.id))
    assert levels == ["school", "township", "county"]
    assert county.scalar(select(Child)).status.key == "dropped_out"
    statuses = county.all(select(StatusEvent).order_by(StatusEvent.id))
    assert [one.status.key for one in statuses] == [
        "suspected", "pending_determination", "dropped_out",
    ]  # fmt: skip
    assert not office.soup(page).select(form)


def test_readers_may_neither_confirm_nor_close(county, login) -> None:
    entry = entry_of(county, DROPPED_OUT)
    person = county.person()
    county.liaison(person, "liaison_department", county.a_school)
    inspector = login("liaison_department", person=person)

    assert read(inspector.get(f"/ledger/show/{entry.id}")).select("main form") == []
    for step in ("close", "confirm"):
        assert inspector.post_with_token(f"/ledger/{step}/{entry.id}").status_code in {302, 403}
    assert county.scalar(select(func.count(LedgerConfirmation.id))) == 0


@pytest.mark.parametrize("children", [1, 40])
def test_opening_takes_the_same_number_of_statements(app, county, children) -> None:
    group = county.school_class()
    away = [county.child(school_class=group).id for _each in range(children)]
    county.session.add_all(
        Absence(
            child_id=child_id,
            class_id=group.id,
            day=DAY - timedelta(days=days),
            kind="unexplained",
            **county.scope_of(county.a_school),
        )
        for child_id in away
        for days in range(3)
    )
    county.session.commit()
    statements: list[str] = []
    with app.app_context():
        engine = db.engine

    def note(_connection, _cursor, statement, *_rest) -> None:
        statements.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    with app.app_context(), database.writing():
        openings = len(registry.openings())
        open_entries(db.session(), DAY)
        db.session.commit()
    event.remove(engine, "before_cursor_execute", note)

    spoken = ("SAVEPOINT", "RELEASE", "BEGIN")
    written = [one for one in statements if not one.startswith(spoken)]
    assert len(county.all(select(LedgerEntry))) == children
    assert len(written) <= openings + 6
