"""Store cells with several values: the grades of a class, the participants of a visit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _
from sqlalchemy import Column as SqlColumn
from sqlalchemy import Integer, select

from app.base import TownshipScoped
from app.imports.entity import Column, Items, Row
from app.imports.resolve import choose, find
from app.imports.stage import staged
from app.imports.store import Writer
from app.security.scope import table_of

if TYPE_CHECKING:
    from app.imports.load import Loader

PLACE = ("county_id", "township_id", "school_id")


@dataclass(frozen=True, slots=True)
class Difference:
    """What the items of one line lack and have too many."""

    row: Row
    missing: tuple[tuple[Any, ...], ...]
    surplus: tuple[Any, ...]
    """Stored rows that the cell no longer names."""


def _columns(loader: Loader) -> Iterator[tuple[Column, Items]]:
    for column in loader.entity.columns:
        if column.items is not None and column.name in loader.match.places:
            yield column, column.items


def resolve_items(loader: Loader, rows: Sequence[Row]) -> None:
    """Replace the names within the cells by keys, one look-up for each part of the items."""
    for column, items in _columns(loader):
        for at, part in enumerate(items.columns):
            if part.lookup is not None:
                _resolve_part(loader, column, at, part, rows)
        for row in rows:
            held = row.values.get(column.name)
            if held and any(item[0] is None for item in held) and not row.faults:
                row.fail(column.name, _("A value is empty."))


def _resolve_part(
    loader: Loader, column: Column, at: int, part: Column, rows: Sequence[Row]
) -> None:
    lookup, name = part.lookup, column.name
    assert lookup is not None
    said = {item[at] for row in rows for item in row.values.get(name) or () if item[at]}
    found = find(
        loader.connection, lookup, [(text,) for text in said], loader.scope, loader.county_id
    )
    for row in rows:
        held = []
        for item in row.values.get(name) or ():
            one = choose(found.get((item[at],), ()), row) if item[at] else None
            if item[at] and one is None:
                row.fail(name, _("“%(text)s” is not known.", text=str(item[at])[:60]))
            held.append((*item[:at], one.id if one else None, *item[at + 1 :]))
        if held:
            row.values[name] = tuple(dict.fromkeys(held))


def _differences(
    loader: Loader, column: Column, items: Items, rows: Sequence[Row]
) -> list[Difference]:
    given = [row for row in rows if row.values.get(column.name) is not None]
    stored = _stored(loader, items, [row.stored.id for row in given if row.stored is not None])
    differences = []
    for row in given:
        wanted = row.values[column.name]
        held = stored.get(row.stored.id, {}) if row.stored is not None else {}
        missing = tuple(item for item in wanted if item not in held)
        surplus = tuple(one for item, one in held.items() if item not in wanted)
        if missing or surplus:
            differences.append(Difference(row, missing, surplus))
    return differences


def _stored(
    loader: Loader, items: Items, parents: Sequence[int]
) -> dict[int, dict[tuple[Any, ...], Any]]:
    """Return the stored items by parent and by their parts."""
    table = table_of(items.model)
    by_parent: dict[int, dict[tuple[Any, ...], Any]] = defaultdict(dict)
    if not parents:
        return by_parent
    lines = ((key,) for key in parents)
    with staged(loader.connection, [SqlColumn("id", Integer)], lines) as stage:
        query = select(table).join(stage, table.c[items.parent] == stage.c.id)
        for one in loader.connection.execute(query):
            parts = tuple(getattr(one, part.stored_as) for part in items.columns)
            by_parent[getattr(one, items.parent)][parts] = one
    return by_parent


def changed_items(loader: Loader, rows: Sequence[Row]) -> set[int]:
    """Return the numbers of the rows whose items would change."""
    return {
        difference.row.number
        for column, items in _columns(loader)
        for difference in _differences(loader, column, items, rows)
    }


def store_items(loader: Loader, writer: Writer, rows: Sequence[Row]) -> set[int]:
    """Write what is missing, take away what is too much; return the rows that changed."""
    touched: set[int] = set()
    for column, items in _columns(loader):
        differences = _differences(loader, column, items, rows)
        touched |= {difference.row.number for difference in differences}
        _write(writer, items, differences)
    return touched


def _write(writer: Writer, items: Items, differences: Sequence[Difference]) -> None:
    table = table_of(items.model)
    gone = [
        (one.row.number, stored.id, {k: v for k, v in stored._mapping.items() if v is not None})
        for one in differences
        for stored in one.surplus
    ]
    writer.delete(items.model, gone)
    numbers, lines = [], []
    for difference in differences:
        for item in difference.missing:
            values = dict(items.defaults)
            values[items.parent] = difference.row.id
            values.update((p.stored_as, v) for p, v in zip(items.columns, item, strict=True))
            if issubclass(items.model, TownshipScoped):
                placed = zip(PLACE, difference.row.place, strict=True)
                values.update((n, v) for n, v in placed if n in table.c and n not in values)
            numbers.append(difference.row.number)
            lines.append(values)
    writer.insert(items.model, numbers, lines)
