"""Put texts of the data into the reader's language: the Chinese of TOML and the seed are msgids."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from flask import current_app
from flask_babel import force_locale, get_translations, gettext

WORDS: Final = {"words": True}
"""Marks a column, as its ``info``, whose text came from TOML or the seed and has translations."""
MOST_SAID: Final = 100
_says: dict[str, Callable[[str], Any]] = {}


def words(text: str | None) -> str:
    """Return a text of the data in the reader's language; as it stands where it has no other."""
    return gettext(text) if text else ""  # an empty msgid would bring the catalogue's header


def said_as(typed: str) -> list[str]:
    """Return texts of the data whose words in the reader's language hold what was typed."""
    catalogue = getattr(get_translations(), "_catalog", {})
    wanted = typed.lower()
    said = (text for text, word in catalogue.items() if text and wanted in str(word).lower())
    return [text for text in said if isinstance(text, str)][:MOST_SAID]


@contextmanager
def official_language() -> Iterator[None]:
    """Speak the product's own language: papers are written in it, whatever the reader's is."""
    with force_locale(current_app.config["BABEL_DEFAULT_LOCALE"]):
        yield


def declare(kind: str, say: Callable[[str], Any]) -> None:
    """Tell how stored keys of one kind are said, so that rows of lower layers can say them."""
    _says[kind] = say


def named(kind: str, key: str | None) -> str:
    """Return a stored key in words; the key itself where nothing says it."""
    said = _says[kind](key) if key and kind in _says else None
    return str(said or key or "")
