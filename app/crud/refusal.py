"""Turn what the database or a rule refuses into words beside the right field, never into SQL."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from flask import has_request_context
from flask_babel import gettext as _
from sqlalchemy import Table, UniqueConstraint
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapper
from wtforms import Form

from app.base import Refused
from app.security import audit
from app.security.errors import incident

log = logging.getLogger(__name__)


class FieldRefused(Refused):
    """Refuse what one field holds."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def incident_text(error: BaseException) -> str:
    """Log an error; return the fixed text that the user sees."""
    return _(
        "The record could not be stored. Nothing was changed. Incident number: %(number)s",
        number=incident(error),
    )


def log_refused_key(model: type[Any], key: Any) -> None:
    """Log a key in a form that names no row, or a row outside the scope: nobody types such keys."""
    shown = str(key)[:20] if str(key)[:20].isascii() else "?"
    log.warning("refused key %s of %s", shown, model.__tablename__)
    if has_request_context():
        audit.record("refuse", table=model.__tablename__, note=f"key {shown}")


def explain(error: IntegrityError, mapper: Mapper[Any], form: Form) -> bool:
    """Write an integrity error beside the field that it is about; tell whether there is one."""
    table = mapper.local_table
    assert isinstance(table, Table)
    columns = _violated(error, table)
    fields = [name for name in (_field_of(mapper, c, form) for c in columns) if name]
    if not fields:
        return False
    missing = "not null" in str(error.orig).lower() or "not-null" in str(error.orig).lower()
    for name in fields[-1:] if not missing else fields:
        text = _("This field is required.") if missing else _unique_text(form, fields)
        form[name].errors = [*form[name].errors, text]
    return True


def _unique_text(form: Form, fields: Sequence[str]) -> str:
    if len(fields) == 1:
        return _("This value exists already.")
    names = _(", ").join(str(form[name].label.text) for name in fields)
    return _("A record with the same %(fields)s exists already.", fields=names)


def _violated(error: IntegrityError, table: Table) -> Sequence[str]:
    """Return the columns of the violated constraint, on SQLite and on PostgreSQL."""
    diagnosis = getattr(error.orig, "diag", None)
    if diagnosis is not None:
        if diagnosis.table_name not in {None, table.name}:
            return []
        if diagnosis.column_name:
            return [diagnosis.column_name]
        return _columns_of(table, diagnosis.constraint_name)
    _kind, _sep, named = str(error.orig).partition("failed: ")
    pairs = [part.strip().partition(".") for part in named.split(",")]
    return [column for owner, _dot, column in pairs if owner == table.name]


def _columns_of(table: Table, constraint: str | None) -> Sequence[str]:
    """Return the columns of a named constraint; the naming convention tells what it is called."""
    for candidate in table.constraints:
        if isinstance(candidate, UniqueConstraint):
            names = [column.name for column in candidate.columns]
            if constraint in {candidate.name, "_".join(["uq", table.name, *names])}:
                return names
    for index in table.indexes:
        if index.name == constraint:
            return [column.name for column in index.columns]
    return []


def _field_of(mapper: Mapper[Any], column: str, form: Form) -> str | None:
    """Return the form's field for a column, itself or the relation over it."""
    if column in form:
        return column
    if column.endswith("_index") and column.removesuffix("_index") in form:
        return column.removesuffix("_index")
    for relation in mapper.relationships:
        if relation.key in form and any(c.name == column for c in relation.local_columns):
            return relation.key
    return None
