"""Run rules that a test writes over a parameter that a test sets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import literal, select
from sqlalchemy.orm import Session

from app import database
from app.extensions import db
from app.host.loader import host_of
from app.kit import Rule, SchoolClass
from app.models import Violation
from app.parameters.definition import ParameterSpec
from app.parameters.settings import Settings
from app.parameters.sync import sync_parameters
from app.parameters.window import Window
from app.rules.engine import RuleReport, run_rules

RULE = "crowded.school"
SPRING = date(2026, 3, 2)


def crowded(window: Window, settings: Settings) -> Any:
    """Select classes whose position is above the limit."""
    return select(
        literal("school_class").label("subject_type"),
        SchoolClass.id.label("subject_id"),
        SchoolClass.school_id,
        SchoolClass.township_id,
        literal(window.start).label("period_start"),
        SchoolClass.position.label("observed"),
        literal(settings.limit).label("required"),
    ).where(SchoolClass.position > settings.limit)


def rule(select_: Any = crowded, **values: Any) -> Rule:
    """Return a rule over classes."""
    facts = {
        "key": RULE,
        "code": "CROWD-1",
        "clause": "",
        "subject": "school_class",
        "period": "none",
        "severity": "violation",
        "absent": "skip",
        "message": "%(observed)s > %(required)s",
    }
    return Rule(select=select_, **{**facts, **values})


Run = Callable[..., RuleReport]


@pytest.fixture
def limit(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Return a function that gives the parameter `crowded.limit` its dated values."""
    names = host_of(app).registry.parameter_names
    monkeypatch.setattr(
        host_of(app).registry,
        "parameter_names",
        lambda plugin: ("limit",) if plugin == "crowded" else names(plugin),
        raising=False,
    )

    def put(*values: tuple[str, int]) -> None:
        dated = [{"from": date.fromisoformat(day), "value": value} for day, value in values]
        spec = ParameterSpec.model_validate({"title": "Limit", "unit": "count", "values": dated})
        with app.app_context(), database.writing():
            sync_parameters(db.session, "crowded", {"limit": spec})
            db.session.commit()
            db.session.remove()

    return put


@pytest.fixture
def run(app: Flask) -> Run:
    """Return a function that runs rules and commits."""

    def start(*rules: Rule, as_of: date = SPRING, **values: Any) -> RuleReport:
        with app.app_context(), database.writing():
            report = run_rules(db.session, as_of, rules=rules, **values)
            db.session.commit()
            db.session.remove()
        return report

    return start


def violations(county: Any, key: str = RULE) -> list[Violation]:
    """Return the stored violations of a rule, detached from any transaction."""
    query = (
        select(Violation)
        .where(Violation.rule_key == key)
        .order_by(Violation.period_start, Violation.subject_id)
    )
    with county.context(), Session(db.engine) as session:
        found = list(session.scalars(query))
        session.expunge_all()
    return found
