"""Look into a workbook before it is read: unpacked size, extent, macros, empty formulas."""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

from flask_babel import gettext as _

from app.base import Refused

UNPACKED_LIMIT = 256 * 1024 * 1024
PARTS_LIMIT = 2_000
ROWS_LIMIT = 200_000
COLUMNS_LIMIT = 300
CHUNK = 1 << 20
OVERLAP = 4096
LOCAL_HEADER = struct.Struct("<4s5HIIIHH")
STORED, DEFLATED = 0, 8
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
MACROS_IN_OLE = "_VBA_PROJECT".encode("utf-16-le")
FAR = re.compile(rb'r="(?:([A-Za-z]{2,})[0-9]+|[A-Za-z]?([0-9]{6,}))"')
"""References beyond column Z or row 99,999."""
ODD_MARKS = (b"'", b"\t", b"\n", b"\r", b"r =", b"r= ")
"""Hints at a reference that is written as no spreadsheet writes it: they cost a slower look."""
DECLARATION = 200
"""Bytes at the beginning of a part in which the XML declaration may break the line."""
ODD = re.compile(rb"""<(?:\w+:)?(?:c|row)\b[^>]*?\sr\s*=\s*["']([A-Za-z]*)([0-9]*)""")
REPEATED = re.compile(
    rb'<table:table-(cell|row)\b[^>]*number-(?:columns|rows)-repeated="(\d{4,})"[^>]*>'
)
FORMULA = re.compile(
    rb"""<c\b[^>]*?\br="([A-Z]+[0-9]+)"[^>]*>\s*<f\b(?:[^>]*/>|[^<]*</f>)\s*(?:<v\s*/>\s*)?</c>"""
)


@dataclass(frozen=True, slots=True)
class Content:
    """Tell what a look into the file found."""

    blank_formulas: tuple[str, ...] = ()
    """Cells with a formula that was never computed."""


def inspect(content: bytes) -> Content:
    """Refuse what is no table, holds macros or would unpack to more than a machine can hold."""
    if content.startswith(OLE):
        if MACROS_IN_OLE in content:
            raise Refused(_("The workbook holds macros. Save it as .xlsx and upload it again."))
        return Content()
    if content.startswith(b"PK"):
        return _inspect_zip(content)
    return Content()


def _inspect_zip(content: bytes) -> Content:
    try:
        with zipfile.ZipFile(BytesIO(content)) as package:
            parts = package.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        raise Refused(_("The file is damaged and cannot be read.")) from None
    if any(part.filename.lower().endswith("vbaproject.bin") for part in parts):
        raise Refused(_("The workbook holds macros. Save it as .xlsx and upload it again."))
    if len(parts) > PARTS_LIMIT or sum(part.file_size for part in parts) > UNPACKED_LIMIT:
        raise Refused(too_large())
    left, formulas = UNPACKED_LIMIT, []
    for part in parts:
        is_sheet = is_table = False
        for text in _unpacked(content, part, left):
            left -= len(text)
            is_sheet = is_sheet or b"sheetData" in text
            is_table = is_table or (not is_sheet and b"table:table" in text)
            if is_table:
                _judge_repeats(text)
            if not is_sheet:
                continue
            _judge_extent(text)
            if b"<f" in text:
                formulas += [name.decode() for name in FORMULA.findall(text)]
    return Content(tuple(dict.fromkeys(formulas)))


def too_large() -> str:
    """Return what is said of a file that unpacks to too much."""
    return _(
        "The file is too large: at most %(rows)s rows and %(columns)s columns.",
        rows=ROWS_LIMIT,
        columns=COLUMNS_LIMIT,
    )


def _unpacked(content: bytes, part: zipfile.ZipInfo, left: int) -> Iterator[bytes]:
    """Yield a part in pieces that overlap a little; the sizes in the directory may lie."""
    data = _packed(content, part)
    if part.compress_type == STORED:
        yield data
        return
    unpack = zlib.decompressobj(-15)
    total, tail = 0, b""
    try:
        while data:
            piece = unpack.decompress(data, CHUNK)
            data = unpack.unconsumed_tail
            total += len(piece)
            if total > left:
                raise Refused(too_large())
            yield tail + piece if tail else piece
            tail = piece[-OVERLAP:] if data else b""
    except zlib.error:
        raise Refused(_("The file is damaged and cannot be read.")) from None


def _packed(content: bytes, part: zipfile.ZipInfo) -> bytes:
    start = part.header_offset
    header = content[start : start + LOCAL_HEADER.size]
    if len(header) < LOCAL_HEADER.size or part.compress_type not in {STORED, DEFLATED}:
        raise Refused(_("The file is damaged and cannot be read."))
    *_rest, name_length, extra_length = LOCAL_HEADER.unpack(header)
    first = start + LOCAL_HEADER.size + name_length + extra_length
    return content[first : first + part.compress_size]


def _judge_extent(text: bytes) -> None:
    """Refuse a far corner: the reader would make every cell between it and the first."""
    far = set(FAR.findall(text))
    if any(text.find(mark, DECLARATION) >= 0 for mark in ODD_MARKS):
        far |= set(ODD.findall(text))
    for letters, number in far:
        if _column_number(letters) > COLUMNS_LIMIT or int(number or 0) > ROWS_LIMIT:
            raise Refused(too_large())


def _judge_repeats(text: bytes) -> None:
    """Refuse cells or rows of an OpenDocument sheet that repeat too often, and hold something."""
    for kind, number in REPEATED.findall(text):
        if int(number) > (COLUMNS_LIMIT if kind == b"cell" else ROWS_LIMIT) and _has_value(text):
            raise Refused(too_large())


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _has_value(text: bytes) -> bool:
    """Return whether a repeated cell of an OpenDocument sheet holds anything."""
    for match in REPEATED.finditer(text):
        kind, number = match.groups()
        if kind == b"cell" and b"value-type" in match.group() and int(number) > COLUMNS_LIMIT:
            return True
        following = text[match.end() : match.end() + 400].split(b"</table:table-row>")[0]
        if kind == b"row" and b"value-type" in following and int(number) > ROWS_LIMIT:
            return True
    return False
