"""Read which comparisons there are, what the product can list by itself, and how lines close."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from flask_babel import lazy_gettext

FILE: Final = Path(__file__).with_name("comparisons.toml")
FROM_FILE: Final = "file"
"""The source of a side that was uploaded."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two lists of a comparison: its title, and where the product takes it from."""

    title: str
    own: str


@dataclass(frozen=True, slots=True)
class Method:
    """A comparison 比对 of two lists, and which children its outcome names."""

    key: str
    title: str
    left: Side
    right: Side
    lines: frozenset[str]


@dataclass(frozen=True, slots=True)
class OwnList:
    """The condition by which the product lists its own children."""

    key: str
    title: str
    statuses: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    registered: bool = False
    seated: bool = False
    school_age: bool = False


@dataclass(frozen=True, slots=True)
class Closure:
    """A code of closing 销号: which lines it may close, and what it asks for."""

    key: str
    title: str
    lines: frozenset[str]
    proof: bool = False
    sound: bool = False
    parts: bool = False


@cache
def methods() -> Mapping[str, Method]:
    """Return the comparisons by key."""
    return {one["key"]: _method(one) for one in _read()["comparison"]}


@cache
def own_lists() -> Mapping[str, OwnList]:
    """Return the product's own lists by key."""
    return {one["key"]: OwnList(**_frozen(one)) for one in _read()["own"]}


@cache
def closures() -> Mapping[str, Closure]:
    """Return the codes of closing by key."""
    found = (Closure(**{**one, "lines": frozenset(one["lines"])}) for one in _read()["closure"])
    return {one.key: one for one in found}


def titles(of: Mapping[str, Any]) -> dict[str, Any]:
    """Return the titles by key, in the reader's language when they are shown."""
    return {key: lazy_gettext(one.title) for key, one in of.items()}


def _method(given: Mapping[str, Any]) -> Method:
    sides = {name: Side(**given[name]) for name in ("left", "right")}
    return Method(given["key"], given["title"], **sides, lines=frozenset(given["lines"]))


def _frozen(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(v) if isinstance(v, list) else v for name, v in given.items()}


@cache
def _read() -> Mapping[str, Any]:
    return tomllib.loads(FILE.read_text(encoding="utf-8"))
