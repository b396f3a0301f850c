"""Compare every violation with independent judges, over generated counties."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app import database
from app.base import registry
from app.cadence.obligation import settle
from app.models import Obligation, Violation
from app.rules.engine import run_rules
from app.rules.judge import judge_on
from app.rules.rule import EVIDENCE_COLUMNS, Rule
from tests.builder import CountyBuilder
from tests.cadence.oracle import months
from tests.rules.kept import keep
from tests.rules.made import SmallCounty, made_county, made_frame
from tests.rules.oracle import OUTCOMES, Frame, Key, Verdicts, World, judged_cadences
from tests.rules.oracle_attendance import judged_attendance
from tests.rules.oracle_doubles import (
    judged_errands,
    judged_homes,
    judged_pictures,
    judged_visits,
)
from tests.rules.oracle_findings import judged_findings
from tests.rules.oracle_records import judged_papers
from tests.rules.oracle_suspension import judged_suspensions
from tests.rules.oracle_teaching import judged_teaching

TOGETHER = 15
"""Counties under one calendar: one load, one run of the rules."""
PROVEN = (
    ".gap", "feedback_missing", "visit_missing", "documents_missing", ".overdue", ".found_again",
    "inspection", "presence", "picture", ".double_visit", "homes",
)  # fmt: skip
"""How the keys of rules end that always rest on a record."""
ELSEWHERE = ("reconciliation.", "accountability.")
"""Plugins whose rules are judged by tables in their own tests: the roster of a whole county, and
cases that only inspections of a superior open."""


def judged_by_hand(frame: Frame, one: SmallCounty) -> Verdicts:
    """Ask the independent judges."""
    world = World(frame.semesters_before, frame.off, frame.make_up, [], [], [], set())
    before, now = months(world), months(one.world)
    blocks = [
        [(first, last, inside[-1]) for first, last, inside in found] for found in (before, now)
    ]
    return {
        **judged_cadences(frame, one.world),
        **judged_findings(frame, one.matters),
        **judged_suspensions(frame, one.pupils),
        **judged_teaching(frame, *blocks, one.taught),
        **judged_attendance(frame, one.attendance, one.world.seen),
        **judged_papers(frame, one.papers),
        **judged_errands(frame, one.errands, one.world.seen),
        **judged_pictures(frame, one.pictures),
        **judged_visits(frame, one.pupils),
        **judged_homes(frame, one.taught),
    }


def judged_by_the_product(
    county: CountyBuilder, frame: Frame, counties: list[SmallCounty], *, proven: bool
) -> Verdicts:
    """Run the rules and read what they left open; with `proven`, read the evidence, too."""
    rules = [rule for rule in registry.rules() if is_covered(rule.key)]
    settle(county.session, frame.as_of)
    _excuse(county.session, frame, counties)
    report = run_rules(county.session, frame.as_of, rules=rules)
    assert [result for result in report.results if result.error] == []
    rows = county.session.execute(select(Violation.__table__)).all()
    found = {
        (row.rule_key, row.subject_id, row.period_start): (row.observed, row.required)
        for row in rows
    }
    assert not proven or _bare(county.session, frame, rules, found) == set()
    return found


def _excuse(session: Session, frame: Frame, counties: list[SmallCounty]) -> None:
    """Excuse some obligations, as of the judging day or a day too late."""
    worlds = {campus.id: one.world for one in counties for campus in one.world.campuses}
    for row in session.execute(select(Obligation.__table__)).all():
        if row.id % 11:
            continue
        day = frame.as_of + timedelta(days=row.id % 2)
        at = datetime.combine(day, time(4), UTC)
        worlds[row.school_id].excused[row.type_key, row.school_id, row.period_start] = at
        table = Obligation.__table__
        session.execute(update(table).where(table.c.id == row.id).values(excused_at=at))


def _bare(session: Session, frame: Frame, rules: list[Rule], found: Verdicts) -> set[Key]:
    """Read the evidence of the rules; return the verdicts that should rest on some and do not."""
    judge = judge_on(session, frame.as_of)
    shown: set[Key] = set()
    for rule in rules:
        window = judge.window(rule)
        if rule.evidence is None or window is None:
            continue
        for query, _settings in judge.asked(rule, window, rule.evidence, EVIDENCE_COLUMNS):
            rows = query.subquery()
            keys = session.execute(select(rows.c.subject_id, rows.c.period_start).distinct())
            shown |= {(rule.key, subject, start) for subject, start in keys}
    return {key for key in found if key[0].endswith(PROVEN)} - shown


def is_covered(key: str) -> bool:
    return not key.startswith(ELSEWHERE)


def agree(county: CountyBuilder, seed: int, *, proven: bool = True) -> None:
    """Judge some counties both ways."""
    dice = random.Random(seed)
    frame = made_frame(dice)
    counties = [made_county(dice, frame) for _ in range(TOGETHER)]
    with county.context(), database.writing():
        try:
            keep(county, frame, counties)
            product = judged_by_the_product(county, frame, counties, proven=proven)
        finally:
            county.session.rollback()
    hand: Verdicts = {}
    for one in counties:
        hand |= judged_by_hand(frame, one)
    differing = {
        key: (said(product.get(key)), said(hand.get(key)))
        for key in product.keys() | hand.keys()
        if said(product.get(key)) != said(hand.get(key))
    }
    assert differing == {}, (seed, frame.as_of, frame.changes, differing)


def said(verdict: tuple[Any, Any] | None) -> tuple[str, str] | None:
    """Return the figures of a verdict as they are compared; nothing where there is none."""
    if verdict is None:
        return None
    observed, required = (
        value.isoformat() if isinstance(value, date) else str(value) for value in verdict
    )
    for word, key in (("未开展", "missed"), ("逾期", "late")):
        observed = key if observed.startswith(word) else observed
    return observed, required.partition(" (")[0]


@pytest.mark.parametrize("seed", [0, 1])
def test_rules_judge_as_independent_judges_do(county: CountyBuilder, seed: int) -> None:
    agree(county, seed, proven=not seed)


def test_each_rule_has_cases_on_either_side_of_its_edge(county: CountyBuilder) -> None:
    OUTCOMES.clear()
    for seed in (0, 1):
        dice = random.Random(seed)
        frame = made_frame(dice)
        for _ in range(TOGETHER):
            judged_by_hand(frame, numbered(made_county(dice, frame)))

    with county.context():
        keys = [rule.key for rule in registry.rules() if is_covered(rule.key)]
    sides = {(key, fires) for key in keys for fires in (True, False)}
    assert sides - OUTCOMES.keys() == set()


def numbered(one: SmallCounty) -> SmallCounty:
    """Give the rows that are told apart by their keys the keys that a database would give."""
    lessons = [lesson for child in one.taught for lesson in child.lessons]
    for place, row in enumerate([*one.world.campuses, *lessons], 1):
        row.id = place
    return one


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_rules_judge_as_independent_judges_do_in_many_counties(county: CountyBuilder) -> None:
    for seed in range(100, 120):
        agree(county, seed)
