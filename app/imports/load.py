"""Load a table: read the cells, find what they name, judge, compare with what is stored, store.

The number of statements depends on the entity's columns, never on the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Column as SqlColumn
from sqlalchemy import Connection, select
from sqlalchemy import Table as SqlTable
from sqlalchemy.orm import Session

from app.base import Refused, TownshipScoped
from app.columns import Encrypted
from app.imports import items, late
from app.imports.entity import Column, Entity, Place, Row, faults_of, warnings_of
from app.imports.find import PLACE, Finder
from app.imports.mapping import Match
from app.imports.report import Result
from app.imports.resolve import resolve
from app.imports.store import Edit, Writer, seal
from app.models import County, School, SchoolClass, Township
from app.security import audit
from app.security.scope import Scope

PLACED_BY = (School, SchoolClass, Township)
"""Models that say where a row belongs; others, as a child, only say where it began."""
Progress = Callable[[int], None]
"""Gets how far the work is, in percent."""


class Loader:
    """Carry the rows of one file through the database."""

    def __init__(
        self,
        session: Session,
        entity: Entity,
        scope: Scope,
        match: Match,
        is_backfilled: bool,
        progress: Progress,
    ) -> None:
        self.session = session
        self.connection: Connection = session.connection()
        self.entity = entity
        self.scope = scope
        self.match = match
        self.is_backfilled = is_backfilled
        self.progress = progress
        county = self.scope.county_id or self.session.scalar(select(County.id).limit(1))
        if county is None:
            raise Refused(_("There is no county yet."))
        self.county_id: int = county
        table = self.entity.table
        columns = {column.name: column for column in self.entity.columns}
        self.fields = {
            name: columns[name].stored_as if name in columns else name
            for name in dict.fromkeys((*self.match.places, *self.entity.derived))
            if name not in columns or columns[name].stored_as
        }
        self.sealed = {name for name, column in table.c.items() if _is_sealed(column)}
        self.placing = [(name, columns[name].lookup) for name in entity.place]
        self.is_placed = issubclass(self.entity.model, TownshipScoped)
        self.finder = Finder(self.connection, entity, county, self.fields)
        self.is_school = issubclass(self.entity.model, School)
        self.has_backfill = "is_backfilled" in table.c

    def judge(self, rows: Sequence[Row]) -> None:
        """Find what the lines name, what they are, where they belong, and what is wrong."""
        if not self.is_placed and not self.scope.is_county_wide:
            raise Refused(_("Only the county may keep rows of the whole county."))
        for column in _ordered(self.entity.columns):
            if column.name in self.match.places:
                late.set_aside(self.entity, column, rows)
                resolve(self.connection, column, rows, self.scope, self.county_id)
        items.resolve_items(self, rows)
        if self.entity.prepare is not None:
            self.entity.prepare(self.session, [row for row in rows if not row.faults])
        self.progress(50)
        for row in rows:
            row.place = self._new_place(row, None)
        self.finder.refuse_repeats(rows)
        for key in self.entity.keys:
            self.finder.find(key, rows)
        for row in rows:
            self._place(row)
        if self.entity.check is not None:
            self.entity.check(self.session, [row for row in rows if not row.faults])
        self.progress(70)

    def _place(self, row: Row) -> None:
        """Work out where a row belongs, and refuse what lies outside, as it was or will be."""
        if not self.is_placed or row.faults:
            return
        stored, new, old = row.stored, row.place, None
        if stored is not None:
            old = _place_of(self.entity.model, stored)
            new = row.place = self._new_place(row, old)
        elif new[1] is not None and self.scope.kind == "all":
            return
        if new[1] is None and not self.entity.model.county_wide_rows:
            row.fail(self.entity.place[0] if self.entity.place else "", _("Say where it belongs."))
            return
        if new[1] is None and not self.scope.is_county_wide:
            row.fail("", _("Only the county may keep rows of the whole county."))
        elif not self.scope.holds(*new) or (old is not None and not self.scope.holds(*old)):
            row.fail("", _("This record lies outside your area of responsibility."))

    def _new_place(self, row: Row, old: Place | None) -> Place:
        for name, lookup in self.placing:
            place = row.places.get(name)
            if place is None or lookup is None:
                continue
            if old is not None and not issubclass(lookup.model, PLACED_BY):
                return old
            if self.is_school:
                return place[0], place[1], old[2] if old else None
            return place
        return old or (self.county_id, None, None)

    def store(self, writer: Writer, rows: Sequence[Row]) -> tuple[int, int]:
        """Write the good lines; return how many rows were added and how many changed."""
        good = [row for row in rows if not row.faults]
        new = [row for row in good if row.stored is None]
        edits = [edit for row in good if row.stored is not None and (edit := self._edit(row))]
        ids = writer.insert(self.entity.model, [row.number for row in new], self._new_rows(new))
        for row, key in zip(new, ids, strict=True):
            row.id = key
        writer.update(self.entity.model, edits)
        late.link(self.entity, writer, good)
        touched = {edit.number for edit in edits} | items.store_items(self, writer, good)
        changed = touched - {row.number for row in new}
        for row in good:
            row.is_changed = row.number in changed or row.stored is None
        self.progress(90)
        if self.entity.stored is not None:
            self.entity.stored(self.session, writer, [row for row in good if row.is_changed])
        return len(new), len(changed)

    def refuse_edits(self, rows: Iterable[Row]) -> None:
        """Refuse lines that would edit what is only ever added to."""
        if not self.entity.only_adds:
            return
        for row in rows:
            if not row.faults and row.stored is not None and self._edit(row) is not None:
                row.fail("", _("This record is on file already with other values; it stays."))

    def count_changes(self, rows: Sequence[Row]) -> tuple[int, int]:
        """Return how many rows would be added and changed."""
        good = [row for row in rows if not row.faults]
        touched = {row.number for row in good if row.stored is not None and self._edit(row)}
        new = {row.number for row in good if row.stored is None}
        return len(new), len((touched | items.changed_items(self, good)) - new)

    def _new_rows(self, rows: Iterable[Row]) -> Iterator[dict[str, Any]]:
        """Yield the columns of new rows; all have the same."""
        table, fixed = self.entity.table, dict(self.entity.defaults)
        if not self.is_placed and "county_id" in table.c:
            fixed["county_id"] = self.county_id
        if self.has_backfill:
            fixed["is_backfilled"] = self.is_backfilled
        fields = list(self.fields.items())
        defaults = {field: _default(table, field) for _name, field in fields}
        defaults = {**fixed, **{f: fixed.get(f, value) for f, value in defaults.items()}}
        indexed = [(f"{f}_index", f) for _n, f in fields if f"{f}_index" in self.finder.indexed]
        placed = [(at, name) for at, name in enumerate(PLACE) if name in table.c]
        for row in rows:
            values, given = defaults.copy(), row.values
            for name, field in fields:
                value = given.get(name)
                if value is not None:
                    values[field] = value
            for index, field in indexed:
                values[index] = self.finder.digest(values[field])
            if self.is_placed:
                for at, name in placed:
                    values[name] = row.place[at]
            yield seal(self.sealed, values)

    def _edit(self, row: Row) -> Edit | None:
        """Return what a line changes; a blank cell leaves what is stored."""
        stored = row.stored
        changed = {
            field: value
            for field, value in self._given(row)
            if value is not None and not self._same(stored, field, value)
        }
        if not changed:
            return None
        after = seal(self.sealed, changed)
        before = {f: held for f in after if (held := getattr(stored, f)) is not None}
        final = {field: after.get(field, getattr(stored, field)) for field in self._written}
        version = getattr(stored, "row_version", None)
        return Edit(row.number, stored.id, version, before, after, final)

    @cached_property
    def _written(self) -> list[str]:
        """Return the columns that an edit may touch."""
        fields = list(dict.fromkeys(self.fields.values()))
        fields += [index for name in fields if (index := f"{name}_index") in self.finder.indexed]
        table = self.entity.table
        placed = [name for name in PLACE if name in table.c] if self.is_placed else []
        return list(dict.fromkeys([*fields, *placed]))

    def _given(self, row: Row) -> Iterator[tuple[str, Any]]:
        for name, field in self.fields.items():
            value = row.values.get(name)
            if value is None:
                continue
            yield field, value
            if f"{field}_index" in self.finder.indexed:
                yield f"{field}_index", self.finder.digest(value)
        if self.is_placed:
            for field, value in zip(PLACE, row.place, strict=True):
                if field in self._written and field not in self.fields.values():
                    yield field, value

    def _same(self, stored: Any, field: str, value: Any) -> bool:
        if field not in self.sealed:
            return bool(getattr(stored, field) == value)
        if f"{field}_index" in self.finder.indexed:
            return bool(getattr(stored, f"{field}_index") == self.finder.digest(value))
        kind = self.entity.table.c[field].type
        return bool(kind.process_result_value(getattr(stored, field), None) == value)  # type: ignore[attr-defined]  # Encrypted


def _is_sealed(column: SqlColumn[Any]) -> bool:
    return isinstance(column.type, Encrypted)


def _default(table: SqlTable, field: str) -> Any:
    default: Any = table.c[field].default
    return default.arg if default is not None and default.is_scalar else None


def _place_of(model: type[Any], stored: Any) -> Place:
    school = stored.id if issubclass(model, School) else getattr(stored, "school_id", None)
    return stored.county_id, stored.township_id, school


def _ordered(columns: Iterable[Column]) -> list[Column]:
    """Return the lookups, those that narrow others first."""
    lookups = [column for column in columns if column.kind == "lookup"]
    return sorted(lookups, key=lambda column: len(column.lookup.within) if column.lookup else 0)


def load(
    session: Session,
    entity: Entity,
    rows: Sequence[Row],
    match: Match,
    *,
    scope: Scope,
    writer: Writer | None,
    is_backfilled: bool = False,
    progress: Progress = lambda _percent: None,
) -> Result:
    """Judge the lines and, with a writer, store the good ones; the caller commits."""
    loader = Loader(session, entity, scope, match, is_backfilled, progress)
    loader.judge(rows)
    loader.refuse_edits(rows)
    if writer is None:
        added, changed = loader.count_changes(rows)
    else:
        added, changed = loader.store(writer, rows)
    failed = frozenset(row.number for row in rows if row.faults)
    if any(fault.message for row in rows for fault in row.faults) and scope.kind != "all":
        _log_foreign(entity, rows)
    return Result(
        total=len(rows),
        added=added,
        changed=changed,
        skipped=len(rows) - added - changed - len(failed),
        failed=len(failed),
        faults=tuple(faults_of(rows)),
        warnings=(warnings := tuple(warnings_of(rows))),
        warned=len({warning.number for warning in warnings}),
        batch_id=writer.batch_id if writer else None,
        numbers=failed,
    )


def _log_foreign(entity: Entity, rows: Iterable[Row]) -> None:
    """Keep in the trail that a file reached for rows outside the scope."""
    numbers = [row.number for row in rows if row.stored is not None and row.faults and row.place[1]]
    if numbers:
        listed = ", ".join(str(number) for number in numbers[:20])
        audit.record("refuse", table=entity.table.name, note=f"import, rows {listed}")
