"""Hold every plugin to the contract: inherit PluginContract and name the folder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import pytest
from flask import Flask, current_app
from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateTable

from app import __version__
from app.base import Shared, TownshipScoped
from app.extensions import db
from app.host import migrations
from app.host.discovery import Folder, discover, read_folder
from app.host.loader import host_of
from app.host.plugin import Plugin
from app.host.registry import core_roles
from app.host.texts import DOMAIN, foreign_texts, untranslated
from app.models import Clause
from app.rules.check import check_rule


class PluginContract:
    """Test one plugin; a subclass sets `name` to its folder."""

    name: ClassVar[str]

    @pytest.fixture
    def plugin(self, booted: tuple[Flask, str]) -> Iterator[Plugin]:
        """Yield the plugin as the application loaded it, on each database."""
        app, _kind = booted
        with app.app_context():
            found = host_of(app).find(self.name)
            if found is None:
                raise LookupError(f"there is no plugin {self.name}")
            yield found
            db.session.remove()
            db.engine.dispose()

    @pytest.fixture
    def folder(self, plugin: Plugin) -> Folder:
        """Return the plugin's folder, read anew."""
        return read_folder(plugin.folder.path, __version__)

    def test_plugin_is_active_without_problems(self, plugin: Plugin) -> None:
        """Serve, with nothing to mend."""
        assert plugin.is_active
        assert [f"{one.id} {one.message}" for one in plugin.problems] == []

    def test_tables_are_scoped_and_bear_the_prefix(self, plugin: Plugin) -> None:
        """Declare a scope on every model; use the plugin's own table names."""
        assert all(issubclass(model, TownshipScoped | Shared) for model in plugin.models)
        assert all(table.name.startswith(plugin.prefix) for table in plugin.tables)

    def test_tables_compile_on_both_databases(self, plugin: Plugin) -> None:
        """Write tables that SQLite and PostgreSQL know."""
        for dialect in (sqlite.dialect(), postgresql.dialect()):
            for table in plugin.tables:
                assert table.name in str(CreateTable(table).compile(dialect=dialect))

    def test_migrations_bring_what_the_models_say(self, plugin: Plugin) -> None:
        """Find nothing to migrate in a deployed database."""
        with db.engine.connect() as connection:
            current = migrations.current(connection, plugin.folder)
            assert current == migrations.head(plugin.folder)
            assert migrations.differences(connection, plugin.folder) == []

    def test_grants_name_known_roles(self, plugin: Plugin) -> None:
        """Name role templates that exist."""
        assert plugin.manifest.grants.roles() <= core_roles()

    def test_rules_compile_on_both_databases(self, plugin: Plugin) -> None:
        """Return the columns of a rule from a select that both databases take."""
        for rule in plugin.offers.rules:
            check_rule(rule, plugin.manifest.parameters)

    def test_views_stand_under_permissions(self, plugin: Plugin) -> None:
        """Ask for a permission on every route."""
        for _, view in plugin.built:
            assert view.base_permissions, type(view).__name__

    def test_folder_can_be_taken_away(self, plugin: Plugin) -> None:
        """Leave every plugin that does not require this one without a new problem."""
        home = plugin.folder.path.parent
        rest = [folder for folder in discover([home], __version__) if folder.name != self.name]
        for other in rest:
            needs = other.manifest.requires if other.manifest else ()
            assert other.problems == [] or self.name in needs

    def test_clauses_that_are_cited_exist(self, plugin: Plugin) -> None:
        """Cite clauses of a policy that the county has, or of the plugin's own policy.toml."""
        known = set(db.session.scalars(select(Clause.key)))
        assert sorted(set(_cited(plugin)) - known - {""}) == []

    def test_texts_are_translated(self, folder: Folder) -> None:
        """Give every text in the languages that the plugin has, here or in the core; no other."""
        core = current_app.config["TRANSLATIONS_DIR"]
        for path in sorted(folder.path.glob(f"translations/*/{DOMAIN}")):
            language = path.parent.parent.name
            assert untranslated(folder.path, core, language) == [], language
        assert list(foreign_texts(folder.path)) == []


def _cited(plugin: Plugin) -> Iterator[str]:
    """Yield the keys of the clauses that a plugin cites."""
    manifest, checklist = plugin.manifest, plugin.folder.checklist
    if manifest.inspection:
        yield manifest.inspection.clause
    if checklist:
        yield from (item.clause for item in checklist.items())
    for parameter in manifest.parameters.values():
        yield from (value.clause for value in parameter.values)
    yield from (offered.clause for offered in (*plugin.offers.rules, *plugin.offers.bulletins))
