"""Clean the query string before Flask-AppBuilder reads it: it trusts numbers and column names."""

from __future__ import annotations

import re

from flask import Flask, abort, current_app, request
from werkzeug.datastructures import ImmutableMultiDict

MOST_ARGUMENTS = 200
LONGEST_VALUE = 2_000
LAST_PAGE = 1_000_000
_PAGE = re.compile(r"page_(.*)", re.DOTALL)
_SIZE = re.compile(r"psize_(.*)", re.DOTALL)
_ORDER = re.compile(r"_oc_(.*)", re.DOTALL)


def init_app(app: Flask) -> None:
    """Clean each request before any view, and before the session is asked."""
    app.before_request(clean)


def clean() -> None:
    """Drop what is no page, size or column; cap what is too large; refuse floods of arguments."""
    if not request.args:
        return
    if len(request.args) > MOST_ARGUMENTS:
        abort(400)
    pairs = [
        (name, kept)
        for name, value in request.args.items(multi=True)
        if (kept := _kept(name, value)) is not None
    ]
    request.args = ImmutableMultiDict(pairs)


def _kept(name: str, value: str) -> str | None:
    if "\0" in name or "\0" in value or len(name) > 200 or len(value) > LONGEST_VALUE:
        return None
    if _SIZE.search(name):
        return _number(value, 1, current_app.config["MAX_PAGE_SIZE"])
    if _PAGE.search(name):
        return _number(value, 0, LAST_PAGE)
    order = _ORDER.search(name)
    return None if order and not _is_sortable(order[1], value) else value


def _number(value: str, least: int, most: int) -> str | None:
    if not (value.isascii() and value.isdecimal() and len(value) < 10):
        return None
    return str(min(max(int(value), least), most))


def _is_sortable(view_name: str, column: str) -> bool:
    """Return whether a view lets its list be sorted by a column."""
    for view in current_app.extensions["appbuilder"].baseviews:
        if type(view).__name__ == view_name:
            return column in (getattr(view, "order_columns", None) or ())
    return False
