"""Put texts of the data into the reader's language: the Chinese of TOML and the seed are msgids."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from flask import current_app
from flask_babel import force_locale, gettext

WORDS: Final = {"words": True}
"""Marks a column, as its ``info``, whose text came from TOML or the seed and has translations."""
_titles: dict[str, Mapping[str, Any]] = {}


def words(text: str | None) -> str:
    """Return a text of the data in the reader's language; as it stands where it has no other."""
    return gettext(text) if text else ""  # an empty msgid would bring the catalogue's header


@contextmanager
def official_language() -> Iterator[None]:
    """Speak the product's own language: papers are written in it, whatever the reader's is."""
    with force_locale(current_app.config["BABEL_DEFAULT_LOCALE"]):
        yield


def declare(kind: str, titles: Mapping[str, Any]) -> None:
    """Name the stored keys of one kind, so that rows of lower layers can say them in words."""
    _titles[kind] = titles


def named(kind: str, key: str | None) -> str:
    """Return a stored key in words; the key itself where nothing names it."""
    return str(_titles.get(kind, {}).get(key, key)) if key else ""
