"""Plant one row of every scoped model at a place, with a mark in each of its texts.

Models are found by themselves and rows are made from their columns, so that a model added tomorrow
is planted without a change here.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

from flask import Flask
from sqlalchemy import Column, Connection, MetaData, Table, UniqueConstraint, insert, select
from sqlalchemy import types as sqltypes
from sqlalchemy.exc import IntegrityError

from app.base import Model, TownshipScoped, registry
from app.columns import BlindIndex, Encrypted, UtcDateTime
from app.extensions import db
from app.files.evidence import store
from app.models import School
from app.security.scope import mapped

DAY = date(2026, 3, 4)
PLACES = ("county_id", "township_id", "school_id")


class Planter:
    """Plant marked rows of every scoped model, parents first."""

    days: ClassVar[Iterator[int]] = itertools.count()
    """Planters of one school share them, since some days may be taken once only."""

    def __init__(self, app: Flask, school: School, mark: str) -> None:
        self.app = app
        self.school = school
        self.mark = mark
        self.number = itertools.count(1)
        self.planted: dict[str, list[int]] = {}

    def plant(self) -> dict[str, list[int]]:
        """Plant a row of each model at the school; return the keys by table or type."""
        with self.app.app_context(), db.engine.begin() as connection:
            self.connection = connection
            self.planted["school"] = [self.school.id]
            for table in _tables():
                self._keys(table)
            for kind in registry.inspection_types():
                self._insert(Model.metadata.tables["inspection"], {"type_key": kind.key})
                self.planted[kind.key] = [self.planted["inspection"].pop()]
        return self.planted

    def plant_below(self, parents: Mapping[str, list[int]]) -> int:
        """Plant rows of this place that hang on rows of another one; return how many there are.

        Pages of those parents must leave them out. What follows its child is left alone: the
        child's present school reads it.
        """
        count = 0
        with self.app.app_context(), db.engine.begin() as connection:
            self.connection = connection
            self.planted = {name: list(keys) for name, keys in parents.items()}
            for model in mapped(TownshipScoped):
                if not model.follows_child and model is not School:
                    count += self._try(model.__table__)
        return count

    def _try(self, table: Table) -> bool:
        try:
            with self.connection.begin_nested():
                self._insert(table)
        except IntegrityError:  # one row a parent: the parent's own is there already
            return False
        return True

    def _keys(self, table: Table) -> list[int]:
        if table.name not in self.planted:
            self._insert(table)
        return self.planted[table.name]

    def _insert(self, table: Table, given: dict[str, Any] | None = None) -> None:
        values = {
            column.name: self._value(table, column)
            for column in table.columns
            if not (column.primary_key and not column.foreign_keys)
        }
        values |= given or {}
        values = {name: value for name, value in values.items() if value is not None}
        key = self.connection.execute(insert(table).values(**values)).inserted_primary_key[0]
        self.planted.setdefault(table.name, []).append(key)

    def _value(self, table: Table, column: Column[Any]) -> Any:
        if column.name in PLACES:
            return self._place(column.name)
        if column.foreign_keys:
            return self._reference(table, column)
        if column.name == "stored_sha256":
            return store().put(f"%PDF-1.7 {self.mark}1".encode())
        if column.name == "is_staged":  # a record holds the planted files
            return False
        if column.default is not None and column.default.is_scalar:
            return column.default.arg
        return self._of_type(column)

    def _place(self, name: str) -> int | None:
        return {
            "county_id": self.school.county_id,
            "township_id": self.school.township_id,
            "school_id": self.school.id,
        }[name]

    def _reference(self, table: Table, column: Column[Any]) -> int | None:
        target = next(iter(column.foreign_keys)).column.table
        if target is table or target.name.startswith("ab_"):
            return None
        if target.name in self.planted:
            return self.planted[target.name][0]
        if target.name in _names():
            return None if column.nullable and _needs(target, table) else self._keys(target)[0]
        return self._shared(target, is_new=bool(column.unique))

    def _shared(self, table: Table, *, is_new: bool = False) -> int:
        """Return the key of a shared row; a new one where each may be named once only."""
        key = table.primary_key.columns.values()[0]
        found = None if is_new else self.connection.scalar(select(key).limit(1))
        if found is None:
            # Everybody may read shared rows: they bear no mark.
            mark, self.mark = self.mark, ""
            self._insert(table)
            self.mark = mark
            found = self.planted.pop(table.name)[0]
        return int(found)

    def _of_type(self, column: Column[Any]) -> Any:
        kind = column.type
        text = f"{self.mark}{next(self.number)}"
        if isinstance(kind, BlindIndex):
            return f"{self.mark}{next(self.number):060}"
        if isinstance(kind, Encrypted | sqltypes.String):
            return text
        if isinstance(kind, UtcDateTime):
            return datetime(2026, 3, 4, 1, tzinfo=UTC)
        plain = {
            sqltypes.Boolean: False,
            sqltypes.Integer: next(self.number),
            sqltypes.Date: DAY + timedelta(days=next(self.days)) if _is_unique(column) else DAY,
            sqltypes.Numeric: Decimal(1),
        }
        return next((value for cls, value in plain.items() if isinstance(kind, cls)), None)


def _is_unique(column: Column[Any]) -> bool:
    """Tell whether no other row of the same place may have the column's value."""
    constraints = (one for one in column.table.constraints if isinstance(one, UniqueConstraint))
    return any(column.name in one.columns for one in constraints)


def _tables() -> list[Table]:
    """Return the tables of all scoped models."""
    return [model.__table__ for model in mapped(TownshipScoped)]


def _names() -> set[str]:
    return {table.name for table in _tables()}


def _needs(table: Table, other: Table) -> bool:
    """Return whether a table points, directly or not, to another: planting would go in circles."""
    seen, waiting = set(), [table]
    while waiting:
        here = waiting.pop()
        for key in here.foreign_keys:
            target = key.column.table
            if target is other:
                return True
            if target.name not in seen:
                seen.add(target.name)
                waiting.append(target)
    return False


def snapshot(app: Flask, *, without: frozenset[str] = frozenset()) -> dict[str, list[Any]]:
    """Return every row of the database, to compare before and after."""
    with app.app_context(), db.engine.connect() as connection:
        return {table.name: _rows(connection, table) for table in _kept(Model.metadata, without)}


def _kept(metadata: MetaData, without: frozenset[str]) -> Iterator[Table]:
    return (table for table in metadata.sorted_tables if table.name not in without)


def _rows(connection: Connection, table: Table) -> list[Any]:
    return sorted(map(repr, connection.execute(select(table))))
