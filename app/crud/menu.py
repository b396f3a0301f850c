"""The menu, walked in linear time and asked once a request which entries the reader may see."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import current_app, g
from flask_appbuilder.menu import Menu, MenuItem
from flask_babel import gettext as _

SEPARATOR = "-"
ORDER = (
    "Inspections", "Findings", "Daily work", "Children", "Visits", "Results", "Reports",
    "Organization", "Staff", "Calendar", "Checklists", "Policy", "Security", "Administration",
    "Audit",
)  # fmt: skip
"""The groups as people work through them; those of plugins stand behind the records."""
ELSEWHERE = ORDER.index("Reports")
MENU_PREFIX = "menu."


class BureauMenu(Menu):
    """FAB's menu without its doubling list of names and without a question for each entry."""

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
        """Return the names of the entries that the reader may see; asked once a request."""
        if "allowed_menu" not in g:
            names = self.get_flat_name_list()
            g.allowed_menu = frozenset(current_app.appbuilder.sm.get_user_menu_access(names))  # type: ignore[attr-defined]  # set by FAB
        return g.allowed_menu

    def _entry(self, item: MenuItem) -> dict[str, Any]:
        entry = {"name": item.name, "icon": item.icon, "label": _(str(item.label))}
        if item.childs:
            return {**entry, "childs": self.get_data(item.childs)}
        return {**entry, "url": item.get_url()}


def _walk(items: Any) -> Iterator[MenuItem]:
    for item in items:
        yield item
        yield from _walk(item.childs or ())


def _rank(item: MenuItem) -> int:
    return ORDER.index(item.name) if item.name in ORDER else ELSEWHERE
