"""Guard the product: who may do what on which rows, and what is kept of it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from flask import Flask

from app.security import (
    acting,
    arguments,
    audit,
    errors,
    guard,
    headers,
    logs,
    pages,
    scope,
    versions,
)

if TYPE_CHECKING:
    from flask_appbuilder import AppBuilder

log = logging.getLogger(__name__)
LISTENERS = (audit, guard, versions)
"""Modules whose import puts their listeners on every session."""


def before_appbuilder(app: Flask) -> None:
    """Prepare what must stand before Flask-AppBuilder: limits, headers, errors, clean arguments."""
    app.config.setdefault("RATELIMIT_ENABLED", True)
    app.config.setdefault("RATELIMIT_STORAGE_URI", "memory://")
    app.config.setdefault("PASSWORD_CLASSES", 3)
    app.config["AUTH_RATE_LIMITED"] = False  # ours limits the form and the API alike
    logs.install()
    headers.init_app(app)
    arguments.init_app(app)
    errors.init_app(app)

    @app.teardown_appcontext
    def _write_audit(_error: BaseException | None) -> None:
        audit.write_pending(app)


def after_appbuilder(app: Flask, appbuilder: AppBuilder) -> None:  # noqa: ARG001
    """Bind every request to who acts, once Flask-AppBuilder loads the user; check the models."""
    acting.init_app(app)
    app.before_request(pages.require_duties)
    problems = [one for one in scope.undeclared() if not one.where.startswith("plg_")]
    for problem in problems:
        log.error("%s %s: %s", problem.id, problem.message, problem.hint)
    if problems and app.config["PLUGINS_STRICT"]:
        raise RuntimeError(problems[0].message)
