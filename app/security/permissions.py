"""Work out what the acting appointment may do: one frozen set per template, role and version."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property

from flask import Flask, current_app, g, has_request_context
from flask_appbuilder import AppBuilder
from flask_appbuilder.menu import MenuItem
from flask_appbuilder.security.sqla.models import (
    Permission,
    PermissionView,
    ViewMenu,
    assoc_permissionview_role,
)
from sqlalchemy import select
from werkzeug.exceptions import HTTPException

from app.base import registry
from app.extensions import db
from app.security.roles import EVERYBODY, TEMPLATES
from app.security.scope import table_of

Pair = tuple[str, str]
MENU = "menu_access"
CACHE = "permission_sets"


class PermissionSet(frozenset[Pair]):
    """All (permission, view) pairs that somebody holds."""

    @cached_property
    def menus(self) -> frozenset[str]:
        """Return the names of the menu items that the pairs open."""
        return frozenset(name for permission, name in self if permission == MENU)


NONE = PermissionSet()


def current_permissions() -> PermissionSet:
    """Return what the request's actor may do; nothing outside a request or without a login."""
    if not has_request_context() or g.get("holder") is None:
        return NONE
    held: PermissionSet | None = g.get("permissions")
    if held is None:
        held = g.permissions = _of_actor()
    return held


def _of_actor() -> PermissionSet:
    holder, acting = g.holder, g.appointment
    if holder.is_break_glass:
        return _cached(("*", None), 0)
    if acting is None:
        return _cached((None, None), 0)
    return _cached((acting.template, acting.role_id), holder.permission_version)


def _cached(key: tuple[str | None, int | None], version: int) -> PermissionSet:
    cache: dict[tuple[str | None, int | None], tuple[int, PermissionSet]] = (
        current_app.extensions.setdefault(CACHE, {})
    )
    kept = cache.get(key)
    if kept is None or kept[0] != version:
        template, role_id = key
        kept = cache[key] = (version, granted(template, role_id))
    return kept[1]


def granted(template: str | None, role_id: int | None = None) -> PermissionSet:
    """Return all pairs of a template, of the role's extra grants, and the menus that follow."""
    appbuilder: AppBuilder = current_app.extensions["appbuilder"]
    every = set(every_pair(appbuilder))
    pairs = {pair for pair in every if _allows(template, *pair)}
    if template is not None and template in TEMPLATES:
        pairs |= every & set(registry.grants(template))
    if role_id is not None:
        pairs |= every & set(_extra(role_id))
    return PermissionSet(pairs | {(MENU, name) for name in _visible(appbuilder, pairs)})


def _allows(template: str | None, permission: str, view: str) -> bool:
    if template == "*" or view in EVERYBODY:
        return True
    known = TEMPLATES.get(template or "")
    return known is not None and known.allows(permission, view)


def every_pair(appbuilder: AppBuilder) -> Iterator[Pair]:
    """Yield every (permission, view) that the application has."""
    for view in appbuilder.baseviews:
        for permission in view.base_permissions or ():
            yield permission, str(view.class_permission_name)


def _extra(role_id: int) -> Iterable[Pair]:
    rows = db.session.execute(
        select(table_of(Permission).c.name, table_of(ViewMenu).c.name)
        .select_from(table_of(PermissionView))
        .join(table_of(Permission))
        .join(table_of(ViewMenu))
        .join(
            assoc_permissionview_role,
            assoc_permissionview_role.c.permission_view_id == table_of(PermissionView).c.id,
        )
        .where(assoc_permissionview_role.c.role_id == role_id)
    )
    return [(permission, view) for permission, view in rows]


def _visible(appbuilder: AppBuilder, pairs: set[Pair]) -> Iterator[str]:
    """Yield the menu items whose page is granted, and the categories of such items."""
    for item in appbuilder.menu.get_list() if appbuilder.menu else ():
        children = [child for child in item.childs if child.name != "-"]
        shown = [child.name for child in children if _opens(appbuilder, child, pairs)]
        yield from shown
        if shown or (not children and _opens(appbuilder, item, pairs)):
            yield item.name


def _opens(appbuilder: AppBuilder, item: MenuItem, pairs: set[Pair]) -> bool:
    target = _target(appbuilder, item)
    return target is not None and target in pairs


def _target(appbuilder: AppBuilder, item: MenuItem) -> Pair | None:
    """Return the permission that a menu item's page needs."""
    if item.baseview is not None and not item.href:
        return _needed(item.baseview, item.baseview.default_view)
    endpoint = _endpoint(current_app, item.get_url())
    owner, _dot, method = (endpoint or "").rpartition(".")
    for view in appbuilder.baseviews:
        if view.endpoint == owner:
            return _needed(view, method)
    return None


def _needed(view: object, method: str) -> Pair | None:
    name = getattr(getattr(view, method, None), "_permission_name", None)
    if name is None:
        return None
    mapped = (getattr(view, "method_permission_name", None) or {}).get(method, name)
    return f"can_{mapped}", view.class_permission_name  # type: ignore[attr-defined]  # FAB's view


def _endpoint(app: Flask, url: str) -> str | None:
    try:
        adapter = app.url_map.bind("localhost")
        return str(adapter.match(url.partition("?")[0], method="GET")[0])
    except HTTPException:
        return None
