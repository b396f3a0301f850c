"""Make the file to be filled in: heads, a row of help, drop-downs and required marks."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import workbook
from app.imports.entity import Column, Entity
from app.imports.table import HELP_MARK
from app.models import ChildStatus, Code, School, SchoolYear, Township
from app.security.scope import Scope, criterion
from app.workbook.sheet import Kind

OFFERED = (ChildStatus, Code, School, SchoolYear, Township)
"""Models short enough for a drop-down."""
KINDS: dict[str, Kind] = {"integer": "count", "decimal": "decimal", "date": "date"}


def template(session: Session, entity: Entity, scope: Scope) -> bytes:
    """Return the workbook to be filled in by somebody of this scope."""
    fields = [
        workbook.Field(
            str(column.header),
            kind_of(column),
            column.is_required,
            f"{HELP_MARK} {_help(column)}",
            _options(session, column, scope),
        )
        for column in entity.columns
    ]
    target = BytesIO()
    workbook.write_form(target, str(entity.title), fields, lists=_("Lists"))
    return target.getvalue()


def kind_of(column: Column) -> Kind:
    """Return how a workbook shows the column: numbers of documents are text."""
    return KINDS.get(column.kind, "text")


def _help(column: Column) -> str:
    words = {
        "date": _("20260304 or 2026-03-04"),
        "flag": _("Yes or No"),
        "lookup": _("Code or name"),
        "items": _("Several are parted by 、"),
        "integer": _("Whole number"),
    }
    parts = [_("Required") if column.is_required else "", words.get(column.kind, "")]
    own = str(column.help)
    if own and column.kind in {"lookup", "items"}:
        parts[1] = ""
    return _("; ").join(part for part in (*parts, own) if part) or _("Text")


def _options(session: Session, column: Column, scope: Scope) -> Sequence[str]:
    if column.kind == "flag":
        return [_("Yes"), _("No")]
    if column.kind == "choice":
        return [str(title) for title in column.options.values()]
    lookup = column.lookup
    if column.kind != "lookup" or lookup is None or lookup.model not in OFFERED:
        return []
    model = lookup.model
    query = select(model.name).order_by(model.id)
    for field, value in lookup.where:
        query = query.where(getattr(model, field) == value)
    inside = criterion(scope, model) if hasattr(model, "scope_school") else None
    return list(session.scalars(query if inside is None else query.where(inside)))
