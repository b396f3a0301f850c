"""Say who sees which rows: the scope of an appointment, and what it means for each model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, Table, and_, false, or_, select
from sqlalchemy.orm import Mapper

from app.base import Model, Problem, Restricted, Shared, TownshipScoped
from app.models import Child, Person, School, SubmitToken

Kind = Literal["all", "county", "township", "schools", "none"]
MODELS_OF_FLASK_APPBUILDER = frozenset(
    {
        "ab_api_key",
        "ab_group",
        "ab_group_role",
        "ab_permission",
        "ab_permission_view",
        "ab_permission_view_role",
        "ab_register_user",
        "ab_role",
        "ab_user",
        "ab_user_group",
        "ab_user_role",
        "ab_view_menu",
    }
)
OWN_TABLES = MODELS_OF_FLASK_APPBUILDER | {"alembic_version"}
"""Tables without a declaration: they are reached through the security manager only."""
WRITTEN_BY_ALL: frozenset[type] = frozenset({SubmitToken})
"""Restricted models in which every form leaves its mark; no page shows them."""

NAMED_TO_SCHOOLS: frozenset[type] = frozenset({Person})
"""Models of whose township rows the township's schools read: who inspected them has a name."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The rows that an appointment covers: everything, a county, townships, schools or nothing.

    A township scope may name single schools besides: a liaison assignment can cover both.
    """

    kind: Kind
    county_id: int | None = None
    township_ids: frozenset[int] = frozenset()
    school_ids: frozenset[int] = frozenset()
    point_ids: frozenset[int] = frozenset()
    """Teaching points 教学点 that the schools answer for: open like them, never a default."""
    class_ids: frozenset[int] | None = None
    """The only classes that are open, with their children; None where all of the schools are."""
    user_id: int | None = None
    """Whose own files stay open under a scope of classes."""

    @property
    def open_schools(self) -> frozenset[int]:
        """Return the schools and the teaching points that they answer for."""
        return self.school_ids | self.point_ids

    @property
    def is_county_wide(self) -> bool:
        """Return whether no township is closed to this scope."""
        return self.kind in {"all", "county"}

    def holds(self, county_id: int | None, township_id: int | None, school_id: int | None) -> bool:
        """Return whether a row with these scope columns lies inside; rows of the county do not."""
        if self.kind == "all":
            return True
        if self.kind == "county":
            return county_id is None or county_id == self.county_id
        return township_id in self.township_ids or school_id in self.open_schools

    def covers(self, row: Any) -> bool:
        """Return whether a loaded row may be read."""
        if isinstance(row, Restricted):
            return self.is_county_wide or type(row) in WRITTEN_BY_ALL
        if not isinstance(row, TownshipScoped) or self.kind == "all":
            return True
        if self.holds(*scope_columns(row)):
            return True
        if row.county_wide_rows and row.township_id is None:
            return self.kind != "none" and row.county_id == self.county_id
        return self.kind != "none" and row.follows_child and self._covers_child(row)

    def _covers_child(self, row: Any) -> bool:
        child = row.__dict__.get("child")
        return child is not None and self.holds(*scope_columns(child))

    def permits(self, row: Any) -> bool:
        """Return whether a row with its present values may be written.

        The county's own rows need a county scope; to see a child does not allow to change what
        another school has recorded of it.
        """
        if isinstance(row, Restricted):
            return self.is_county_wide or type(row) in WRITTEN_BY_ALL
        return not isinstance(row, TownshipScoped) or self.holds(*scope_columns(row))

    def narrow(self, statement: Select[Any]) -> Select[Any]:
        """Wrap a select with ``township_id`` and ``school_id`` in this scope's condition."""
        rows = statement.subquery()
        if self.class_ids is not None:  # the figures are of schools
            return select(rows).where(false())
        condition = self.condition(rows.c.township_id, rows.c.school_id)
        return select(rows) if condition is None else select(rows).where(condition)

    def condition(
        self, township: ColumnElement[Any], school: ColumnElement[Any]
    ) -> ColumnElement[bool] | None:
        """Return the condition on two scope columns; None where everything is covered."""
        if self.is_county_wide:
            return None
        parts: list[ColumnElement[bool]] = []
        if self.township_ids:
            parts.append(township.in_(sorted(self.township_ids)))
        if self.open_schools:
            parts.append(school.in_(sorted(self.open_schools)))
        return or_(*parts) if parts else false()


NOTHING = Scope("none")
EVERYTHING = Scope("all")


def scope_columns(row: Any) -> tuple[int | None, int | None, int | None]:
    """Return county, township and school of a row; a school row belongs to itself."""
    school_id = row.id if isinstance(row, School) else getattr(row, "school_id", None)
    return row.county_id, row.township_id, school_id


def criterion(scope: Scope, model: type[Any]) -> ColumnElement[bool] | None:
    """Return what narrows a model to a scope; None where nothing has to be narrowed."""
    if scope.kind == "all" or model in WRITTEN_BY_ALL:
        return None
    if issubclass(model, Restricted):
        return None if scope.kind == "county" else false()
    if scope.kind == "none":
        return false()
    if scope.kind == "county":
        here: ColumnElement[bool] = model.county_id == scope.county_id
        return here
    inside = scope.condition(model.township_id, model.scope_school())
    assert inside is not None
    parts = [inside]
    if model.county_wide_rows:
        parts.append(and_(model.township_id.is_(None), model.county_id == scope.county_id))
    if model.follows_child:
        parts.append(model.child_id.in_(_children(scope)))
    if model in NAMED_TO_SCHOOLS and scope.school_ids:
        theirs = model.township_id.in_(_townships(scope))
        parts.append(and_(model.school_id.is_(None), theirs))
    return or_(*parts)


def _townships(scope: Scope) -> Select[tuple[int]]:
    school = table_of(School)
    return select(school.c.township_id).where(school.c.id.in_(sorted(scope.open_schools)))


def _children(scope: Scope) -> Select[tuple[int]]:
    # On the table, not on the class: the guard must not narrow its own condition once more.
    child = table_of(Child)
    condition = scope.condition(child.c.township_id, child.c.school_id)
    assert condition is not None
    return select(child.c.id).where(condition)


def narrowed_models() -> tuple[type[Any], ...]:
    """Return the models that the guard narrows, plugins' models included."""
    return _narrowed(tables_now())


@lru_cache(maxsize=8)
def _narrowed(_tables: tuple[int, ...]) -> tuple[type[Any], ...]:
    return tuple({**dict.fromkeys(mapped(TownshipScoped)), **dict.fromkeys(mapped(Restricted))})


def tables_now() -> tuple[int, ...]:
    """Return what changes when tables come or go: caches over models are keyed by it."""
    return tuple(map(id, Model.metadata.tables.values()))


def mapped(mixin: type[Any]) -> Iterator[type[Any]]:
    """Yield the mapped root classes below a mixin whose tables the metadata still holds."""
    for subclass in mixin.__subclasses__():
        mapper = own_mapper(subclass)
        if mapper is None:
            yield from mapped(subclass)
        elif Model.metadata.tables.get(subclass.__tablename__) is mapper.local_table:
            yield subclass


def table_of(model: type[Any]) -> Table:
    """Return the table of a mapped class, for statements that the guard leaves alone."""
    table = model.__table__
    assert isinstance(table, Table)
    return table


def own_mapper(model: type[Any]) -> Mapper[Any] | None:
    """Return a class's own mapper, without configuring it; None for mixins."""
    return model.__dict__.get("__mapper__")


def undeclared() -> Iterator[Problem]:
    """Yield a problem for each table whose model does not say who sees its rows."""
    declared = {
        model.__tablename__
        for mixin in (TownshipScoped, Shared, Restricted)
        for model in mapped(mixin)
    }
    for name in sorted(set(Model.metadata.tables) - declared - OWN_TABLES):
        yield Problem(
            "error",
            "E030",
            f"the table {name} does not declare who sees its rows",
            "let its model inherit Scoped, CountyScoped or Shared",
            name,
        )
