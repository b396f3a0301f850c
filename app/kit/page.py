"""Hold the values by which a plugin declares its screens and the rights on them."""

from __future__ import annotations

from dataclasses import dataclass

from flask_appbuilder.baseviews import BaseView


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
