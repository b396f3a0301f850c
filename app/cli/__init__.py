"""The commands of ``flask``: deploy, seed, plugins, rules, roles, bulletins, translations."""

from __future__ import annotations

from flask import Flask


def register(app: Flask) -> None:
    """Add the product's commands to ``flask``."""
    from app.cli import bulletin, deploy, plugins, roles, rules, seed, translations

    app.cli.add_command(deploy.deploy)
    for group in (
        seed.seed,
        plugins.plugins,
        rules.rules,
        roles.roles,
        bulletin.bulletin,
        translations.translations,
    ):
        app.cli.add_command(group)
