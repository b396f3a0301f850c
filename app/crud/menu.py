"""The menu, walked in linear time and asked once a request which entries the reader may see."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import render_template, request
from flask_appbuilder.menu import Menu, MenuItem
from flask_babel import get_locale
from flask_babel import gettext as _
from markupsafe import Markup

from app.security.permissions import current_permissions

SEPARATOR = "-"
ORDER = (
    "Inspections", "Findings", "Daily work", "Children", "Visits", "Results", "Reports",
    "Organization", "Staff", "Calendar", "Checklists", "Policy", "Security", "Administration",
    "Audit",
)  # fmt: skip
"""The groups as people work through them; those of plugins stand behind the records."""
ELSEWHERE = ORDER.index("Reports")
MENU_PREFIX = "menu."
MOST_DRAWN = 500
"""Menus that are kept: of different rights and languages."""
HOME = "/"
MARK, BETWEEN = "\x00", "\x01"
"""What no text of a page holds."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the kept markup where it depends on where the reader stands."""

    names: tuple[str, ...]
    is_group: bool

    def said(self, here: Mapping[str, str]) -> str:
        """Return what stands there for a reader who stands at some entries."""
        if self.is_group:
            return " open" if any(name in here for name in self.names) else ""
        current = here.get(self.names[0])
        return f' aria-current="{current}"' if current else ""


def place(name: str) -> Markup:
    """Mark the place where an entry tells that the reader is there."""
    return Markup(f"{MARK}{BETWEEN}{name}{MARK}")  # noqa: S704  # taken out again by `_parts`


def group_place(items: Sequence[MenuItem]) -> Markup:
    """Mark the place where a group opens if the reader is at one of its entries."""
    names = BETWEEN.join(item.name for item in items)
    return Markup(f"{MARK}{names}{BETWEEN}{MARK}")  # noqa: S704  # taken out again by `_parts`


def _parts(drawn: str) -> list[str | Place]:
    """Cut the markup of a menu at its marks."""
    parts: list[str | Place] = list(drawn.split(MARK))
    for index in range(1, len(parts), 2):
        text = str(parts[index])
        names = tuple(text.strip(BETWEEN).split(BETWEEN))
        parts[index] = Place(names, is_group=text.endswith(BETWEEN))
    return parts


class BureauMenu(Menu):
    """FAB's menu without its doubling list of names and without a question for each entry."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._drawn: dict[tuple[Any, ...], list[str | Place]] = {}
        self._hiding: list[MenuItem] | None = None
        self._places: dict[str, list[tuple[str, str, str]]] = {}

    def drawn(self) -> Markup:
        """Return the markup of the menu; readers with the same rights and language share it."""
        hidden = tuple(item.name for item in self._conditional() if not item.should_render())
        key = (self.allowed(), hidden, str(get_locale()), request.script_root)
        if key not in self._drawn:
            if len(self._drawn) >= MOST_DRAWN:
                self._drawn.clear()
            self._drawn[key] = _parts(
                render_template(
                    "appbuilder/navbar_menu.html", home=HOME, place=place, group_place=group_place
                )
            )
        here = self._here()
        drawn = (part if isinstance(part, str) else part.said(here) for part in self._drawn[key])
        return Markup("".join(drawn))  # noqa: S704  # our own template, cut into parts

    def _conditional(self) -> list[MenuItem]:
        """Return the entries that may hide; nobody adds entries once pages are served."""
        if self._hiding is None:
            self._hiding = [item for item in _walk(self.menu) if item.cond is not None]
        return self._hiding

    def _here(self) -> dict[str, str]:
        """Return the entries in whose part of the product the reader stands, and how."""
        root, path = request.script_root, request.path
        if root not in self._places:
            self._places[root] = [
                (item.name, item.get_url(), f"{_route(item)}/") for item in _walk(self.menu)
            ]
        here = {
            name: "page" if url == path else "true"
            for name, url, route in self._places[root]
            if url == path or (len(route) > 1 and path.startswith(route))
        }
        return {HOME: "page", **here} if path == "/" else here

    def add_link(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Add an entry under a name of its own.

        FAB keeps entries and views in one table of names: where both are called the same, each
        deployment takes the entry's permission for a leftover of the view.
        """
        kwargs["label"] = kwargs.get("label") or name
        super().add_link(f"{MENU_PREFIX}{name}", *args, **kwargs)

    def get_list(self) -> list[MenuItem]:
        """Return the groups in their order, whoever added them first."""
        return sorted(self.menu, key=_rank)

    def get_flat_name_list(self, menu: Any = None, result: Any = None) -> list[str]:
        """Return the names of all entries (FAB's own list doubles with every category)."""
        return [item.name for item in _walk(menu or self.menu)]

    def get_data(self, menu: Any = None) -> list[Any]:
        """Return the entries that the reader may see, as MenuApi serves them."""
        return [
            self._entry(item)
            for item in (self.get_list() if menu is None else menu)
            if item.name != SEPARATOR and item.should_render() and item.name in self.allowed()
        ]

    def allowed(self) -> frozenset[str]:
        """Return the names of the entries that the reader may see."""
        return current_permissions().menus

    def _entry(self, item: MenuItem) -> dict[str, Any]:
        entry = {"name": item.name, "icon": item.icon, "label": _(str(item.label))}
        if item.childs:
            return {**entry, "childs": self.get_data(item.childs)}
        return {**entry, "url": item.get_url()}


def _walk(items: Any) -> Iterator[MenuItem]:
    for item in items:
        yield item
        yield from _walk(item.childs or ())


def _route(item: MenuItem) -> str:
    return (item.baseview.route_base if item.baseview is not None else None) or ""


def _rank(item: MenuItem) -> int:
    return ORDER.index(item.name) if item.name in ORDER else ELSEWHERE
