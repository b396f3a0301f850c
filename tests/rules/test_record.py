"""Write verdicts as JSON and explain them; what was judged once stays as it was, byte for byte."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from app.cli.rules import rules
from app.models import (
    CalendarDay,
    Clause,
    Parameter,
    ParameterValue,
    RuleRun,
    SchoolYear,
    Semester,
    Violation,
)
from tests.plugins.home_teaching import session, taught

KEYS = [
    "rule", "clause", "severity", "township", "school", "subject_type", "subject", "observed",
    "required", "parameter", "effective_from", "arithmetic", "evidence", "first_seen", "last_seen",
    "resolved_on",
]  # fmt: skip
CLAUSE = "LP24-A1-4-3h"
HOURS = "home_teaching.year_hours"


@pytest.fixture
def case(county) -> Any:
    """Return a case over two school years, with one visit in October of the first."""
    place = {"county_id": county.here.id}
    before = county.add(
        SchoolYear(
            name="2024—2025学年", starts_on=date(2024, 9, 1), ends_on=date(2025, 8, 31), **place
        )
    )
    terms = (
        (before, date(2024, 9, 2), date(2025, 1, 17)),
        (before, date(2025, 2, 17), date(2025, 7, 4)),
        (county.year, date(2025, 9, 1), date(2026, 1, 30)),
    )
    for number, (year, first, last) in enumerate(terms):
        facts = {"name": f"学期{number}", "starts_on": first, "ends_on": last}
        county.add(Semester(school_year_id=year.id, **facts, **place))
    days = (date(2024, 9, 1) + timedelta(days=offset) for offset in range(520))
    rows = [
        {"day": day, "is_working_day": day.weekday() < 5, "is_school_day": day.weekday() < 5}
        for day in days
    ]
    county.execute(insert(CalendarDay).values([{**row, **place} for row in rows]))
    held = taught(county, starts_on=date(2024, 9, 1))
    session(county, held, date(2024, 10, 14))
    return held


@pytest.fixture
def judge(app, tmp_path):
    """Return a function that runs rules from the command line and returns the JSON's text."""

    def run(day: str, *more: str) -> str:
        path = tmp_path / "out.json"
        arguments = ["run", "--as-of", day, "--json", str(path), *more]
        answer = app.test_cli_runner().invoke(rules, arguments)
        assert answer.exit_code in {0, 3}, answer.output
        return path.read_text(encoding="utf-8")

    return run


def test_json_says_everything_about_a_verdict(county, case, judge) -> None:
    lines = json.loads(judge("2024-11-04", "--rule", "HT-1"))

    october = next(line for line in lines if line["observed"] == "1")
    assert [list(line) for line in lines] == [KEYS] * len(lines)
    assert october["arithmetic"] == "应≥2次，实1次：2024-10-14"
    assert october["evidence"] == [
        {
            "record_type": "plg_home_teaching_session",
            "record": october["evidence"][0]["record"],
            "day": "2024-10-14",
            "detail": "计3课时，共90分钟",
        }
    ]
    assert (october["subject_type"], october["subject"]) == ("child", case.child_id)
    assert (october["township"], october["school"]) == ("修仁镇", "修仁中学")
    assert (october["clause"], october["severity"]) == (CLAUSE, "violation")
    assert october["parameter"]["home_teaching.month_visits"] == "2"
    assert (october["required"], october["effective_from"]) == ("2", "2024-02-26")
    assert (october["first_seen"], october["last_seen"]) == ("2024-11-04", "2024-11-04")
    assert october["resolved_on"] is None


def test_unchanged_rerun_moves_only_the_day_it_was_last_seen(county, case, judge) -> None:
    first = json.loads(judge("2024-11-04", "--rule", "HT-1"))
    runs = county.scalar(select(func.count(RuleRun.id)))

    second = json.loads(judge("2024-11-11", "--rule", "HT-1"))
    session(county, case, date(2024, 10, 15))
    third = json.loads(judge("2024-11-18", "--rule", "HT-1"))

    assert second == [{**line, "last_seen": "2024-11-11"} for line in first]
    resolved = next(line for line in third if line["observed"] == "1")
    assert (resolved["last_seen"], resolved["resolved_on"]) == ("2024-11-11", "2024-11-18")
    assert county.scalar(select(func.count(RuleRun.id))) == runs + 2


def test_earlier_day_is_written_out_and_not_stored(county, case, judge) -> None:
    judge("2024-12-02", "--rule", "HT-1")
    before = county.scalar(select(func.count(Violation.id)))

    lines = json.loads(judge("2024-11-04", "--rule", "HT-1"))

    assert [line["observed"] for line in lines] == ["0", "1"]
    assert {line["first_seen"] for line in lines} == {"2024-11-04"}
    assert county.scalar(select(func.count(Violation.id))) == before
    assert county.scalar(select(func.max(RuleRun.as_of))) == date(2024, 12, 2)


def test_later_value_and_wording_leave_every_earlier_result_as_it_was(
    app, county, case, judge
) -> None:
    judge("2025-09-10")
    earlier = [judge(day) for day in ("2024-11-04", "2025-03-31", "2025-08-31")]
    number = county.scalar(
        select(Violation.id).where(Violation.rule_key == "home_teaching.class_hours_each_year")
    )
    told = _explained(app, number)

    _set(county, HOURS, date(2025, 9, 1), 216)
    wording = county.scalar(select(Clause).where(Clause.key == CLAUSE))
    county.add(
        Clause(
            key=CLAUSE,
            document_id=wording.document_id,
            text="每学年不少于216课时",
            valid_from=date(2025, 9, 1),
        )
    )

    assert [judge(day) for day in ("2024-11-04", "2025-03-31", "2025-08-31")] == earlier
    hours = json.loads(judge("2025-09-10", "--rule", "HT-4"))
    assert [line["parameter"][HOURS] for line in hours] == ["60"]
    assert _explained(app, number) == told
    assert "每学年不少于216课时" not in told
    pace = json.loads(judge("2025-12-01", "--rule", "HT-PACE"))
    assert [line["parameter"][HOURS] for line in pace if not line["resolved_on"]] == ["216"]


def test_explanation_names_clause_parameter_and_records(app, county, case, judge) -> None:
    judge("2024-11-04", "--rule", "HT-1")
    number = county.scalar(select(Violation.id).where(Violation.observed == "1"))

    told = _explained(app, number)

    assert "应≥2次，实1次：2024-10-14" in told
    assert county.scalar(select(Clause.text).where(Clause.key == CLAUSE)) in told
    assert "parameter home_teaching.month_visits: 2" in told
    assert "evidence: plg_home_teaching_session" in told
    assert "last seen: 2024-11-04" in told


def test_explanation_of_an_unknown_number_is_refused(app, county) -> None:
    answer = app.test_cli_runner().invoke(rules, ["explain", "999"])

    assert answer.exit_code == 2
    assert "999" in answer.output


def _explained(app, number: int) -> str:
    answer = app.test_cli_runner().invoke(rules, ["explain", str(number)])
    assert answer.exit_code == 0, answer.output
    return answer.output


def _set(county, key: str, since: date, number: int | None) -> None:
    parameter = county.scalar(select(Parameter.id).where(Parameter.key == key))
    county.add(ParameterValue(parameter_id=parameter, valid_from=since, number=number))
