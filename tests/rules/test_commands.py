"""List and run rules from the command line; a rule that failed stands on the plugin page."""

from __future__ import annotations

import json

import pytest

from app.cli.rules import rules
from app.extensions import db
from app.host.loader import host_of
from app.host.plugin import Contributions
from app.views.plugin import note_rule_failures
from tests.rules.conftest import RULE, rule


@pytest.fixture
def brought(app, monkeypatch):
    """Return a function that lets a shipped plugin bring rules for one test."""
    plugin = host_of(app).find("annex_1")

    def bring(*given) -> None:
        monkeypatch.setattr(plugin, "offers", Contributions(rules=given))

    yield bring
    plugin.late_problems.clear()


def _broken(window, settings):
    raise ValueError("no such thing")


def test_run_prints_what_it_did_and_fails_with_its_rules(app, county, limit, brought) -> None:
    limit(("2024-02-26", 3))
    county.school_class(position=5)
    brought(rule(), rule(_broken, key="crowded.broken", code="CROWD-2"))
    runner = app.test_cli_runner()

    listed = runner.invoke(rules, ["list"])
    good = runner.invoke(
        rules, ["run", "--as-of", "2026-03-02", "--rule", "CROWD-1", "--json", "-"]
    )
    both = runner.invoke(rules, ["run", "--as-of", "2026-03-03"])

    assert "CROWD-1" in listed.output
    assert (good.exit_code, both.exit_code) == (0, 1)
    (line,) = json.loads(good.stdout)
    assert (line["rule"], line["first_seen"]) == (RULE, "2026-03-02")


def test_unknown_rule_is_refused(app, brought) -> None:
    brought(rule())

    answer = app.test_cli_runner().invoke(rules, ["run", "--rule", "NOBODY"])

    assert answer.exit_code == 2
    assert "NOBODY" in answer.output


def test_failed_rule_is_a_problem_until_it_runs_again(app, brought, run) -> None:
    broken = rule(_broken, key="annex_1.broken")
    brought(broken)
    run(broken)
    plugin = host_of(app).find("annex_1")

    with app.app_context():
        note_rule_failures()
        failed = [one.id for one in plugin.late_problems]
        db.session.remove()

    assert failed == ["E055"]
