"""What every page's frame shows: the product, the county, the menu's owner."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Flask, current_app, g
from flask_babel import format_date
from sqlalchemy import Connection, event, select
from sqlalchemy.orm import Mapper

from app.extensions import db
from app.models import County
from app.parameters.level import WHOLE_COUNTY
from app.words import words


def init_app(app: Flask) -> None:
    """Give templates the names they show outside of Flask-AppBuilder's own views too."""
    app.context_processor(_frame)
    app.extensions["county_names"] = {}
    app.jinja_env.filters["words"] = words
    app.jinja_env.filters["long_day"] = long_day


def long_day(day: date | None) -> str:
    """Return a day as documents write it, 2026年3月5日; nothing where there is none."""
    return format_date(day, "long") if day else ""


def _frame() -> dict[str, Any]:
    return {
        "appbuilder": current_app.extensions["appbuilder"],
        "county_name": county_name(),
        "whole_county": WHOLE_COUNTY,
    }


def county_name() -> str:
    """Return the name of the acting appointment's county, or nothing where nobody acts."""
    scope = g.get("scope")
    key = getattr(scope, "county_id", None)
    if key is None:
        return ""
    names: dict[int, str] = current_app.extensions["county_names"]
    if key not in names:
        names[key] = db.session.scalar(select(County.name).where(County.id == key)) or ""
    return names[key]


@event.listens_for(County, "after_update")
def _forget(_mapper: Mapper[Any], _connection: Connection, county: County) -> None:
    current_app.extensions["county_names"].pop(county.id, None)
