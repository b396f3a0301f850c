"""Write sheets that people fill in: heads, a row of help, drop-downs, and rows that read back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from app.workbook.sheet import Cell, Kind
from app.workbook.writer import CREATED, FONT, FORMATS, OPTIONS, legal, sheet_name, write_cell

REQUIRED: Final = "*"
FILLED_ROWS: Final = 5_000
"""How far down the drop-downs reach."""
LIST_LIMIT: Final = 250
"""Longer lists stand on a hidden sheet: Excel takes 255 characters in the cell's own rule."""


@dataclass(frozen=True, slots=True)
class Field:
    """Describe a column to be filled in."""

    title: str
    kind: Kind = "text"
    is_required: bool = False
    help: str = ""
    options: Sequence[str] = ()

    @property
    def width(self) -> float:
        """Return a width that shows the head."""
        return max(12.0, 2.2 * len(self.title) + 3)


def write_form(
    target: Path | IO[bytes],
    name: str,
    fields: Sequence[Field],
    rows: Iterable[Sequence[Cell]] = (),
    *,
    lists: str = "",
) -> None:
    """Write one sheet with its heads in the first row; `lists` names the hidden sheet."""
    options = {**OPTIONS, "constant_memory": True}
    with xlsxwriter.Workbook(target, options) as book:
        book.set_properties({"title": name, "created": CREATED})
        paper = book.add_worksheet(sheet_name(name))
        hidden = book.add_worksheet(sheet_name(lists or "Lists"))
        hidden.hide()
        _offer(paper, hidden, fields, 2 if any(one.help for one in fields) else 1)
        _fill(book, paper, fields, rows)


def _fill(
    book: xlsxwriter.Workbook,
    paper: Worksheet,
    fields: Sequence[Field],
    rows: Iterable[Sequence[Cell]],
) -> None:
    bold = {**FONT, "bold": True, "align": "center", "border": 1, "text_wrap": True}
    plain = book.add_format({**bold, "bg_color": "#E7EEF7"})
    needed = book.add_format({**bold, "bg_color": "#FBE5D6"})
    for at, one in enumerate(fields):
        style = book.add_format({**FONT, "num_format": FORMATS[one.kind]})
        paper.set_column(at, at, one.width, style)
    for at, one in enumerate(fields):
        title = f"{one.title}{REQUIRED if one.is_required else ''}"
        paper.write_string(0, at, legal(title), needed if one.is_required else plain)
    row = 1
    if any(one.help for one in fields):
        grey = book.add_format({**FONT, "font_color": "#595959", "text_wrap": True})
        for at, one in enumerate(fields):
            if one.help:
                paper.write_string(1, at, legal(one.help), grey)
        row = 2
    paper.freeze_panes(row, 1)
    styles = {kind: book.add_format({**FONT, "num_format": text}) for kind, text in FORMATS.items()}
    for values in rows:
        for at, value in enumerate(values):
            if value is not None:
                write_cell(paper, row, at, value, styles[fields[at].kind])
        row += 1


def _offer(
    paper: Worksheet,
    hidden: Worksheet,
    fields: Sequence[Field],
    first: int,
) -> None:
    """Give the columns with a known set of words their drop-downs."""
    long = [(at, one) for at, one in enumerate(fields) if _is_long(one)]
    depth = max((len(one.options) for _at, one in long), default=0)
    for row in range(depth):
        for column, (_at, one) in enumerate(long):
            if row < len(one.options):
                hidden.write_string(row, column, legal(one.options[row]))
    place = {at: column for column, (at, _one) in enumerate(long)}
    for at, one in enumerate(fields):
        if not one.options:
            continue
        source: Any = list(one.options)
        if at in place:
            letter = xlsxwriter.utility.xl_col_to_name(place[at])
            source = f"='{hidden.get_name()}'!${letter}$1:${letter}${len(one.options)}"
        rule = {"validate": "list", "source": source, "error_type": "warning"}
        paper.data_validation(first, at, FILLED_ROWS, at, rule)


def _is_long(one: Field) -> bool:
    return len(",".join(one.options)) > LIST_LIMIT or any("," in text for text in one.options)
