"""Report what became of a file: counts, faults, and a workbook of the lines that failed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO

from flask_babel import gettext as _

from app import workbook
from app.imports.entity import Entity, Fault
from app.imports.table import Table
from app.imports.value import Cell, text_of


@dataclass(frozen=True, slots=True)
class Result:
    """Say what became of the lines of a file; skipped lines are not failed ones."""

    total: int
    added: int = 0
    changed: int = 0
    skipped: int = 0
    """Lines that say what is stored already, and empty ones."""
    failed: int = 0
    faults: tuple[Fault, ...] = ()
    warnings: tuple[Fault, ...] = ()
    """What is unusual in lines that are stored all the same."""
    warned: int = 0
    """How many lines those are."""
    ignored: tuple[str, ...] = ()
    """Heads of columns that were not read."""
    batch_id: int | None = None
    numbers: frozenset[int] = field(default_factory=frozenset)
    """The rows that failed."""


def error_workbook(entity: Entity, table: Table, faults: Sequence[Fault]) -> bytes:
    """Return the failed lines as they were, with their row numbers, columns and reasons.

    Without its first three columns it is a file that can be imported again once it is mended.
    Lines with warnings, which are stored, stand on a sheet of their own.
    """
    failed = [fault for fault in faults if not fault.is_warning]
    warned = [fault for fault in faults if fault.is_warning]
    sheets = []
    if failed or not warned:
        sheets.append(
            _sheet(entity, table, failed, _("Failed rows"), _("Rows that were not imported"))
        )
    if warned:
        title = _("Rows that were imported and should be looked at")
        sheets.append(_sheet(entity, table, warned, _("Warnings"), title))
    target = BytesIO()
    workbook.write(target, sheets, title=str(entity.title))
    return target.getvalue()


def _sheet(
    entity: Entity, table: Table, faults: Sequence[Fault], name: str, title: str
) -> workbook.Sheet:
    by_number: dict[int, list[Fault]] = defaultdict(list)
    for fault in faults:
        by_number[fault.number].append(fault)
    heads = [head or f"({at + 1})" for at, head in enumerate(table.heads)]
    columns = [
        workbook.Column(_("Row"), "count", 7),
        workbook.Column(_("Column"), width=16),
        workbook.Column(_("Reason"), width=46),
        *(workbook.Column(head, width=18) for head in heads),
    ]
    rows = (
        _line(entity, number, by_number[number], cells, len(heads))
        for number, cells in zip(table.numbers, table.rows, strict=True)
        if number in by_number
    )
    head = workbook.Head(str(entity.title), title)
    return workbook.Sheet(name, head, columns, rows, frozen_columns=3)


def _line(
    entity: Entity, number: int, faults: Sequence[Fault], cells: Sequence[Cell], width: int
) -> list[int | str]:
    names = dict.fromkeys(header_of(entity, fault.column) for fault in faults)
    shown = [text_of(cells[at]) if at < len(cells) else "" for at in range(width)]
    reasons = "\n".join(dict.fromkeys(fault.message for fault in faults))
    return [number, "\n".join(names), reasons, *shown]


def header_of(entity: Entity, name: str) -> str:
    """Return the head of a column, or nothing for a fault of the whole line."""
    return next((str(one.header) for one in entity.columns if one.name == name), "")
