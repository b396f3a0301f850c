"""Transfers: the sender keeps the child until the receiver confirms; long waits are named."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from app.extensions import db
from app.models import CalendarDay, Child, ChildStatus, Enrolment, School, StatusEvent, Transfer
from app.workflow.transfer import overdue
from tests.conftest import CountyBuilder, Login
from tests.visitor import read

LEFT, TODAY = date(2026, 3, 2), date(2026, 3, 10)
AUTUMN = date(2025, 9, 1)


@pytest.fixture(autouse=True)
def march() -> Iterator[None]:
    """Stop the clock on a day of school."""
    with time_machine.travel("2026-03-10T04:00:00+00:00", tick=True):
        yield


@pytest.fixture
def child(county: CountyBuilder) -> int:
    """Return a child who sits in a class of the sender."""
    seat = county.school_class()
    made = county.child("莫小明", school_class=seat)
    key = {"child_id": made.id, "class_id": seat.id}
    county.add(Enrolment(valid_from=AUTUMN, **key, **county.scope_of(county.a_school)))
    return key["child_id"]


@pytest.fixture
def receiver(county: CountyBuilder) -> School:
    """Return a school of another township."""
    return county.school("青山初级中学", county.township("青山镇"))


def state(county: CountyBuilder, child: int) -> tuple[int | None, str]:
    query = select(Child.school_id, ChildStatus.key).join(ChildStatus).where(Child.id == child)
    with county.context():
        county.session.rollback()
        return tuple(county.session.execute(query).one())


def started(login: Login, county: CountyBuilder, child: int, place: str) -> Any:
    clerk = login("school_clerk", school=county.a_school)
    data = {
        "child": str(child),
        "to_place": place,
        "started_on": LEFT.isoformat(),
        "basis": "随父母搬迁",
    }
    return clerk, clerk.submit("/transferview/add", data)


def test_child_stays_with_the_sender_until_the_receiver_confirms(
    login: Login, county: CountyBuilder, child: int, receiver: School
) -> None:
    sender_id, receiver_id = county.a_school.id, receiver.id
    _clerk, _answer = started(login, county, child, "青山初级中学")
    key = county.scalar(select(Transfer.id))
    before = state(county, child)
    stranger = login("school_clerk", school=county.school())
    theirs = login("school_clerk", school=receiver)

    foreign = stranger.post_with_token(f"/arrivals/confirm/{key}", {"day": TODAY.isoformat()})
    seen = stranger.soup("/arrivals/").select_one("main").get_text()
    early = theirs.submit(
        "/arrivals/", {"day": "2026-03-01"}, select=f"form[action='/arrivals/confirm/{key}']"
    )
    between = state(county, child)
    theirs.submit(
        "/arrivals/", {"day": "2026-03-09"}, select=f"form[action='/arrivals/confirm/{key}']"
    )

    assert before == (sender_id, "transfer_under_way")
    assert foreign.status_code == 404
    assert "莫小明" not in seen
    assert "2026-03-02" in read(early).select_one(".alert").get_text()
    assert between == before
    assert state(county, child) == (receiver_id, "enrolled")
    places = county.all(select(Enrolment).order_by(Enrolment.valid_from))
    assert [(row.school_id, row.valid_from, row.valid_to) for row in places] == [
        (sender_id, AUTUMN, date(2026, 3, 8)),
        (receiver_id, date(2026, 3, 9), None),
    ]
    events = county.all(select(StatusEvent).order_by(StatusEvent.id))
    assert [(row.school_id, row.happened_on) for row in events] == [
        (sender_id, LEFT),
        (receiver_id, date(2026, 3, 9)),
    ]
    assert county.scalar(select(Transfer.arrived_on)) == date(2026, 3, 9)
    assert "莫小明" not in theirs.soup("/arrivals/").select_one("main").get_text()


@pytest.mark.parametrize("place", ["没有的学校", "修仁中学"])
def test_transfer_needs_another_school_of_the_county(
    login: Login, county: CountyBuilder, child: int, place: str
) -> None:
    _clerk, answer = started(login, county, child, place)

    assert read(answer).select(".has-error")
    assert county.scalar(select(Transfer.id)) is None
    assert state(county, child)[1] == "enrolled"


def test_transfer_out_of_the_county_ends_with_a_proof_or_by_staying(
    login: Login, county: CountyBuilder, child: int
) -> None:
    clerk, answer = started(login, county, child, "*桂林市第一中学")
    page = answer.request.path

    clerk.post_with_token(page.replace("show", "settle"))
    unproven = state(county, child)
    clerk.post_with_token(page.replace("show", "cancel"))

    assert county.scalar(select(Transfer.to_place)) == "桂林市第一中学"
    assert unproven[1] == "transfer_under_way"
    assert state(county, child)[1] == "enrolled"
    assert county.scalar(select(Transfer.cancelled_on)) == TODAY


def test_waiting_is_counted_in_the_days_of_the_decision(
    app: Flask, county: CountyBuilder, child: int
) -> None:
    place = county.scope_of(county.a_school)
    county.add(Transfer(child_id=child, to_place="外县", started_on=LEFT, basis="搬迁", **place))
    day = LEFT
    while day < date(2026, 4, 30):
        weekday = day.weekday() < 5
        row = {"day": day, "is_working_day": weekday, "is_school_day": weekday and day.day != 3}
        county.add(CalendarDay(county_id=county.here.id, **row))
        day += timedelta(days=1)

    def named(as_of: date, days: int, count: Any) -> list[int]:
        with app.app_context():
            rows = db.session.execute(overdue(as_of, days, count)).all()
            db.session.rollback()
        return [row.observed for row in rows]

    assert named(date(2026, 3, 16), 10, "working_day") == []
    assert named(date(2026, 3, 17), 10, "working_day") == [11]
    assert named(date(2026, 3, 17), 10, "school_day") == []
    assert named(date(2026, 3, 18), 10, "school_day") == [11]
