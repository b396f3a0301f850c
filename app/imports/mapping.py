"""Match the heads of a file with the columns of an entity, whatever marks and hints they carry."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from operator import itemgetter
from pathlib import Path
from types import MappingProxyType
from typing import Any

from flask_babel import gettext as _

from app.base import Refused
from app.imports.entity import Entity
from app.imports.table import HEAD_ROWS, Sheet, Table, cell_name, table_of
from app.imports.value import Cell, plain, text_of, words_of

MARKS = re.compile(r"[*★＊※☆:：]")
HINT = re.compile(r"[(（\[【].*?[)）\]】]")
NOTHING: Mapping[str, str] = MappingProxyType({})
HEADERS = Path(__file__).parent / "headers.toml"


@dataclass(frozen=True, slots=True)
class Match:
    """Say which column of the file, from 0, holds which column of the entity."""

    places: Mapping[str, int]

    def unmapped(self, table: Table) -> list[str]:
        """Return the heads of the file that are not read."""
        taken = set(self.places.values())
        return [head for at, head in enumerate(table.heads) if head and at not in taken]


@cache
def _other_heads() -> Mapping[str, Mapping[str, Any]]:
    """Return the heads that other systems use, by entity and column."""
    return tomllib.loads(HEADERS.read_text(encoding="utf-8"))


@cache
def other_words(entity: str, column: str) -> Mapping[str, str]:
    """Return what other systems write in a column, for comparison, with our own key for it."""
    known = _other_heads().get("words", {}).get(f"{entity}.{column}", {})
    return {plain(word): key for key, words in known.items() for word in words}


def bare(head: str) -> str:
    """Return a head without marks and spaces, for comparison."""
    return plain(MARKS.sub("", head))


def known_heads(entity: Entity) -> dict[str, str]:
    """Return the column names by bare head; our own words win over those of other systems."""
    others = _other_heads().get(entity.key, {})
    known: dict[str, str] = {}
    for column in entity.columns:
        for word in words_of(column.header):
            known.setdefault(bare(word), column.name)
    for column in entity.columns:
        for word in (*column.aliases, *others.get(column.name, ())):
            known.setdefault(bare(word), column.name)
    return known


def match(entity: Entity, heads: Sequence[str], remembered: Mapping[str, str] = NOTHING) -> Match:
    """Match heads with columns: what was chosen for this source before, then what is known."""
    known = known_heads(entity)
    names = {column.name for column in entity.columns}
    places: dict[str, int] = {}
    for at, head in enumerate(heads):
        chosen = remembered.get(bare(head))
        name = chosen if chosen is not None else _named(known, head)
        if name in names and name not in places:
            places[name] = at
    return Match(places)


def _named(known: Mapping[str, str], head: str) -> str | None:
    whole = bare(head)
    return known.get(whole) or known.get(bare(HINT.sub("", head)))


def find_table(
    entity: Entity, sheets: Iterable[Sheet], *, sheet: str = "", blank_formulas: Sequence[str] = ()
) -> Table:
    """Return the table whose heads fit the entity best; refuse the file where none fits."""
    known = known_heads(entity)
    best: tuple[int, Sheet, int] | None = None
    seen = []
    for one in sheets:
        seen.append(one.name)
        if sheet and one.name != sheet:
            continue
        for at, row in enumerate(one.rows[:HEAD_ROWS]):
            fits = len({_named(known, text_of(cell)) for cell in row if cell} - {None})
            if fits and (best is None or fits > best[0]):
                best = (fits, one, at)
    if best is None:
        raise Refused(_no_table(entity, seen))
    _count, chosen, at = best
    _refuse_merged(chosen, at)
    return table_of(chosen, at, blank_formulas)


def _no_table(entity: Entity, seen: Sequence[str]) -> str:
    needed = _(", ").join(str(column.header) for column in entity.columns if column.is_required)
    return _(
        "No sheet has the columns of “%(title)s”. Needed: %(needed)s. Sheets: %(sheets)s.",
        title=entity.title,
        needed=needed,
        sheets=_(", ").join(seen) or "—",
    )


def _refuse_merged(sheet: Sheet, at: int) -> None:
    """Refuse a head that spans columns: nobody can tell which of them it names."""
    for (top, left), (bottom, right) in sheet.merged:
        if top <= at <= bottom and right > left:
            raise Refused(
                _(
                    "Row %(row)s, cells %(first)s to %(last)s are merged. Give every column a "
                    "head of its own.",
                    row=at + 1,
                    first=cell_name(left, top + 1),
                    last=cell_name(right, bottom + 1),
                )
            )


def check_mapping(entity: Entity, table: Table, mapping: Match) -> None:
    """Refuse a file without the columns that every line needs."""
    missing = [
        str(column.header)
        for column in entity.columns
        if column.is_required and column.name not in mapping.places
    ]
    if missing:
        raise Refused(
            _(
                "Row %(row)s of sheet “%(sheet)s” lacks the columns: %(columns)s.",
                row=table.head_number,
                sheet=table.sheet,
                columns=_(", ").join(missing),
            )
        )
    twice = [head for at, head in enumerate(table.heads) if head and head in table.heads[:at]]
    used = {table.heads[at] for at in mapping.places.values()}
    if any(head in used for head in twice):
        raise Refused(
            _(
                "Row %(row)s has the head “%(head)s” twice.",
                row=table.head_number,
                head=next(head for head in twice if head in used),
            )
        )


def cells(table: Table, at: int) -> list[Cell]:
    """Return the cells of one column of a table; lines of a text may be short."""
    try:
        return list(map(itemgetter(at), table.rows))
    except IndexError:
        return [row[at] if at < len(row) else None for row in table.rows]
