"""Keep every statement and every write of a request inside the scope of who acts.

Two listeners on all sessions: one narrows what is read, changed in bulk or deleted in bulk, the
other refuses to flush a row that lies, or lay, outside. Inside a request without a bound scope no
scoped row exists; outside requests, in commands and jobs, nothing is narrowed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

from flask import g, has_request_context
from sqlalchemy import ColumnElement, Executable, Insert, Select, Update, and_, event
from sqlalchemy import inspect as inspect_row
from sqlalchemy.orm import ORMExecuteState, Session, with_loader_criteria
from sqlalchemy.orm.attributes import get_history
from sqlalchemy.orm.interfaces import ORMOption

from app.base import Restricted, TownshipScoped
from app.security import audit, classes
from app.security.completion import complete
from app.security.scope import (
    EVERYTHING,
    NOTHING,
    WRITTEN_BY_ALL,
    Scope,
    criterion,
    narrowed_models,
    table_of,
    tables_now,
)

SCOPE_COLUMNS = ("county_id", "township_id", "school_id")
Criteria = tuple[ORMOption, ...]
_brought: WeakKeyDictionary[Executable, Criteria] = WeakKeyDictionary()
"""The statements that bring their criteria with them."""
_lifted: ContextVar[bool] = ContextVar("lifted", default=False)
_bound: ContextVar[Scope] = ContextVar("bound", default=EVERYTHING)


def current_scope() -> Scope:
    """Return the scope in force: the request's, nothing without one.

    Outside requests it is the one that is bound, or all.
    """
    if _lifted.get():
        return EVERYTHING
    if not has_request_context():
        return _bound.get()
    scope: Scope = g.get("scope") or NOTHING
    return scope


@contextmanager
def bound(scope: Scope) -> Iterator[None]:
    """Keep what is done outside a request, as in a job, inside a scope."""
    token = _bound.set(scope)
    try:
        yield
    finally:
        _bound.reset(token)


@contextmanager
def unrestricted() -> Iterator[None]:
    """Lift the guard for the core's own work on rows that the user may not see.

    Afterwards the session forgets the rows outside the scope, since a later ``get`` would find
    them without asking the database.
    """
    token = _lifted.set(True)
    try:
        yield
    finally:
        _lifted.reset(token)
        if not _lifted.get():
            _forget_rows_outside()


def _forget_rows_outside() -> None:
    from app.extensions import db

    if not has_request_context() or not db.session.registry.has():
        return
    scope, session = current_scope(), db.session()
    for row in list(session.identity_map.values()):
        is_open = scope.covers(row) and not _of_classes(scope, row)
        if not is_open and not session.is_modified(row) and row not in session.deleted:
            session.expunge(row)


def _of_classes(scope: Scope, row: Any) -> bool:
    """Tell whether a row has to be read again, because only a statement tells whose it is."""
    return scope.class_ids is not None and classes.is_of_classes(table_of(type(row)))


@lru_cache(maxsize=256)
def _criteria(scope: Scope, _tables: tuple[int, ...]) -> Criteria:
    conditions = ((model, _criterion(scope, model)) for model in narrowed_models())
    return tuple(
        with_loader_criteria(model, inside, include_aliases=True)
        for model, inside in conditions
        if inside is not None
    )


def _criterion(scope: Scope, model: type[Any]) -> ColumnElement[bool] | None:
    """Return what narrows a model to the scope, and to its classes where it has some."""
    parts = [criterion(scope, model), classes.inside(scope, model)]
    found = [part for part in parts if part is not None]
    return and_(*found) if found else None


@event.listens_for(Session, "do_orm_execute")
def _narrow(state: ORMExecuteState) -> None:
    """Narrow a statement; check the values of inserts and the targets of bulk moves."""
    scope = current_scope()
    if scope.kind == "all" or state.is_column_load:
        return
    if isinstance(state.statement, Insert):
        _check_insert(scope, state)
        return
    if isinstance(state.statement, Update):
        _check_moves(scope, state)
    if state.is_orm_statement:
        _add_criteria(scope, state)


def criteria_in_force() -> Criteria:
    """Return what narrows a statement now; the same object for all requests of the same scope."""
    scope = current_scope()
    return () if scope.kind == "all" else _criteria(scope, tables_now())


def narrowed(statement: Select[Any]) -> Select[Any]:
    """Return a statement with the criteria in force, to be kept and run again under the same."""
    criteria = criteria_in_force()
    if criteria:
        statement = statement.options(*criteria)
        _brought[statement] = criteria
    return statement


def _add_criteria(scope: Scope, state: ORMExecuteState) -> None:
    """Add the criteria, unless they were brought: by a kept statement, or by a row whose relation
    is loaded now.
    """
    criteria = _criteria(scope, tables_now())
    if _brought.get(state.statement) is criteria:
        return
    brought = state.user_defined_options if state.is_relationship_load else ()
    if criteria and not any(option is criteria[0] for option in brought):
        state.statement = state.statement.options(*criteria)


def _check_insert(scope: Scope, state: ORMExecuteState) -> None:
    model = _model_of(state)
    if model is None:
        return
    if issubclass(model, Restricted) and not (scope.is_county_wide or model in WRITTEN_BY_ALL):
        audit.refuse(table_of(model).name)
    if not issubclass(model, TownshipScoped) or scope.is_county_wide:
        return
    is_of_classes = scope.class_ids is not None and classes.is_of_classes(table_of(model))
    if is_of_classes or bool(getattr(state.statement, "_multi_values", ())):
        audit.refuse(table_of(model).name)
    given: Any = state.parameters or {}
    written: Any = state.statement
    for values in given if isinstance(given, (list, tuple)) else [given]:
        columns = {**written.compile().params, **values}
        if not scope.holds(*(columns.get(name) for name in SCOPE_COLUMNS)):
            audit.refuse(table_of(model).name)


def _model_of(state: ORMExecuteState) -> type[Any] | None:
    # By name: in a statement on a class the table is an annotated copy of itself.
    name = getattr(getattr(state.statement, "table", None), "name", None)
    return next((model for model in narrowed_models() if model.__tablename__ == name), None)


def _check_moves(scope: Scope, state: ORMExecuteState) -> None:
    """Refuse to move rows in bulk: only a county scope may, where no move can leave the scope.

    An update of many rows by key takes no criteria, so that it is refused as well.
    """
    statement = state.statement
    model = _model_of(state)
    if scope.is_county_wide or not isinstance(statement, Update) or model is None:
        return
    if isinstance(state.parameters, (list, tuple)):
        audit.refuse(table_of(model).name)
    changed = {getattr(column, "key", column) for column in statement._values or ()}
    link = classes.link_of(table_of(model)) if scope.class_ids is not None else None
    if changed & {*SCOPE_COLUMNS, *([link.column] if link else ())}:
        audit.refuse(table_of(model).name)


@event.listens_for(Session, "before_flush")
def _keep_inside(session: Session, _context: Any, _instances: Any) -> None:
    """Complete the scope columns of new rows; refuse rows outside, as they were or will be."""
    scope = current_scope()
    with session.no_autoflush:
        for row in [*session.new, *session.dirty]:
            if isinstance(row, TownshipScoped):
                complete(session, row, scope)
        if scope.kind == "all":
            return
        for row in session.new:
            _check(scope.permits(row), row)
        for row in session.dirty:
            if session.is_modified(row, include_collections=False):
                _check(_was_inside(scope, row) and scope.permits(row), row)
        for row in session.deleted:
            _check(_was_inside(scope, row), row)
        changed = [row for row in session.dirty if session.is_modified(row)]
        for row in classes.strangers(session, scope, [*session.new, *changed, *session.deleted]):
            _check(False, row)


def _was_inside(scope: Scope, row: Any) -> bool:
    if not issubclass(type(row), TownshipScoped):
        return scope.permits(row)
    if row.county_wide_rows and _old(row, "township_id") is None:
        return scope.is_county_wide
    names = [name for name in SCOPE_COLUMNS if name in inspect_row(row).mapper.columns]
    before = {name: _old(row, name) for name in names}
    school = before.get("school_id", row.id if "school_id" not in names else None)
    return scope.holds(before["county_id"], before["township_id"], school)


def _old(row: Any, name: str) -> Any:
    history = get_history(row, name)
    return history.deleted[0] if history.deleted else getattr(row, name)


def _check(allowed: bool, row: Any) -> None:
    if not allowed:
        audit.refuse(row.__tablename__, getattr(row, "id", None))
