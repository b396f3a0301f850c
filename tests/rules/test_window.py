"""Rules are right for any window: some schools alone are judged as among all others."""

from __future__ import annotations

import random
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import database
from app.base import registry
from app.cadence.obligation import settle
from app.models import School
from app.rules.judge import Judge, judge_on
from app.rules.rule import Rule
from tests.builder import CountyBuilder
from tests.rules.kept import keep
from tests.rules.made import made_county, made_frame

TOGETHER = 6


def test_some_schools_alone_are_judged_as_among_all(county: CountyBuilder) -> None:
    dice = random.Random(11)
    frame = made_frame(dice)
    counties = [made_county(dice, frame) for _ in range(TOGETHER)]
    differing: dict[str, set[Any]] = {}
    with county.context(), database.writing():
        session = county.session
        try:
            keep(county, frame, counties)
            settle(session, frame.as_of)
            places = list(session.scalars(select(School.id).order_by(School.id)))
            some = frozenset(dice.sample(places, len(places) // 2))
            for rule in registry.rules():
                every = _found(session, judge_on(session, frame.as_of), rule)
                own = _found(session, judge_on(session, frame.as_of, school_ids=some), rule)
                differing[rule.key] = own ^ {row for row in every if row[2] in some}
        finally:
            session.rollback()

    assert len(differing) > 40
    assert {key for key, rows in differing.items() if rows} == set()


def _found(session: Session, judge: Judge, rule: Rule) -> set[tuple[Any, ...]]:
    """Return what a rule finds."""
    window = judge.window(rule)
    asked = judge.asked(rule, window, rule.select) if window is not None else []
    return {tuple(row) for query, _settings in asked for row in session.execute(query)}
