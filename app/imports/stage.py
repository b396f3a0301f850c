"""Move many rows at once: staged tables for joins, whole inserts, keys given ahead."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Column, Connection, LargeBinary, MetaData, Table

from app.base import Refused
from app.columns import Encrypted

Converter = tuple[int, Callable[[Any], Any]]
NOTHING: Mapping[str, Any] = MappingProxyType({})
_number = itertools.count(1)


@contextmanager
def staged(
    connection: Connection, columns: Sequence[Column[Any]], rows: Iterable[Sequence[Any]]
) -> Iterator[Table]:
    """Yield a temporary table of this transaction that holds the rows."""
    table = Table(f"import_stage_{next(_number)}", MetaData(), *columns, prefixes=["TEMPORARY"])
    # After an error nothing is dropped: the roll-back takes the table along.
    table.create(connection)
    insert_many(connection, table, [column.name for column in columns], rows)
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"ANALYZE {table.name}")
    yield table
    table.drop(connection)


def insert_many(
    connection: Connection,
    table: Table,
    names: Sequence[str],
    rows: Iterable[Sequence[Any]],
    fixed: Mapping[str, Any] = NOTHING,
) -> None:
    """Insert rows by one statement, with the same fixed values in each.

    Values are Python's; those of encrypted columns come sealed.
    """
    convert = _converters(connection, [table.c[name] for name in names])
    held = [table.c[name] for name in fixed]
    constant = _row(tuple(fixed.values()), _converters(connection, held))
    lines = (_row(row, convert) for row in rows) if convert else (tuple(row) for row in rows)
    listed = ", ".join(f'"{name}"' for name in (*names, *fixed))
    driver: Any = connection.connection.driver_connection
    try:
        _write(
            driver, table.name, listed, len(names) + len(fixed), (line + constant for line in lines)
        )
    except connection.dialect.loaded_dbapi.IntegrityError:
        # From the driver, whose message would tell values.
        raise Refused(_("A row contradicts one that is on file. Nothing was changed.")) from None


def _write(driver: Any, table: str, listed: str, width: int, lines: Iterator[Any]) -> None:
    """Hand the lines to the driver one by one: by COPY, or by one prepared statement."""
    if hasattr(driver, "executemany"):
        marks = ", ".join("?" * width)
        statement = f'INSERT INTO "{table}" ({listed}) VALUES ({marks})'  # noqa: S608  # our names
        driver.executemany(statement, lines)
        return
    with driver.cursor() as cursor, cursor.copy(f'COPY "{table}" ({listed}) FROM STDIN') as copy:
        for line in lines:
            copy.write_row(line)


def _converters(connection: Connection, columns: Sequence[Column[Any]]) -> Sequence[Converter]:
    """Return what turns values into the driver's, with the places of their columns."""
    converters: list[Converter] = []
    for at, column in enumerate(columns):
        if isinstance(column.type, (Encrypted, LargeBinary)):
            continue
        kind = column.type.dialect_impl(connection.dialect)
        processor = kind.bind_processor(connection.dialect)
        if processor is not None:
            converters.append((at, lru_cache(maxsize=8192)(processor)))
    return converters


def _row(row: Sequence[Any], converters: Sequence[Converter]) -> tuple[Any, ...]:
    values = list(row)
    for at, convert in converters:
        values[at] = convert(values[at])
    return tuple(values)
