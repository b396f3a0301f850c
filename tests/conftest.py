"""Fixtures of all tests: the application on both databases, a county, a visitor who logs in."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from zlib import crc32

import pytest
from flask import Flask
from sqlalchemy import select

from app import create_app
from app.cli import deploy
from app.extensions import db
from app.models import Township
from app.models.organization import School
from config import Testing
from tests import database
from tests.builder import PASSWORD, CountyBuilder
from tests.visitor import Visitor

ROOT = Path(__file__).resolve().parent.parent
pytest_plugins = ["app.testing.fixtures"]
DATABASES = ("sqlite", "postgres")
ON_BOTH = (
    "cadence/", "documents/", "imports/", "rules/", "crud/test_names.py", "crud/test_paging.py",
    "crud/test_statements.py", "notices/test_collect.py", "plugins/test_home_teaching_hours.py",
    "plugins/test_home_teaching_rules.py", "plugins/test_monthly_bulletin.py",
    "plugins/test_reconciliation_headcount.py", "plugins/test_roll_and_attendance.py",
    "plugins/test_roll_and_attendance_rules.py",
    "plugins/test_suspension_rules.py", "security/test_guard.py", "security/test_race.py",
    "test_days.py", "test_start.py", "workflow/test_visit.py",
)  # fmt: skip
"""Tests whose cases take both databases each time."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the switch for what is too slow for every change."""
    parser.addoption("--long", action="store_true", help="also run what is marked long")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave what is long out unless it is asked for; let cases take the databases in turn."""
    if config.getoption("--long"):
        return
    left_out = [item for item in items if item.get_closest_marker("long") or _is_others_turn(item)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]


def _is_others_turn(item: pytest.Item) -> bool:
    """Tell whether a case leaves this database to its neighbours, which take it in turn.

    With `--long` every case takes both; those whose own SQL the databases may take differently
    always do.
    """
    place = item.path.relative_to(ROOT / "tests").as_posix() if item.path else ""
    if not hasattr(item, "callspec") or place.startswith(ON_BOTH):
        return False
    indices, params = item.callspec.indices, item.callspec.params
    database = next((name for name, value in params.items() if value in DATABASES), None)
    if database is None:
        return False
    case = sum(index for name, index in indices.items() if name != database)
    turn = (case + crc32(item.originalname.encode())) % len(DATABASES)
    return bool(params[database] != DATABASES[turn])


def pytest_configure(config: pytest.Config) -> None:
    """Open the run that all workers share and compile the catalogues, before any application."""
    if hasattr(config, "workerinput"):
        return
    database.open_run()
    subprocess.run(  # our own script
        [sys.executable, "-m", "app.cli.translations"], cwd=ROOT, check=True
    )


def _url(kind: str, folder: Path) -> str:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    if kind == "sqlite":
        return f"sqlite:///{folder / 'test.sqlite'}"
    return database.url_of(f"test_{worker}")


def _deployed(url: str, folder: Path) -> None:
    app = create_app(Testing(folder, url))
    with app.app_context():
        deploy.run(app)
        db.session.remove()
        db.engine.dispose()


def _restore(kind: str, url: str, folder: Path) -> None:
    """Put a freshly deployed database where the application finds it."""
    keys = database.open_run() / "keys"
    if kind == "sqlite":
        template = database.sqlite_template("deployed", lambda made: _deployed(made, keys))
        database.copy_sqlite(template, Path(url.removeprefix("sqlite:///")))
    else:
        template = database.postgres_template("deployed", lambda made: _deployed(made, keys))
        database.create_from_template(url.rsplit("/", 1)[1].split("?", maxsplit=1)[0], template)


def _share_keys(folder: Path) -> Path:
    """Give the instance folder the keys, and the compiled pages, of the deployed template."""
    keys = database.open_run() / "keys"
    shutil.copy(keys / "secrets.json", folder)
    (folder / "templates").symlink_to(keys / "templates")
    return folder


@pytest.fixture(scope="session", params=DATABASES)
def booted(request: pytest.FixtureRequest) -> tuple[Flask, str]:
    """Return the application of this worker on one of the databases, and that database's kind."""
    folder = Path(tempfile.mkdtemp(prefix=f"{request.param}-", dir=database.open_run()))
    url = _url(request.param, folder)
    _restore(request.param, url, folder)
    return create_app(Testing(_share_keys(folder), url)), request.param


@pytest.fixture
def app(booted: tuple[Flask, str]) -> Iterator[Flask]:
    """Yield the application on a database as `flask deploy` leaves it."""
    application, kind = booted
    _forget(application)
    _restore(
        kind, application.config["SQLALCHEMY_DATABASE_URI"], application.config["INSTANCE_DIR"]
    )
    yield application
    _forget(application)


def _forget(application: Flask) -> None:
    with application.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def county(app: Flask) -> Iterator[CountyBuilder]:
    """Yield a builder of rows."""
    builder = CountyBuilder(app)
    yield builder
    builder.close()


@pytest.fixture
def client(app: Flask) -> Visitor:
    """Return a visitor who is not logged in."""
    app.test_client_class = Visitor
    return app.test_client()  # type: ignore[return-value]


Login = Callable[..., Visitor]


@pytest.fixture
def login(app: Flask, county: CountyBuilder) -> Login:
    """Return a function that appoints a new person, logs him in and returns his visitor."""

    def enter(
        template: str,
        *,
        township: Township | None = None,
        school: School | None = None,
        schools: tuple[School, ...] = (),
        person: object = None,
    ) -> Visitor:
        someone = person or county.person(place=school or township)
        user = county.account(someone)  # type: ignore[arg-type]
        county.appointment(
            someone,  # type: ignore[arg-type]
            template,
            township=township,
            school=school,
            schools=schools,
        )
        app.test_client_class = Visitor
        visitor: Visitor = app.test_client()  # type: ignore[assignment]
        return log_in(visitor, user.username)

    return enter


def log_in(visitor: Visitor, username: str, password: str = PASSWORD) -> Visitor:
    """Log a visitor in through the form."""
    answer = visitor.submit(
        "/login/", {"username": username, "password": password}, select="form[method=post]"
    )
    assert answer.status_code == 200, answer.status_code
    return visitor


__all__ = ["CountyBuilder", "Login", "Visitor", "log_in", "select"]
