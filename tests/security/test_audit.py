"""Part 13: the trail holds every change, no secret, and cannot be changed itself."""

from __future__ import annotations

import json

import pytest
from flask import Flask, g
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import DBAPIError

from app.base import Actor, Refused, actor
from app.extensions import db
from app.models import Change, Child, School
from app.security import audit
from app.security.scope import Scope
from tests.builder import CountyBuilder

ID_NUMBER = "000000201203040019"


def entries(county: CountyBuilder, table: str, action: str) -> list[Change]:
    return county.all(
        select(Change)
        .where(Change.table_name == table, Change.action == action)
        .order_by(Change.id)
    )


def test_changes_are_kept_in_the_same_transaction(app: Flask, county: CountyBuilder) -> None:
    child = county.child("甲", id_number=ID_NUMBER)
    key = child.id

    with app.app_context():
        actor.set(Actor(user_id=None, person_id=7, address="10.0.0.1"))
        row = db.session.get(Child, key)
        assert row is not None
        row.village = "东村"
        db.session.commit()
        row.village = "西村"
        db.session.flush()
        db.session.rollback()
        db.session.delete(row)
        db.session.commit()
        actor.set(Actor())

    updates = entries(county, "child", "update")
    assert [(e.row_id, e.before, e.after) for e in updates] == [(key, None, '{"village":"东村"}')]
    assert updates[0].person_id == 7
    assert updates[0].address == "10.0.0.1"
    deleted = entries(county, "child", "delete")[0]
    assert json.loads(deleted.before or "")["village"] == "东村"


def test_the_trail_holds_no_id_number_and_no_password(app: Flask, county: CountyBuilder) -> None:
    child = county.child("甲", id_number=ID_NUMBER)
    user = county.account(county.person("乙"))

    with app.app_context():
        row = db.session.get(Child, child.id)
        assert row is not None
        row.id_number = ID_NUMBER[:-1] + "X"
        db.session.commit()

    kept = "".join(f"{e.before}{e.after}{e.note}" for e in county.all(select(Change)))
    assert ID_NUMBER[:-1] not in kept
    assert "pbkdf2" not in kept
    assert entries(county, "ab_user", "insert")[-1].row_id == user.id
    sealed = json.loads(entries(county, "child", "update")[0].after or "")["id_number"]
    with app.app_context():
        from app.columns import Encrypted

        opened = Encrypted().process_result_value(sealed.encode(), db.engine.dialect)
    assert opened == ID_NUMBER[:-1] + "X"


def test_bulk_changes_are_kept_row_by_row(app: Flask, county: CountyBuilder) -> None:
    first, second = county.child("甲", village="东村").id, county.child("乙").id

    with app.app_context():
        db.session.execute(update(Child).where(Child.id <= second).values(village="西村"))
        db.session.execute(update(Child), [{"id": first, "row_version": 1, "village": "南村"}])
        db.session.execute(delete(Child).where(Child.id == second))
        db.session.commit()

    updates = [(e.row_id, e.before, e.after) for e in entries(county, "child", "update")]
    assert updates == [
        (first, '{"village":"东村"}', '{"village":"西村"}'),
        (second, None, '{"village":"西村"}'),
        (first, None, '{"village":"南村"}'),
    ]
    assert [e.row_id for e in entries(county, "child", "delete")] == [second]


@pytest.mark.parametrize(
    "statement",
    ["UPDATE change SET note = 'x'", "UPDATE change SET at = at", "DELETE FROM change"],
)
def test_the_database_refuses_to_change_the_trail(
    app: Flask, county: CountyBuilder, statement: str
) -> None:
    county.child()

    with app.app_context(), pytest.raises(DBAPIError, match="never changed"):
        db.session.execute(text(statement))


def test_the_chain_is_written_once(app: Flask, county: CountyBuilder) -> None:
    county.child()

    with app.app_context():
        db.session.execute(text("UPDATE change SET chain = 'a'"))
        db.session.commit()
        with pytest.raises(DBAPIError, match="never changed"):
            db.session.execute(text("UPDATE change SET chain = 'b'"))


def test_a_refusal_is_kept_although_everything_is_rolled_back(
    app: Flask, county: CountyBuilder
) -> None:
    far, own = county.school("外校", county.township()), county.a_school

    with app.test_request_context(method="POST"):
        g.scope = Scope("schools", far.county_id, school_ids=frozenset({own.id}))
        db.session.add(School(name="新校", code="N", kind="primary", township_id=far.township_id))
        with pytest.raises(Refused):
            db.session.flush()
        db.session.rollback()

    refused = entries(county, "school", "refuse")
    assert len(refused) == 1
    assert county.all(select(School).where(School.code == "N")) == []


def test_an_entry_from_a_writing_request_does_not_wait_for_it(
    app: Flask, county: CountyBuilder
) -> None:
    child = county.child()

    with app.test_request_context(method="POST"):
        g.scope = Scope("county", child.county_id)
        row = db.session.get(Child, child.id)
        assert row is not None
        row.village = "东村"
        db.session.flush()
        audit.record("read", table="child", row_id=child.id)
        db.session.commit()

    assert [e.row_id for e in entries(county, "child", "read")] == [child.id]
