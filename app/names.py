"""Index the keys under which names are found: two typed characters are one look-up.

PostgreSQL holds the pairs of a key in a GIN index, SQLite in a full-text table that triggers fill,
so that no way of writing a row misses it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Connection, Text, and_, column, func, select, table, text
from sqlalchemy.dialects.postgresql import ARRAY

from app.pinyin import SEPARATOR, pairs

INDEXED = ("child", "person")
"""The tables that hold many names."""
TRIGGERS = ("added", "removed", "changed")


def wanted(typed: str) -> str:
    """Return what is looked for in the keys: lower case, without blanks."""
    return "".join(typed.lower().split())


def holds(model: type[Any], typed: str, dialect: str) -> ColumnElement[bool]:
    """Return the condition that the key of a row holds what was typed."""
    looked_for = wanted(typed)
    compared: ColumnElement[bool] = model.search_key.contains(looked_for, autoescape=True)
    entries = _telling(pairs(looked_for))
    if model.__tablename__ not in INDEXED or not entries:
        return compared
    found = {"postgresql": _in_gin, "sqlite": _in_full_text}[dialect](model, entries)
    # Compared even where the index has said all: only of texts does PostgreSQL guess how rare they
    # are. Else it walks a whole province in the order of the list for a few rare names.
    return and_(found, compared)


def _telling(entries: list[str]) -> list[str]:
    """Return the entries that tell most: pairs, and single characters where there is no pair."""
    two = [entry for entry in entries if len(entry) > 1]
    return sorted(set(two or entries))


def _in_gin(model: type[Any], entries: list[str]) -> ColumnElement[bool]:
    # The separator is written out: with a parameter in it, the expression is not the index's.
    held = func.string_to_array(model.search_key, text(f"'{SEPARATOR}'"), type_=ARRAY(Text))
    return held.contains(entries)


def _in_full_text(model: type[Any], entries: list[str]) -> ColumnElement[bool]:
    name = index_of(model.__tablename__)
    index = table(name, column("rowid"), column(name))
    query = " AND ".join(f'"{entry}"' for entry in entries)
    matching = select(index.c.rowid).where(index.c[name].op("MATCH")(query))
    condition: ColumnElement[bool] = model.id.in_(matching)
    return condition


def index_of(name: str) -> str:
    """Return what the index of a table's names is called."""
    return f"ix_{name}_names"


def build(connection: Connection) -> None:
    """Make the indexes, filled from the rows that there are."""
    make = {"postgresql": _gin, "sqlite": _full_text}[connection.dialect.name]
    for name in INDEXED:
        for statement in make(name):
            connection.exec_driver_sql(statement)


def remove(connection: Connection) -> None:
    """Take the indexes away."""
    for name in INDEXED:
        for statement in _removal(name, connection.dialect.name):
            connection.exec_driver_sql(statement)


def _removal(name: str, dialect: str) -> Iterator[str]:
    if dialect == "postgresql":
        yield f"DROP INDEX IF EXISTS {index_of(name)}"
        return
    for trigger in TRIGGERS:
        yield f"DROP TRIGGER IF EXISTS {index_of(name)}_{trigger}"
    yield f"DROP TABLE IF EXISTS {index_of(name)}"


def _gin(name: str) -> Iterator[str]:
    entries = f"string_to_array(search_key, '{SEPARATOR}')"
    yield f"CREATE INDEX {index_of(name)} ON {name} USING gin ({entries})"


def _full_text(name: str) -> Iterator[str]:
    index = index_of(name)
    # Nothing but the entries themselves is kept: no text, no places, no lengths.
    options = "tokenize='ascii', content='', detail=none, columnsize=0"
    yield f"CREATE VIRTUAL TABLE {index} USING fts5 (entries, {options})"
    put = f"INSERT INTO {index} (rowid, entries)"
    yield f"{put} SELECT id, {_entries('search_key')} FROM {name}"  # noqa: S608  # our own words
    put = f"{put} VALUES (NEW.id, {_entries('NEW.search_key')});"
    # Without the text, an entry is taken out by saying once more what was put in.
    take = f"INSERT INTO {index} ({index}, rowid, entries)"
    take = f"{take} VALUES ('delete', OLD.id, {_entries('OLD.search_key')});"
    for trigger, event, step in (
        ("added", "INSERT", put),
        ("removed", "DELETE", take),
        ("changed", "UPDATE OF id, search_key", f"{take} {put}"),
    ):
        yield f"CREATE TRIGGER {index}_{trigger} AFTER {event} ON {name} BEGIN {step} END"


def _entries(key: str) -> str:
    return f"substr({key}, instr({key}, '{SEPARATOR}'))"
