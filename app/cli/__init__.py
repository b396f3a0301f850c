"""The commands of ``flask``: deploy, tidy, audit, seed, plugins, rules, roles and more."""

from __future__ import annotations

from flask import Flask


def register(app: Flask) -> None:
    """Add the product's commands to ``flask``."""
    from app.cli import (
        audit,
        bulletin,
        daily,
        deploy,
        imports,
        ledgers,
        nightly,
        obligations,
        plugins,
        promote,
        roles,
        rules,
        seed,
        tidy,
        translations,
    )
    from app.cli.bench import command as bench

    app.cli.add_command(deploy.deploy)
    app.cli.add_command(bench.bench)
    app.cli.add_command(tidy.tidy)
    app.cli.add_command(promote.promote)
    app.cli.add_command(nightly.nightly)
    for group in (
        *imports.COMMANDS,
        audit.audit,
        seed.seed,
        plugins.plugins,
        rules.rules,
        roles.roles,
        bulletin.bulletin,
        daily.daily,
        obligations.obligations,
        ledgers.ledgers,
        translations.translations,
    ):
        app.cli.add_command(group)
