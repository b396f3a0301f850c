"""The work of the night: what is due, the ledgers, the plugins, the rules, in one transaction."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import func, select

from app import clock
from app.cli.nightly import nightly
from app.host.loader import host_of
from app.host.plugin import Contributions
from app.models import Obligation, Semester, Violation
from tests.rules.conftest import rule


def broken(_window, _settings):
    raise ValueError("no such thing")


def a_term(county) -> None:
    """Give the county a class and the semester of today."""
    today, year = clock.today(), county.year
    year.starts_on, year.ends_on = today - timedelta(days=30), today + timedelta(days=300)
    county.add(year)
    county.school_class()
    spans = {"starts_on": year.starts_on, "ends_on": today + timedelta(days=90)}
    county.add(Semester(county_id=county.here.id, school_year_id=year.id, name="学期", **spans))


def test_the_night_writes_down_what_is_due_and_a_second_one_changes_nothing(app, county) -> None:
    a_term(county)
    county.child("覃小明", status="home_taught")
    runner = app.test_cli_runner()

    first, second = runner.invoke(nightly), runner.invoke(nightly)

    assert (first.exit_code, second.exit_code) == (0, 0), first.output
    due = county.scalar(select(func.count(Obligation.id)))
    found = county.scalar(select(func.count(Violation.id)))
    assert due > 0
    assert found > 0  # taught at home, and on no roster
    assert f"{due} added" in first.output
    assert f"{found} opened" in first.output
    assert "obligations: 0 added, 0 changed, 0 taken back" in second.output
    assert "violations: 0 opened, 0 resolved" in second.output


def test_a_rule_that_fails_is_named_and_the_rest_of_the_night_stands(
    app, county, monkeypatch
) -> None:
    a_term(county)
    plugin = host_of(app).find("annex_1")
    offers = Contributions(rules=(rule(broken, key="annex_1.broken"),))
    monkeypatch.setattr(plugin, "offers", offers)

    told = app.test_cli_runner().invoke(nightly)
    plugin.late_problems.clear()

    assert told.exit_code == 1
    assert "failed: annex_1.broken" in told.output
    assert county.scalar(select(func.count(Obligation.id))) > 0


def test_a_night_that_has_not_come_is_refused(app) -> None:
    tomorrow: date = clock.today() + timedelta(days=1)

    told = app.test_cli_runner().invoke(nightly, ["--as-of", tomorrow.isoformat()])

    assert told.exit_code == 2
    assert "the future" in told.output
