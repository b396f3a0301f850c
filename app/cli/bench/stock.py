"""Make a stock Flask-AppBuilder application, as its documentation does: what a worker weighs."""

from __future__ import annotations

from flask import Flask
from flask_appbuilder import AppBuilder, Model, ModelView
from flask_appbuilder.models.sqla.base import SQLA
from flask_appbuilder.models.sqla.interface import SQLAInterface
from sqlalchemy import Boolean, Column, Date, ForeignKey, Integer, String, Text

PER_CATEGORY = 20


def create_stock(url: str, views: int) -> Flask:
    """Return an application with so many screens, its own included, each on a table of its own."""
    app = Flask("stock")
    app.config.update(SECRET_KEY="stock", SQLALCHEMY_DATABASE_URI=url)  # noqa: S106  # guards nothing
    db = SQLA(app)
    with app.app_context():
        appbuilder = AppBuilder(app, db.session)  # type: ignore[arg-type]  # as its manual says
        for number in range(max(1, views - len(appbuilder.baseviews))):
            view = _view(number)
            category = f"Category {number // PER_CATEGORY}"
            appbuilder.add_view(view, view.__name__, category=category)
        Model.metadata.create_all(db.engine)
    return app


def _view(number: int) -> type[ModelView]:
    """Return a screen on a new table with a relation, as wide as the product's own are."""
    table = f"stock_{number}"
    columns = {
        "__tablename__": table,
        "id": Column(Integer, primary_key=True),
        "name": Column(String(100)),
        "text": Column(Text),
        "day": Column(Date),
        "number": Column(Integer),
        "is_active": Column(Boolean),
        "owner_id": Column(Integer, ForeignKey("ab_user.id")),
    }
    model = type(f"Stock{number}", (Model,), columns)
    shown = ["name", "text", "day", "number", "is_active"]
    body = {"datamodel": SQLAInterface(model), "list_columns": shown}
    return type(f"Stock{number}View", (ModelView,), body)
