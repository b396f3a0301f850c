"""Declare what can be imported and exported: an entity, its columns and its natural key."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as made
from datetime import date
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import Connection, Table
from sqlalchemy.orm import Session

if TYPE_CHECKING:
    from app.imports.store import Writer

Kind = Literal[
    "text", "name", "code", "id_number", "integer", "decimal", "date", "flag", "choice", "lookup",
    "items",
]  # fmt: skip
Place = tuple[int | None, int | None, int | None]
"""County, township and school of a row."""
Texts = Mapping[str, Any]
NO_TEXTS: Texts = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Lookup:
    """Say how a cell names a row of another model: by code, by name, by number.

    ``by`` holds the columns that are tried in turn; one that ends in ``_index`` is searched by its
    blind index. ``within`` narrows by other columns of the same line: (column of the model, name
    of the column of this entity). After a slash the cell may hold the ``qualifier``, which tells
    namesakes apart; of several the ``newest`` wins, by that column.
    """

    model: type[Any]
    by: tuple[str, ...] = ("code", "name")
    within: tuple[tuple[str, str], ...] = ()
    where: tuple[tuple[str, Any], ...] = ()
    qualifier: str = ""
    newest: str = ""


@dataclass(frozen=True, slots=True)
class Items:
    """Say what a cell with several values makes: rows of a second model, parted by 、 or ;.

    Each value has one part per column, parted by a slash: ``name/kind``.
    """

    model: type[Any]
    parent: str
    """The column of the second model that points back."""
    columns: tuple[Column, ...]
    defaults: Texts = made(default_factory=lambda: NO_TEXTS)


@dataclass(frozen=True, slots=True)
class Column:
    """Describe one column of the sheet: its words, its kind, and where its value goes."""

    name: str
    header: Any
    kind: Kind = "text"
    is_required: bool = False
    help: Any = ""
    aliases: tuple[str, ...] = ()
    choices: Texts | Callable[[], Texts] = made(default_factory=lambda: NO_TEXTS)
    """Words by key, of a ``choice``; a function where they depend on the plugins."""
    lookup: Lookup | None = None
    items: Items | None = None
    field: str = ""
    """The model's column; ``name``, or ``name_id`` for a lookup, where left out; ``-`` for none."""
    of: tuple[str, str] = ("", "")
    """For a column that is not stored: (lookup, column of the row that it names), for exports."""
    is_past: bool = False
    """Whether a day must not lie in the future."""

    @property
    def options(self) -> Texts:
        """Return the words of a choice by key."""
        return self.choices() if callable(self.choices) else self.choices

    @property
    def stored_as(self) -> str:
        """Return the model's column that takes the value; empty where none does."""
        if self.kind == "items" or self.field == "-":
            return ""
        return self.field or (f"{self.name}_id" if self.kind == "lookup" else self.name)


@dataclass(frozen=True, slots=True)
class Key:
    """Name the columns by which a line is found again.

    An optional column that is empty must be empty in the stored row too. A weak key never joins a
    row that a stronger key tells apart.
    """

    names: tuple[str, ...]
    optional: tuple[str, ...] = ()
    is_weak: bool = False
    choose: Chooser | None = None
    """Which of the rows that bear the key a line means; lines of several places may bear one key.
    """


@dataclass(frozen=True, slots=True)
class Fault:
    """Say what is wrong with a line: its number in the file, the column's name, the reason."""

    number: int
    column: str
    message: str
    is_warning: bool = False
    """Whether the line is stored all the same."""


@dataclass(slots=True)
class Row:
    """Hold one line on its way: what it says, what it means, what is wrong with it."""

    number: int
    values: dict[str, Any]
    """Values by column name; a lookup holds the key of its row once it is found."""
    faults: list[Fault] = made(default_factory=list)
    places: dict[str, Place] = made(default_factory=dict)
    """Where the rows lie that the line's lookups found."""
    place: Place = (None, None, None)
    late: dict[str, Row] | None = None
    """Lines of the same file that this one names and that have no key yet."""
    stored: Any = None
    """The row that the natural key found, with the model's columns as attributes."""
    others: Sequence[Any] = ()
    """Stored rows of other places that bear the line's key, where it is a row of its own."""
    warnings: list[Fault] = made(default_factory=list)
    id: int | None = None
    is_changed: bool = False

    def warn(self, column: str, message: str) -> None:
        """Note what is unusual; the line is stored all the same."""
        self.warnings.append(Fault(self.number, column, message, is_warning=True))

    def fail(self, column: str, message: str) -> None:
        """Note what is wrong; the line will not be stored."""
        self.faults.append(Fault(self.number, column, message))

    def get(self, name: str) -> Any:
        """Return the line's own value, or None."""
        return self.values.get(name)


Choose = Callable[[Row, Sequence[Any]], Any]
"""Return the stored row that a line means, of those that bear its key; None for a new one."""
Chooser = Callable[[Connection], Choose]
"""Read what choosing needs, once for a file, and return how to choose."""
Complete = Callable[[Row, date], None]
"""Complete a line from itself alone, and note what is wrong; gets today."""
Prepare = Callable[[Session, Sequence[Row]], None]
"""Fill in, for all lines together, what follows from the rows that they name."""
Check = Callable[[Session, Sequence[Row]], None]
"""Judge all good lines together with a constant number of statements, and note what is wrong."""
Stored = Callable[[Session, "Writer", Sequence[Row]], None]
"""Follow the lines that were stored; changes go through the writer, so that undo knows them."""
Undoing = Callable[[Session, Collection[int]], None]
"""Take away what hangs on rows that a batch added, before it is taken back; gets their keys."""


@dataclass(frozen=True, slots=True)
class Entity:
    """Declare one kind of row that can be imported and exported."""

    key: str
    title: Any
    model: type[Any]
    columns: tuple[Column, ...]
    keys: tuple[Key, ...]
    """Natural keys, the strongest first; the first whose columns are filled finds the row."""
    view: str = ""
    """The screen whose right is asked for in the browser; none: commands only."""
    right: str = "can_add"
    """The right on that screen which allows to import."""
    place: tuple[str, ...] = ()
    """Columns that tell where a new row belongs, the first filled one wins."""
    defaults: Texts = made(default_factory=lambda: NO_TEXTS)
    """Values of new rows by the model's column."""
    derived: tuple[str, ...] = ()
    """Columns that ``complete`` and ``prepare`` fill, whether the file has them or not."""
    only_adds: bool = False
    """Whether a stored row is never edited: a differing line fails."""
    complete: Complete | None = None
    prepare: Prepare | None = None
    check: Check | None = None
    stored: Stored | None = None
    undoing: Undoing | None = None

    @property
    def table(self) -> Table:
        """Return the table of the model."""
        table = self.model.__table__
        assert isinstance(table, Table)
        return table

    def column(self, name: str) -> Column:
        """Return a column by its name; raise KeyError where there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


def faults_of(rows: Iterable[Row]) -> list[Fault]:
    """Return all faults, in the order of the file."""
    return [fault for row in rows for fault in row.faults]


def warnings_of(rows: Iterable[Row]) -> list[Fault]:
    """Return what is unusual in lines that do not fail, in the order of the file."""
    return [warning for row in rows if not row.faults for warning in row.warnings]
