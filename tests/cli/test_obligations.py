"""Tell from the command line which inspections are due, and how they stand."""

from __future__ import annotations

import json
from datetime import date

from app.cli.obligations import obligations
from app.models import Semester


def test_obligations_are_written_down_and_told(app, county) -> None:
    county.school_class()
    county.add(
        Semester(
            county_id=county.here.id,
            school_year_id=county.year.id,
            name="下学期",
            starts_on=date(2026, 3, 2),
            ends_on=date(2026, 7, 10),
        )
    )
    runner = app.test_cli_runner()

    told = runner.invoke(obligations, ["--as-of", "2026-03-17"])
    listed = json.loads(runner.invoke(obligations, ["--as-of", "2026-03-17", "--json"]).output)
    by_person = ["--as-of", "2026-03-17", "--by", "person"]
    counted = json.loads(runner.invoke(obligations, [*by_person, "--json"]).output)
    nowhere = runner.invoke(obligations, ["--as-of", "2036-03-17"])

    assert "挂点股室督导" in told.output
    visits = [line for line in listed if line["type"] == "township_visit"]
    assert [(v["period_start"], v["due_on"], v["status"]) for v in visits] == [
        ("2026-03-02", "2026-03-13", "excused"),  # nobody holds the office
        ("2026-03-16", "2026-03-27", "pending"),
    ]
    assert {line["school"] for line in listed} == {"修仁中学"}
    township = next(one for one in counted if "修仁镇" in one["person"] and "乡镇" in one["person"])
    assert {key: township[key] for key in ("excused", "pending", "missed", "rate", "joint")} == {
        "excused": 1, "pending": 1, "missed": 0, "rate": None, "joint": 0,
    }  # fmt: skip
    assert "修仁镇" in runner.invoke(obligations, by_person).output
    assert nowhere.exit_code == 1
    assert "No school year holds 2036-03-17" in nowhere.output
