"""The boot sequence and nothing else: read → check → import → collect → build → add → freeze."""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask
from flask_appbuilder import AppBuilder
from flask_babel import Babel

import config as settings
from app import cli, compression, database, host, jobs, security, views
from app.crud import blank, gallery, links, rights, table, texts
from app.crud.menu import BureauMenu
from app.extensions import csrf, db, migrate
from app.security.manager import BureauSecurityManager
from app.views import closing, context
from app.views.home import HomeView

MIGRATIONS = Path(__file__).parent / "migrations"


class Bureau(Flask):
    """Flask, without asking of each function of each request whether it is a coroutine."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function itself: no page of the product or of a plugin is a coroutine."""
        return func


def boot(config: settings.Config | None = None) -> Flask:
    """Return the application, ready to serve."""
    app = Bureau("app")
    app.config.from_object(config or settings.from_environment())
    host.read(app)
    _name_translations(app)
    _bind_extensions(app)
    with app.app_context():
        database.prepare(db.engine)
        host.load(app)
        _build(app)
        host.freeze(app)
    jobs.init_app(app)
    cli.register(app)
    if not app.testing:
        gc.freeze()  # what stands now stays: it need not be searched for garbage again and again
    return app


def _name_translations(app: Flask) -> None:
    """Name our translation folders, absolute, before FAB adds its own in front; the last wins.

    The core's is the last, so that no plugin says the core's texts in another way.
    """
    folders = [*host.translation_folders(app), app.config["TRANSLATIONS_DIR"]]
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = ";".join(str(folder) for folder in folders)


def _bind_extensions(app: Flask) -> None:
    compression.init_app(app)  # first: what is bound first sees answers last
    db.init_app(app)
    migrate.init_app(app, db, directory=str(MIGRATIONS), render_as_batch=True, compare_type=True)
    Babel(app)  # plugins are checked before FAB brings its own: their labels need one
    csrf.init_app(app)  # before AppBuilder: after it, the login of the API answers 400
    closing.init_app(app)
    security.before_appbuilder(app)


def _build(app: Flask) -> None:
    appbuilder = AppBuilder(
        app,
        db.session,  # type: ignore[arg-type]  # the scoped one: each request has its own
        menu=BureauMenu(),
        indexview=HomeView,
        security_manager_class=BureauSecurityManager,
    )
    context.init_app(app)
    for part in (texts, links, rights, table, blank, gallery):
        part.init_app(app)
    views.add_core_views(appbuilder)
    host.add_views(appbuilder)
    security.after_appbuilder(app, appbuilder)
