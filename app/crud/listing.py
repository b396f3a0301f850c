"""List, search and show rows: few statements, request-local conditions, permitted related lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import abort, g, has_request_context
from flask_appbuilder.models.filters import Filters
from flask_appbuilder.widgets import RenderTemplateWidget
from flask_babel import get_locale

from app.crud.arguments import list_arguments, read_conditions
from app.crud.fab import Mixin, SearchWidget
from app.crud.interface import BureauFilters

RELATED_PAGE_SIZE = 10


class BureauSearchWidget(SearchWidget):
    """The search panel; its inputs are drawn once for each language."""

    def __call__(self, **kwargs: Any) -> Any:
        """Return the markup."""
        view: ListingMixin = self.template_args["view"]
        kwargs.update(view.search_panel())
        kwargs["active_filters"] = self.filters.get_filters_values_tojson()
        return RenderTemplateWidget.__call__(self, **kwargs)


class ListingMixin(Mixin):
    """The reading half of the base view."""

    datamodel: Any
    search_widget = BureauSearchWidget
    order_columns: Sequence[str]
    base_order: Any
    actions: dict[str, Any]
    appbuilder: Any
    class_permission_name: str
    search_form: Any
    _base_filters: Filters
    _filter_prototype: BureauFilters
    _inner_views: list[Any]
    _panels: dict[str, dict[str, Any]]

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

    def search_panel(self) -> dict[str, Any]:
        """Return labels, inputs and conditions of the search panel in the reader's language."""
        language = str(get_locale())
        if language not in self._panels:
            form, offered = self.search_form(), self._filter_prototype.get_search_filters()
            self._panels[language] = {
                "label_columns": {name: str(form[name].label.text) for name in self.search_columns},
                "form_fields": {name: form[name]() for name in self.search_columns},
                "search_filters": {
                    name: [str(condition.name) for condition in offered[name]]
                    for name in self.search_columns
                },
            }
        return self._panels[language]

    def _list(self, **kwargs: Any) -> dict[str, Any]:
        arguments = list_arguments(self, self.page_size)
        read_conditions(self._filters)
        widgets = self._get_list_widget(
            filters=self._filters,
            order_column=arguments.order_column,
            order_direction=arguments.order_direction,
            page=arguments.page,
            page_size=arguments.page_size,
            **kwargs,
        )
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
        actions: Any = None,
        order_column: str = "",
        order_direction: str = "",
        page: int | None = None,
        page_size: int | None = None,
        widgets: Any = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        if not order_column and self.base_order:
            order_column, order_direction = self.base_order
        size = page_size or self.page_size
        count, rows = self.datamodel.query(
            filters.get_joined_filters(self._base_filters),
            order_column,
            order_direction,
            page=page,
            page_size=size,
            select_columns=[*self.list_columns, *self.list_joins],
        )
        widgets = widgets or {}
        widgets["list"] = self.list_widget(
            label_columns=self.label_columns,
            include_columns=self.list_columns,
            value_columns=list(self.datamodel.get_values(rows, self.list_columns)),
            order_columns=self.order_columns,
            formatters_columns=self.formatters_columns,
            page=page,
            page_size=size,
            count=count,
            pks=self.datamodel.get_keys(rows),
            actions=actions or self.actions,
            filters=filters,
            modelview_name=type(self).__name__,
            **kwargs,
        )
        return widgets

    def _show(self, pk: Any) -> dict[str, Any]:
        item = self.row(pk, [*self.show_columns, *self.list_joins])
        self.shown(item)
        widgets = self._get_show_widget(pk, item)
        widgets["heading"] = str(item)
        self.update_redirect()
        return self._get_related_views_widgets(item, widgets=widgets)

    def _get_related_views_widgets(
        self, item: Any, widgets: Any = None, **_kwargs: Any
    ) -> dict[str, Any]:
        widgets = widgets or {}
        widgets["related_views"] = [self._related_list(item, view) for view in self._related_views]
        return widgets

    def _related_list(self, item: Any, view: Any) -> Any:
        arguments = list_arguments(view, RELATED_PAGE_SIZE)
        return self._get_related_view_widget(
            item,
            view,
            arguments.order_column,
            arguments.order_direction,
            page=arguments.page,
            page_size=arguments.page_size,
        )
