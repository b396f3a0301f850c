"""Read the cells of a table by the kinds of their columns; nothing is asked of the database."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from flask_babel import gettext as _

from app import clock
from app.imports.entity import Column, Entity, Row
from app.imports.mapping import Match, cells, other_words
from app.imports.table import Table, cell_name
from app.imports.value import Cell, Unreadable, plain, reader


def parse(entity: Entity, table: Table, match: Match) -> list[Row]:
    """Return the lines with their values, and what is wrong with each by itself."""
    rows = [Row(number, {}) for number in table.numbers]
    for column in entity.columns:
        if column.name in match.places:
            at = match.places[column.name]
            _take(column.name, rows, _values(entity, column, cells(table, at)))
            _refuse_formulas(column.name, rows, at, table.blank_formulas)
    _complete(entity, rows)
    return rows


def _values(entity: Entity, column: Column, held: Sequence[Cell]) -> Iterable[Any]:
    """Yield what the cells mean; equal cells are read once."""
    model = column.items.model if column.items and column.kind == "items" else entity.model
    read, words, today = reader(column, model), other_words(entity.key, column.name), clock.today()
    tokens: Sequence[Hashable] = held
    if any(kind is not str for kind in set(map(type, held))):
        # 1 and True are equal: only texts may stand for themselves.
        tokens = [cell if cell.__class__ is str else (cell.__class__, cell) for cell in held]
    known = {
        token: _read(read, column, _own(cell, words), today)
        for token, cell in dict(zip(tokens, held, strict=True)).items()
    }
    return map(known.__getitem__, tokens)


def _take(name: str, rows: Sequence[Row], values: Iterable[Any]) -> None:
    for row, value in zip(rows, values, strict=True):
        if value is None:
            continue
        if value.__class__ is Unreadable:
            row.fail(name, str(value))
        else:
            row.values[name] = value


def _refuse_formulas(
    name: str, rows: Iterable[Row], at: int, blank_formulas: frozenset[str]
) -> None:
    if not blank_formulas:
        return
    for row in rows:
        if cell_name(at, row.number) in blank_formulas:
            row.fail(name, _("The cell holds a formula without a value."))


def _complete(entity: Entity, rows: Iterable[Row]) -> None:
    """Complete each line from itself, then ask for what it must have."""
    today, complete = clock.today(), entity.complete
    required = [column.name for column in entity.columns if column.is_required]
    for row in rows:
        if complete is not None:
            complete(row, today)
        for name in required:
            if name not in row.values and all(fault.column != name for fault in row.faults):
                row.fail(name, _("This field is required."))


def _own(cell: Cell, words: Mapping[str, str]) -> Cell:
    """Return our own word for a cell that another system filled."""
    return words.get(plain(cell), cell) if words and isinstance(cell, str) else cell


def _read(read: Callable[[Cell], Any], column: Column, cell: Cell, today: date) -> Any:
    """Return the value of a cell, or the reason why there is none."""
    try:
        value = read(cell)
    except Unreadable as reason:
        return reason
    if column.is_past and value is not None and value > today:
        return Unreadable(_("This day lies in the future."))
    return value
