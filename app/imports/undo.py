"""Take a batch back while nothing depends on it and nobody has edited its rows."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Column, Integer, LargeBinary, Numeric, Table, select, type_coerce, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import clock
from app.base import Model, Refused, Restricted, Shared, TownshipScoped
from app.columns import Encrypted, UtcDateTime
from app.imports.batch import find_entity
from app.imports.stage import staged
from app.imports.store import Edit, Writer
from app.models import Change, ImportBatch, ImportRow
from app.security import audit
from app.security.scope import Scope, mapped, table_of

_batch, _row, _change = table_of(ImportBatch), table_of(ImportRow), table_of(Change)


def undo(session: Session, batch_id: int, scope: Scope) -> None:
    """Take back what a batch did; refuse where a row was edited or is referred to since.

    The caller commits; a refusal must roll back.
    """
    connection = session.connection()
    taken = connection.execute(
        update(_batch)
        .where(_batch.c.id == batch_id, _batch.c.state == "stored")
        .values(state="undone", undone_at=clock.now())
    )
    if not taken.rowcount:
        raise Refused(_("This batch is not stored, or was taken back already."))
    done = connection.execute(
        select(
            _row.c.number, _row.c.row_version, _change.c.action, _change.c.table_name,
            _change.c.row_id, _change.c.before, _change.c.after,
        )
        .join(_change, _change.c.id == _row.c.change_id)
        .where(_row.c.batch_id == batch_id)
        .order_by(_row.c.change_id)
    ).all()  # fmt: skip
    writer = Writer(connection)
    _prepare(session, batch_id, done)
    try:
        for table in reversed(Model.metadata.sorted_tables):
            _take_back(writer, table, [one for one in done if one.table_name == table.name], scope)
    except IntegrityError:
        raise Refused(_("Other records refer to rows of this batch; it stays.")) from None
    audit.record("undo", table="import_batch", row_id=batch_id)


def _prepare(session: Session, batch_id: int, done: Sequence[Any]) -> None:
    """Let the entity take away what hangs on the rows that go."""
    entity = find_entity(session.scalar(select(_batch.c.entity).where(_batch.c.id == batch_id)))
    if entity is None or entity.undoing is None:
        return
    name = entity.table.name
    born = {one.row_id for one in done if one.action == "insert" and one.table_name == name}
    entity.undoing(session, born)


def _take_back(writer: Writer, table: Table, done: Sequence[Any], scope: Scope) -> None:
    if not done:
        return
    model = _model_of(table)
    now = _rows_now(writer, table, {one.row_id for one in done})
    last: dict[int, Any] = {}
    for one in done:
        last[one.row_id] = one
    _refuse_edited(table, last, now, scope)
    born = {one.row_id for one in done if one.action == "insert"}
    gone = [(last[key].number, key, _filled(now[key])) for key in sorted(born)]
    _refuse_used(writer, table, sorted(born))
    writer.delete(model, gone)
    first: dict[int, dict[str, Any]] = defaultdict(dict)
    for one in reversed(done):
        if one.action == "update" and one.row_id not in born:
            before, after = json.loads(one.before or "{}"), json.loads(one.after or "{}")
            first[one.row_id].update({name: before.get(name) for name in after})
    columns = list(dict.fromkeys(name for values in first.values() for name in values))
    edits = []
    for key, values in first.items():
        restored = {name: _restored(table.c[name], value) for name, value in values.items()}
        held = now[key]
        final = {name: restored.get(name, held[name]) for name in columns}
        before = {name: held[name] for name in restored if held[name] is not None}
        edits.append(Edit(last[key].number, key, held.get("row_version"), before, restored, final))
    writer.update(model, edits)
    lost = [one for one in done if one.action == "delete"]
    for one in lost:
        values = json.loads(one.before or "{}")
        row = {name: _restored(table.c[name], value) for name, value in values.items()}
        writer.insert(model, [one.number], [row])


def _rows_now(writer: Writer, table: Table, keys: set[int]) -> dict[int, Mapping[str, Any]]:
    columns = [
        type_coerce(column, LargeBinary).label(column.name)
        if isinstance(column.type, Encrypted)
        else column
        for column in table.columns
    ]
    lines = ((key,) for key in keys)
    with staged(writer.connection, [Column("key", Integer)], lines) as stage:
        query = select(*columns).join(stage, stage.c.key == table.c.id)
        return {row.id: dict(row._mapping) for row in writer.connection.execute(query)}


def _refuse_edited(
    table: Table, last: Mapping[int, Any], now: Mapping[int, Mapping[str, Any]], scope: Scope
) -> None:
    """Refuse where a row was edited, moved away or deleted since."""
    for key, one in last.items():
        if one.action == "delete":
            continue
        held = now.get(key)
        if held is None or (one.row_version and held.get("row_version") != one.row_version):
            raise Refused(_("Row %(number)s was edited since; the batch stays.", number=one.number))
        if "township_id" in table.c:
            school = key if table.name == "school" else held.get("school_id")
            if not scope.holds(held["county_id"], held["township_id"], school):
                raise Refused(_("This record lies outside your area of responsibility."))


def _refuse_used(writer: Writer, table: Table, keys: Sequence[int]) -> None:
    """Refuse where rows that the database would take along point to what goes."""
    pointing = [
        (other, column)
        for other in Model.metadata.sorted_tables
        for column in other.columns
        for key in column.foreign_keys
        if key.column.table is table and key.ondelete == "CASCADE" and other is not table
    ]
    if not keys or not pointing:
        return
    lines = ((key,) for key in keys)
    with staged(writer.connection, [Column("key", Integer)], lines) as stage:
        for _other, column in pointing:
            used = select(column).join(stage, stage.c.key == column).limit(1)
            if writer.connection.execute(used).first() is not None:
                raise Refused(_("Other records refer to rows of this batch; it stays."))


def _filled(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _restored(column: Column[Any], value: Any) -> Any:
    """Return a value of the trail as its column holds it."""
    if value is None:
        return None
    if isinstance(column.type, Encrypted):
        return str(value).encode()
    if isinstance(column.type, UtcDateTime):
        return datetime.fromisoformat(value)
    if column.type.python_type is date:
        return date.fromisoformat(value)
    if isinstance(column.type, Numeric):
        return Decimal(str(value))
    return value


def _model_of(table: Table) -> type[Any]:
    for mixin in (TownshipScoped, Shared, Restricted):
        for model in mapped(mixin):
            if model.__table__ is table:
                return model
    raise LookupError(table.name)
