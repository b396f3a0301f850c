"""Read cells by the kind of their column, and write values back as cells."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from operator import getitem
from typing import Any

from flask import current_app
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import Integer, String

from app.imports.entity import Column

Cell = str | int | float | bool | date | datetime | time | timedelta | None
LARGEST_EXACT = 1e15
"""Spreadsheets keep 15 digits of a number: a longer one has lost its last digits."""
LARGEST_INTEGER = 2**31 - 1
BREAKS = re.compile(r"[、;；\n]+|(?<!\d),|，")
CJK = re.compile(r"[\u3400-\u9fff]")
NOT_PRINTED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ufeff\u200b-\u200f\u2028-\u202e]")
DAY = re.compile(r"(\d{4})\D{0,2}(\d{1,2})\D{0,2}(\d{1,2})\D?")
DIGITS = re.compile(r"\d{8}")
SCIENTIFIC = re.compile(r"\d(\.\d+)?E\+\d+", re.IGNORECASE)
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECK_DIGITS = "10X98765432"
WEIGHED = tuple({str(digit): digit * weight for digit in range(10)} for weight in WEIGHTS)
"""What each digit of a number adds to the sum of its check, by place."""
EARLIEST, LATEST = 1900, 2199


class Unreadable(Exception):
    """Say with a translated message why a cell cannot be read."""


def plain(text: str) -> str:
    """Return a text for comparison: half width, without spaces and marks, lower case."""
    return "".join(unicodedata.normalize("NFKC", text).split()).casefold()


def text_of(cell: Cell) -> str:
    """Return a cell as the text that a person sees, without stray characters at its ends."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell.strip() if cell.isprintable() else NOT_PRINTED.sub("", cell).strip()
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < LARGEST_EXACT:
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(" ")
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def person_name(text: str) -> str:
    """Return a name without the spaces that lists put between its characters."""
    return "".join(text.split()) if CJK.search(text) else " ".join(text.split())


def words_of(text: Any) -> set[str]:
    """Return what a lazy text may look like in a file: in every language of the product."""
    words = {str(text)}
    if getattr(text, "_args", None):
        words.add(str(text._args[0]))  # the English source of a lazy translation
    with force_locale(current_app.config["BABEL_DEFAULT_LOCALE"]):
        words.add(str(text))
    return {word for word in words if word}


def reader(column: Column, model: type[Any]) -> Callable[[Cell], Any]:
    """Return the function that reads the cells of a column; empty cells give None."""
    read = _READERS[column.kind](column)
    limit = _limit(column, model)

    def one(cell: Cell) -> Any:
        # Most cells are texts that print.
        text = cell.strip() if isinstance(cell, str) and cell.isprintable() else text_of(cell)
        if not text:
            return None
        value = read(cell, text)
        if limit is not None and isinstance(value, str) and len(value) > limit:
            raise Unreadable(_("The text is longer than %(limit)s characters.", limit=limit))
        return value

    return one


def _limit(column: Column, model: type[Any]) -> int | None:
    kind = model.__table__.c[column.stored_as].type if column.stored_as else None
    return kind.length if isinstance(kind, String) else None


Read = Callable[[Cell, str], Any]


def _text(_column: Column) -> Read:
    return lambda _cell, text: text


def _name(_column: Column) -> Read:
    return lambda _cell, text: person_name(text)


def _code(_column: Column) -> Read:
    def read(cell: Cell, text: str) -> str:
        if _is_plain(cell, text):
            return text
        _refuse_rounded(cell, text)
        return "".join(unicodedata.normalize("NFKC", text).split())

    return read


def _is_plain(cell: Cell, text: str) -> bool:
    """Tell whether a number needs no look: a text of nothing but digits and Latin letters."""
    return cell.__class__ is str and text.isascii() and text.isalnum()


def _refuse_rounded(cell: Cell, text: str) -> None:
    """Refuse a long number that the spreadsheet kept as a number: its last digits are gone."""
    is_number = isinstance(cell, (int, float)) and not isinstance(cell, bool)
    if (is_number and abs(cell) >= LARGEST_EXACT) or SCIENTIFIC.fullmatch(text):  # type: ignore[arg-type,operator]  # a number
        raise Unreadable(
            _(
                "The number was kept as a number and has lost its last digits. Format the column "
                "as text and enter it again."
            )
        )


def _id_number(_column: Column) -> Read:
    def read(cell: Cell, text: str) -> str:
        if _is_plain(cell, text):
            return text.upper()
        _refuse_rounded(cell, text)
        return "".join(unicodedata.normalize("NFKC", text).split()).upper().lstrip("'")

    return read


def number_is_sound(number: str) -> bool:
    """Return whether an identity number has its form, a real day of birth and the check digit."""
    if len(number) != 18:
        return False
    try:
        total = sum(map(getitem, WEIGHED, number))
    except KeyError:  # no digit
        return False
    return CHECK_DIGITS[total % 11] == number[17] and birth_of(number) is not None


def birth_of(number: str) -> date | None:
    """Return the day of birth in an identity number; None where there is no such day."""
    return _day_in(number[6:14])


@lru_cache(maxsize=16_384)
def _day_in(digits: str) -> date | None:
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None


def _integer(_column: Column) -> Read:
    def read(cell: Cell, text: str) -> int:
        compact = "".join(unicodedata.normalize("NFKC", text).split())
        if isinstance(cell, bool) or not re.fullmatch(r"[+-]?\d{1,10}", compact):
            raise Unreadable(_("Enter a whole number."))
        if abs(int(compact)) > LARGEST_INTEGER:
            raise Unreadable(_("The number is too large."))
        return int(compact)

    return read


def _decimal(_column: Column) -> Read:
    def read(cell: Cell, text: str) -> Decimal:
        try:
            value = Decimal("".join(unicodedata.normalize("NFKC", text).split()))
        except InvalidOperation:
            raise Unreadable(_("Enter a number.")) from None
        if isinstance(cell, bool) or not value.is_finite() or abs(value) >= 10**9:
            raise Unreadable(_("Enter a number."))
        return value

    return read


def _date(_column: Column) -> Read:
    return day_of


def day_of(cell: Cell, text: str) -> date:
    """Return the day that a cell means: a date, 20260304, 2026-3-4, 2026/3/4."""
    if isinstance(cell, datetime):
        found: date | None = cell.date()
    elif isinstance(cell, date):
        found = cell
    else:
        found = _written_day("".join(unicodedata.normalize("NFKC", text).split()))
    if found is None or not EARLIEST <= found.year <= LATEST:
        raise Unreadable(_("This is not a day; write it as 20260304 or 2026-03-04."))
    return found


def _written_day(text: str) -> date | None:
    text = re.sub(r"[T ]?00:00(:00)?$", "", text)
    match = DAY.fullmatch(text)
    if match is None or (text.isdecimal() and not DIGITS.fullmatch(text)):
        return None
    try:
        return date(*(int(part) for part in match.groups()))
    except ValueError:
        return None


def _flag(_column: Column) -> Read:
    from flask_babel import lazy_gettext as _l

    yes = {plain(word) for word in (*words_of(_l("Yes")), "1", "true", "y", "√", "✓")}
    no = {plain(word) for word in (*words_of(_l("No")), "0", "false", "n", "×")}

    def read(_cell: Cell, text: str) -> bool:
        word = plain(text)
        if word in yes or word in no:
            return word in yes
        raise Unreadable(_("Write %(yes)s or %(no)s.", yes=_("Yes"), no=_("No")))

    return read


def _choice(column: Column) -> Read:
    options = column.options
    known = {plain(word): key for key, title in options.items() for word in (key, *words_of(title))}

    def read(_cell: Cell, text: str) -> str:
        key = known.get(plain(text))
        if key is None:
            offered = _(", ").join(str(title) for title in options.values())
            raise Unreadable(_("This is none of: %(offered)s", offered=offered))
        return key

    return read


def _lookup(_column: Column) -> Read:
    def read(cell: Cell, text: str) -> str:
        _refuse_rounded(cell, text)
        return "".join(text.split())

    return read


def _items(column: Column) -> Read:
    assert column.items is not None
    readers = [reader(part, column.items.model) for part in column.items.columns]

    def read(_cell: Cell, text: str) -> tuple[tuple[Any, ...], ...]:
        return tuple(_item(piece, readers) for piece in BREAKS.split(text) if piece.strip())

    return read


def _item(piece: str, readers: Sequence[Callable[[Cell], Any]]) -> tuple[Any, ...]:
    parts = [part.strip() for part in piece.split("/")]
    if len(parts) > len(readers):
        raise Unreadable(_("“%(piece)s” has too many parts.", piece=piece.strip()))
    parts += [""] * (len(readers) - len(parts))
    return tuple(read(part) for read, part in zip(readers, parts, strict=True))


_READERS: dict[str, Callable[[Column], Read]] = {
    "text": _text,
    "name": _name,
    "code": _code,
    "id_number": _id_number,
    "integer": _integer,
    "decimal": _decimal,
    "date": _date,
    "flag": _flag,
    "choice": _choice,
    "lookup": _lookup,
    "items": _items,
}


def written(column: Column, value: Any) -> Cell | Decimal:
    """Return a stored value as the cell that reads back as the same value."""
    if value is None:
        return None
    if column.kind == "flag":
        return _("Yes") if value else _("No")
    if column.kind == "choice":
        return str(column.options.get(value, value))
    if column.kind in {"integer", "date", "decimal"}:
        return value
    return str(value)


def is_number(column: Column, model: type[Any]) -> bool:
    """Return whether a column's cells are numbers in a workbook."""
    if not column.stored_as or column.kind == "lookup":
        return False
    return isinstance(model.__table__.c[column.stored_as].type, Integer)
