"""Build the views of plugins, then add them to FAB: nothing is added before all are built."""

from __future__ import annotations

from flask_appbuilder import AppBuilder
from flask_appbuilder.baseviews import BaseView
from flask_babel import lazy_gettext

from app.host.fault import Broken
from app.host.plugin import Plugin
from app.host.problem import N_, brief, problem
from app.kit.page import Page

INSPECTIONS = N_("Inspections")
INSPECTIONS_ICON = "fa-clipboard-check"


def build_views(plugin: Plugin) -> None:
    """Instantiate each view, so that one that cannot be built stops before FAB knows of it."""
    plugin.built = [(page, _instance(plugin, page)) for page in _pages(plugin)]


def place_of(appbuilder: AppBuilder) -> dict[str, str]:
    """Return the names and routes that are taken, and by which view."""
    taken: dict[str, str] = {}
    for view in appbuilder.baseviews:
        name = type(view).__name__
        taken[name] = name
        taken[str(getattr(view, "route_base", name))] = name
    return taken


def place_view(appbuilder: AppBuilder, plugin: Plugin, taken: dict[str, str]) -> None:
    """Add the built views of a plugin; raise Broken where a name or route is taken."""
    for _, view in plugin.built:
        _claim(plugin, view, taken)
    for page, view in plugin.built:
        if page.category:
            appbuilder.add_view(
                view,
                str(view.class_permission_name),
                label=lazy_gettext(page.title),
                icon=page.icon,
                category=page.category,
                category_label=lazy_gettext(page.category),
                category_icon=page.icon,  # of a group that the page is the first of
            )
        else:
            appbuilder.add_view_no_menu(view)


def _pages(plugin: Plugin) -> list[Page]:
    """Return the plugin's own screens, and the one of its inspection type."""
    from app.crud.inspection_view import inspection_view_for  # reads the registry when imported

    pages = list(plugin.offers.views)
    if plugin.inspection is not None:
        view = inspection_view_for(plugin.inspection)
        pages.insert(0, Page(view, plugin.title, INSPECTIONS, INSPECTIONS_ICON))
    return pages


def _instance(plugin: Plugin, page: Page) -> BaseView:
    """Return an instance of the view; raise Broken where it cannot be made."""
    try:
        return page.view()
    except Exception as error:
        facts = {"view": page.view.__name__, "detail": brief(error)}
        raise Broken(problem("E060", f"{plugin.name}/views.py", **facts)) from error


def _claim(plugin: Plugin, view: BaseView, taken: dict[str, str]) -> None:
    """Take the view's name and route, or raise Broken."""
    name = type(view).__name__
    route = view.route_base or f"/{name.lower()}"
    for key in (name, route):
        if key in taken:
            facts = {"view": name, "taken": f"{key} ({taken[key]})"}
            raise Broken(problem("E061", f"{plugin.name}/views.py", **facts))
    taken[name] = taken[route] = name
