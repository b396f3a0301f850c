"""Build the addresses of a page quickly: those of files once, those of lists from the request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

from flask import Flask, has_request_context, request, url_for

ASCENDING, DESCENDING = "asc", "desc"


def init_app(app: Flask) -> None:
    """Take the place of the functions of Flask and of AppBuilder; call it after the latter."""
    app.jinja_env.globals["url_for"] = _Addresses()
    app.jinja_env.filters.update(
        link_order=link_order, link_page=link_page, link_page_size=link_page_size
    )


class _Addresses:
    """Flask's ``url_for`` for templates, which keeps the addresses of static files."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str, str], str] = {}

    def __call__(self, endpoint: str, **values: Any) -> str:
        if len(values) != 1 or not endpoint.endswith("static") or not has_request_context():
            return url_for(endpoint, **values)
        key = (request.script_root, endpoint, values.get("filename", ""))
        if endpoint.startswith(".") or key not in self._kept:
            self._kept[key] = url_for(endpoint, **values)
        return self._kept[key]


def this_page(**changes: Any) -> str:
    """Return the address of this page with some of its arguments changed, or taken out by None."""
    arguments = {**request.args.to_dict(), **changes}
    given = {name: value for name, value in arguments.items() if value is not None}
    query = f"?{urlencode(given)}" if given else ""
    return f"{quote(request.script_root + request.path)}{query}"


def link_order(column: str, name: str) -> str:
    """Return the address of a list ordered by a column, the other way round the second time."""
    return order_links(name)(column)


def order_links(name: str) -> Callable[[str], str]:
    """Return what makes a column the address of the list in its order; written but once a page."""
    again = f"_oc_{name}" in request.args and request.args.get(f"_od_{name}") == ASCENDING
    direction = DESCENDING if again else ASCENDING
    order = {f"_od_{name}": direction, f"_oc_{name}": None}
    page = this_page(**order, **beginning(name))
    return lambda column: f"{page}&_oc_{name}={quote(column)}"


def order_of(name: str) -> tuple[str, str]:
    """Return the column by which the reader ordered a list, and the direction; or nothing."""
    return request.args.get(f"_oc_{name}", ""), request.args.get(f"_od_{name}", "")


def link_page(page: int, name: str) -> str:
    """Return the address of a page of a list."""
    return this_page(**{**beginning(name), f"page_{name}": page})


def link_page_size(size: int, name: str) -> str:
    """Return the address of a list with another number of rows a page."""
    return this_page(**{**beginning(name), f"psize_{name}": size})


def beginning(name: str) -> dict[str, Any]:
    """Return the changes that lead from wherever a list stands to its first page."""
    return dict.fromkeys((f"page_{name}", f"after_{name}", f"before_{name}"))
