"""Say who may look rows up: who reads their model, or has a form that names it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from flask import current_app

from app.crud.fields import LookupField
from app.security.permissions import Pair, current_permissions

OPENED_BY = "lookups_opened_by"
READING = ("can_list", "can_show")
FORMS = {"search_form": "can_list", "add_form": "can_add", "edit_form": "can_edit"}


def may_look_up(model: type[Any]) -> bool:
    """Return whether the request's actor reads a model on some view, or may choose one in a form.

    Views are added at start only, so what opens a lookup is worked out once.
    """
    opened: dict[str, frozenset[Pair]] | None = current_app.extensions.get(OPENED_BY)
    if opened is None:
        opened = current_app.extensions[OPENED_BY] = _opened()
    return not opened.get(model.__tablename__, frozenset()).isdisjoint(current_permissions())


def _opened() -> dict[str, frozenset[Pair]]:
    """Return by table which permissions open its lookup."""
    pairs: dict[str, set[Pair]] = defaultdict(set)
    for view in current_app.extensions["appbuilder"].baseviews:
        for model, permission in _models_of(view):
            pairs[model.__tablename__].add((permission, str(view.class_permission_name)))
    return {table: frozenset(found) for table, found in pairs.items()}


def _models_of(view: Any) -> Iterator[tuple[type[Any], str]]:
    """Yield the models that a view shows or asks for, with the permission that its page needs.

    ``looks_up`` names, by permission, those of forms that are made while a request runs.
    """
    datamodel = getattr(view, "datamodel", None)
    # A view that narrows its rows to some of them opens no lookup of all.
    if datamodel is not None and not getattr(view, "base_filters", None):
        yield from ((datamodel.obj, permission) for permission in READING)
    for name, permission in FORMS.items():
        yield from ((model, permission) for model in _asked_for(getattr(view, name, None)))
    for permission, models in getattr(view, "looks_up", {}).items():
        yield from ((model, permission) for model in models)


def _asked_for(form: type[Any] | None) -> Iterator[type[Any]]:
    for name in dir(form) if form is not None else ():
        made_by = getattr(getattr(form, name), "field_class", None)
        if isinstance(made_by, type) and issubclass(made_by, LookupField):
            yield getattr(form, name).kwargs["model"]
