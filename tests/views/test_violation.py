"""A violation's page: why it stands, what is said about it, and who may say what."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from app import clock, database
from app.base import registry
from app.extensions import db
from app.models import Change, Violation, ViolationStep
from app.rules.engine import run_rules
from tests.conftest import CountyBuilder, Login
from tests.plugins.home_teaching import lay_out_calendar, session, taught

TODAY = date(2025, 11, 3)


@pytest.fixture
def today(monkeypatch):
    """Hold the clock, and return a function that moves it."""

    def move(day: date) -> date:
        monkeypatch.setattr(clock, "today", lambda: day)
        return day

    move(TODAY)
    return move


@pytest.fixture
def violation(app, county: CountyBuilder, today) -> Violation:
    """Return a month with one visit too few."""
    lay_out_calendar(county)
    case = taught(county, starts_on=date(2025, 10, 1))
    session(county, case, date(2025, 10, 14))
    judge(app, TODAY)
    return county.scalar(select(Violation).where(Violation.code == "HT-1"))


def judge(app, day: date) -> None:
    """Run the rules on home teaching."""
    chosen = [rule for rule in registry_of(app) if rule.code == "HT-1"]
    with app.app_context(), database.writing():
        run_rules(db.session(), day, rules=chosen)
        db.session.commit()
        db.session.remove()


def registry_of(app):
    with app.app_context():
        return list(registry.rules())


def test_page_shows_arithmetic_clause_parameter_and_records(login: Login, violation) -> None:
    office = login("supervision_office")

    text = office.soup(f"/violationview/show/{violation.id}").get_text()

    for said in (
        "应≥2次，实1次：2025-10-14",
        "LP24-A1-4-3h",
        "每月最少送教次数",
        "计3课时，共90分钟",
    ):
        assert said in text


def test_what_is_said_is_kept_with_who_and_why_and_audited(
    county: CountyBuilder, login: Login, violation
) -> None:
    school, office = login("school_leader", school=county.a_school), login("supervision_office")
    page = f"/violationview/show/{violation.id}"
    form = "form[action*={}]"

    school.submit(page, select=form.format("acknowledge"))
    school.submit(page, {"explain-note": "教师病假"}, select=form.format("explain"))
    offered = school.soup(page).select(form.format("waive"))
    until = TODAY + timedelta(days=30)
    answers = {"waive-note": "县外就医", "waive-until": until.isoformat()}
    told = office.submit(page, answers, select=form.format("waive")).get_data(as_text=True)

    steps = county.all(select(ViolationStep).order_by(ViolationStep.id))
    row = county.scalar(select(Violation))
    assert [(step.state, step.note, step.until) for step in steps] == [
        ("acknowledged", None, None),
        ("explained", "教师病假", None),
        ("waived", "县外就医", until),
    ]
    assert all(step.person_id for step in steps)
    assert offered == []
    assert (row.state, row.waived_until) == ("waived", until)
    assert "教师病假" in told
    kept = select(func.count(Change.id)).where(Change.table_name == "violation_step")
    assert county.scalar(kept) == 3


@pytest.mark.parametrize(
    ("note", "until", "told"),
    [
        ("", "2025-12-01", "此项"),
        ("县外就医", "", "此项"),
        ("县外就医", "2025-11-02", "截止日不得早于今天"),
        ("县外就医", "2026-12-31", "豁免最长一年"),
    ],
)
def test_waiver_without_reason_or_day_is_refused_and_nothing_typed_is_lost(
    county, login, violation, note, until, told
) -> None:
    office = login("supervision_office")
    answers = {"waive-note": note, "waive-until": until}

    answer = office.submit(
        f"/violationview/show/{violation.id}", answers, select="form[action*=waive]"
    )

    text = answer.get_data(as_text=True)
    assert told in text
    assert note in text
    assert county.scalar(select(Violation.state)) == "open"
    assert county.scalar(select(func.count(ViolationStep.id))) == 0


def test_waived_violation_stands_again_after_its_day(app, county, login, violation, today) -> None:
    office = login("supervision_office")
    answers = {"waive-note": "县外就医", "waive-until": "2025-11-10"}
    office.submit(f"/violationview/show/{violation.id}", answers, select="form[action*=waive]")
    states = []
    for day in (date(2025, 11, 10), date(2025, 11, 11)):
        judge(app, today(day))
        states.append(county.scalar(select(Violation.state)))

    (last,) = county.all(select(ViolationStep).order_by(ViolationStep.id.desc()).limit(1))
    assert states == ["waived", "open"]
    assert (last.state, last.person_id, last.until) == ("open", None, date(2025, 11, 10))


def test_resolved_violation_takes_no_step(app, county, login, violation, today) -> None:
    office = login("supervision_office")
    page = office.soup(f"/violationview/show/{violation.id}")
    form = page.select_one("form[action*=acknowledge]")
    case = county.scalar(select(Violation.subject_id))
    from plugins.home_teaching.models import Case

    session(county, county.scalar(select(Case).where(Case.child_id == case)), date(2025, 10, 15))
    judge(app, today(date(2025, 11, 4)))

    answer = office.send(form, "").get_data(as_text=True)

    assert "该事项已消除" in answer
    assert county.scalar(select(Violation.state)) == "resolved"
    assert county.scalar(select(func.count(ViolationStep.id))) == 0
