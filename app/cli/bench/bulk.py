"""Make many counties out of one by SQL: what lists and searches show, each county's rows apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Integer,
    Select,
    String,
    Table,
    bindparam,
    cast,
    func,
    insert,
    null,
    select,
    text,
)

from app.base import Model, Shared
from app.security.scope import mapped

COPIED = (
    "county", "school_year", "township", "person", "school", "school_class", "child", "visit",
    "inspection",
)  # fmt: skip
"""The tables, those first to which others point."""
UNIQUE_TEXTS = {("county", "code")}
"""Texts that no two counties may share."""
NTH = bindparam("nth", type_=Integer)

FOREIGN_KEYS = text(
    """SELECT conrelid::regclass::text AS place, quote_ident(conname) AS name,
              pg_get_constraintdef(oid) AS definition
       FROM pg_constraint
       WHERE contype = 'f' AND conrelid = ANY(CAST(:tables AS regclass[]))"""
)
INDEXES = text(
    """SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition
       FROM pg_index
       WHERE indrelid = ANY(CAST(:tables AS regclass[]))
         AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)"""
)
COUNT_ON = text("SELECT setval(pg_get_serial_sequence(:name, 'id'), :last)")


def multiply(engine: Engine, counties: int) -> None:
    """Add copies of the one county that there is, until there are so many; PostgreSQL only."""
    tables = [Model.metadata.tables[name] for name in COPIED]
    with engine.begin() as connection, _bare(connection):
        _make_room_to_work(connection)
        steps = {table.name: _last(connection, table) for table in tables}
        for table in tables:
            copy = insert(table).from_select(table.columns.keys(), _copied(table, steps))
            for number in range(1, counties):
                connection.execute(copy, {"nth": number})
            connection.execute(
                COUNT_ON, {"name": table.name, "last": _last(connection, table) or 1}
            )
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        # An index alone answers only where it is known that all of its rows are visible.
        connection.execute(text(f"VACUUM (ANALYZE) {', '.join(COPIED)}"))


def _make_room_to_work(connection: Connection) -> None:
    for setting in ("maintenance_work_mem = '1GB'", "synchronous_commit = off"):
        connection.execute(text(f"SET LOCAL {setting}"))


def _last(connection: Connection, table: Table) -> int:
    return connection.scalar(select(func.max(table.c.id))) or 1


def _copied(table: Table, steps: Mapping[str, int]) -> Select[Any]:
    """Return the rows of the first county as those of the n-th after it."""
    values = [_value(column, steps) for column in table.columns]
    return select(*values).where(table.c.id <= steps[table.name]).order_by(table.c.id)


def _value(column: Column[Any], steps: Mapping[str, int]) -> Any:
    """Return what a copy holds: keys moved on; nothing where a key would lead into the original."""
    if column.primary_key:
        return column + NTH * steps[column.table.name]
    if (column.table.name, column.name) in UNIQUE_TEXTS:
        return column + "-" + cast(NTH, String)
    if not column.foreign_keys:
        return column
    (key,) = column.foreign_keys
    target = key.column.table.name
    if target in steps:
        return column + NTH * steps[target]
    return column if target in _shared() else null()


def _shared() -> set[str]:
    """Return the tables whose rows all counties have in common."""
    return {model.__tablename__ for model in mapped(Shared)}


@contextmanager
def _bare(connection: Connection) -> Iterator[None]:
    """Take indexes and foreign keys away while rows come in: whole ones are made much faster."""
    tables = list(COPIED)
    keys = connection.execute(FOREIGN_KEYS, {"tables": tables}).all()
    indexes = connection.execute(INDEXES, {"tables": tables}).all()
    for key in keys:
        connection.exec_driver_sql(f"ALTER TABLE {key.place} DROP CONSTRAINT {key.name}")
    for index in indexes:
        connection.exec_driver_sql(f"DROP INDEX {index.name}")
    yield
    for index in indexes:
        connection.exec_driver_sql(index.definition)
    for key in keys:
        connection.exec_driver_sql(
            f"ALTER TABLE {key.place} ADD CONSTRAINT {key.name} {key.definition}"
        )
