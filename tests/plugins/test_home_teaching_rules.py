"""Test how home teaching is judged: every decision at its edges."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from app import database
from app.base import registry
from app.extensions import db
from app.models import CalendarException, Child, Parameter, ParameterValue, Violation
from app.rules.engine import run_rules
from plugins.home_teaching.models import Disability
from tests.plugins.home_teaching import excuse, lay_out_calendar, months_of, session, taught

OCTOBER = date(2025, 10, 1)
NOVEMBER = date(2025, 11, 1)
AUTUMN = [(2025, month) for month in (9, 10, 11, 12)] + [(2026, 1)]
SPRING = [(2026, month) for month in (3, 4, 5, 6)]
SHORT = ("09:00", "10:00", 2)


@pytest.fixture(autouse=True)
def _calendar(county) -> None:
    lay_out_calendar(county)


def found(county, rule: str) -> list[tuple[int, date, str, str]]:
    """Return what stands open under a rule."""
    query = select(Violation).where(
        Violation.rule_key == f"home_teaching.{rule}", Violation.resolved_on.is_(None)
    )
    return [
        (one.subject_id, one.period_start, one.observed, one.required)
        for one in county.all(query.order_by(Violation.period_start, Violation.subject_id))
    ]


def named(county, rule: str, start: date | None = None) -> dict[str, tuple[str, str]]:
    """Return what stands open under a rule by the child's name, of one period."""
    names = {child.id: child.name for child in county.all(select(Child))}
    return {
        names[key]: (seen, needed)
        for key, begun, seen, needed in found(county, rule)
        if start is None or begun == start
    }


MONTHS = [
    ("none", {}, [], None, "0"),
    ("one", {}, [13], None, "1"),
    ("two", {}, [13, 14], None, None),
    ("three", {}, [13, 14, 15], None, None),
    ("ten days inside", {"starts_on": date(2025, 10, 20)}, [], None, "0"),
    ("nine days inside", {"starts_on": date(2025, 10, 21)}, [], None, None),
    ("ended early", {"ends_on": date(2025, 10, 13), "end_reason": "moved"}, [], None, None),
    ("asked for", {}, [], "requested", "0"),
    ("approved", {}, [], "approved", None),
    ("on a Sunday", {}, [12, 19], None, None),
]


def test_month_needs_two_visits(county, run_rule) -> None:
    for name, values, days, state, _seen in MONTHS:
        case = taught(county, county.child(name, status="home_taught"), **values)
        for day in days:
            session(county, case, date(2025, 10, day))
        if state:
            excuse(county, case, OCTOBER, state)
    twice = taught(county, county.child("two records on a day"))
    for span in (("09:00", "10:30", 3), ("14:00", "15:30", 3)):
        session(county, twice, date(2025, 10, 13), span)

    run_rule("HT-1", as_of=date(2025, 10, 31))
    early = named(county, "visits_each_month", OCTOBER)
    run_rule("HT-1", as_of=NOVEMBER)

    assert early == {}
    expected = {name: (seen, "2") for name, _values, _days, _state, seen in MONTHS if seen}
    expected["two records on a day"] = ("1", "2")
    assert named(county, "visits_each_month", OCTOBER) == expected


def test_closed_days_of_the_school_do_not_count(county, run_rule) -> None:
    taught(county, starts_on=date(2025, 10, 20))
    scope = county.scope_of(county.a_school)
    closed = {"day": date(2025, 10, 22), "is_school_day": False, "reason": "台风停课"}
    county.add(CalendarException(**closed, **scope))

    run_rule("HT-1", as_of=NOVEMBER)

    assert named(county, "visits_each_month", OCTOBER) == {}


def test_short_july_joins_june_and_its_vacation_counts(county, run_rule) -> None:
    idle, busy = (taught(county, county.child(name)) for name in ("idle", "busy"))
    session(county, busy, date(2026, 6, 9))
    session(county, busy, date(2026, 7, 28))
    for case in (idle, busy):
        months_of(county, case, [*AUTUMN, *SPRING[:3]])

    run_rule("HT-1", as_of=date(2026, 7, 31))
    early = found(county, "visits_each_month")
    run_rule("HT-1", as_of=date(2026, 8, 1))

    assert early == []
    assert found(county, "visits_each_month") == [(idle.child_id, date(2026, 6, 1), "0", "2")]


def test_short_visits_count_only_where_the_month_lacks_them(county, run_rule) -> None:
    enough, lacking = taught(county), taught(county, county.child(status="home_taught"))
    for case in (enough, lacking):
        session(county, case, date(2025, 10, 14))
    session(county, enough, date(2025, 10, 21))
    session(county, enough, date(2025, 10, 9), SHORT)
    short = [session(county, lacking, date(2025, 10, day), SHORT).id for day in (9, 22)]

    run_rule("HT-2", as_of=NOVEMBER)

    assert found(county, "class_hours_each_visit") == [(key, OCTOBER, "2", "3") for key in short]


def test_class_hour_has_thirty_minutes(county, run_rule) -> None:
    case = taught(county)
    spans = [
        ("09:00", "10:30", 3), ("09:00", "10:29", 3), ("09:00", "11:00", 3), ("09:00", "10:00", 2),
    ]  # fmt: skip
    made = [session(county, case, date(2025, 10, 13 + n), one).id for n, one in enumerate(spans)]

    run_rule("HT-3", as_of=NOVEMBER)

    assert found(county, "minutes_each_class_hour") == [(made[1], OCTOBER, "3", "2")]


YEARS = [
    ("nine months", {}, AUTUMN + SPRING, [], ("54", "60 (60×9÷9)")),
    ("with vacations", {}, AUTUMN + SPRING, [], None),
    ("from March", {"starts_on": date(2026, 3, 2)}, [], [], ("0", "26 (60×4÷9)")),
    ("excused April", {"starts_on": date(2026, 3, 2)}, [], [4], ("0", "20 (60×3÷9)")),
    ("from late June", {"starts_on": date(2026, 6, 25)}, [], [], ("0", "6 (60×1÷9)")),
    ("from July", {"starts_on": date(2026, 7, 1)}, [], [], None),
]


def test_year_asks_for_its_share_of_sixty_hours(county, run_rule) -> None:
    for name, values, months, excused, _seen in YEARS:
        case = taught(county, county.child(name, status="home_taught"), **values)
        months_of(county, case, months)
        for month in excused:
            excuse(county, case, date(2026, month, 1))
        for day in (date(2026, 2, 10), date(2026, 8, 31)) if name == "with vacations" else ():
            session(county, case, day)

    run_rule("HT-4", as_of=date(2026, 8, 31))
    early = named(county, "class_hours_each_year")
    run_rule("HT-4", as_of=date(2026, 9, 1))

    assert early == {}
    assert named(county, "class_hours_each_year") == {
        name: seen for name, *_rest, seen in YEARS if seen
    }


def test_year_may_be_the_calendar_year(county, run_rule) -> None:
    key = "home_teaching.year_first_month"
    parameter = county.scalar(select(Parameter).filter_by(key=key))
    county.add(ParameterValue(parameter_id=parameter.id, valid_from=date(2025, 1, 1), number=1))
    case = taught(county)
    months_of(county, case, [(2026, 1), *SPRING])

    run_rule("HT-4", as_of=date(2027, 1, 4))

    expected = (case.child_id, date(2026, 1, 1), "30", "60 (60×9÷9)")
    assert found(county, "class_hours_each_year") == [expected]


def test_pace_is_judged_by_the_months_that_are_over(county, run_rule) -> None:
    taught(county, county.child("behind"))
    months_of(county, taught(county, county.child("on pace")), [(2025, 9)])

    run_rule("HT-PACE", as_of=date(2025, 9, 30))
    early = named(county, "pace")
    run_rule("HT-PACE", as_of=OCTOBER)

    assert early == {}
    assert named(county, "pace") == {"behind": ("0", "6 (60×1÷9)")}


def test_determination_must_say_that_school_is_impossible(county, run_rule) -> None:
    for determination in ("unable", "able", "pending"):
        taught(county, county.child(determination), determination=determination)
    taught(county, county.child("over"), determination="able", ends_on=OCTOBER, end_reason="moved")

    run_rule("HT-ELIG", as_of=NOVEMBER)

    assert set(named(county, "eligibility")) == {"able", "pending"}


ROSTERS = [
    ("off the roster", None, True),
    ("placed", {"placement": "home"}, False),
    ("nowhere", {"placement": None}, True),
    ("until October", {"placement": "home", "valid_to": OCTOBER}, True),
    ("later", {"placement": "home", "valid_from": date(2025, 12, 1)}, True),
]


def test_home_taught_children_stand_on_the_roster(county, run_rule) -> None:
    for name, values, _violated in ROSTERS:
        case = taught(county, county.child(name, status="home_taught"))
        if values is not None:
            known = {"kind": "physical", "valid_from": date(2025, 9, 1), **values}
            scope = county.scope_of(county.a_school)
            county.add(Disability(child_id=case.child_id, **known, **scope))

    run_rule("HT-LINK", as_of=NOVEMBER)

    assert set(named(county, "roster")) == {name for name, _values, bad in ROSTERS if bad}


def test_child_is_judged_at_the_school_that_has_the_case_last(app, county, run_rule) -> None:
    other = county.school("青山中学")
    child = county.child(status="home_taught")
    first = taught(county, child, ends_on=date(2025, 10, 15), end_reason="moved")
    last = taught(county, child, starts_on=date(2025, 10, 16), **county.scope_of(other))

    run_rule("HT-1", as_of=NOVEMBER)

    judged = select(Violation.school_id).where(Violation.period_start == OCTOBER)
    assert county.all(judged) == [last.school_id]
    with app.app_context(), database.writing():
        rules = [rule for rule in registry.rules() if rule.code == "HT-1"]
        for school in (first.school_id, last.school_id):
            again = run_rules(db.session(), NOVEMBER, rules=rules, school_ids=frozenset({school}))
            (result,) = again.results
            assert (result.opened, result.changed, result.resolved) == (0, 0, 0)
        db.session.commit()
