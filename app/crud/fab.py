"""Hand on Flask-AppBuilder's classes without types: it declares class attributes as None."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    BaseFilter = Any
    BaseFilterConverter = Any
    BaseView = Any
    FilterRelation = Any
    ListWidget = Any
    Mixin = Any
    ModelView = Any
    SearchWidget = Any
    SQLAInterface = Any
else:
    from flask_appbuilder import BaseView, ModelView
    from flask_appbuilder.models.filters import BaseFilter, BaseFilterConverter, FilterRelation
    from flask_appbuilder.models.sqla.interface import SQLAInterface
    from flask_appbuilder.widgets import ListWidget, SearchWidget

    Mixin = object

__all__ = [
    "BaseFilter",
    "BaseFilterConverter",
    "BaseView",
    "FilterRelation",
    "ListWidget",
    "Mixin",
    "ModelView",
    "SQLAInterface",
    "SearchWidget",
]
