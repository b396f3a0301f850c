"""Hold the base of all CRUD views: Flask-AppBuilder's ModelView with all mends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

from flask_babel import lazy_gettext as _l
from markupsafe import Markup, escape

from app.base import Restricted, Shared, TownshipScoped
from app.crud.blank import BlankForm
from app.crud.fab import ModelView
from app.crud.form import Choices, FormFactory
from app.crud.interface import BureauInterface
from app.crud.labels import COMMON_LABELS
from app.crud.listing import ListingMixin
from app.crud.masking import masked
from app.crud.saving import SavingMixin
from app.crud.table import BureauListWidget

DECLARED = ("list_columns", "show_columns", "add_columns", "edit_columns", "search_columns")
SCOPES = (TownshipScoped, Shared, Restricted)


class ViewError(ValueError):
    """Refuse a view that does not say what it shows, or whose model does not say to whom."""


class BureauModelView(SavingMixin, ListingMixin, ModelView):
    """List, search, show, add, edit and delete the rows of one model.

    A view declares all five column lists; an empty one takes the page away. ``choices_columns``
    names the labels of key columns, ``lookup_columns`` narrows the lookups of relations,
    ``list_joins`` names further relations that the texts of the rows read.
    """

    list_widget = BureauListWidget
    noun: Any = ""
    """What one row is called in titles and messages."""
    choices_columns: ClassVar[Mapping[str, Choices]] = {}
    lookup_columns: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    list_joins: ClassVar[Sequence[str]] = ()
    row_view: str = ""
    """The view on whose page a row of the list opens, where it is not this one."""
    label_columns: Any
    formatters_columns: Any
    list_title: Any
    add_title: Any
    edit_title: Any
    show_title: Any

    def __init__(self, **kwargs: Any) -> None:
        self._panels, self._pointers, self._blank_form = {}, {}, BlankForm()
        self._inner_views = []
        self._take_model(kwargs.pop("datamodel", None) or self.datamodel)
        self._refuse_gaps()
        self.exclude_route_methods = {"download", *self.exclude_route_methods, *self._closed()}
        super().__init__(**kwargs)

    def _take_model(self, datamodel: Any) -> None:
        self.datamodel = BureauInterface(datamodel.obj, datamodel._session, self.choices_columns)

    def _closed(self) -> Iterable[str]:
        """Return the pages that have no column to show."""
        for page in ("show", "add", "edit"):
            if not self._declared(page):
                yield page

    def _declared(self, page: str) -> list[str]:
        """Return the columns that the class declares for a page, by list or by fieldsets."""
        fieldsets = getattr(self, f"{page}_fieldsets", None)
        if fieldsets:
            return [name for _legend, fieldset in fieldsets for name in fieldset["fields"]]
        return list(getattr(self, f"{page}_columns") or [])

    def _refuse_gaps(self) -> None:
        """Refuse what FAB would fill with every column of the table, id numbers included."""
        name, model = type(self).__name__, self.datamodel.obj
        if not issubclass(model, SCOPES) and not model.__tablename__.startswith("ab_"):
            raise ViewError(f"{name}: {model.__name__} does not declare who sees its rows")
        for attribute in DECLARED:
            page = attribute.removesuffix("_columns")
            if getattr(self, attribute) is None and not getattr(self, f"{page}_fieldsets", None):
                raise ViewError(f"{name}: {attribute} is missing; declare it, [] for none")
            extra = getattr(self, f"{page}_form_extra_fields", None) or {}
            for column in self._declared(page):
                if column not in extra and not hasattr(model, column.partition(".")[0]):
                    raise ViewError(f"{name}: {model.__name__} has no {column} ({attribute})")

    def _init_properties(self) -> None:
        declared = {
            page: self._declared(page) for page in ("list", "show", "add", "edit", "search")
        }
        self.label_columns = {**COMMON_LABELS, **(self.label_columns or {})}
        self.formatters_columns = {
            **dict.fromkeys(self.datamodel.encrypted_columns(), masked),
            **{name: partial(_label, labels) for name, labels in self.choices_columns.items()},
            **(self.formatters_columns or {}),
        }
        self.order_columns = (
            self.order_columns
            or [name for name in declared["list"] if self.datamodel.is_plain_column(name)]
            or ["id"]
        )
        super()._init_properties()
        for page, columns in declared.items():
            setattr(self, f"{page}_columns", columns)
        self._filters = self.datamodel.get_filters(self.search_columns)
        offered = self._filter_prototype.get_search_filters()
        for column in self.search_columns:
            if column not in offered:
                raise ViewError(f"{type(self).__name__}: {column} cannot be searched")

    def _init_forms(self) -> None:
        factory = FormFactory(
            self.datamodel,
            self.label_columns,
            self.description_columns,
            self.validators_columns,
            self.lookup_columns,
        )
        if not self.search_form:
            self.search_form = factory.search_form(
                self.search_columns, self.search_form_extra_fields
            )
        if not self.add_form:
            self.add_form = factory.form(self.add_columns, self.add_form_extra_fields)
        if not self.edit_form:
            self.edit_form = factory.form(self.edit_columns, self.edit_form_extra_fields)

    def _init_titles(self) -> None:
        given = type(self)
        self.noun = self.noun or self.list_title or self.datamodel.model_name
        super()._init_titles()
        self.list_title = self.title = given.list_title or self.noun
        self.add_title = given.add_title or _l("Add: %(noun)s", noun=self.noun)
        self.edit_title = given.edit_title or _l("Edit: %(noun)s", noun=self.noun)
        self.show_title = given.show_title or self.noun


class ReadOnlyView(BureauModelView):
    """List and show rows that other parts of the product write."""

    add_columns: list[str] = []
    edit_columns: list[str] = []
    exclude_route_methods = frozenset({"add", "edit", "delete"})


def _label(labels: Choices, value: Any) -> Markup:
    """Return the label of a key; the key itself where nothing names it."""
    if value is None:
        return Markup('<span class="nothing">—</span>')
    return escape(labels.get(value, value))
