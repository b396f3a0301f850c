"""Write sheets with xlsxwriter; the same rows always give the same bytes, with no person's name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any, Final

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from app.workbook.sheet import Cell, Column, Sheet

NAME_LIMIT: Final = 31
FORBIDDEN: Final = re.compile(r"[\[\]:*?/\\\x00-\x1f]")
ILLEGAL_IN_XML: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
CELL_LIMIT: Final = 32_767
CREATED: Final = datetime(2024, 1, 1)  # noqa: DTZ001  # a fixed stamp: equal content, equal bytes
A4: Final = 9
FORMATS: Final = MappingProxyType(
    {"text": "@", "count": "#,##0", "decimal": "#,##0.0", "percent": "0.0%", "date": "yyyy-mm-dd"}
)
WIDTHS: Final = MappingProxyType(
    {"text": 22.0, "count": 11.0, "decimal": 11.0, "percent": 11.0, "date": 12.0}
)
OPTIONS: Final = MappingProxyType(
    {
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "remove_timezone": True,
    }
)
FONT: Final = MappingProxyType({"font_name": "宋体", "font_size": 10.5, "valign": "vcenter"})


def write(
    target: Path | IO[bytes],
    sheets: Iterable[Sheet],
    *,
    title: str = "",
    constant_memory: bool = False,
) -> None:
    """Write the sheets to a file; with `constant_memory` one row at a time is kept."""
    options = {**OPTIONS, "constant_memory": constant_memory, "in_memory": not constant_memory}
    with xlsxwriter.Workbook(target, options) as book:
        book.set_properties({"title": title, "created": CREATED})
        names: set[str] = set()
        for sheet in sheets:
            name = sheet_name(sheet.name, names)
            _Writer(book, book.add_worksheet(name), sheet).write()


def sheet_name(wanted: str, taken: set[str] | None = None) -> str:
    """Return a name that Excel allows: at most 31 characters, none forbidden, not taken."""
    taken = set() if taken is None else taken
    name = FORBIDDEN.sub(" ", legal(wanted)).strip().strip("'").strip() or "Sheet"
    if name.casefold() == "history":  # a name that Excel keeps for itself
        name += "_"
    chosen, number = _cut(name, NAME_LIMIT), 1
    while chosen.casefold() in taken:
        number += 1
        suffix = f" ({number})"
        chosen = _cut(name, NAME_LIMIT - len(suffix)) + suffix
    taken.add(chosen.casefold())
    return chosen


def _cut(text: str, limit: int) -> str:
    """Return the beginning of a text; Excel counts rare characters twice."""
    while len(text.encode("utf-16-le")) // 2 > limit:
        text = text[:-1]
    return text.strip().strip("'") or "Sheet"


class _Writer:
    """Write one sheet from top to bottom."""

    def __init__(self, book: xlsxwriter.Workbook, paper: Worksheet, sheet: Sheet) -> None:
        self.paper = paper
        self.sheet = sheet
        self.columns = sheet.columns
        self.last = max(len(sheet.columns) - 1, 0)
        self.row = 0
        self.totals: list[float | Decimal] = [0] * len(sheet.columns)
        head = {**FONT, "bold": True, "align": "center", "text_wrap": True}
        grid = {"border": 1, "border_color": "#7F7F7F"}
        self.title = book.add_format({**head, "font_size": 16})
        self.subtitle = book.add_format({**FONT, "align": "center", "font_color": "#404040"})
        self.head = book.add_format({**head, **grid, "bg_color": "#E7EEF7"})
        self.note = book.add_format({**FONT, "align": "left", "text_wrap": True})
        self.cells = [book.add_format(_style(column) | grid) for column in self.columns]
        self.sums = [
            book.add_format(_style(column) | grid | {"bold": True, "bg_color": "#F5F5F5"})
            for column in self.columns
        ]

    def write(self) -> None:
        """Write the head, the rows, the total and the note, then set up the print."""
        self._widths()
        self._titles()
        first_head = self.row
        self._heads()
        first, head_row = self.row, self.row - 1
        for values in self.sheet.rows:
            self._row(values, self.cells)
            self._add_up(values)
            self.row += 1
        last = self.row - 1
        if self.sheet.total_title:
            self._total()
        if self.sheet.note:
            self.row += 1
            self._across(self.sheet.note, self.note)
        self.paper.freeze_panes(first, self.sheet.frozen_columns)
        if self.columns:
            self.paper.autofilter(head_row, 0, max(last, head_row), self.last)
        self._print(first_head, head_row)

    def _widths(self) -> None:
        for index, column in enumerate(self.columns):
            self.paper.set_column(index, index, column.width or WIDTHS[column.kind])

    def _titles(self) -> None:
        self.paper.set_row(0, 30)
        self._across(self.sheet.head.title, self.title)
        if self.sheet.head.subtitle:
            self._across(self.sheet.head.subtitle, self.subtitle)

    def _across(self, text: str, style: Format) -> None:
        if self.last:
            self.paper.merge_range(self.row, 0, self.row, self.last, "", style)
        self.paper.write_string(self.row, 0, legal(text), style)
        self.row += 1

    def _heads(self) -> None:
        """Write the head; neighbouring columns of one group stand under a merged cell."""
        if any(column.group for column in self.columns):
            for start, end, group in _runs(self.columns):
                if end > start:
                    self.paper.merge_range(self.row, start, self.row, end, "", self.head)
                self.paper.write_string(self.row, start, legal(group), self.head)
            self.row += 1
        self.paper.set_row(self.row, 32)
        for index, column in enumerate(self.columns):
            self.paper.write_string(self.row, index, legal(column.title), self.head)
        self.row += 1

    def _row(self, values: Sequence[Cell], styles: Sequence[Format]) -> None:
        for index, value in enumerate(values):
            self._cell(index, value, styles[index])

    def _cell(self, index: int, value: Cell, style: Format) -> None:
        write_cell(self.paper, self.row, index, value, style)

    def _add_up(self, values: Sequence[Cell]) -> None:
        for index, column in enumerate(self.columns):
            value = values[index]
            if column.is_summed and isinstance(value, int | float | Decimal):
                self.totals[index] += value  # type: ignore[operator]  # a column holds one type

    def _total(self) -> None:
        values: list[Cell] = [
            total if column.is_summed else None
            for column, total in zip(self.columns, self.totals, strict=True)
        ]
        if values and not self.columns[0].is_summed:
            values[0] = self.sheet.total_title
        self._row(values, self.sums)
        self.row += 1

    def _print(self, first_head: int, last_head: int) -> None:
        paper = self.paper
        paper.set_paper(A4)
        paper.set_landscape()
        paper.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.6)
        paper.center_horizontally()
        paper.fit_to_pages(1, 0)
        paper.repeat_rows(first_head, last_head)
        paper.set_footer("&C— &P / &N —")


def write_cell(paper: Worksheet, row: int, index: int, value: Cell, style: Format) -> None:
    """Write a value by its type: text stays text whatever it begins with."""
    if value is None:
        paper.write_blank(row, index, None, style)
    elif isinstance(value, bool):
        paper.write_boolean(row, index, value, style)
    elif isinstance(value, int | float | Decimal):
        paper.write_number(row, index, value, style)
    elif isinstance(value, date):
        paper.write_datetime(row, index, value, style)
    else:
        paper.write_string(row, index, legal(str(value)), style)


def _style(column: Column) -> dict[str, Any]:
    is_number = column.kind in {"count", "decimal", "percent"}
    return {
        **FONT,
        "num_format": FORMATS[column.kind],
        "align": "right" if is_number else "left",
        "text_wrap": column.kind == "text",
    }


def _runs(columns: Sequence[Column]) -> Iterable[tuple[int, int, str]]:
    """Yield (first, last, group) of neighbouring columns; those without a group stand alone."""
    start = 0
    for index in range(1, len(columns) + 1):
        group = columns[start].group
        if index == len(columns) or not group or columns[index].group != group:
            yield start, index - 1, group
            start = index


def legal(text: str) -> str:
    """Return the text without what a workbook cannot hold."""
    return ILLEGAL_IN_XML.sub("", text)[:CELL_LIMIT]
