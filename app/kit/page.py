"""Hold the values by which a plugin declares its screens and the rights on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask_appbuilder.baseviews import BaseView

from app.crud.interface import BureauInterface
from app.extensions import db


@dataclass(frozen=True, slots=True)
class Page:
    """Place one view in the menu."""

    view: type[BaseView]
    title: str
    category: str
    icon: str = ""


@dataclass(frozen=True, slots=True)
class Grant:
    """Give a role template one permission on one view, in FAB's words."""

    role: str
    permission: str
    view: str


def interface(model: type[Any]) -> BureauInterface:
    """Return the access of a view to one model: its `datamodel`."""
    return BureauInterface(model, db.session)
