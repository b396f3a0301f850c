"""The commands of ``flask``: deploy, tidy, audit, seed, plugins, rules, roles and more."""

from __future__ import annotations

from importlib import import_module
from typing import Final

import click
from flask import Flask
from flask.cli import AppGroup

COMMANDS: Final = {
    "audit": "audit:audit",
    "bench": "bench.command:bench",
    "bulletin": "bulletin:bulletin",
    "daily": "daily:daily",
    "deploy": "deploy:deploy",
    "digest": "nightly:digest",
    "export": "imports:export",
    "import": "imports:import_",
    "ledgers": "ledgers:ledgers",
    "nightly": "nightly:nightly",
    "obligations": "obligations:obligations",
    "plugins": "plugins:plugins",
    "promote": "promote:promote",
    "roles": "roles:roles",
    "rules": "rules:rules",
    "seed": "seed:seed",
    "tidy": "tidy:tidy",
    "translations": "translations:translations",
    "undo-import": "imports:undo",
    "worker": "imports:worker",
}
"""Where each command stands below this package."""


class LazyGroup(AppGroup):
    """Flask's group, which imports a command when it is asked for: a server asks for none."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, those of extensions and plugins included."""
        return sorted({*super().list_commands(ctx), *COMMANDS})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command of the product, or of an extension or a plugin."""
        place = COMMANDS.get(cmd_name)
        if place is None:
            return super().get_command(ctx, cmd_name)
        module, _colon, name = place.partition(":")
        found: click.Command = getattr(import_module(f"{__name__}.{module}"), name)
        return found


def register(app: Flask) -> None:
    """Add the product's commands to ``flask``."""
    group = LazyGroup(app.name)
    group.commands.update(app.cli.commands)
    app.cli = group
