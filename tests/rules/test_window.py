"""Rules are right for any window: some schools alone are judged as among all others."""

from __future__ import annotations

import random
from datetime import date

import pytest
from sqlalchemy import insert, select, update

from app import database
from app.base import registry
from app.cadence.obligation import settle
from app.extensions import db
from app.models import CalendarDay, Clause, Obligation, School, Semester
from app.rules.judge import judge_on
from app.rules.record import as_json, found_verdicts
from tests.builder import CountyBuilder
from tests.rules.kept import keep
from tests.rules.made import made_county, made_frame

TOGETHER = 6


@pytest.mark.parametrize("seed", [11])
def test_some_schools_alone_are_judged_as_among_all(county: CountyBuilder, seed: int) -> None:
    dice = random.Random(seed)
    frame = made_frame(dice)
    counties = [made_county(dice, frame) for _ in range(TOGETHER)]
    differing = {}
    with county.context(), database.writing():
        session = county.session
        try:
            keep(county, frame, counties)
            settle(session, frame.as_of)
            places = [row[0] for row in session.execute(select(School.id).order_by(School.id))]
            some = frozenset(dice.sample(places, len(places) // 2))
            named = {
                row[0] for row in session.execute(select(School.name).where(School.id.in_(some)))
            }
            for rule in registry.rules():
                every, own = (
                    found_verdicts(judge, [rule], with_evidence=False)
                    for judge in (
                        judge_on(session, frame.as_of),
                        judge_on(session, frame.as_of, school_ids=some),
                    )
                )
                if own != [one for one in every if one.school in named]:
                    differing[rule.key] = (len(every), len(own))
        finally:
            session.rollback()

    assert differing == {}


def test_clause_that_ends_leaves_what_was_due_before_as_it_was(county: CountyBuilder) -> None:
    place = {"county_id": county.here.id}
    term = {"starts_on": date(2025, 9, 1), "ends_on": date(2026, 1, 30)}
    county.add(Semester(name="第一学期", school_year_id=county.year.id, **term, **place))
    days = (date.fromordinal(term["starts_on"].toordinal() + offset) for offset in range(152))
    rows = [
        {"day": day, "is_working_day": day.weekday() < 5, "is_school_day": day.weekday() < 5}
        for day in days
    ]
    county.execute(insert(CalendarDay).values([{**row, **place} for row in rows]))
    county.school_class()
    ended, later = date(2025, 10, 15), date(2025, 10, 31)
    before = _judged(county, later)

    daily = county.scalar(select(Obligation.clause_key).where(Obligation.type_key == "daily_check"))
    county.execute(update(Clause).where(Clause.key == daily).values(valid_to=ended))
    after = _judged(county, later)

    assert max(due for due in before if due) == later
    assert max(due for due in after if due) == ended
    assert after == {due: text for due, text in before.items() if due <= ended}


def _judged(county: CountyBuilder, as_of: date) -> dict[date, str]:
    """Settle what is due; return the verdicts on the daily check as JSON, by their day."""
    rule = next(rule for rule in _rules(county) if rule.key == "daily_check.obligation")
    with county.context(), database.writing():
        settle(db.session(), as_of)
        found = found_verdicts(judge_on(db.session(), as_of), [rule], with_evidence=False)
        due = db.session.scalars(
            select(Obligation.due_on).where(Obligation.type_key == "daily_check")
        ).all()
        db.session.commit()
        db.session.remove()
    return {day: as_json(one for one in found if one.period_start == day) for day in due}


def _rules(county: CountyBuilder) -> list:
    with county.context():
        return list(registry.rules())
