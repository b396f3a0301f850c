"""The day of a daily check closes at its hour: by the timer, or with the first request after it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from types import ModuleType

import pytest
import time_machine
from sqlalchemy import func, select, update

from app import database
from app.clock import zone
from app.extensions import db
from app.host.loader import host_of
from app.kit import hookimpl
from app.models import (
    ClassLine,
    Finding,
    Inspection,
    InspectionState,
    PageFailure,
    Parameter,
    ParameterValue,
)
from app.views.closing import AGAIN_AT
from app.workflow import closing
from app.workflow.closing import Closed
from tests.inspection.conftest import TODAY, item, publish
from tests.inspection.test_daily_check import line_of, start
from tests.inspection.test_inspection_flow import send, stored
from tests.security.test_statements import counted

AFTER = datetime(2026, 3, 5, 18, 1, tzinfo=zone())


@pytest.fixture
def leader(login, county, classes):
    return login("school_leader", school=county.a_school)


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    with time_machine.travel(moment, tick=True):
        yield


def close(app) -> Closed:
    with app.app_context(), database.writing():
        closed = closing.close_due(db.session())
        db.session.commit()
        db.session.remove()
    return closed


def present(*classes, count="3") -> dict[str, str]:
    return {f"item_classes_class_{one.id}_present": count for one in classes}


def note(school_class, text: str) -> dict[str, str]:
    return {f"item_classes_class_{school_class.id}_note": text}


def test_a_day_is_submitted_as_it_stood_and_confirmed_by_who_checked(app, county, leader, classes):
    send(leader, start(leader), "save", **present(classes[0], count="2"))
    checked_at = line_of(county, classes[0]).checked_at

    with at(datetime(2026, 3, 6, 7, 0, tzinfo=zone())):  # the timer was late
        assert close(app) == Closed(submitted=1)
        assert close(app) == Closed()

    record = stored(county)
    assert record.state == InspectionState.SUBMITTED
    assert record.submitted_at == datetime(2026, 3, 5, 18, tzinfo=zone())
    assert record.submitted_by_id is None
    assert record.confirmed_at == checked_at == record.participants[0].confirmed_at
    assert record.confirmed_by_id == record.participants[0].person_id
    assert county.scalar(select(func.count(Finding.id))) == 1  # two of three, none on leave


def test_what_nobody_checked_lapses_and_is_no_draft_any_more(app, county, login, leader, classes):
    url = start(leader)

    with at(AFTER):
        assert close(app) == Closed(lapsed=1)

        assert stored(county).state == InspectionState.LAPSED
        leader = login("school_leader", school=county.a_school)
        listed = leader.get("/inspection/daily-check/list/").get_data(as_text=True)
        assert "Closed without a check" in listed or "未督导" in listed
        # Late on the same day it is opened again, with a reason.
        page = send(leader, url, "save", **present(classes[0]))
        assert 'id="late_reason-error"' in page.get_data(as_text=True)
        send(leader, url, "save", **present(classes[0]), late_reason="停电")
        assert stored(county).state == InspectionState.DRAFT
        assert close(app) == Closed()  # who enters late keeps his draft until the next closing

    with at(datetime(2026, 3, 6, 18, 0, tzinfo=zone())):
        assert close(app) == Closed(submitted=1)
    assert stored(county).submitted_at == line_of(county, classes[0]).checked_at


def test_opening_a_lapsed_day_again_opens_the_same_record(app, county, login, leader, classes):
    url = start(leader)
    with at(datetime(2026, 3, 6, 8, 0, tzinfo=zone())):
        close(app)
        leader = login("school_leader", school=county.a_school)

        assert start(leader) == url

    assert county.scalar(select(func.count(Inspection.id))) == 1
    assert stored(county).state == InspectionState.DRAFT


def test_reads_are_the_same_however_many_records(app, county, login, leader, classes):
    seen: list[int] = []
    for number, schools in enumerate((1, 4)):
        day = date(2026, 3, 9 + number)
        for _ in range(schools):
            school = county.school()
            county.school_class(school)
            with at(datetime(day.year, day.month, day.day, 9, tzinfo=zone())):
                visitor = login("school_leader", school=school)
                answer = visitor.submit(
                    "/inspection/daily-check/add",
                    {"occurred_on": day.isoformat()},
                    follow_redirects=False,
                )
                line = county.scalar(select(ClassLine).order_by(ClassLine.id.desc()))
                send(
                    visitor,
                    answer.headers["Location"],
                    "save",
                    **{f"item_classes_class_{line.class_id}_present": "0"},
                )

        with at(datetime(day.year, day.month, day.day, 19, tzinfo=zone())), counted(app) as made:
            assert close(app) == Closed(submitted=schools)
        seen.append(sum(statement.startswith("SELECT") for statement in made))

    assert seen[0] == seen[1]


def test_two_processes_close_a_day_once(app, county, leader, classes):
    send(leader, start(leader), "save", **present(classes[0], count="2"))
    results: list[Closed] = []

    with at(AFTER):
        with app.app_context(), database.writing():
            first = closing.close_due(db.session())
            other = threading.Thread(target=lambda: results.append(close(app)))
            other.start()
            other.join(0.5)
            db.session.commit()
            db.session.remove()
        other.join(20)

    assert (first, results) == (Closed(submitted=1), [Closed()])
    assert county.scalar(select(func.count(Finding.id))) == 1


def test_the_first_request_after_the_hour_closes_the_day(
    app, county, login, leader, classes, monkeypatch
):
    monkeypatch.setitem(app.config, "CLOSES_DAYS", True)
    app.extensions.pop(AGAIN_AT, None)
    send(leader, start(leader), "save", **present(classes[0]))
    assert stored(county).state == InspectionState.DRAFT

    with at(AFTER):
        login("school_leader", school=county.a_school)
        assert stored(county).state == InspectionState.SUBMITTED
        leader = login("school_leader", school=county.a_school)
        leader.get("/account/")
        with counted(app) as later:
            leader.get("/account/")

    assert stored(county).submitted_by_id is None
    assert len(later) <= 2
    app.extensions.pop(AGAIN_AT, None)


def test_an_hour_that_no_day_has_closes_nothing_and_breaks_no_page(
    app, county, login, leader, classes, monkeypatch
):
    monkeypatch.setitem(app.config, "CLOSES_DAYS", True)
    app.extensions.pop(AGAIN_AT, None)
    hour = select(Parameter.id).where(Parameter.key == closing.CLOSE_HOUR).scalar_subquery()
    values = update(ParameterValue).where(ParameterValue.parameter_id == hour)
    url = start(leader)

    for wrong in (24, -1):
        county.execute(values.values(number=wrong))
        app.extensions.pop(AGAIN_AT, None)
        with at(AFTER):
            leader = login("school_leader", school=county.a_school)
            assert leader.get(url).status_code == 200

    assert stored(county).state == InspectionState.DRAFT
    app.extensions.pop(AGAIN_AT, None)


def test_the_command_closes_what_is_due(app, county, leader, classes):
    send(leader, start(leader), "save", **present(classes[0]))
    runner = app.test_cli_runner()

    assert runner.invoke(args=["daily", "close"]).output == "0 submitted, 0 lapsed, 0 refused\n"
    with at(AFTER):
        assert runner.invoke(args=["daily", "close"]).output == "1 submitted, 0 lapsed, 0 refused\n"


def test_a_correction_does_not_make_a_class_late(county, login, leader, classes):
    url = start(leader)
    send(leader, url, "submit", **present(*classes))
    before = line_of(county, classes[0]).checked_at

    with at(AFTER):
        leader = login("school_leader", school=county.a_school)
        typed = {**present(classes[0], count="2"), **note(classes[0], "一人早退")}
        send(leader, url, "correct", **typed, reason="看错")

    assert line_of(county, classes[0]).present == 2
    assert line_of(county, classes[0]).checked_at == before


def test_other_types_stay_drafts(app, county, login):
    county.school_class(county.a_school)
    publish(county, "annex_1", [item("order", is_required=True)], date(2026, 2, 24))
    person = county.person("王镇长", place=county.a_township)
    visitor = login("township_leader", township=county.a_township, person=person)
    visitor.submit(
        "/inspection/township-visit/add",
        {
            "school": str(county.a_school.id),
            "occurred_on": TODAY.isoformat(),
            "person_1": str(person.id),
            "capacity_1": "township_leader",
        },
    )

    with at(AFTER):
        assert close(app) == Closed()

    assert stored(county).state == InspectionState.DRAFT


def test_a_plugin_that_fails_is_noted_and_stops_no_record_and_no_page(
    app, county, login, leader, classes, monkeypatch
):
    monkeypatch.setitem(app.config, "CLOSES_DAYS", True)
    monkeypatch.setitem(app.config, "PLUGINS_STRICT", False)
    plugin = host_of(app).find("daily_check")
    broken = ModuleType("broken")

    @hookimpl
    def inspection_saved(session, inspection):
        inspection.note = "half of it"
        session.flush()
        raise KeyError("secret words")

    broken.inspection_saved = inspection_saved
    plugin.hooks.register(broken)
    try:
        send(leader, start(leader), "save", **present(classes[0]))
        app.extensions.pop(AGAIN_AT, None)
        with at(AFTER):
            leader = login("school_leader", school=county.a_school)
            assert leader.get("/account/").status_code == 200
            administrator = login("system_administrator")
            page = administrator.get("/plugins/").get_data(as_text=True)
    finally:
        plugin.hooks.unregister(broken)
        plugin.late_problems.clear()
        app.extensions.pop(AGAIN_AT, None)

    assert stored(county).state == InspectionState.SUBMITTED
    assert stored(county).note is None
    assert "E013" in page
    assert "secret words" not in page
    noted = county.all(select(PageFailure))
    assert [(row.plugin, row.page, row.error) for row in noted] == [
        ("daily_check", "inspection_saved", "KeyError")
    ]
