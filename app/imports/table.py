"""Read a sheet: find the table in .xlsx, .xls, .ods or .csv, within limits, by cells."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import python_calamine as calamine
from flask_babel import gettext as _

from app.base import Refused
from app.imports import package
from app.imports.value import Cell, text_of

HEAD_ROWS = 12
"""How far down the heads of the columns are looked for."""
HELP_MARK = "※"
"""Begins every cell of the template's row of explanations, which is no data."""
FORMULA_MARKS = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet read the text of a .csv as a formula."""
WORKBOOKS = (".xlsx", ".xls", ".ods")
MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}


@dataclass(frozen=True, slots=True)
class Sheet:
    """Hold the cells of one sheet, first row first."""

    name: str
    rows: Sequence[Sequence[Cell]]
    merged: tuple[tuple[tuple[int, int], tuple[int, int]], ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """Hold a table: its heads, its rows and where they stand in the file."""

    sheet: str
    heads: tuple[str, ...]
    head_number: int
    rows: list[Sequence[Cell]]
    numbers: Sequence[int]
    """The row numbers that the spreadsheet shows."""
    empty: int = 0
    blank_formulas: frozenset[str] = field(default_factory=frozenset)


def read(content: bytes, name: str) -> list[Sheet]:
    """Return the sheets of a file by its content; its name only tells text from workbooks."""
    if not content:
        raise Refused(_("The file is empty."))
    suffix = Path(name).suffix.lower()
    if content.startswith((b"PK", package.OLE)):
        return _workbook(content)
    if suffix in WORKBOOKS:
        raise Refused(_("The file is damaged and cannot be read."))
    return [Sheet(Path(name).stem, _lines(content))]


def _workbook(content: bytes) -> list[Sheet]:
    try:
        with calamine.load_workbook(io.BytesIO(content)) as book:
            return [_sheet(book, entry) for entry in book.sheets_metadata if _is_shown(entry)]
    except calamine.PasswordError:
        raise Refused(_("The workbook is locked by a password. Remove it first.")) from None
    except (calamine.CalamineError, OSError, ValueError, KeyError, IndexError):
        raise Refused(_("The file is damaged and cannot be read.")) from None
    except BaseException as error:
        # The reader is Rust: a broken file may end in a panic, which is no Exception.
        if type(error).__name__ != "PanicException":
            raise
        raise Refused(_("The file is damaged and cannot be read.")) from None


def _is_shown(entry: calamine.SheetMetadata) -> bool:
    is_table = entry.typ == calamine.SheetTypeEnum.WorkSheet
    return is_table and entry.visible == calamine.SheetVisibleEnum.Visible


def _sheet(book: calamine.CalamineWorkbook, entry: calamine.SheetMetadata) -> Sheet:
    sheet = book.get_sheet_by_name(entry.name)
    if sheet.total_height > package.ROWS_LIMIT or sheet.total_width > package.COLUMNS_LIMIT:
        raise Refused(package.too_large())
    rows: Sequence[Sequence[Cell]] = sheet.to_python(skip_empty_area=False)
    return Sheet(entry.name, rows, tuple(sheet.merged_cell_ranges or ()))


def _lines(content: bytes) -> list[list[Cell]]:
    text = _decoded(content)
    head = text.split("\n", 1)[0]
    delimiter = max("\t;,", key=head.count)
    if "\x00" in text:
        raise Refused(_("This is neither a workbook nor a text file."))
    rows: list[list[Cell]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            rows.append([_unquoted(cell) for cell in row])
            if len(rows) > package.ROWS_LIMIT + HEAD_ROWS or len(row) > package.COLUMNS_LIMIT:
                raise Refused(package.too_large())
    except csv.Error:
        raise Refused(_("The file is damaged and cannot be read.")) from None
    return rows


def _unquoted(cell: str) -> str:
    """Return a cell without the quote that keeps spreadsheets from taking it for a formula."""
    return cell[1:] if cell[:1] == "'" and cell[1:2] in FORMULA_MARKS else cell


def _decoded(content: bytes) -> str:
    for mark, encoding in MARKS.items():
        if content.startswith(mark):
            return content.decode(encoding, errors="replace")
    for encoding in ("utf-8", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Refused(_("This is neither a workbook nor a text file."))


def table_of(sheet: Sheet, head_at: int, blank_formulas: Sequence[str] = ()) -> Table:
    """Return the rows under the heads at an index; empty rows and explanations are left out."""
    heads = [text_of(cell) for cell in sheet.rows[head_at]]
    while heads and not heads[-1]:
        heads.pop()
    rows: list[Sequence[Cell]] = []
    numbers: list[int] = []
    empty = 0
    for number, row in enumerate(sheet.rows[head_at + 1 :], head_at + 2):
        first = row[0] if row and heads else None
        if first.__class__ is str and first and first[0] != HELP_MARK:  # as most rows begin
            rows.append(row)
            numbers.append(number)
        elif _is_empty(row[: len(heads)]):
            empty += 1
        elif not _is_help(row):
            rows.append(row)
            numbers.append(number)
    empty -= _trailing(sheet, head_at)
    return Table(
        sheet.name, tuple(heads), head_at + 1, rows, numbers, empty, frozenset(blank_formulas)
    )


def _trailing(sheet: Sheet, head_at: int) -> int:
    """Return how many empty rows follow the last filled one: nobody left them out."""
    count = 0
    for at in range(len(sheet.rows) - 1, head_at, -1):
        if not _is_empty(sheet.rows[at]):
            break
        count += 1
    return count


def _is_empty(row: Sequence[Cell]) -> bool:
    return all(cell is None or cell == "" for cell in row)


def _is_help(row: Sequence[Cell]) -> bool:
    first = next((cell for cell in row if cell is not None and cell != ""), None)
    if not isinstance(first, str) or not first.startswith(HELP_MARK):
        return False
    filled = (cell for cell in row if cell is not None and cell != "")
    return all(isinstance(cell, str) and cell.startswith(HELP_MARK) for cell in filled)


def cell_name(column: int, row: int) -> str:
    """Return the name of a cell as spreadsheets show it: column from 0, row from 1."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return f"{letters}{row}"
