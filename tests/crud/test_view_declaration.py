"""A view that leaves something open is refused when it is built."""

from __future__ import annotations

import pytest
from flask_appbuilder.models.sqla.interface import SQLAInterface

from app.base import Restricted
from app.crud.base import BureauModelView, ReadOnlyView, ViewError
from app.models import School

COMPLETE = {
    "datamodel": SQLAInterface(School),
    "list_columns": ["name"],
    "show_columns": ["name"],
    "add_columns": ["name"],
    "edit_columns": ["name"],
    "search_columns": ["name"],
}


def build(**changes):
    return type("ExampleView", (BureauModelView,), {**COMPLETE, **changes})()


@pytest.mark.parametrize("attribute", [name for name in COMPLETE if name != "datamodel"])
def test_every_list_of_columns_must_be_declared(attribute, app):
    with app.app_context(), pytest.raises(ViewError, match=attribute):
        build(**{attribute: None})


@pytest.mark.parametrize("attribute", ["list_columns", "add_columns", "search_columns"])
def test_a_misspelt_column_is_named(attribute, app):
    with app.app_context(), pytest.raises(ViewError, match="nmae"):
        build(**{attribute: ["nmae"]})


def test_a_model_without_a_declared_scope_is_refused(app, monkeypatch):
    monkeypatch.setattr("app.crud.base.SCOPES", (Restricted,))

    with app.app_context(), pytest.raises(ViewError, match="who sees its rows"):
        build()


def test_an_empty_list_takes_the_page_away(app):
    with app.app_context():
        view = build(add_columns=[])

    assert "add" in view.exclude_route_methods
    assert view.add_columns == []
    assert "can_add" not in view.base_permissions


def test_a_read_only_view_has_no_way_to_write(app):
    declared = {
        name: COMPLETE[name]
        for name in ("datamodel", "list_columns", "show_columns", "search_columns")
    }
    with app.app_context():
        view = type("ExampleView", (ReadOnlyView,), declared)()

    assert set(view.base_permissions) == {"can_list", "can_show"}
