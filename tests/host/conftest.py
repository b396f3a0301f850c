"""Boot a host over plugin folders that a test writes, without the rest of the product."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest
from flask import Flask
from flask_babel import Babel

import app.models  # noqa: F401  # the core's tables come first
from app import host
from app.extensions import db
from app.host import imports
from config import Testing

MANIFEST = """
name = "{name}"
title = "{name}"
version = "2024.1"
core = ">=1.0,<2"
"""
CHECKLIST = """
key = "{name}"
version = 1
valid_from = 2024-02-26
[[section]]
key = "first"
title = "First"
[[section.item]]
key = "papers"
kind = "document"
text = "Papers"
"""
INSPECTION = (
    MANIFEST
    + """
[inspection]
checklist = "{name}"
capacity = "school_leader"
"""
)
MODELS = """
from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column
from app.kit import Audited, Scoped, plugin_base

Base = plugin_base("{name}")

class Ride(Scoped, Audited, Base):
    \"\"\"A ride.\"\"\"
    __tablename__ = "plg_{name}_ride"
    id: Mapped[int] = mapped_column(primary_key=True)
    driver: Mapped[str] = mapped_column(String(40))
"""
RULES = """
from sqlalchemy import literal, select
from app.kit import Rule, School, hookimpl

def selected(window, settings):
    return select(
        literal("school").label("subject_type"), School.id.label("subject_id"),
        School.id.label("school_id"), School.township_id,
        literal(window.start).label("period_start"), literal(1).label("observed"),
        literal(1).label("required"),
    )

@hookimpl
def rules():
    return [Rule("{name}.all", "ALL-1", "", "school", "month", "warning", "skip", selected)]
"""

Files = dict[str, str]
Boot = Callable[..., Flask]


@pytest.fixture
def boot(tmp_path: Path) -> Iterator[Boot]:
    """Return a function that writes plugin folders and loads them."""
    written: list[str] = []

    def start(plugins: dict[str, Files], *, strict: bool = False, freeze: bool = False) -> Flask:
        home = tmp_path / "plugins"
        for name, files in plugins.items():
            written.append(name)
            for file, text in files.items():
                path = home / name / file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(dedent(text).replace("{name}", name), encoding="utf-8")
        config = Testing(tmp_path / "instance", f"sqlite:///{tmp_path / 'test.sqlite'}")
        config.PLUGIN_DIRS = (home,)
        config.PLUGINS_STRICT = strict
        application = Flask("app")
        application.config.from_object(config)
        host.read(application)
        db.init_app(application)
        Babel(application)
        with application.app_context():
            host.load(application)
            if freeze:
                host.freeze(application)
        return application

    yield start
    for name in written:
        imports.forget(name)


def problems(application: Flask, name: str) -> list[str]:
    """Return the numbers of a plugin's problems."""
    plugin = host.host_of(application).find(name)
    assert plugin is not None
    return [found.id for found in plugin.problems]


def active(application: Flask) -> list[str]:
    """Return the names of the plugins that serve."""
    return [plugin.name for plugin in host.host_of(application).active()]
