"""The audit trail as its administrator reads it: names and words, no keys."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask
from flask_babel import force_locale, gettext
from sqlalchemy import Table

from app import clock
from app.base import Audited, Model
from app.models import Change
from app.views.audit import ACTIONS, NOTES, noun_of
from tests.builder import CountyBuilder
from tests.conftest import Login

ROOT = Path(__file__).resolve().parents[2]
RECORDED = re.compile(r'audit\.record\(\s*"(\w+)"')


def test_every_action_that_is_recorded_has_words() -> None:
    sources = [path.read_text(encoding="utf-8") for path in ROOT.glob("app/**/*.py")]
    recorded = {action for source in sources for action in RECORDED.findall(source)}

    assert recorded >= {"login", "export", "refuse", "act"}
    assert recorded <= set(ACTIONS)


@pytest.mark.parametrize("note", NOTES, ids=str)
def test_what_the_trail_says_by_itself_is_said_in_chinese(app: Flask, note: object) -> None:
    with app.test_request_context(), force_locale("zh"):
        assert gettext(str(note)) == str(note)
        assert not str(note).isascii()


def test_every_record_that_a_form_writes_has_a_name(app: Flask) -> None:
    stamped = {
        mapper.local_table.name
        for mapper in Model.registry.mappers
        if issubclass(mapper.class_, Audited) and isinstance(mapper.local_table, Table)
    }

    with app.test_request_context():
        unnamed = {table for table in stamped if str(noun_of(table)) == table}

    assert "answer" in stamped
    assert unnamed == set()


def test_list_and_page_name_the_account_and_say_what_was_done(
    app: Flask, county: CountyBuilder, login: Login
) -> None:
    visitor = login("audit_administrator")
    user = county.account(county.person("韦大力"))
    row = county.add(
        Change(
            at=clock.now(),
            action="refuse",
            user_id=user.id,
            table_name="appointment",
            row_id=7,
            note="outside the scope",
        )
    )

    pages = [visitor.soup("/changeview/list/"), visitor.soup(f"/changeview/show/{row.id}")]

    for page in pages:
        text = page.select_one("main").get_text()
        assert "韦大力" in text
        assert "拒绝" in text
        assert "任职" in text
        assert "outside" not in text
