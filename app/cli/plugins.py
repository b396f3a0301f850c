"""Make, check and list plugins, write their migrations, show what they may refer to."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from flask import current_app
from flask.cli import with_appcontext
from rich.console import Console
from rich.table import Table

from app import database, kit
from app.cli import scaffold
from app.extensions import db
from app.host import migrations
from app.host.loader import host_of
from app.host.plugin import Plugin


@click.group()
def plugins() -> None:
    """Make, check and list plugins, and write their migrations."""


@plugins.command("list")
@with_appcontext
def list_plugins() -> None:
    """List the plugins and what is wrong with them."""
    table = Table("Plugin", "Title", "Version", "State", "Problems")
    for plugin in host_of().plugins:
        state = "active" if plugin.is_active else "inactive"
        found = "\n".join(f"{one.id} {one.message}" for one in plugin.problems)
        table.add_row(plugin.name, plugin.title, plugin.version, state, found)
    Console().print(table)


@plugins.command("check")
@click.argument("name", required=False)
@with_appcontext
def check(name: str | None) -> None:
    """Say everything that is wrong with the plugins, with tracebacks; exit 1 if anything is."""
    host = host_of()
    wrong = [found for plugin in _named(name) for found in plugin.problems]
    for found in wrong:
        click.echo(f"{found.level} {found.id} {found.where}\n  {found.message}\n  → {found.hint}")
    for plugin in _named(name):
        if plugin.name in host.tracebacks:
            click.echo(host.tracebacks[plugin.name])
    if any(found.level == "error" for found in wrong):
        sys.exit(1)
    click.echo("no errors")


@plugins.command("tables")
@click.argument("names", nargs=-1)
def tables(names: tuple[str, ...]) -> None:
    """Show the core models of app.kit; with NAMES (School, school_class …) their columns."""
    models = {name: value for name, value in vars(kit).items() if hasattr(value, "__table__")}
    if unknown := [one for one in names if not _models_named(models, one)]:
        raise click.UsageError(f"app.kit has no model {', '.join(unknown)}")
    if not names:
        overview = Table("Model", "Table", "What it is")
        for name, model in sorted(models.items()):
            overview.add_row(name, model.__tablename__, (model.__doc__ or "").splitlines()[0])
        Console().print(overview)
    for model in (found for one in names for found in _models_named(models, one)):
        columns = Table("Column", "Type", "May be empty", "Refers to", title=model.__name__)
        for column in model.__table__.columns:
            keys = ", ".join(key.target_fullname for key in column.foreign_keys)
            columns.add_row(column.name, str(column.type), "yes" if column.nullable else "", keys)
        Console().print(columns)


def _models_named(models: Mapping[str, type[Any]], name: str) -> list[type[Any]]:
    """Return the model of a class name or a table name."""
    return [one for key, one in models.items() if name in {key, one.__tablename__}]


@plugins.command("new")
@click.argument("name")
@click.option("--kind", type=click.Choice(scaffold.KINDS), default="inspection", show_default=True)
@click.option("--title", help="The title that people see; the name if left.")
@click.option(
    "--tests",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder of the tests; tests/plugins beside the plugins if left.",
)
@with_appcontext
def new(name: str, kind: str, title: str | None, tests: Path | None) -> None:
    """Write a plugin that works, with tests that pass."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", name):
        raise click.UsageError("a name is lower case letters, digits and _, e.g. bus_check")
    home = Path(current_app.config["PLUGIN_DIRS"][0])
    try:
        place = tests or home.parent / "tests" / "plugins"
        written = scaffold.write(home, place, name, kind, title)
    except FileExistsError as error:
        raise click.UsageError(str(error)) from error
    for path in written:
        click.echo(path)
    click.echo("next: flask deploy, then restart the server")


@plugins.command("revision")
@click.argument("name")
@click.option("-m", "--message", required=True, help="What the revision does.")
@with_appcontext
def revision(name: str, message: str) -> None:
    """Write a migration that brings the plugin's tables in step with its models."""
    plugin = host_of().find(name)
    if plugin is None or not plugin.is_active:
        raise click.UsageError(f"{name} is not an active plugin; try flask plugins check {name}")
    with database.writing(), db.engine.begin() as connection:
        migrations.upgrade(connection, plugin.folder)
        click.echo(migrations.write_revision(connection, plugin.folder, message))


def _named(name: str | None) -> list[Plugin]:
    """Return one plugin, or all."""
    host = host_of()
    if name is None:
        return host.plugins
    found = host.find(name)
    if found is None:
        raise click.UsageError(f"there is no plugin {name}")
    return [found]
