"""Find, check, import and serve plugins, each stage guarded, so that one never stops the rest.

The boot sequence calls, in this order: ``read(app)`` before Babel and FAB are set up,
``load(app)`` in an app context, ``add_views(appbuilder)``, ``freeze(app)``; ``flask deploy``
calls ``deploy(session)``.
"""

from __future__ import annotations

from pathlib import Path

from flask import Flask, current_app
from flask_appbuilder import AppBuilder
from jinja2 import ChoiceLoader, FileSystemLoader

from app.host.deployment import deploy
from app.host.loader import Host, folders_of, host_of

__all__ = [
    "Host",
    "add_views",
    "deploy",
    "freeze",
    "host_of",
    "load",
    "read",
    "translation_folders",
]


def read(app: Flask) -> None:
    """Read the plugin folders; their translations and templates are known afterwards."""
    host = Host(app)
    app.extensions["host"] = host
    app.extensions["registry"] = host.registry
    host.read()
    folders = [folder.subfolder("templates") for folder in folders_of(app)]
    found = [FileSystemLoader(str(path)) for path in folders if path]
    if found and app.jinja_loader is not None:
        app.jinja_loader = ChoiceLoader([app.jinja_loader, *found])


def translation_folders(app: Flask) -> list[Path]:
    """Return the translation folders of the plugins, for Babel."""
    folders = [folder.subfolder("translations") for folder in folders_of(app)]
    return [path for path in folders if path]


def load(app: Flask) -> None:
    """Check, import and collect the plugins."""
    host_of(app).load()


def add_views(appbuilder: AppBuilder) -> None:
    """Build the views of all plugins, then add them."""
    host_of(current_app).add_views(appbuilder)


def freeze(app: Flask) -> None:
    """End the boot: compare with the last deployment."""
    host_of(app).freeze()
