"""Find the page of a record that is known by its table and key only."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from flask import current_app, url_for
from sqlalchemy import select

from app.base import Model
from app.crud.base import BureauModelView
from app.crud.interface import find
from app.extensions import db
from app.views.audit import noun_of


def table_of_type(kind: str, plugin: str) -> str:
    """Return the table that a rule names: its own plugin's prefix may be left out."""
    own = f"plg_{plugin}_{kind}"
    return kind if kind in Model.metadata.tables or own not in Model.metadata.tables else own


def noun_and_page(table: str, key: int) -> tuple[str, str | None]:
    """Return what a record is called, and its page for those who may open it."""
    view = view_of(table)
    return str(noun_of(table)), None if view is None else page_of(view, key)


def page_of(view: BureauModelView, key: int) -> str | None:
    """Return the address of a row's page, or None where the reader has no right to it."""
    security = current_app.extensions["appbuilder"].sm
    if "show" in view.exclude_route_methods:
        return None
    if not security.has_access("can_show", view.class_permission_name):
        return None
    return url_for(f"{view.endpoint}.show", pk=key)


def row_of(table: str, key: int) -> Any | None:
    """Return the row itself where the reader's scope holds it."""
    view = view_of(table)
    return None if view is None else find(db.session, view.datamodel.obj, key)


def rows_of(table: str, keys: Collection[int]) -> dict[int, Any]:
    """Return the rows of these keys that the reader's scope holds, in one statement."""
    view = view_of(table)
    if view is None or not keys:
        return {}
    model = view.datamodel.obj
    return {row.id: row for row in db.session.scalars(select(model).where(model.id.in_(keys)))}


def view_of(table: str) -> BureauModelView | None:
    """Return the first screen of a table; of inspections the list over all types."""
    for view in current_app.extensions["appbuilder"].baseviews:
        model = view.datamodel.obj if isinstance(view, BureauModelView) else None
        if model is not None and model.__tablename__ == table and not model.__mapper__.inherits:
            return view
    return None
