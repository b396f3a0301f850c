"""Export an entity as a file that reads back as the same rows."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from app import workbook
from app.base import Refused
from app.imports.entity import Column, Entity, Items, Lookup
from app.imports.table import FORMULA_MARKS
from app.imports.template import kind_of
from app.imports.value import written
from app.models import Child
from app.security import audit
from app.security.scope import EVERYTHING, Scope, criterion, table_of
from app.workbook.sheet import Cell

FORMATS = (".xlsx", ".csv")
PIECES = "、"


def export(session: Session, entity: Entity, suffix: str, scope: Scope = EVERYTHING) -> bytes:
    """Return all rows of an entity within a scope as .xlsx or .csv, and record the export."""
    if suffix not in FORMATS:
        raise Refused(_("Files are written as .xlsx or .csv."))
    rows = _Rows(session.connection(), entity, scope)
    content = _xlsx(entity, rows) if suffix == ".xlsx" else _csv(entity, rows)
    audit.record("export", table=entity.table.name, note=f"{entity.key} {rows.count}")
    return content


def _xlsx(entity: Entity, rows: Iterable[tuple[Cell, ...]]) -> bytes:
    fields = [
        workbook.Field(str(column.header), kind_of(column), column.is_required)
        for column in entity.columns
    ]
    target = io.BytesIO()
    workbook.write_form(target, str(entity.title), fields, rows, lists=_("Lists"))
    return target.getvalue()


def _csv(entity: Entity, rows: Iterable[tuple[Cell, ...]]) -> bytes:
    target = io.StringIO(newline="")
    target.write("\ufeff")  # or Excel takes the file for the machine's own encoding
    writer = csv.writer(target)
    writer.writerow([str(column.header) for column in entity.columns])
    for row in rows:
        writer.writerow([_safe("" if cell is None else str(cell)) for cell in row])
    return target.getvalue().encode()


def _safe(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA_MARKS) else text


class _Rows:
    """Yield the rows of an entity as cells; look-ups are read once each."""

    def __init__(self, connection: Connection, entity: Entity, scope: Scope) -> None:
        self.connection = connection
        self.entity = entity
        self.scope = scope
        self.count = 0
        self._texts = {
            column.name: texts_of(connection, column.lookup)
            for column in entity.columns
            if column.kind == "lookup" and column.lookup is not None
        }
        self._items = {
            column.name: _items(connection, column.items)
            for column in entity.columns
            if column.items is not None
        }
        self._of = {
            column.name: _others(connection, entity.column(column.of[0]), column.of[1])
            for column in entity.columns
            if column.of[0]
        }

    def __iter__(self) -> Iterator[tuple[Cell, ...]]:
        model = self.entity.model
        names = [column.stored_as for column in self.entity.columns if column.stored_as]
        wanted = dict.fromkeys(["id", *names])
        query = select(*(getattr(model, name) for name in wanted)).order_by(model.id)
        inside = criterion(self.scope, model) if hasattr(model, "scope_school") else None
        for row in self.connection.execute(query if inside is None else query.where(inside)):
            self.count += 1
            yield tuple(self._cell(column, row) for column in self.entity.columns)

    def _cell(self, column: Column, row: Any) -> Cell:
        if column.of[0]:
            key = getattr(row, self.entity.column(column.of[0]).stored_as)
            value = self._of[column.name].get(key)
            texts = self._texts.get(column.name)
            return texts.get(value or 0) if texts is not None else value
        if column.items is not None:
            return PIECES.join(self._items[column.name].get(row.id, ())) or None
        value = getattr(row, column.stored_as)
        if column.kind == "lookup":
            return self._texts[column.name].get(value)
        return written(column, value)  # type: ignore[return-value]  # a Decimal is written, too


def texts_of(connection: Connection, lookup: Lookup) -> Mapping[int, str]:
    """Return by key how the rows of a look-up are named, so that each is found again."""
    model = lookup.model
    if issubclass(model, Child):
        numbers = (Child.id_number, Child.enrolment_number)
        children = select(Child.id, *numbers, Child.name, Child.born_on)
        return {
            key: number or enrolment or (f"{name}/{born:%Y%m%d}" if born else name)
            for key, number, enrolment, name, born in connection.execute(children)
        }
    other = lookup.qualifier or ("code" if "code" in lookup.by else "")
    query = select(model.id, model.name, getattr(model, other) if other else model.name)
    rows = connection.execute(query.where(*(getattr(model, f) == v for f, v in lookup.where))).all()
    names = Counter(name for _key, name, _other in rows) if not lookup.within else Counter()
    return {key: _text(lookup, name, more, names[name]) for key, name, more in rows}


def _text(lookup: Lookup, name: str, more: Any, count: int) -> str:
    if count <= 1 or more is None:
        return name
    return f"{name}/{more}" if lookup.qualifier else str(more)


def _items(connection: Connection, items: Items) -> Mapping[int, list[str]]:
    table = table_of(items.model)
    texts = [texts_of(connection, one.lookup) if one.lookup else None for one in items.columns]
    columns = [getattr(items.model, one.stored_as) for one in items.columns]
    query = select(table.c[items.parent], *columns).order_by(table.c.id)
    found: dict[int, list[str]] = {}
    for parent, *values in connection.execute(query):
        parts = [
            known.get(value or 0) if known is not None else written(column, value)
            for column, known, value in zip(items.columns, texts, values, strict=True)
        ]
        text = "/".join("" if part is None else str(part) for part in parts)
        found.setdefault(parent, []).append(text.rstrip("/"))
    return found


def _others(connection: Connection, column: Column, name: str) -> Mapping[int, Any]:
    assert column.lookup is not None
    model = column.lookup.model
    query = select(model.id, getattr(model, name))
    return {row[0]: row[1] for row in connection.execute(query)}
