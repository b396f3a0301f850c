"""Part 13: an entry of the audit trail that was edited, removed or put in is found."""

from __future__ import annotations

import threading
import time

import pytest
from flask import Flask
from sqlalchemy import Connection, func, insert, select, text

from app import clock, database
from app.cli.audit import audit as command
from app.extensions import db
from app.models import Change
from app.security import audit, chain

ENTRIES = 9


@pytest.fixture
def chained(app: Flask) -> Flask:
    """Return the application with some entries, chained by two runs."""
    with app.app_context():
        (app.config["INSTANCE_DIR"] / chain.HEADS).unlink(missing_ok=True)
        for number in range(ENTRIES):
            audit.record("export", table="school", row_id=number, note="花名册")
            if number == ENTRIES // 2:
                assert chain.extend() > 0
        assert chain.extend() > 0
        assert chain.extend() == 0
    return app


def tamper(app: Flask, *statements: str) -> None:
    """Change the table as who owns the database can: without its triggers."""
    with app.app_context(), database.writing(), db.engine.begin() as connection:
        for statement in [*_without_triggers(connection), *statements]:
            connection.execute(text(statement))


def _without_triggers(connection: Connection) -> list[str]:
    if connection.dialect.name == "postgresql":
        return ['ALTER TABLE "change" DISABLE TRIGGER USER']
    names = ("change_keeps_rows", "change_keeps_values", "change_keeps_chain")
    return [f"DROP TRIGGER {name}" for name in names]


def found(app: Flask) -> list[int]:
    """Return the entries that do not fit, counted from the first one of the test."""
    with app.app_context():
        return [fault.change_id for fault in chain.faults()]


def number(app: Flask, row_id: int) -> int:
    """Return the id of an entry of the test."""
    with app.app_context(), db.engine.connect() as connection:
        query = text("""SELECT id FROM "change" WHERE note = '花名册' AND row_id = :row""")
        return int(connection.scalar(query, {"row": row_id}) or 0)


def test_an_untouched_trail_fits_and_the_command_says_so(chained: Flask) -> None:
    said = chained.test_cli_runner().invoke(command, ["verify"])

    assert said.exit_code == 0, said.output
    assert "0 do not fit" in said.output
    assert found(chained) == []


EDIT = """UPDATE "change" SET {} WHERE note = '花名册' AND row_id = 3"""


@pytest.mark.parametrize(
    "assignment", ["note = '别的'", "user_id = 1", "at = '2020-01-01 00:00:00+00'", "after = '{}'"]
)
def test_an_edited_entry_is_found(chained: Flask, assignment: str) -> None:
    edited = number(chained, 3)
    tamper(chained, EDIT.replace("{}", assignment, 1))

    said = chained.test_cli_runner().invoke(command, ["verify"])

    assert found(chained) == [edited]
    assert said.exit_code == 1
    assert f"entry {edited} was changed" in said.output


def test_a_removed_entry_is_found(chained: Flask) -> None:
    after = number(chained, 4)
    tamper(chained, """DELETE FROM "change" WHERE note = '花名册' AND row_id = 3""")

    assert found(chained) == [after]


def test_entries_removed_from_the_end_are_missed(chained: Flask) -> None:
    last = number(chained, ENTRIES - 1)
    tamper(chained, f"""DELETE FROM "change" WHERE id >= {number(chained, 6)}""")

    assert found(chained) == [last]


def test_a_chain_made_anew_over_an_edited_entry_is_found(chained: Flask) -> None:
    heads = {number(chained, ENTRIES // 2), number(chained, ENTRIES - 1)}
    edit = EDIT.format("note = '别的'")
    tamper(chained, edit, f"""UPDATE "change" SET chain = NULL WHERE id >= {min(heads) - 1}""")
    with chained.app_context():
        chain.extend()

    assert set(found(chained)) == heads


def test_an_entry_put_in_is_found(chained: Flask) -> None:
    gap = number(chained, 3)
    tamper(
        chained,
        f"""DELETE FROM "change" WHERE id = {gap}""",
        f"""INSERT INTO "change" (id, at, action) VALUES ({gap}, '2026-01-01 00:00:00', 'login')""",
    )

    assert found(chained) == [gap, number(chained, 4)]


def test_an_entry_that_is_stored_late_finds_its_place(
    chained: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chain, "PATIENCE", "100ms")
    is_open, entry = threading.Event(), insert(Change).values(at=clock.now(), action="login")

    def write_slowly() -> None:
        with chained.app_context(), database.writing(), db.engine.begin() as connection:
            connection.execute(entry)
            is_open.set()
            time.sleep(0.5)

    slow = threading.Thread(target=write_slowly)
    slow.start()
    is_open.wait(10)
    with chained.app_context():
        audit.record("export", table="school", row_id=ENTRIES)
        chain.extend()
        slow.join()
        chain.extend()
        left = db.session.scalar(select(func.count(Change.id)).where(Change.chain.is_(None)))

    assert left == 0
    assert found(chained) == []
