"""Write the rows of the demonstration county: many at once, with keys given ahead."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Table, func, insert, select, text
from sqlalchemy.orm import Session

from app.base import Model

CHUNK = 5000

Row = Mapping[str, Any]
"""The values of one row by column, as a Core insert takes them."""


class Store:
    """Collect rows by table and insert them in chunks; the keys are known before."""

    def __init__(self, session: Session, stamp: datetime) -> None:
        self.session = session
        self.stamp = stamp
        self._rows: dict[str, list[dict[str, Any]]] = {}
        self._next: dict[str, int] = {}
        self._constant: dict[str, dict[str, Any]] = {}
        self.written: dict[str, int] = {}

    def next_id(self, model: type[Any]) -> int:
        """Return the next key of a table."""
        name = model.__tablename__
        if name not in self._next:
            table = model.__table__
            self._next[name] = (self.session.scalar(select(func.max(table.c.id))) or 0) + 1
        key = self._next[name]
        self._next[name] = key + 1
        return key

    def add(self, model: type[Any], **values: Any) -> int:
        """Add a row and return its key; all rows of a table name the same columns."""
        name = model.__tablename__
        key: int = values["id"] if "id" in values else self.next_id(model)
        rows = self._rows.setdefault(name, [])
        rows.append({**self._constant_of(model), **values, "id": key})
        return key

    def flush(self) -> None:
        """Insert what was collected, parents before children."""
        for table in Model.metadata.sorted_tables:
            rows = self._rows.pop(table.name, None)
            if rows:
                self._insert(table, rows)

    def finish(self) -> None:
        """Insert the rest and let the database count on from the keys that were given."""
        self.flush()
        if self.session.get_bind().dialect.name != "postgresql":
            return
        for name, following in sorted(self._next.items()):
            self.session.execute(
                text("SELECT setval(pg_get_serial_sequence(:name, 'id'), :last)"),
                {"name": name, "last": max(following - 1, 1)},
            )

    def _insert(self, table: Table, rows: list[dict[str, Any]]) -> None:
        self.written[table.name] = self.written.get(table.name, 0) + len(rows)
        for start in range(0, len(rows), CHUNK):
            self.session.execute(insert(table), rows[start : start + CHUNK])

    def _constant_of(self, model: type[Any]) -> dict[str, Any]:
        """Return the stamps of a table, where it has any."""
        name = model.__tablename__
        if name not in self._constant:
            columns = model.__table__.c
            stamps = {"created_at": self.stamp, "changed_at": self.stamp, "row_version": 1}
            nobody = {"created_by_id": None, "changed_by_id": None}
            self._constant[name] = {
                key: value for key, value in {**stamps, **nobody}.items() if key in columns
            }
        return self._constant[name]
