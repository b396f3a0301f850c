"""Load a table: read the cells, find what they name, judge, compare with what is stored, store.

The number of statements depends on the entity's columns, never on the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Column as SqlColumn
from sqlalchemy import Connection, LargeBinary, select, type_coerce
from sqlalchemy import Table as SqlTable
from sqlalchemy.orm import Session

from app import clock
from app.base import Refused, TownshipScoped
from app.columns import Encrypted, blind_index
from app.imports import items, late
from app.imports.entity import Column, Entity, Key, Place, Row, faults_of
from app.imports.mapping import Match, cells, other_words
from app.imports.report import Result
from app.imports.resolve import resolve
from app.imports.stage import staged
from app.imports.store import Edit, Writer, seal
from app.imports.table import Table, cell_name
from app.imports.value import Cell, Unreadable, plain, reader
from app.models import County, School, SchoolClass, Township
from app.security import audit
from app.security.scope import Scope

PLACED_BY = (School, SchoolClass, Township)
"""Models that say where a row belongs; others, as a child, only say where it began."""
Progress = Callable[[int], None]
"""Gets how far the work is, in percent."""
PLACE = ("county_id", "township_id", "school_id")
EXTRAS = ("id", "row_version", *PLACE)


def parse(entity: Entity, table: Table, match: Match) -> list[Row]:
    """Return the lines with their values read by kind; nothing is asked of the database."""
    rows = [Row(number, {}) for number in table.numbers]
    for column in entity.columns:
        if column.name in match.places:
            _parse_column(entity, column, table, match.places[column.name], rows)
    today, complete = clock.today(), entity.complete
    required = [column.name for column in entity.columns if column.is_required]
    for row in rows:
        if complete is not None:
            complete(row, today)
        for name in required:
            if name not in row.values and all(fault.column != name for fault in row.faults):
                row.fail(name, _("This field is required."))
    return rows


def _parse_column(
    entity: Entity, column: Column, table: Table, at: int, rows: Sequence[Row]
) -> None:
    model = column.items.model if column.items and column.kind == "items" else entity.model
    read, today, name = reader(column, model), clock.today(), column.name
    words = other_words(entity.key, name)
    known: dict[Any, Any] = {None: None, "": None}
    for row, cell in zip(rows, cells(table, at), strict=True):
        # 1 and True are equal: only texts may stand for themselves.
        token = cell if cell.__class__ is str else (cell.__class__, cell)
        value = known.get(token, known)
        if value is known:
            value = known[token] = _read(read, column, _own(cell, words), today)
        if value is None:
            continue
        if value.__class__ is Unreadable:
            row.fail(name, str(value))
        else:
            row.values[name] = value
    if table.blank_formulas:
        for row in rows:
            if cell_name(at, row.number) in table.blank_formulas:
                row.fail(name, _("The cell holds a formula without a value."))


def _own(cell: Cell, words: Mapping[str, str]) -> Cell:
    """Return our own word for a cell that another system filled."""
    return words.get(plain(cell), cell) if words and isinstance(cell, str) else cell


def _read(read: Callable[[Cell], Any], column: Column, cell: Cell, today: Any) -> Any:
    """Return the value of a cell, or the reason why there is none."""
    try:
        value = read(cell)
    except Unreadable as reason:
        return reason
    if column.is_past and value is not None and value > today:
        return Unreadable(_("This day lies in the future."))
    return value


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
        names = {column.name for column in table.columns}
        self.indexed = {f"{name}_index" for name in names} & names
        self.sealed = {name for name, column in table.c.items() if _is_sealed(column)}
        self.placing = [(name, columns[name].lookup) for name in entity.place]
        self._digests: dict[str | None, str | None] = {}
        self.is_placed = issubclass(self.entity.model, TownshipScoped)
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
        self._refuse_repeats(rows)
        for key in self.entity.keys:
            self._find(key, rows)
        for row in rows:
            self._place(row)
        if self.entity.check is not None:
            self.entity.check(self.session, [row for row in rows if not row.faults])
        self.progress(70)

    def _refuse_repeats(self, rows: Iterable[Row]) -> None:
        for key in self.entity.keys:
            if key.is_weak:
                continue
            seen: dict[tuple[Any, ...], int] = {}
            names = (*key.names, *key.optional)
            for row in rows:
                if not _has(key, row):
                    continue
                token = tuple(map(row.values.get, names))
                first = seen.setdefault(token, row.number)
                if first != row.number and not row.faults:
                    row.fail(key.names[0], _("The row repeats row %(number)s.", number=first))

    def _find(self, key: Key, rows: Sequence[Row]) -> None:
        """Find the stored rows of the lines that no stronger key has found."""
        wanted = [row for row in rows if row.stored is None and _has(key, row) and not row.faults]
        if not wanted:
            return
        table = self.entity.table
        columns = [SqlColumn("n", table.c.id.type)]
        names = [self._key_column(name) for name in (*key.names, *key.optional)]
        columns += [SqlColumn(f"k{at}", table.c[name].type) for at, name in enumerate(names)]
        value = self._key_reader(key)
        lines = ((at, *value(row)) for at, row in enumerate(wanted))
        with staged(self.connection, columns, lines) as stage:
            query = select(stage.c.n, *self._stored_columns())
            same = [table.c[name] == stage.c[f"k{at}"] for at, name in enumerate(names)]
            for at in range(len(key.names), len(names)):
                same[at] = table.c[names[at]].is_not_distinct_from(stage.c[f"k{at}"])
            if "county_id" in table.c:
                same.append(table.c.county_id == self.county_id)
            if self.connection.dialect.name == "postgresql":
                query = query.with_for_update(of=table)
            for found in self.connection.execute(query.where(*same)):
                self._attach(key, wanted[found.n], found)

    def _key_column(self, name: str) -> str:
        field = self.entity.column(name).stored_as
        index = f"{field}_index"
        return index if index in self.entity.table.c else field

    def _key_reader(self, key: Key) -> Callable[[Row], tuple[Any, ...]]:
        """Return the function that gives a line's values of a key, as they are stored."""
        parts = [(name, self._key_column(name)) for name in (*key.names, *key.optional)]

        def value(row: Row, name: str, column: str) -> Any:
            if column in PLACE and self.is_placed:
                return row.place[PLACE.index(column)]
            held = row.values.get(name)
            return self.digest(held) if column in self.indexed else held

        return lambda row: tuple(value(row, name, column) for name, column in parts)

    def digest(self, text: str | None) -> str | None:
        """Return the blind index of a text, computed once."""
        try:
            return self._digests[text]
        except KeyError:
            found = self._digests[text] = blind_index(text)
            return found

    def _stored_columns(self) -> list[Any]:
        """Return what is compared and judged of a stored row; ciphertext stays sealed."""
        table = self.entity.table
        names = {*self.fields.values(), *EXTRAS}
        names |= {self._key_column(name) for key in self.entity.keys for name in key.names}
        names |= {f"{name}_index" for name in self.fields.values()}
        listed = [table.c[name] for name in sorted(names) if name in table.c]
        return [
            type_coerce(column, LargeBinary).label(column.name)
            if isinstance(column.type, Encrypted)
            else column
            for column in listed
        ]

    def _attach(self, key: Key, row: Row, found: Any) -> None:
        if key.is_weak and self._contradicts(row, found):
            return
        if row.stored is not None and row.stored.id != found.id:
            row.fail(key.names[0], _("Several stored rows fit this row."))
        row.stored, row.id = found, found.id

    def _contradicts(self, row: Row, found: Any) -> bool:
        """Return whether a stronger key says that the stored row is another one."""
        for key in self.entity.keys:
            if key.is_weak or not _has(key, row):
                continue
            held = [getattr(found, self._key_column(name)) for name in key.names]
            given = list(self._key_reader(key)(row)[: len(key.names)])
            if None not in held and held != given:
                return True
        return False

    def _place(self, row: Row) -> None:
        """Work out where a row belongs, and refuse what lies outside, as it was or will be."""
        if not self.is_placed or row.faults:
            return
        stored = row.stored
        old = _place_of(self.entity.model, stored) if stored is not None else None
        new = self._new_place(row, old)
        if new[1] is None and not self.entity.model.county_wide_rows:
            row.fail(self.entity.place[0] if self.entity.place else "", _("Say where it belongs."))
            return
        row.place = new
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

    def _new_rows(self, rows: Sequence[Row]) -> list[dict[str, Any]]:
        """Return the columns of new rows; all have the same."""
        table, fixed = self.entity.table, dict(self.entity.defaults)
        if not self.is_placed and "county_id" in table.c:
            fixed["county_id"] = self.county_id
        if self.has_backfill:
            fixed["is_backfilled"] = self.is_backfilled
        defaults = {field: _default(table, field) for field in self.fields.values()}
        defaults = {field: fixed.get(field, value) for field, value in defaults.items()}
        placed = [name for name in PLACE if name in table.c] if self.is_placed else []
        made = []
        for row in rows:
            values = {**fixed, **defaults}
            for name, field in self.fields.items():
                value = row.values.get(name)
                if value is not None:
                    values[field] = value
            for field in self.fields.values():
                index = f"{field}_index"
                if index in self.indexed:
                    values[index] = self.digest(values[field])
            for name in placed:
                values[name] = row.place[PLACE.index(name)]
            made.append(seal(self.sealed, values))
        return made

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
        fields += [index for name in fields if (index := f"{name}_index") in self.indexed]
        table = self.entity.table
        placed = [name for name in PLACE if name in table.c] if self.is_placed else []
        return list(dict.fromkeys([*fields, *placed]))

    def _given(self, row: Row) -> Iterator[tuple[str, Any]]:
        for name, field in self.fields.items():
            value = row.values.get(name)
            if value is None:
                continue
            yield field, value
            if f"{field}_index" in self.indexed:
                yield f"{field}_index", self.digest(value)
        if self.is_placed:
            for field, value in zip(PLACE, row.place, strict=True):
                if field in self._written and field not in self.fields.values():
                    yield field, value

    def _same(self, stored: Any, field: str, value: Any) -> bool:
        if field not in self.sealed:
            return bool(getattr(stored, field) == value)
        if f"{field}_index" in self.indexed:
            return bool(getattr(stored, f"{field}_index") == self.digest(value))
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


def _has(key: Key, row: Row) -> bool:
    held = row.values
    return None not in [held.get(name) for name in key.names]


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
        batch_id=writer.batch_id if writer else None,
        numbers=failed,
    )


def _log_foreign(entity: Entity, rows: Iterable[Row]) -> None:
    """Keep in the trail that a file reached for rows outside the scope."""
    numbers = [row.number for row in rows if row.stored is not None and row.faults and row.place[1]]
    if numbers:
        listed = ", ".join(str(number) for number in numbers[:20])
        audit.record("refuse", table=entity.table.name, note=f"import, rows {listed}")
