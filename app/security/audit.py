"""Keep the trail: every change in its own transaction; refusals, logins and readings beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, NoReturn

from flask import Flask, g, has_request_context
from flask_babel import gettext as _
from sqlalchemy import (
    Column,
    Connection,
    Delete,
    Executable,
    Table,
    Update,
    event,
    insert,
    select,
)
from sqlalchemy import inspect as inspect_row
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Mapper, ORMExecuteState, Session

from app import clock, database
from app.base import Refused, actor
from app.columns import Encrypted
from app.extensions import db
from app.models import Change
from app.security.scope import table_of

NOT_KEPT = frozenset({"change", "submit_token", "permission_version", "account", "rule_run"})
"""Tables whose changes say nothing about the bureau's records."""
BOOKKEEPING = frozenset(
    {
        "created_at", "created_by_id", "changed_at", "changed_by_id", "row_version", "search_key",
        "created_on", "changed_on", "created_by_fk", "changed_by_fk",
        "last_login", "login_count", "fail_login_count",
    }
)  # fmt: skip
HIDDEN = frozenset({"password", "key_hash", "lookup_hash"})
LONGEST_TEXT = 2_000
_paused: ContextVar[bool] = ContextVar("paused", default=False)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the trail before it is stored."""

    at: datetime
    user_id: int | None
    person_id: int | None
    appointment_id: int | None
    address: str
    action: str
    table_name: str | None = None
    row_id: int | None = None
    before: str | None = None
    after: str | None = None
    note: str | None = None


def record(
    action: str,
    *,
    table: str | None = None,
    row_id: int | None = None,
    note: str | None = None,
    user_id: int | None = None,
) -> None:
    """Record a refusal, a login, a reading or an export, whatever becomes of the transaction.

    Within a request the entry is written when the request's own session is done, on a connection
    of its own: the two would wait for each other on SQLite.
    """
    entry = _entry(action, table, row_id, note=note[:500] if note else None)
    if user_id is not None:
        entry = replace(entry, user_id=user_id)
    if has_request_context():
        g.setdefault("audit_entries", []).append(entry)
    elif db.session.registry.has() and db.session().in_transaction():
        _store(db.session.connection(), [entry])
    else:
        _store_apart([entry])


def refuse(table: str, row_id: int | None = None) -> NoReturn:
    """Record and refuse an attempt on a row outside the scope."""
    record("refuse", table=table, row_id=row_id, note="outside the scope")
    raise Refused(_("This record lies outside your area of responsibility."))


@contextmanager
def paused() -> Iterator[None]:
    """Leave the trail out while a demonstration county is made; nothing else may."""
    token = _paused.set(True)
    try:
        yield
    finally:
        _paused.reset(token)


def write_pending(app: Flask) -> None:
    """Store what the request recorded, after its session let go of the database."""
    entries: list[Entry] | None = g.pop("audit_entries", None)
    if not entries:
        return
    db.session.remove()
    try:
        _store_apart(entries)
    except DBAPIError:
        app.logger.exception("The audit trail did not take %s entries", len(entries))


def _store_apart(entries: Sequence[Entry]) -> None:
    with database.writing(), db.engine.begin() as connection:
        _store(connection, entries)


def _store(connection: Connection, entries: Sequence[Entry]) -> None:
    connection.execute(insert(table_of(Change)), [asdict(entry) for entry in entries])


def _entry(action: str, table: str | None, row_id: int | None, **values: Any) -> Entry:
    who = actor.get()
    return Entry(
        at=clock.now(),
        user_id=who.user_id,
        person_id=who.person_id,
        appointment_id=who.appointment_id,
        address=who.address,
        action=action,
        table_name=table,
        row_id=row_id,
        **values,
    )


@event.listens_for(Session, "before_flush")
def _read_what_goes(session: Session, _context: Any, _instances: Any) -> None:
    """Read again what is to be deleted: afterwards nobody can say what it was."""
    for row in session.deleted:
        if inspect_row(row).expired_attributes:
            session.refresh(row)


@event.listens_for(Session, "after_flush")
def _keep_changes(session: Session, _context: Any) -> None:
    """Write an entry for each row of the flush on the connection that saves it."""
    if _paused.get():
        return
    entries = [
        *_entries("insert", session.new),
        *_entries("update", session.dirty),
        *_entries("delete", session.deleted),
    ]
    if entries:
        _store(session.connection(), entries)


def _entries(action: str, rows: Any) -> Iterator[Entry]:
    for row in rows:
        mapper = inspect_row(row).mapper
        table = _table(mapper).name
        if table in NOT_KEPT:
            continue
        before, after = _values(action, row, mapper)
        if before or after:
            known = inspect_row(row).identity or mapper.primary_key_from_instance(row)
            key = known[0]
            row_id = key if isinstance(key, int) else None
            yield _entry(action, table, row_id, before=_text(before), after=_text(after))


def _values(action: str, row: Any, mapper: Mapper[Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for attribute in mapper.column_attrs:
        column = mapper.columns[attribute.key]
        if not isinstance(column, Column):  # the expression that tells inspection types apart
            continue
        if column.name in BOOKKEEPING or column.primary_key:
            continue
        history = inspect_row(row).attrs[attribute.key].history
        old = history.deleted or (history.unchanged if action == "delete" else ())
        if old and old[0] is not None and action != "insert":
            before[column.name] = _kept(column, old[0])
        if action == "delete" or not history.added:
            continue
        if history.added[0] is not None or old:
            after[column.name] = _kept(column, history.added[0])
    return before, after


def _kept(column: Any, value: Any) -> Any:
    """Return a value as the trail may hold it: secrets hidden, personal numbers as ciphertext."""
    if value is None:
        return None
    if column.name in HIDDEN:
        return "***"
    if isinstance(column.type, Encrypted):
        sealed = column.type.process_bind_param(value, db.engine.dialect)
        return None if sealed is None else sealed.decode()
    if isinstance(value, str):
        return value[:LONGEST_TEXT]
    return value


def _text(values: dict[str, Any]) -> str | None:
    if not values:
        return None
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"), default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    return type(value).__name__


@event.listens_for(Session, "do_orm_execute")
def _keep_bulk_changes(state: ORMExecuteState) -> None:
    """Write an entry for each row that a bulk update or delete is about to touch."""
    statement = state.statement
    if _paused.get() or not state.is_orm_statement or not isinstance(statement, (Update, Delete)):
        return
    mapper = state.bind_mapper
    if mapper is None or _name_of(statement) in NOT_KEPT:
        return
    if isinstance(state.parameters, (list, tuple)):
        _keep_updates_by_key(state, mapper)
        return
    given = _assigned(statement)
    after = _text({name: _literal(mapper, name, value) for name, value in given.items()})
    entries = [
        _entry(state_action(statement), _name_of(statement), row[0], before=before, after=after)
        for row, before in _rows_about_to_change(state, mapper, statement, sorted(given))
    ]
    if entries:
        _store(state.session.connection(), entries)


def _keep_updates_by_key(state: ORMExecuteState, mapper: Mapper[Any]) -> None:
    key = mapper.primary_key[0].key
    given: Sequence[Any] = state.parameters or ()  # type: ignore[assignment]  # many rows
    entries = [
        _entry(
            "update",
            _table(mapper).name,
            values.get(key),
            after=_text(
                {
                    n: _literal(mapper, n, v)
                    for n, v in values.items()
                    if n not in {key, *BOOKKEEPING}
                }
            ),
        )
        for values in given
    ]
    if entries:
        _store(state.session.connection(), entries)


def _name_of(statement: Update | Delete) -> str:
    return str(getattr(statement.table, "name", ""))


def _table(mapper: Mapper[Any]) -> Table:
    table = mapper.local_table
    assert isinstance(table, Table)
    return table


def state_action(statement: Executable) -> str:
    """Return the trail's word for a bulk statement."""
    return "update" if isinstance(statement, Update) else "delete"


def _assigned(statement: Update | Delete) -> dict[str, Any]:
    values = getattr(statement, "_values", None) or {}
    named = {getattr(column, "key", str(column)): value for column, value in values.items()}
    return {name: value for name, value in named.items() if name not in BOOKKEEPING}


def _literal(mapper: Mapper[Any], name: str, value: Any) -> Any:
    plain = getattr(value, "value", value)
    if hasattr(plain, "__clause_element__") or hasattr(plain, "compile"):
        return "…"
    return _kept(mapper.columns[name], plain)


def _rows_about_to_change(
    state: ORMExecuteState, mapper: Mapper[Any], statement: Update | Delete, names: list[str]
) -> Iterator[tuple[Any, str | None]]:
    names = names or [
        column.key
        for column in mapper.columns
        if not column.primary_key and column.name not in BOOKKEEPING
    ]
    columns = [getattr(mapper.class_, name) for name in names]
    key = getattr(mapper.class_, str(mapper.primary_key[0].key))
    rows = select(key, *columns).where(*statement._where_criteria)
    for row in state.session.execute(rows):
        pairs = zip(names, row[1:], strict=True)
        before = {
            name: _kept(mapper.columns[name], value) for name, value in pairs if value is not None
        }
        yield row, _text(before)


KEPT_COLUMNS = (
    "id", "at", "user_id", "person_id", "appointment_id", "address", "action", "table_name",
    "row_id", "before", "after", "note",
)  # fmt: skip


def install_audit_triggers(connection: Connection) -> None:
    """Make the database itself refuse to change or remove entries of the trail.

    Only the hash chain of an entry may be written, once.
    """
    make = {"sqlite": _sqlite_triggers, "postgresql": _postgres_triggers}
    for statement in make[connection.dialect.name]():
        connection.exec_driver_sql(statement)


def _sqlite_triggers() -> Iterator[str]:
    refusal = "BEGIN SELECT RAISE(ABORT, 'the audit trail is never changed'); END"
    columns = ", ".join(f'"{name}"' for name in KEPT_COLUMNS)
    yield f'CREATE TRIGGER change_keeps_rows BEFORE DELETE ON "change" {refusal}'
    yield f'CREATE TRIGGER change_keeps_values BEFORE UPDATE OF {columns} ON "change" {refusal}'
    yield (
        'CREATE TRIGGER change_keeps_chain BEFORE UPDATE OF "chain" ON "change"'
        f" WHEN OLD.chain IS NOT NULL {refusal}"
    )


def _postgres_triggers() -> Iterator[str]:
    same = " AND ".join(f'NEW."{name}" IS NOT DISTINCT FROM OLD."{name}"' for name in KEPT_COLUMNS)
    yield f"""
        CREATE OR REPLACE FUNCTION keep_audit_trail() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' THEN
                IF OLD.chain IS NULL AND NEW.chain IS NOT NULL AND {same} THEN
                    RETURN NEW;
                END IF;
            END IF;
            RAISE EXCEPTION 'the audit trail is never changed';
        END $$"""
    yield (
        'CREATE TRIGGER change_keeps_rows BEFORE UPDATE OR DELETE ON "change"'
        " FOR EACH ROW EXECUTE FUNCTION keep_audit_trail()"
    )
    yield (
        'CREATE TRIGGER change_keeps_all BEFORE TRUNCATE ON "change"'
        " FOR EACH STATEMENT EXECUTE FUNCTION keep_audit_trail()"
    )
