"""Part 9: check the policy, its clauses and the dated values against the document itself."""

from __future__ import annotations

import tomllib
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest

SEED = Path(__file__).resolve().parents[2] / "seed"
POLICY = SEED / "policy" / "lp24"
UNITS = {
    "count", "percent", "day", "school_day", "working_day", "month", "minute", "class_hour",
    "hour", "clock_hour", "week", "year", "text", "flag",
}  # fmt: skip
NAMED_BY_THE_CATALOGUE = {
    "LP24-1-1", "LP24-1-2", "LP24-1-3", "LP24-2",
    "LP24-3-1-1", "LP24-3-1-2", "LP24-3-1-3", "LP24-3-1-4", "LP24-3-1-5", "LP24-3-2",
    "LP24-4-1", "LP24-4-2", "LP24-4-3", "LP24-4-4", "LP24-A2",
}  # fmt: skip


def read(path: Path) -> dict[str, Any]:
    """Parse a TOML file of the seed."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def text() -> str:
    """Return the policy's text."""
    return (POLICY / "text.txt").read_text(encoding="utf-8")


def clause_keys() -> set[str]:
    """Return the keys of all clauses."""
    return {clause["key"] for clause in read(POLICY / "policy.toml")["clause"]}


def test_document_names_issuer_date_and_text() -> None:
    document = read(POLICY / "policy.toml")["document"]

    assert document["key"] == "LP24"
    assert document["issued_on"] == date(2024, 2, 26)
    assert document["title"] in text()
    assert (POLICY / document["text_file"]).is_file()


def test_text_has_no_stray_tags_or_empty_paragraphs() -> None:
    lines = text().splitlines()

    assert not [line for line in lines if "<p>" in line or "</p>" in line]
    assert all(line.strip() for line in lines)


def test_clauses_are_unique_dated_and_verbatim() -> None:
    clauses = read(POLICY / "policy.toml")["clause"]

    assert [key for key, n in Counter(c["key"] for c in clauses).items() if n > 1] == []
    assert {c["valid_from"] for c in clauses} == {date(2024, 2, 26)}
    assert all(c["heading"] for c in clauses)
    assert [c["key"] for c in clauses if c["text"] not in text()] == []


def test_clauses_named_by_the_catalogue_exist() -> None:
    assert clause_keys() >= NAMED_BY_THE_CATALOGUE


@pytest.mark.parametrize("name", sorted(read(POLICY / "parameters.toml")["core"]))
def test_parameter_is_dated_and_cites_a_clause(name: str) -> None:
    parameter = read(POLICY / "parameters.toml")["core"][name]

    starts = [value["from"] for value in parameter["values"]]

    assert parameter["title"]
    assert parameter["unit"] in UNITS
    assert starts
    assert starts == sorted(set(starts))
    for value in parameter["values"]:
        assert value["from"] >= date(2024, 2, 26)
        assert value["clause"] in clause_keys()
        assert value["basis"] in {"policy", "decision"}
        assert isinstance(value["value"], str) is (parameter["unit"] == "text")


@pytest.mark.parametrize(
    ("name", "unit", "value"),
    [
        ("feedback_days", "working_day", 3),
        ("rectification_days", "working_day", 15),
        ("rectification_days_cap", "working_day", 30),
        ("return_visit_days", "working_day", 10),
        ("urgent_persuasion_hours", "hour", 24),
        ("urgent_report_days", "working_day", 3),
        ("objection_days", "working_day", 3),
        ("objection_decision_days", "working_day", 5),
        ("confirmation_days", "working_day", 3),
        ("rollcall_classes_min", "count", 3),
        ("rollcall_classes_percent", "percent", 20),
        ("rollcall_all_classes_up_to", "count", 6),
        ("daily_draw_classes", "count", 1),
        ("daily_draw_classes_large", "count", 2),
        ("daily_draw_large_above", "count", 18),
        ("daily_close_hour", "clock_hour", 18),
        ("daily_late_school_days", "school_day", 3),
        ("fortnight_first_week_min_days", "school_day", 3),
        ("fortnight_min_days", "school_day", 5),
        ("month_min_days", "school_day", 10),
        ("leave_paper_days", "school_day", 3),
        ("level_name", "text", "市"),
    ],
)
def test_parameter_has_the_decided_value(name: str, unit: str, value: int | str) -> None:
    parameter = read(POLICY / "parameters.toml")["core"][name]

    assert parameter["unit"] == unit
    assert parameter["values"][-1]["value"] == value
