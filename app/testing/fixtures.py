"""Fixtures for the tests of plugins: run a rule, see what it found.

They build on the fixtures `app` (on both databases), `county` and `login` of tests/conftest.py.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app import database
from app.base import registry
from app.extensions import db
from app.models import Violation
from app.rules.engine import RuleReport, run_rules

RunRule = Callable[..., RuleReport]
HasViolation = Callable[..., bool]


@pytest.fixture
def run_rule(app: Flask) -> RunRule:
    """Return a function that runs one rule, by key or code, as of a day, and stores its result."""

    def run(name: str, as_of: date) -> RuleReport:
        with app.app_context(), database.writing():
            rules = [rule for rule in registry.rules() if name in (rule.key, rule.code)]
            if not rules:
                raise LookupError(name)
            report = run_rules(db.session, as_of, rules=rules)  # type: ignore[arg-type]  # scoped
            db.session.commit()
            db.session.remove()
        for result in report.results:
            if result.error:
                raise AssertionError(f"{result.rule}: {result.error}")
        return report

    return run


@pytest.fixture
def has_violation(app: Flask) -> HasViolation:
    """Return a function that tells whether a rule stands open against a row."""

    def has(subject: Any, rule: str) -> bool:
        with app.app_context():
            query = select(Violation.id).where(
                Violation.rule_key == rule,
                Violation.subject_id == subject.id,
                Violation.resolved_on.is_(None),
            )
            found = db.session.scalar(query) is not None
            db.session.remove()
            return found

    return has
