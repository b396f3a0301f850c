"""Find a part of a list: by number near its beginning, from row to row wherever it goes on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

from app.crud.links import beginning, this_page

END = "end"
BESIDE = 2
"""Numbered pages that are offered before and after the present one."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place between two rows of a list: after a row, before it, or before the list's end."""

    key: int | None
    is_after: bool = True


@dataclass(frozen=True, slots=True)
class Part:
    """What part of a list is asked for, in which order."""

    page: int
    page_size: int
    order_column: str
    order_direction: str
    cursor: Cursor | None = None

    @property
    def is_descending(self) -> bool:
        """Tell whether the last comes first."""
        return self.order_direction == "desc"

    @property
    def skipped(self) -> int:
        """Return how many rows lie before the part, if it is counted from the beginning."""
        return self.page * self.page_size


@dataclass(frozen=True, slots=True)
class Link:
    """A step to another page; without an address it cannot be taken."""

    text: str
    label: str
    href: str | None = None
    is_current: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """The rows of one part: their keys, what is shown of them, and how many there are in all."""

    part: Part
    count: int
    counted: int
    """Rows up to which the count is exact and pages are numbered."""
    keys: Sequence[Any]
    values: Sequence[dict[str, Any]]
    may_seek: bool
    """Whether the order leads on from a row, without counting those before it."""
    is_start: bool
    is_end: bool

    @property
    def is_counted(self) -> bool:
        """Tell whether the number of the page is known: nobody counts from a list's end."""
        return self.part.cursor is None or self.part.page > 0

    @property
    def pages(self) -> int:
        """Return how many pages have numbers that lead to them."""
        return -(-min(self.count, self.counted) // self.part.page_size)

    def links(self, name: str) -> list[Link]:
        """Return the ways to the other pages of a view's list; none where all is on one."""
        if self.is_start and self.is_end:
            return []
        return [
            Link("«", _("First page"), None if self.is_start else _to(name)),
            Link("‹", _("Previous page"), None if self.is_start else self._previous(name)),
            *self._numbered(name),
            Link("›", _("Next page"), None if self.is_end else self._next(name)),
            Link("»", _("Last page"), None if self.is_end else self._last(name)),
        ]

    def _numbered(self, name: str) -> Iterator[Link]:
        page = self.part.page
        near = range(max(0, page - BESIDE), min(self.pages, page + BESIDE + 1))
        for number in sorted({*near, page}) if self.is_counted else ():
            label = _("Page %(number)s", number=number + 1)
            is_current = number == page
            yield Link(
                str(number + 1), label, None if is_current else _to(name, number), is_current
            )

    def _previous(self, name: str) -> str:
        page = self.part.page - 1
        if self.is_counted and (page < self.pages or not self.may_seek):
            return _to(name, page)
        return _to(name, page, before=self.keys[0]) if self.keys else _to(name)

    def _next(self, name: str) -> str:
        page = self.part.page + 1
        if self.is_counted and (page < self.pages or not self.may_seek):
            return _to(name, page)
        return _to(name, page if self.is_counted else 0, after=self.keys[-1])

    def _last(self, name: str) -> str | None:
        if self.count <= self.counted:
            return _to(name, self.pages - 1)
        return _to(name, before=END) if self.may_seek else None


def _to(name: str, page: int = 0, **cursor: Any) -> str:
    """Return the address of a page: by its number, or beginning or ending at a row."""
    changes = {**beginning(name), f"page_{name}": page if page > 0 else None}
    changes.update((f"{side}_{name}", key) for side, key in cursor.items())
    return this_page(**changes)
