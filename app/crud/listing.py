"""List, search and show rows: few statements, request-local conditions, permitted related lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import abort, g, has_request_context
from flask_appbuilder.models.filters import Filters
from flask_appbuilder.widgets import RenderTemplateWidget
from flask_babel import get_locale
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from app.crud.arguments import list_arguments, read_conditions
from app.crud.derived import Derived
from app.crud.fab import Mixin, SearchWidget
from app.crud.filters import RelationIs
from app.crud.gallery import exhibits_of
from app.crud.interface import BureauFilters
from app.crud.paging import Part
from app.crud.reminders import dues_of

RELATED_PAGE_SIZE = 10


class BureauSearchWidget(SearchWidget):
    """The search panel: the page's script draws an input for each active condition only."""

    def __call__(self, **kwargs: Any) -> Any:
        """Return the markup; what is offered is written once for each language."""
        view: ListingMixin = self.template_args["view"]
        panel = view.search_panel()
        active = _json(self.filters.get_filters_values_tojson())
        kwargs["label_columns"] = panel.labels
        kwargs["offered"] = panel.offered[:-1] + Markup(', "active": ') + active + Markup("}")
        return RenderTemplateWidget.__call__(self, **kwargs)


@dataclass(frozen=True, slots=True)
class Panel:
    """What a search offers in one language."""

    labels: Mapping[str, str]
    offered: Markup
    """Labels, inputs and operations as the page's script reads them."""


class ListingMixin(Mixin):
    """The reading half of the base view."""

    datamodel: Any
    search_widget = BureauSearchWidget
    order_columns: Sequence[str]
    base_order: Any
    actions: dict[str, Any]
    appbuilder: Any
    class_permission_name: str
    row_view: str
    search_form: Any
    _base_filters: Filters
    _filter_prototype: BureauFilters
    _inner_views: list[Any]
    _panels: dict[str, Panel]
    _pointers: dict[type[Any], str]
    """The relations by which rows point to those of other models."""

    @property
    def _filters(self) -> BureauFilters:
        """Give each request its own conditions: FAB shares one set among all threads (#2366)."""
        if not has_request_context():
            return self._filter_prototype
        held: dict[int, BureauFilters] = g.setdefault("view_filters", {})
        if id(self) not in held:
            held[id(self)] = self._filter_prototype.copy()
        return held[id(self)]

    @_filters.setter
    def _filters(self, filters: BureauFilters) -> None:
        self._filter_prototype = filters

    @property
    def _related_views(self) -> list[Any]:
        """Return the related views that the reader may list: FAB shows all of them (#2376)."""
        return [
            view
            for view in self._inner_views
            if self.appbuilder.sm.has_access("can_list", view.class_permission_name)
        ]

    @_related_views.setter
    def _related_views(self, views: list[Any]) -> None:
        self._inner_views = views

    def get_init_inner_views(self) -> list[Any]:
        """Return the list that FAB fills with the instances of the related views."""
        return self._inner_views

    def row(self, pk: Any, columns: Sequence[str] = ()) -> Any:
        """Return one row with some relations joined; 404 where there is none in the scope."""
        found = self.datamodel.get(pk, self._base_filters, select_columns=list(columns))
        if found is None:
            abort(404)
        return found

    def shown(self, item: Any) -> None:
        """Follow a row that is about to be shown; override to record the reading."""

    def derived(self, item: Any) -> Sequence[Derived]:
        """Return what follows from a row and is shown beneath it; override to add to the page."""
        return dues_of(type(self).__name__, item.id)

    def search_panel(self) -> Panel:
        """Return what the search offers in the reader's language."""
        language = str(get_locale())
        if language not in self._panels:
            self._panels[language] = self._panel()
        return self._panels[language]

    def _panel(self) -> Panel:
        form, conditions = self.search_form(), self._filter_prototype.get_search_filters()
        labels = {name: str(form[name].label.text) for name in self.search_columns}
        operations = {
            name: [str(condition.name) for condition in conditions[name]]
            for name in self.search_columns
        }
        fields = {name: form[name]() for name in self.search_columns}
        offered = {"labels": labels, "fields": fields, "operations": operations}
        return Panel(labels, _json(offered))

    def _list(self, **kwargs: Any) -> dict[str, Any]:
        read_conditions(self._filters)
        part = list_arguments(self, self.page_size)
        widgets = self._get_list_widget(filters=self._filters, part=part, **kwargs)
        return self._get_search_widget(widgets=widgets)

    def _get_search_widget(
        self,
        form: Any = None,
        exclude_cols: Any = None,
        widgets: Any = None,
    ) -> dict[str, Any]:
        widgets = widgets or {}
        if self.search_columns:
            widgets["search"] = self.search_widget(
                view=self, include_cols=self.search_columns, filters=self._filters
            )
        return widgets

    def _get_list_widget(
        self,
        filters: Filters,
        part: Part,
        actions: Any = None,
        widgets: Any = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        found = self.datamodel.find(
            part,
            filters.get_joined_filters(self._base_filters),
            self.list_columns,
            self.list_joins,
            self.formatters_columns,
        )
        name = type(self).__name__
        widgets = widgets or {}
        widgets["list"] = self.list_widget(
            label_columns=self.label_columns,
            include_columns=self.list_columns,
            value_columns=found.values,
            order_columns=self.order_columns,
            formatters_columns=self.formatters_columns,
            page=found.part.page,
            page_size=found.part.page_size,
            pages=found.links(name),
            count=found.count,
            pks=found.keys,
            actions=actions or self.actions,
            filters=filters,
            modelview_name=name,
            row_view=self.row_view,
            **kwargs,
        )
        return widgets

    def _show(self, pk: Any) -> dict[str, Any]:
        item = self.row(pk, [*self.show_columns, *self.list_joins])
        self.shown(item)
        widgets = self._get_show_widget(pk, item)
        widgets["heading"] = str(item)
        set_id = getattr(item, "evidence_set_id", None)
        if set_id is not None:
            widgets["evidence"] = exhibits_of([set_id]).get(set_id, ())
        widgets["derived"] = self.derived(item)
        self.update_redirect()
        return self._get_related_views_widgets(item, widgets=widgets)

    def _get_related_views_widgets(
        self, item: Any, widgets: Any = None, **_kwargs: Any
    ) -> dict[str, Any]:
        widgets = widgets or {}
        widgets["related_views"] = [self._related_list(item, view) for view in self._related_views]
        return widgets

    def _related_list(self, item: Any, view: ListingMixin) -> Any:
        """Return the rows of another view that point to a row."""
        part = list_arguments(view, RELATED_PAGE_SIZE)
        model = type(item)
        if model not in view._pointers:
            view._pointers[model] = view.datamodel.get_related_fk(self.datamodel.obj)
        filters = view._filter_prototype.none()
        filters.add_filter_related_view(view._pointers[model], RelationIs, item.id)
        return view._get_list_widget(filters=filters, part=part)["list"]


def _json(value: Any) -> Markup:
    return htmlsafe_json_dumps(value, ensure_ascii=False)
