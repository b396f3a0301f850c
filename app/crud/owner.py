"""Find the record that a file belongs to, and judge whether the reader may open it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from flask import current_app
from sqlalchemy import select

from app.base import TownshipScoped
from app.extensions import db
from app.models import EvidenceFile, School
from app.security.scope import mapped, table_of, tables_now

OWNER = "evidence_set_id"


def may_open_owner(set_id: int) -> bool:
    """Tell whether a record that holds the set lies in the scope and on a screen of the reader.

    A file without a record in sight is like one that does not exist.
    """
    return any(
        may_open(model) and db.session.scalar(_holding(model, set_id)) is not None
        for model in owner_models()
    )


def owner_models() -> tuple[type[Any], ...]:
    """Return the models whose rows hold files, plugins' included."""
    return _owners(tables_now())


@lru_cache(maxsize=8)
def _owners(_tables: tuple[int, ...]) -> tuple[type[Any], ...]:
    return tuple(
        model
        for model in mapped(TownshipScoped)
        if OWNER in table_of(model).c and model is not EvidenceFile
    )


def _holding(model: type[Any], set_id: int) -> Any:
    return select(model.id).where(getattr(model, OWNER) == set_id).limit(1)


def may_open(model: type[Any]) -> bool:
    """Tell whether the reader has a right on a screen of a model, or of what it is a part of."""
    manager = current_app.extensions["appbuilder"].sm
    screens = list(_screens(model))
    if not screens:
        whole = _whole(model)
        return whole is None or may_open(whole)
    return any(
        manager.has_access(right, screen)
        for screen in dict.fromkeys(screens)
        for right in ("can_show", "can_list", "can_edit")
    )


def _screens(model: type[Any]) -> Iterator[str]:
    """Yield the names of the screens of a model's rows, those of its kinds included."""
    for view in current_app.extensions["appbuilder"].baseviews:
        shown = getattr(getattr(view, "datamodel", None), "obj", None)
        if shown is not None and issubclass(shown, model):
            yield view.class_permission_name


def _whole(model: type[Any]) -> type[Any] | None:
    """Return the record that rows without a screen are a part of: what they cannot be without."""
    by_table = {table_of(one): one for one in mapped(TownshipScoped) if one is not School}
    for column in table_of(model).columns:
        for key in column.foreign_keys:
            if not column.nullable and key.column.table in by_table:
                return by_table[key.column.table]
    return None
