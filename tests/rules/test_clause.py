"""A clause that ends, and what was due under it before."""

from __future__ import annotations

from datetime import date

from sqlalchemy import insert, select, update

from app import database
from app.base import registry
from app.cadence.obligation import settle
from app.extensions import db
from app.models import CalendarDay, Clause, Obligation, Semester
from app.rules.judge import judge_on
from app.rules.record import as_json, found_verdicts
from tests.builder import CountyBuilder


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
