"""Describe ledgers 台账: which there are, what opens an entry, who confirms it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Literal

from flask_babel import lazy_gettext as _l
from sqlalchemy import Select
from sqlalchemy.orm import Session

from app.base import registry
from app.models import LedgerEntry
from app.parameters.settings import Settings
from app.parameters.window import Window

OPENING_COLUMNS: Final = ("child_id", "since", "observed")
"""What an opening's select returns, in this order."""
Level = Literal["school", "township", "county"]
LEVEL_TITLES: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "school": _l("The school"),
        "township": _l("The township"),
        "county": _l("The education bureau"),
    }
)
OpeningSelect = Callable[[Window, Settings], Select[Any]]
ClosingCheck = Callable[[Session, LedgerEntry, str], str | None]
NO_CATEGORIES: Final[Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Opening:
    """Open entries in a ledger, named by its key, for the children that a select returns.

    `key` is `<plugin>.<noun_phrase>`. `select(window, settings)` returns `child_id`, `since` (the
    first day of what it rests on) and `observed`, at most one row a child; `window` holds the
    judging day alone. `message` is a template over `%(observed)s` and `%(since)s`.
    """

    ledger: str
    key: str
    select: OpeningSelect
    message: Any
    category: str = ""

    @property
    def plugin(self) -> str:
        """Return the name of the plugin that brings the opening."""
        return self.key.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Ledger:
    """Describe one ledger and its categories; what opens entries in it names it by key.

    Where `levels` are named, an entry waits until each of them has confirmed it, in this order;
    with the last one the child takes the steps of `statuses` that it has not taken yet.
    `closing(session, entry, reason)` returns why an entry cannot be closed today for a reason (the
    key of its code), or nothing. `advice` is shown to those who confirm.
    """

    key: str
    title: Any
    order: int
    categories: Mapping[str, Any] = field(default_factory=lambda: NO_CATEGORIES)
    levels: Sequence[Level] = ()
    statuses: Sequence[str] = ()
    closing: ClosingCheck | None = None
    advice: Any = ""


def ledgers() -> Sequence[Ledger]:
    """Return the ledgers of the active plugins, in order."""
    return sorted(registry.ledgers(), key=lambda ledger: (ledger.order, ledger.key))


def find_ledger(key: str) -> Ledger | None:
    """Return the ledger of a key, or None where its plugin is gone."""
    return next((ledger for ledger in registry.ledgers() if ledger.key == key), None)


def find_opening(key: str | None) -> Opening | None:
    """Return the opening of a key, or None where its plugin is gone."""
    return next((opening for opening in registry.openings() if opening.key == key), None)


class LedgerTitles(Mapping[str, Any]):
    """Name the ledgers that serve, as a screen asks for them."""

    def __getitem__(self, key: str) -> Any:
        """Return the title of a ledger."""
        ledger = find_ledger(key)
        if ledger is None:
            raise KeyError(key)
        return ledger.title

    def __iter__(self) -> Iterator[str]:
        """Yield the keys in the order of the menu."""
        return (ledger.key for ledger in ledgers())

    def __len__(self) -> int:
        """Return how many ledgers there are."""
        return len(registry.ledgers())


def category_title(entry: LedgerEntry) -> str:
    """Return an entry's category in words; the key where nothing names it."""
    ledger = find_ledger(entry.ledger)
    named = ledger.categories.get(entry.category) if ledger is not None else None
    return str(named or entry.category)


def ledger_words(entry: LedgerEntry) -> tuple[str, str]:
    """Return an entry's ledger with its category, and what it rests on, in words."""
    ledger, category = find_ledger(entry.ledger), category_title(entry)
    title = str(ledger.title) if ledger is not None else entry.ledger
    return (f"{title} · {category}" if category else title), basis_of(entry) or (entry.note or "")


def basis_of(entry: LedgerEntry) -> str:
    """Return in words what opened an entry; nothing where a person did."""
    opening = find_opening(entry.source)
    if opening is None:
        return entry.source or ""
    facts = {"observed": entry.observed or "-", "since": entry.since.isoformat()}
    return str(opening.message) % facts
