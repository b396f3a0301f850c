"""Prepare database connections: SQLite's transactions, waits and caches."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from flask import has_request_context, request
from sqlalchemy import Connection, Engine, Table, event, func, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
BUSY_TIMEOUT_MS = 15_000
CACHE_KIB = 64_000
MMAP_BYTES = 256 * 1024 * 1024
ROWS_COUNTED = 1000
"""Rows that SQLite reads of each index to know how many share a value."""

_writes: ContextVar[bool | None] = ContextVar("writes", default=None)


@contextmanager
def writing() -> Iterator[None]:
    """Take the write lock at the start of each transaction that begins in this block."""
    token = _writes.set(True)
    try:
        yield
    finally:
        _writes.reset(token)


def insert_into(session: Session | Connection, table: Table) -> Any:
    """Return an insert that knows ON CONFLICT, which each database has in its own dialect."""
    bind = session.get_bind() if isinstance(session, Session) else session
    make: Any = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}[bind.dialect.name]
    return make(table)


def count_up(connection: Session | Connection) -> None:
    """Let the database count its rows, so that it knows which index narrows most.

    PostgreSQL counts by itself as well; SQLite never does, and would walk a whole county in the
    order of a list to find the few rows of one child.
    """
    connection.execute(text("ANALYZE"))


def prepare(engine: Engine) -> None:
    """Make SQLite keep its transactions: the driver's own handling releases savepoints for good."""
    if engine.dialect.name != "sqlite":
        return
    event.listen(engine, "connect", _connect)
    event.listen(engine, "begin", _begin)


def _connect(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # the driver must not begin or commit by itself
    cursor = connection.cursor()
    for pragma in (
        "foreign_keys=ON",
        "journal_mode=WAL",
        "synchronous=NORMAL",
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        f"cache_size=-{CACHE_KIB}",
        f"mmap_size={MMAP_BYTES}",
        f"analysis_limit={ROWS_COUNTED}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    """Begin a transaction; one that may write takes the lock now, since a later one cannot wait."""
    connection.exec_driver_sql("BEGIN IMMEDIATE" if _may_write() else "BEGIN")


def _may_write() -> bool:
    asked = _writes.get()
    if asked is not None:
        return asked
    return not has_request_context() or request.method not in SAFE_METHODS


def next_ids(connection: Connection, table: Table, count: int) -> Sequence[int]:
    """Return keys for so many new rows; nobody else gets them."""
    if not count:
        return ()
    if connection.dialect.name == "postgresql":
        taken = text(
            "SELECT nextval(pg_get_serial_sequence(:name, 'id')) FROM generate_series(1, :count)"
        )
        return list(connection.scalars(taken, {"name": table.name, "count": count}))
    # SQLite: the transaction holds the write lock, so that the highest key stays the highest.
    last = connection.scalar(select(func.max(table.c.id))) or 0
    return range(last + 1, last + 1 + count)
