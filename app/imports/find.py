"""Find the stored rows of lines by their natural keys, all lines of a key at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Column as SqlColumn
from sqlalchemy import ColumnElement, Connection, LargeBinary, literal, or_, select, type_coerce

from app.base import TownshipScoped
from app.columns import Encrypted, blind_index, blind_indexes
from app.imports.entity import Entity, Key, Row
from app.imports.stage import staged

PLACE = ("county_id", "township_id", "school_id")
EXTRAS = ("id", "row_version", *PLACE)


class Finder:
    """Join the lines of one file with the rows that are stored."""

    def __init__(
        self, connection: Connection, entity: Entity, county_id: int, fields: Mapping[str, str]
    ) -> None:
        self.connection = connection
        self.entity = entity
        self.county_id = county_id
        self.fields = fields
        names = {column.name for column in entity.table.columns}
        self.indexed = {f"{name}_index" for name in names} & names
        self.is_placed = issubclass(entity.model, TownshipScoped)
        self._digests: dict[str | None, str | None] = {}

    def refuse_repeats(self, rows: Iterable[Row]) -> None:
        """Note lines that say of the same row what an earlier line says."""
        for key in self.entity.keys:
            if key.is_weak:
                continue
            seen: dict[tuple[Any, ...], int] = {}
            names, least = (*key.names, *key.optional), len(key.names)
            for row in rows:
                token = tuple(map(row.values.get, names))
                if None in token[:least]:
                    continue
                if key.choose is not None:
                    token += row.place
                first = seen.setdefault(token, row.number)
                if first != row.number and not row.faults:
                    row.fail(key.names[0], _("The row repeats row %(number)s.", number=first))

    def find(self, key: Key, rows: Sequence[Row]) -> None:
        """Find the stored rows of the lines that no stronger key has found."""
        has = _holding(key)
        left = [row for row in rows if row.stored is None and not row.faults and has(row.values)]
        wanted = self._borne(key, self._joinable(key, left))
        if not wanted:
            return
        table = self.entity.table
        columns = [SqlColumn("n", table.c.id.type)]
        names = [self._key_column(name) for name in (*key.names, *key.optional)]
        columns += [SqlColumn(f"k{at}", table.c[name].type) for at, name in enumerate(names)]
        values = [self._key_values(name, wanted) for name in (*key.names, *key.optional)]
        lines = zip(range(len(wanted)), *values, strict=True)
        with staged(self.connection, columns, lines) as stage:
            query = select(stage.c.n, *self._stored_columns())
            same = [table.c[name] == stage.c[f"k{at}"] for at, name in enumerate(names)]
            for at in range(len(key.names), len(names)):
                same[at] = table.c[names[at]].is_not_distinct_from(stage.c[f"k{at}"])
            if "county_id" in table.c:
                same.append(table.c.county_id == self.county_id)
            if self.connection.dialect.name == "postgresql":
                query = query.with_for_update(of=table)
            rows_found = self.connection.execute(query.where(*same))
            if key.choose is None:
                for found in rows_found:
                    self._attach(key, wanted[found.n], found)
                return
            many: dict[int, list[Any]] = defaultdict(list)
            for found in rows_found:
                many[found.n].append(found)
        self._choose(key, wanted, many)

    def _choose(self, key: Key, rows: Sequence[Row], many: Mapping[int, Sequence[Any]]) -> None:
        """Attach to each line the row that it means, of those that bear its key."""
        if key.choose is None or not many:
            return
        choose = key.choose(self.connection)
        for n, candidates in many.items():
            found = choose(rows[n], candidates)
            if found is not None:
                self._attach(key, rows[n], found)

    def _joinable(self, key: Key, rows: Sequence[Row]) -> Sequence[Row]:
        """Leave out the lines that no stored row can fit, asked of the table as a whole."""
        if not rows or not self._holds_any(self._columns(key, is_filled=True)):
            return ()
        for strong in self.entity.keys if key.is_weak else ():
            gaps = self._columns(strong, is_filled=False)
            if not strong.is_weak and not self._holds_any([or_(*gaps)]):
                # Every stored row has this key: a line that has it, too, was found or is new.
                has = _holding(strong)
                rows = [row for row in rows if not has(row.values)]
        return rows

    def _borne(self, key: Key, rows: Sequence[Row]) -> Sequence[Row]:
        """Leave out the lines whose key no stored row bears, where there are fewer rows than lines.

        To read the keys of a small table costs less than to bring a large file into the database.
        """
        if len(key.names) != 1 or not rows:
            return rows
        table = self.entity.table
        column = table.c[self._key_column(key.names[0])]
        query = select(column).where(column.is_not(None)).limit(len(rows) + 1)
        if "county_id" in table.c:
            query = query.where(table.c.county_id == self.county_id)
        held = set(self.connection.scalars(query))
        if len(held) > len(rows):
            return rows
        values = self._key_values(key.names[0], rows)
        return [row for row, value in zip(rows, values, strict=True) if value in held]

    def _columns(self, key: Key, *, is_filled: bool) -> list[ColumnElement[bool]]:
        """Return the conditions that a stored row has, or lacks, the columns of a key."""
        columns = [self.entity.table.c[self._key_column(name)] for name in key.names]
        return [one.is_not(None) if is_filled else one.is_(None) for one in columns]

    def _holds_any(self, conditions: Sequence[ColumnElement[bool]]) -> bool:
        table = self.entity.table
        query = select(literal(1)).select_from(table).where(*conditions).limit(1)
        if "county_id" in table.c:
            query = query.where(table.c.county_id == self.county_id)
        return self.connection.execute(query).first() is not None

    def _key_column(self, name: str) -> str:
        field = self.entity.column(name).stored_as
        index = f"{field}_index"
        return index if index in self.entity.table.c else field

    def _key_values(self, name: str, rows: Sequence[Row]) -> list[Any]:
        """Return the lines' values of one column of a key, as they are stored."""
        column = self._key_column(name)
        if self.is_placed and column in PLACE:
            at = PLACE.index(column)
            return [row.place[at] for row in rows]
        held = [row.values.get(name) for row in rows]
        if column not in self.indexed:
            return held
        digests = blind_indexes(held)
        self._digests.update(zip(held, digests, strict=True))
        return digests

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
            if key.is_weak or not _holding(key)(row.values):
                continue
            held = [getattr(found, self._key_column(name)) for name in key.names]
            given = [self._key_values(name, [row])[0] for name in key.names]
            if None not in held and held != given:
                return True
        return False


def _holding(key: Key) -> Callable[[Mapping[str, Any]], bool]:
    """Return what tells whether the values of a line fill a key."""
    if len(key.names) == 1:
        (name,) = key.names
        return lambda values: values.get(name) is not None
    return lambda values: None not in map(values.get, key.names)
