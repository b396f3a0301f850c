"""Let a line name another line of its own file: a teaching point its new parent school."""

from __future__ import annotations

from collections.abc import Sequence

from app.imports.entity import Column, Entity, Row
from app.imports.store import Edit, Writer


def set_aside(entity: Entity, column: Column, rows: Sequence[Row]) -> None:
    """Take names of lines of the same file out of the look-up; they have no key before storing."""
    lookup = column.lookup
    if lookup is None or lookup.model is not entity.model:
        return
    own: dict[str, Row] = {}
    for row in rows:
        for name in lookup.by:
            if row.get(name) is not None:
                own.setdefault(str(row.get(name)), row)
    for row in rows:
        other = own.get(str(row.get(column.name) or ""))
        if other is not None and other is not row:
            row.late = {**(row.late or {}), column.name: other}
            row.values.pop(column.name)


def link(entity: Entity, writer: Writer, rows: Sequence[Row]) -> None:
    """Store the keys of the lines that were named, where they differ."""
    for column in entity.columns:
        if column.lookup is None or column.lookup.model is not entity.model:
            continue
        field = column.stored_as
        edits = []
        for row in rows:
            other = (row.late or {}).get(column.name)
            if other is None or other.id is None or row.id is None:
                continue
            held = getattr(row.stored, field) if row.stored is not None else None
            if held != other.id:
                version = row.stored.row_version if row.stored is not None else 1
                before = {field: held} if held is not None else {}
                values = {field: other.id}
                edits.append(Edit(row.number, row.id, version, before, values, values))
        writer.update(entity.model, edits)
