"""Narrow a scope to single classes: a class teacher's own, their children, and what is theirs.

The way from a row to a class is found in the tables themselves: the child that it names, else the
class, else the record that it belongs to. A table without such a way is the school's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Column, ColumnElement, Select, Table, inspect, or_, select
from sqlalchemy.orm import Session

from app.base import TownshipScoped
from app.models import Child, EvidenceSet, SchoolClass
from app.security.scope import Scope, mapped, table_of, tables_now

CHILD, CLASS, FILES = table_of(Child), table_of(SchoolClass), table_of(EvidenceSet)
OWNER = "evidence_set_id"


@dataclass(frozen=True, slots=True)
class Link:
    """The column by which rows of a table belong to a child, a class or another record."""

    column: str
    target: Table
    is_optional: bool
    """Whether a row without it is the school's and stays open."""


def link_of(table: Table) -> Link | None:
    """Return the way from a table to a class; None for what is the school's."""
    return _links(tables_now()).get(table.name)


def is_of_classes(table: Table) -> bool:
    """Tell whether a scope of classes narrows a table."""
    return table in (CLASS, FILES) or link_of(table) is not None


@lru_cache(maxsize=8)
def _links(_tables: tuple[int, ...]) -> dict[str, Link]:
    tables = [table_of(model) for model in mapped(TownshipScoped)]
    found = {table.name: link for table in tables if (link := _nearest(table)) is not None}
    while True:
        reached = {CLASS.name, FILES.name, *found}
        more = {
            table.name: link
            for table in tables
            if table.name not in reached and (link := _through(table, reached)) is not None
        }
        if not more:
            return found
        found |= more


def _nearest(table: Table) -> Link | None:
    for name, target in (("child_id", CHILD), ("class_id", CLASS)):
        column = table.columns.get(name)
        if column is not None and _targets(column) is target:
            return Link(name, target, is_optional=bool(column.nullable) and table is not CHILD)
    return None


def _through(table: Table, reached: set[str]) -> Link | None:
    for column in table.columns:
        target = _targets(column)
        is_record = target is not None and target.name in reached and target is not table
        if is_record and not column.nullable:
            return Link(column.name, target, is_optional=False)  # type: ignore[arg-type]  # it is one
    return None


def _targets(column: Column[Any]) -> Table | None:
    keys = list(column.foreign_keys)
    return keys[0].column.table if len(keys) == 1 else None


def inside(scope: Scope, model: type[Any]) -> ColumnElement[bool] | None:
    """Return what narrows a model to the scope's classes; None where nothing does."""
    table = table_of(model)
    if scope.class_ids is None or not is_of_classes(table):
        return None
    mapper = model.__mapper__

    def attribute(name: str) -> Any:
        return getattr(model, mapper.get_property_by_column(table.c[name]).key)

    return _inside(scope, table, attribute)


def _inside(
    scope: Scope,
    table: Table,
    column: Callable[[str], Any] | None = None,
    *,
    is_strict: bool = False,
) -> ColumnElement[bool]:
    """Return the condition on a table's columns, or on the attributes of a class that maps it.

    A strict one leaves out what is the school's.
    """
    own = sorted(scope.class_ids or ())
    column = column or table.c.__getitem__
    found: ColumnElement[bool]
    if table is CLASS:
        found = column("id").in_(own)
        return found
    if table is FILES:
        owned = [column("id").in_(_owned(scope, owner)) for owner in _owners()]
        mine = column("created_by_id") == scope.user_id
        return or_(*owned, mine) if scope.user_id is not None else or_(*owned)
    link = link_of(table)
    assert link is not None
    key = column(link.column)
    is_direct = link.target is CLASS
    found = key.in_(own if is_direct else _keys(scope, link.target, is_strict))
    return or_(key.is_(None), found) if link.is_optional and not is_strict else found


@lru_cache(maxsize=128)
def _keys(scope: Scope, table: Table, is_strict: bool) -> Select[Any]:
    """Return the select of a table's open rows, one for all the tables that lead to it."""
    theirs = _inside(scope, table, is_strict=is_strict)
    return select(table.c.id).where(theirs).correlate(None)


@lru_cache(maxsize=128)
def _owned(scope: Scope, owner: Table) -> Select[Any]:
    key, theirs = owner.c[OWNER], _inside(scope, owner, is_strict=True)
    return select(key).where(key.is_not(None), theirs).correlate(None)


def _owners() -> Iterator[Table]:
    """Yield the tables of classes whose records hold files."""
    for model in mapped(TownshipScoped):
        table = table_of(model)
        if OWNER in table.c and table not in (CLASS, FILES):
            link = link_of(table)
            if link is not None and link.column != OWNER:
                yield table


def strangers(session: Session, scope: Scope, rows: Iterable[Any]) -> Iterator[Any]:
    """Yield the rows that are, were or would be another class's, with a statement a table."""
    if scope.class_ids is None:
        return
    asked: dict[Table, set[int]] = {}
    named: list[tuple[Any, Table, int]] = []
    for row in rows:
        table = inspect(row).mapper.local_table
        if not isinstance(table, Table) or not is_of_classes(table):
            continue
        references = list(_references(row, table))
        if table is CLASS and not inspect(row).persistent:
            yield row
        if table is CHILD and not references:
            yield row
        for target, key in references:
            asked.setdefault(target, set()).add(key)
            named.append((row, target, key))
    open_keys = {table: _open(session, scope, table, keys) for table, keys in asked.items()}
    yield from (row for row, table, key in named if key not in open_keys[table])


def _references(row: Any, table: Table) -> Iterator[tuple[Table, int]]:
    """Yield the stored row itself, and what it names now: by key, or by a relation not yet kept."""
    state, link = inspect(row), link_of(table)
    if state.persistent:
        yield table, row.id
    if link is None:
        return
    attribute = state.mapper.get_property_by_column(table.c[link.column]).key
    key = getattr(row, attribute)
    if key is not None:
        yield link.target, key
    for relation in state.mapper.relationships:
        related = row.__dict__.get(relation.key)
        if related is None or table.c[link.column] not in relation.local_columns:
            continue
        if inspect(related).persistent and related.id != key:
            yield link.target, related.id


def _open(session: Session, scope: Scope, table: Table, keys: set[int]) -> set[int]:
    query = select(table.c.id).where(table.c.id.in_(keys), _inside(scope, table))
    return set(session.execute(query).scalars())
