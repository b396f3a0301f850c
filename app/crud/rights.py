"""Let templates ask for rights when they are drawn, not when they are compiled."""

from __future__ import annotations

from flask import Flask
from jinja2 import pass_context
from jinja2.runtime import Context


def init_app(app: Flask) -> None:
    """Take the place of AppBuilder's filter: Jinja would keep its answer to two constants.

    The first reader's rights would be everybody's. Call it after AppBuilder.
    """
    ask = app.jinja_env.filters["is_item_visible"]

    @pass_context
    def is_item_visible(_context: Context, permission: str, item: str) -> bool:
        return bool(ask(permission, item))

    app.jinja_env.filters["is_item_visible"] = is_item_visible
