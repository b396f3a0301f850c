"""Describe a sheet of a workbook: its title, its head, its columns and its rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

Cell = str | int | float | Decimal | bool | date | datetime | None
Kind = Literal["text", "count", "decimal", "percent", "date"]


@dataclass(frozen=True, slots=True)
class Column:
    """Describe one column; neighbours with the same `group` share a merged head."""

    title: str
    kind: Kind = "text"
    width: float | None = None
    group: str = ""
    is_summed: bool = False


@dataclass(frozen=True, slots=True)
class Head:
    """Hold the lines above the table: a title, and a smaller line under it."""

    title: str
    subtitle: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """Hold one sheet; the rows are read once, in order, and never kept."""

    name: str
    head: Head
    columns: Sequence[Column]
    rows: Iterable[Sequence[Cell]]
    total_title: str = ""
    """The words of the last row, which adds up the summed columns; none where empty."""
    note: str = ""
    """A line under the table."""
    frozen_columns: int = 1
