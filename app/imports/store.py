"""Store what was read: inserts, updates and deletes of many rows, each with its trail."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from itertools import chain, islice, repeat
from typing import Any

from sqlalchemy import Column, Connection, Integer, delete, select, update
from sqlalchemy.engine.default import DefaultDialect

from app import clock
from app.base import Named, actor
from app.columns import Encrypted
from app.database import next_ids
from app.imports.stage import insert_many, staged
from app.models import Change, ImportRow
from app.pinyin import search_key
from app.security.scope import table_of

Values = Mapping[str, Any]
Kept = tuple[int, int, str | None, str | None, int | None]
"""Number of the line, key of the row, its values before and after as texts, its version."""
_ENCRYPTED, _NO_DIALECT = Encrypted(), DefaultDialect()
CHUNK = 5_000
"""Rows whose trail is held in memory at once."""
STAMPS = frozenset(
    {
        "id", "created_at", "created_by_id", "changed_at", "changed_by_id", "row_version",
        "search_key",
    }
)  # fmt: skip
"""Columns that the trail leaves out."""


@dataclass(frozen=True, slots=True)
class Edit:
    """A row as it was and as it becomes."""

    number: int
    id: int
    version: int | None
    before: Values
    """What the changed columns held; empty ones are left out."""
    after: Values
    """What they hold now."""
    final: Values
    """All columns that the file speaks of; the same for every edit of one call."""


@dataclass(slots=True)
class Writer:
    """Write on one connection, in one transaction, for one batch."""

    connection: Connection
    batch_id: int | None = None
    now: datetime = field(default_factory=clock.now)

    def insert(
        self, model: type[Any], numbers: Sequence[int], rows: Iterable[Values]
    ) -> Sequence[int]:
        """Insert rows of one model, each from a line of the file; all name the same columns.

        The rows are taken one by one and not kept.
        """
        lines = iter(rows)
        first = next(lines, None)
        if first is None:
            return ()
        table = table_of(model)
        ids = next_ids(self.connection, table, len(numbers))
        given = list(first)
        rest = {
            column.name: self._default(column)
            for column in table.columns
            if column.name not in given and column.name != "id"
        }
        spelled = issubclass(model, Named) and "name" in given
        rest.pop("search_key", None) if spelled else None
        names = ["id", *given, *(["search_key"] if spelled else [])]
        texts: list[str | None] = []
        keyed = zip(ids, chain([first], lines), strict=True)

        def written() -> Iterator[Sequence[Any]]:
            for key, row in islice(keyed, CHUNK):
                texts.append(kept({n: v for n, v in row.items() if v is not None}))
                if spelled:
                    yield (key, *row.values(), search_key(row["name"] or ""))
                else:
                    yield (key, *row.values())

        version = 1 if "row_version" in table.c else None
        for start in range(0, len(ids), CHUNK):
            texts.clear()
            insert_many(self.connection, table, names, written(), rest)
            end = start + len(texts)
            trail = zip(numbers[start:end], ids[start:end], repeat(None), texts, repeat(version))
            self._keep(table.name, "insert", len(texts), trail)
        return ids

    def _default(self, column: Column[Any]) -> Any:
        if column.default is None or not hasattr(column.default, "arg"):
            return None
        value = column.default.arg
        return value(None) if callable(value) else value

    def update(self, model: type[Any], edits: Sequence[Edit]) -> None:
        """Change rows of one model by one statement."""
        if not edits:
            return
        table = table_of(model)
        names = list(edits[0].final)
        columns = [Column(name, table.c[name].type) for name in names]
        lines: Iterable[Sequence[Any]] = ((edit.id, *edit.final.values()) for edit in edits)
        if issubclass(model, Named) and "name" in names:
            columns.append(Column("search_key", table.c.search_key.type))
            at = names.index("name") + 1
            lines = ((*line, search_key(line[at] or "")) for line in lines)
        with staged(self.connection, [Column("id", Integer), *columns], lines) as stage:
            values: dict[str, Any] = {column.name: stage.c[column.name] for column in columns}
            if "row_version" in table.c:
                values["row_version"] = table.c.row_version + 1
                values["changed_at"] = self.now
                values["changed_by_id"] = actor.get().user_id
            self.connection.execute(update(table).where(table.c.id == stage.c.id).values(values))
        trail = (
            (e.number, e.id, kept(e.before), kept(e.after), e.version + 1 if e.version else None)
            for e in edits
        )
        self._keep(table.name, "update", len(edits), trail)

    def delete(self, model: type[Any], gone: Sequence[tuple[int, int, Values]]) -> None:
        """Take rows away: the line's number, the row's key and what it held."""
        if not gone:
            return
        table = table_of(model)
        with staged(
            self.connection, [Column("id", Integer)], [(key,) for _n, key, _v in gone]
        ) as stage:
            self.connection.execute(delete(table).where(table.c.id.in_(select(stage.c.id))))
        trail = (
            (number, key, kept({n: v for n, v in values.items() if n not in STAMPS}), None, None)
            for number, key, values in gone
        )
        self._keep(table.name, "delete", len(gone), trail)

    def _keep(self, table: str, action: str, count: int, rows: Iterable[Kept]) -> None:
        """Write an entry of the trail for each row, and a row of the batch that points to it."""
        trail, who = table_of(Change), actor.get()
        ids = next_ids(self.connection, trail, count)
        fixed = {
            "at": self.now,
            "user_id": who.user_id,
            "person_id": who.person_id,
            "appointment_id": who.appointment_id,
            "address": who.address,
            "action": action,
            "table_name": table,
            "note": f"import {self.batch_id}" if self.batch_id else None,
        }
        done: list[tuple[int, int, int | None]] = []

        def entries() -> Iterator[Sequence[Any]]:
            for entry, (number, key, before, after, version) in zip(ids, rows, strict=True):
                done.append((number, entry, version))
                yield entry, key, before, after

        insert_many(self.connection, trail, ["id", "row_id", "before", "after"], entries(), fixed)
        if self.batch_id is None:
            return
        own = table_of(ImportRow)
        lines = (
            (key, *one)
            for key, one in zip(next_ids(self.connection, own, count), done, strict=True)
        )
        names = ["id", "number", "change_id", "row_version"]
        insert_many(self.connection, own, names, lines, {"batch_id": self.batch_id})


def seal(sealed: Collection[str], values: dict[str, Any]) -> dict[str, Any]:
    """Encrypt what a table keeps encrypted: row and trail hold the same ciphertext."""
    for name in sealed:
        value = values.get(name)
        if isinstance(value, str):
            values[name] = _ENCRYPTED.process_bind_param(value, _NO_DIALECT)
    return values


def kept(values: Values | None) -> str | None:
    """Return values as the trail keeps them."""
    return _JSON.encode(values) if values else None


def _plain(value: Any) -> Any:
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    return bytes(value).decode() if isinstance(value, (bytes, memoryview)) else str(value)


_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_plain)
