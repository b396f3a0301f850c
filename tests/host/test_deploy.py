"""Deploy plugins with tables of their own, on both databases, and take them away again."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from textwrap import dedent

import pytest
from sqlalchemy import func, inspect, select

import config as settings
from app import create_app, database, host
from app.extensions import db
from app.host import checks, imports, migrations
from app.host.loader import host_of
from app.models import Checklist, Inspection, PluginState, PolicyDocument
from app.parameters.value import value_on
from app.workflow.inspection import version_on
from tests.host.conftest import CHECKLIST, INSPECTION, MODELS, RULES

NAME = "ferry_check"
POLICY = """
[document]
key = "FERRY"
title = "Ferries"
issuer = "Harbour"
issued_on = 2025-01-01
valid_from = 2025-01-01
[[clause]]
key = "FERRY-1"
text = "A ferry has belts."
"""
PARAMETERS = """
[parameters.belts]
title = "Belts"
unit = "count"
values = [{ from = 2025-01-01, value = 20, clause = "FERRY-1", basis = "policy" }]
"""


@pytest.fixture
def home(app, tmp_path) -> Path:
    """Return a plugin folder beside the shipped ones, and forget the plugin afterwards."""
    folder = tmp_path / "more" / NAME
    folder.mkdir(parents=True)
    files = {
        "plugin.toml": INSPECTION + PARAMETERS,
        "checklist.toml": CHECKLIST,
        "policy.toml": POLICY,
        "models.py": MODELS,
    }
    for file, text in files.items():
        (folder / file).write_text(dedent(text).replace("{name}", NAME), encoding="utf-8")
    yield folder
    imports.forget(NAME)


@pytest.fixture
def started(app, home):
    """Return a function that boots over the test's database, with the folder beside the others."""
    booted = []

    def start():
        config = settings.Testing(app.config["INSTANCE_DIR"], app.config["SQLALCHEMY_DATABASE_URI"])
        config.PLUGIN_DIRS = (*config.PLUGIN_DIRS, home.parent)
        config.PLUGINS_STRICT = False
        booted.append(create_app(config))
        return booted[-1]

    yield start
    for application in booted:
        with application.app_context():
            db.session.remove()
            db.engine.dispose()


def deployed(application) -> list[str]:
    """Deploy, and return the numbers of the problems."""
    with application.app_context(), database.writing():
        found = [one.id for one in host.deploy(db.session)]
        db.session.remove()
    return found


def write_revision(application, message: str) -> Path:
    """Write a revision of the plugin's tables."""
    with application.app_context(), database.writing(), db.engine.begin() as connection:
        plugin = host_of().find(NAME)
        migrations.upgrade(connection, plugin.folder)
        return migrations.write_revision(connection, plugin.folder, message)


def test_revision_and_deploy_make_the_tables(started, home) -> None:
    application = started()
    path = write_revision(application, "first")

    wrong = deployed(application)

    assert path.parent == home / "migrations"
    assert "plg_ferry_check_ride" in path.read_text(encoding="utf-8")
    assert wrong == []
    with application.app_context(), db.engine.connect() as connection:
        tables = inspect(connection).get_table_names()
        assert {"plg_ferry_check_ride", "alembic_version_plg_ferry_check"} <= set(tables)
        assert migrations.differences(connection, host_of().find(NAME).folder) == []


def test_second_deploy_changes_nothing(started, home) -> None:
    application = started()
    write_revision(application, "first")
    deployed(application)
    with application.app_context():
        query = select(PluginState.deployed_at).order_by(PluginState.name)
        before = db.session.scalars(query).all()
        db.session.remove()

    assert deployed(application) == []

    with application.app_context():
        assert db.session.scalars(query).all() == before
        assert value_on(db.session, f"{NAME}.belts", date(2026, 1, 1)) == 20
        assert db.session.scalar(select(func.count()).select_from(Checklist)) >= 2
        assert db.session.scalar(select(PolicyDocument.title).filter_by(key="FERRY")) == "Ferries"
        db.session.remove()


def test_new_column_is_a_second_revision(started, home) -> None:
    application = started()
    write_revision(application, "first")
    deployed(application)
    models = home / "models.py"
    more = "    seats: Mapped[int | None] = mapped_column()\n"
    models.write_text(models.read_text(encoding="utf-8") + more, encoding="utf-8")
    imports.forget(NAME)
    application = started()

    path = write_revision(application, "seats")
    deployed(application)

    assert "seats" in path.read_text(encoding="utf-8")
    with application.app_context(), db.engine.connect() as connection:
        columns = {
            column["name"] for column in inspect(connection).get_columns("plg_ferry_check_ride")
        }
        assert "seats" in columns


def test_start_says_that_tables_are_not_migrated(started, home) -> None:
    application = started()
    write_revision(application, "first")
    deployed(application)
    models = home / "models.py"
    more = "    seats: Mapped[int | None] = mapped_column()\n"
    models.write_text(models.read_text(encoding="utf-8") + more, encoding="utf-8")
    imports.forget(NAME)
    write_revision(started(), "seats")

    plugin = host_of(started()).find(NAME)

    assert plugin.is_active
    assert [one.id for one in plugin.problems] == ["E036"]


def test_start_compiles_the_selects_of_changed_files_only(started, home, monkeypatch) -> None:
    asked = []
    check_rule = checks.check_rule

    def counted(rule, declared):
        asked.append(rule.plugin)
        check_rule(rule, declared)

    application = started()
    write_revision(application, "first")
    deployed(application)
    monkeypatch.setattr(checks, "check_rule", counted)

    started()
    assert asked == []

    wrong = RULES.replace("{name}", NAME).replace('literal(1).label("required")', "literal(1)")
    (home / "rules.py").write_text(wrong, encoding="utf-8")
    imports.forget(NAME)
    plugin = host_of(started()).find(NAME)

    assert asked == [NAME]
    assert not plugin.is_active
    assert [one.id for one in plugin.problems] == ["E053"]


def test_failing_migration_is_reported_and_the_others_go_on(started, home) -> None:
    folder = home / "migrations"
    folder.mkdir()
    (folder / "0001.py").write_text(
        'revision = "1"\ndown_revision = None\n\n\ndef upgrade():\n    raise ValueError("no")\n',
        encoding="utf-8",
    )
    application = started()

    wrong = deployed(application)

    assert wrong == ["E037"]
    with application.app_context():
        states = dict(db.session.execute(select(PluginState.name, PluginState.error)).all())
        db.session.remove()
    assert "ValueError: no" in states[NAME]
    assert states["annex_1"] is None


def test_changed_version_with_records_is_a_problem(started, county, home) -> None:
    application = started()
    deployed(application)
    school = county.a_school
    with application.app_context(), database.writing():
        model = host_of().registry.inspection_type(NAME).model
        version = version_on(db.session, NAME, date(2026, 3, 2))
        db.session.add(
            model(
                checklist_version_id=version.id,
                occurred_on=date(2026, 3, 2),
                **county.scope_of(school),
            )
        )
        db.session.commit()
        db.session.remove()
    text = (home / "checklist.toml").read_text(encoding="utf-8")
    (home / "checklist.toml").write_text(text.replace("Papers", "Other"), encoding="utf-8")

    assert deployed(started()) == ["E021"]


def test_removed_folder_leaves_records_readable(started, county, home) -> None:
    application = started()
    write_revision(application, "first")
    deployed(application)
    school = county.a_school
    with application.app_context(), database.writing():
        kind = host_of().registry.inspection_type(NAME)
        version = version_on(db.session, NAME, date(2026, 3, 2))
        row = kind.model(
            checklist_version_id=version.id,
            occurred_on=date(2026, 3, 2),
            **county.scope_of(school),
        )
        db.session.add(row)
        db.session.commit()
        key = row.id
        assert db.session.scalar(select(func.count()).select_from(kind.model)) == 1
        db.session.remove()
    shutil.rmtree(home)

    left = started()

    assert deployed(left) == ["W092"]
    with left.app_context():
        record = db.session.get(Inspection, key)
        assert (record.type_key, record.occurred_on) == (NAME, date(2026, 3, 2))
        assert host_of().registry.inspection_type(NAME) is None
        db.session.remove()
