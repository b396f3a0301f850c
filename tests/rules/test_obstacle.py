"""Say what keeps rules from judging: on their page, on the command line, in its exit code."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import insert, literal, select

from app import clock
from app.cli.rules import rules
from app.extensions import db
from app.host.loader import host_of
from app.host.plugin import Contributions
from app.kit import Obligation
from app.models import CalendarDay, Parameter, ParameterValue, Semester
from app.rules.obstacle import obstacles
from tests.rules.conftest import SPRING, rule

YEARLY = rule(key="annex_1.yearly", period="semester")


@pytest.fixture
def said(app, county):
    """Return a function that tells what keeps rules from judging in spring."""

    def ask(*chosen) -> list[str]:
        with app.app_context():
            found = [one.message for one in obstacles(db.session(), SPRING, chosen)]
            db.session.remove()
        return found

    return ask


def test_county_without_a_school_year_is_told(county, said) -> None:
    county.here  # noqa: B018  # makes the county

    assert said(YEARLY) == ["荔浦市：没有包含2026-03-02的学年"]
    assert said(rule(period="event")) == []


def test_school_year_without_semesters_is_told(county, said) -> None:
    county.year  # noqa: B018  # makes the year

    assert said(YEARLY) == ["荔浦市：2025—2026学年没有学期"]


@pytest.mark.parametrize(
    ("second", "told"),
    [
        ((date(2026, 2, 1), date(2026, 7, 10)), []),
        ((date(2026, 1, 31), date(2026, 7, 10)), ["荔浦市：第一学期与第二学期日期重叠"]),
        ((date(2026, 3, 7), date(2026, 3, 8)), ["荔浦市：第二学期没有上课日"]),
    ],
)
def test_semesters_that_overlap_or_are_empty_are_told(county, said, second, told) -> None:
    place = {"county_id": county.here.id, "school_year_id": county.year.id}
    spans = (("第一学期", date(2025, 9, 1), date(2026, 1, 31)), ("第二学期", *second))
    for name, first, last in spans:
        county.add(Semester(name=name, starts_on=first, ends_on=last, **place))

    days = (date(2025, 9, 1) + timedelta(days=offset) for offset in range(183))
    rows = [
        {"day": day, "is_working_day": day.weekday() < 5, "is_school_day": day.weekday() < 5}
        for day in days
    ]
    county.execute(
        insert(CalendarDay).values([{**row, "county_id": county.here.id} for row in rows])
    )

    assert said(YEARLY) == told


def test_calendar_that_lacks_days_is_told(county, said) -> None:
    place = {"county_id": county.here.id, "school_year_id": county.year.id}
    term = {"name": "第二学期", "starts_on": date(2026, 2, 23), "ends_on": date(2026, 7, 10)}
    county.add(Semester(**term, **place))

    assert said(YEARLY) == ["荔浦市：第二学期至今共8天，校历只录入了0天"]


def test_missing_assignments_are_told_where_obligations_are_judged(county, said) -> None:
    def due(window, settings):
        return select(
            literal("school").label("subject_type"),
            Obligation.school_id.label("subject_id"),
            Obligation.school_id,
            Obligation.township_id,
            Obligation.period_start,
            literal(0).label("observed"),
            literal(1).label("required"),
        )

    told = said(rule(due, key="annex_1.due"))

    assert any("挂点" in one for one in told)
    assert said(rule(key="annex_1.other")) == []


def test_gap_of_a_parameter_is_told_with_its_days(county, said) -> None:
    key = "home_teaching.month_visits"
    parameter = county.scalar(select(Parameter.id).where(Parameter.key == key))
    for day, number in ((date(2025, 10, 1), None), (date(2025, 12, 1), 2)):
        county.add(ParameterValue(parameter_id=parameter, valid_from=day, number=number))

    told = said(rule(key="home_teaching.other"))

    assert len(told) == 1
    assert told[0].endswith("在2025-10-01至2025-11-30期间没有取值")
    assert said(rule(key="annex_1.other")) == []


def test_obstacles_and_failures_stand_in_the_exit_code_and_on_the_page(
    app, county, login, run, monkeypatch
) -> None:
    def broken(window, settings):
        raise ValueError("no such thing")

    plugin = host_of(app).find("annex_1")
    bad = rule(broken, key="annex_1.broken", code="BAD-1")
    monkeypatch.setattr(plugin, "offers", Contributions(rules=(YEARLY, bad)))
    monkeypatch.setattr(clock, "today", lambda: SPRING)
    county.here  # noqa: B018  # makes the county
    invoke = app.test_cli_runner().invoke

    hindered = invoke(rules, ["run", "--rule", YEARLY.key])
    failed = invoke(rules, ["run", "--rule", "BAD-1"])
    page = login("supervision_office").soup("/rules/").get_text()

    assert (hindered.exit_code, failed.exit_code) == (3, 1)
    assert "没有包含2026-03-02的学年" in hindered.stderr
    assert "没有包含2026-03-02的学年" in page
    assert "ValueError: no such thing" in page
