"""Bring the database in step with the code: one step, run once, before the server starts."""

from __future__ import annotations

import fcntl
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import flask_migrate
from flask import Flask, current_app
from flask.cli import with_appcontext
from flask_appbuilder import AppBuilder
from sqlalchemy import func, select

from app import database, host
from app.base import Problem
from app.cli import reference, translations
from app.extensions import db
from app.files import evidence
from app.models import Account, PermissionVersion
from app.security import accounts, roles

FIRST_ADMINISTRATOR = "admin"
TURN = 7_205_759
"""The number under which deployments of one PostgreSQL database wait for each other."""


def run(app: Flask) -> list[Problem]:
    """Migrate the core and each plugin, load the reference data, create roles and permissions.

    Running it again changes nothing. A plugin that fails is skipped and returned as a problem.
    """
    appbuilder: AppBuilder = app.extensions["appbuilder"]
    session = db.session()
    with database.writing():
        flask_migrate.upgrade()
        appbuilder.sm.create_db()
        appbuilder.add_permissions(update_perms=True)
        reference.load_codes(session, app.config["SEED_DIR"])
        reference.load_policies(session, app.config["SEED_DIR"])
        roles.sync(session)
        if session.get(PermissionVersion, 1) is None:
            session.add(PermissionVersion(id=1, number=1))
        database.count_up(session)
        session.commit()
        return list(host.deploy(session))


def first_administrator(app: Flask) -> str | None:
    """Create the break-glass administrator of an empty installation; return the password once."""
    sm = app.extensions["appbuilder"].sm
    if db.session.scalar(select(func.count()).select_from(sm.user_model)):
        return None
    password = secrets.token_urlsafe(12)
    accounts.create(
        db.session(),
        username=FIRST_ADMINISTRATOR,
        name="系统管理员",
        password=password,
        must_change_password=True,
        templates=("system_administrator", "security_administrator"),
    )
    db.session.commit()
    return password


@contextmanager
def turn(app: Flask) -> Iterator[None]:
    """Let one deployment through at a time; the next one finds everything done."""
    if db.engine.dialect.name == "sqlite":
        with (Path(app.config["INSTANCE_DIR"]) / "deploy.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
        return
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(select(func.pg_advisory_lock(TURN)))
        try:
            yield
        finally:
            connection.execute(select(func.pg_advisory_unlock(TURN)))


@click.command()
@with_appcontext
def deploy() -> None:
    """Migrate, load reference data, create roles, publish checklists; safe to run again."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # the real application
    with turn(app):
        problems = deploy_and_tell(app)
    if any(problem.level == "error" for problem in problems):
        sys.exit(1)


def deploy_and_tell(app: Flask) -> list[Problem]:
    """Deploy and print what is wrong, and the first administrator where there was none."""
    translations.compile_all(app)
    problems = run(app)
    db.session.remove()
    evidence.sweep(app)
    for problem in problems:
        click.echo(f"{problem.id} {problem.where}: {problem.message} — {problem.hint}", err=True)
    if app.config["IS_PRODUCTION"]:
        password = first_administrator(app)
        if password:
            click.echo(f"administrator: {FIRST_ADMINISTRATOR}  password: {password}  (shown once)")
    click.echo("deployed")
    return problems


__all__ = ["Account", "deploy", "first_administrator", "run"]
