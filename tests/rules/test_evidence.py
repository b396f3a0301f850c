"""Test that a judgement can be followed to the rows behind it."""

from __future__ import annotations

from datetime import date

from app.base import registry
from app.extensions import db
from app.parameters.settings import settings_of
from app.parameters.window import Period, Window
from app.rules.rule import EVIDENCE_COLUMNS

DAY = date(2026, 3, 10)
YEAR = Period("2025-09-01", date(2025, 9, 1), date(2026, 8, 31), date(2026, 7, 10))
OF_CHILDREN = {
    "roll_and_attendance", "reconciliation", "suspension", "home_teaching", "records",
}  # fmt: skip
WITHOUT = {
    "home_teaching.class_hours_each_visit": "the subject is the visit itself",
    "home_teaching.minutes_each_class_hour": "the subject is the visit itself",
    "home_teaching.session_material": "the subject is the visit itself",
    "home_teaching.eligibility": "the child's one running case says it",
    "records.incomplete_ledger_entry": "the subject is the entry itself",
    "records.monthly_report_missing": "what is missing has no row",
}


def test_rules_on_children_show_their_evidence_or_have_a_reason(app, county) -> None:
    county.year  # noqa: B018  # some rules ask for the school year
    window = Window(DAY, (YEAR,), months=(YEAR,))
    without = set()
    with app.app_context():
        session = db.session()
        for rule in registry.rules():
            if rule.plugin not in OF_CHILDREN:
                continue
            if rule.evidence is None:
                without.add(rule.key)
                continue
            found = session.execute(rule.evidence(window, settings_of(session, rule.plugin, DAY)))
            assert tuple(found.keys()) == EVIDENCE_COLUMNS, rule.key
        db.session.remove()

    assert without == set(WITHOUT)
