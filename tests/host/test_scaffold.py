"""Write new plugins; test_guide_example.py shows that every kind passes untouched."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from app.cli.plugins import plugins


def test_command_writes_folder_and_tests(app, tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(app.config, "PLUGIN_DIRS", (tmp_path / "plugins",))
    runner = app.test_cli_runner()

    made = runner.invoke(plugins, ["new", "bus_check", "--kind", "inspection"])
    again = runner.invoke(plugins, ["new", "bus_check"])

    assert made.exit_code == 0, made.output
    assert (tmp_path / "plugins" / "bus_check" / "plugin.toml").is_file()
    assert (tmp_path / "tests" / "plugins" / "test_bus_check.py").is_file()
    assert again.exit_code == 2
    assert "exists already" in again.output


@pytest.mark.parametrize("name", ["Bus", "1bus", "bus-check", "../bus", ""])
def test_name_that_cannot_be_a_plugin_is_refused(app, tmp_path, monkeypatch, name) -> None:
    monkeypatch.setitem(app.config, "PLUGIN_DIRS", (tmp_path / "plugins",))

    answer = app.test_cli_runner().invoke(plugins, ["new", "--", name])

    assert answer.exit_code == 2
    assert not (tmp_path / "plugins").exists()


def test_tables_tell_what_a_plugin_may_refer_to(app) -> None:
    runner: CliRunner = app.test_cli_runner()

    every = runner.invoke(plugins, ["tables"], env={"COLUMNS": "200"})
    two = runner.invoke(plugins, ["tables", "School", "absence"], env={"COLUMNS": "200"})
    none = runner.invoke(plugins, ["tables", "Account"])

    assert "SchoolClass" in every.output
    assert "school_class" in every.output
    assert {"township_id", "township.id", "is_boarding", "child_id"} <= set(two.output.split())
    assert none.exit_code == 2
    assert "no model Account" in none.output


def test_check_and_list_speak_of_every_plugin(app) -> None:
    runner: CliRunner = app.test_cli_runner()

    listed, checked = runner.invoke(plugins, ["list"]), runner.invoke(plugins, ["check"])

    assert "leader_visit" in listed.output
    assert (checked.exit_code, checked.output) == (0, "no errors\n")
