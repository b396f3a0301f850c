"""Try drafts on past data: what is new, what vanishes, and nothing is written."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import MetaData, func, select

from app.cli.rules import rules
from app.extensions import db
from tests.plugins.home_teaching import lay_out_calendar, session, taught

PLUGINS = Path(__file__).parents[2] / "plugins"
VISITS = "home_teaching.month_visits"
NOVEMBER = "2025-11-03"


@pytest.fixture(autouse=True)
def cases(county) -> tuple[Any, Any]:
    """Return a case with two visits in each month, and one with a single visit in October."""
    lay_out_calendar(county)
    full, half = taught(county), taught(county)
    for day in (date(2025, 9, 9), date(2025, 9, 16), date(2025, 10, 14), date(2025, 10, 21)):
        session(county, full, day)
    for day in (date(2025, 9, 9), date(2025, 9, 16), date(2025, 10, 14)):
        session(county, half, day)
    return full, half


def everything(app) -> dict[str, list[Any]]:
    """Return every row of every table."""
    with app.app_context(), db.engine.connect() as connection:
        found = MetaData()
        found.reflect(connection)
        tables = [table for table in found.tables.values() if not table.name.endswith("_names")]
        return {table.name: list(_rows(connection, table)) for table in tables}


def _rows(connection: Any, table: Any) -> Iterator[tuple[Any, ...]]:
    keys = list(table.primary_key.columns) or list(table.columns)[:1]
    yield from (tuple(row) for row in connection.execute(select(table).order_by(*keys)))


def test_draft_value_is_tried_by_township_and_writes_nothing(app, county, cases, login) -> None:
    full, _half = cases
    before = everything(app)

    stricter = app.test_cli_runner().invoke(
        rules, ["simulate", "--set", f"{VISITS}=3@2025-09-01", "--as-of", NOVEMBER]
    )
    milder = app.test_cli_runner().invoke(
        rules, ["simulate", "--set", f"{VISITS}=1@2025-10-01", "--as-of", NOVEMBER]
    )

    assert (stricter.exit_code, milder.exit_code) == (0, 0), stricter.output + milder.output
    assert ["修仁镇", "3", "0"] in _cells(stricter.output)
    assert [f"child {full.child_id}"] == [
        cells[0] for cells in _cells(stricter.output) if cells[0].startswith("child")
    ]
    assert ["修仁镇", "0", "1"] in _cells(milder.output)
    assert everything(app) == before


def _cells(output: str) -> list[list[str]]:
    lines = (line for line in output.splitlines() if line.count("│") > 2)
    return [[cell.strip() for cell in line.strip("│").split("│")] for line in lines]


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("nobody.knows=3@2025-09-01", "nobody.knows"),
        (f"{VISITS}=many@2025-09-01", "many"),
        (f"{VISITS}=3", "2025-09-01"),
        (f"{VISITS}=-1@2025-09-01", "0"),
    ],
)
def test_draft_that_cannot_be_read_is_refused(app, typed, told) -> None:
    answer = app.test_cli_runner().invoke(rules, ["simulate", "--set", typed])

    assert answer.exit_code == 2
    assert told in answer.output


def test_page_shows_who_is_newly_affected_and_writes_nothing(app, county, cases, login) -> None:
    full, _half = cases
    office = login("supervision_office")
    office.get("/")
    name = county.scalar(select(type(county.child()).name).filter_by(id=full.child_id))
    counted = _counts(app)
    query = {"parameter": VISITS, "value": "3", "since": "2025-09-01", "as_of": NOVEMBER}

    page = office.get("/rules/simulate", query_string=query).get_data(as_text=True)
    wrong = office.get("/rules/simulate", query_string={**query, "value": "many"})

    assert name in page
    assert "修仁镇" in page
    assert "“many”不是数字" in wrong.get_data(as_text=True)
    assert 'value="many"' in wrong.get_data(as_text=True)
    assert _counts(app) == counted


def _counts(app) -> dict[str, int]:
    with app.app_context(), db.engine.connect() as connection:
        found = MetaData()
        found.reflect(connection, only=["rule_run", "violation", "parameter_value", "change"])
        return {
            name: connection.scalar(select(func.count()).select_from(table)) or 0
            for name, table in found.tables.items()
        }


@pytest.mark.long
def test_draft_version_of_a_plugin_is_tried_in_a_process_of_its_own(
    app, county, cases, tmp_path
) -> None:
    draft = tmp_path / "home_teaching"
    shutil.copytree(PLUGINS / "home_teaching", draft)
    judged = draft / "judgement.py"
    text = judged.read_text(encoding="utf-8")
    judged.write_text(
        text.replace("counted.c.visits < settings.month_visits)", "counted.c.visits < 3)"),
        encoding="utf-8",
    )
    before = everything(app)

    answer = app.test_cli_runner().invoke(
        rules, ["simulate", "--plugin", str(draft), "--as-of", NOVEMBER]
    )

    assert answer.exit_code == 0, answer.output
    assert ["修仁镇", "3", "0"] in _cells(answer.output)
    assert everything(app) == before
