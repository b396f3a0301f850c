"""A day is entered late with a reason, and after some school days only by approval."""

from __future__ import annotations

from datetime import date, datetime

import pytest
import time_machine
from sqlalchemy import select

from app.clock import zone
from app.models import Inspection, InspectionState, LateEntry, RequestState
from app.workflow import late
from tests.inspection.test_inspection_flow import send, stored

THURSDAY = date(2026, 2, 26)
WEDNESDAY = datetime(2026, 3, 4, 9, 0, tzinfo=zone())
"""Four school days after: Friday, Monday, Tuesday, Wednesday."""
REASON = "当日停电"


@pytest.fixture
def wednesday():
    with time_machine.travel(WEDNESDAY, tick=True):
        yield


@pytest.fixture
def leader(login, county, classes, wednesday):
    return login("school_leader", school=county.a_school)


def begin(leader, day=THURSDAY):
    return leader.submit(
        "/inspection/daily-check/add", {"occurred_on": day.isoformat()}, follow_redirects=False
    )


def ask(leader, day=THURSDAY, **data):
    return leader.submit("/daily/late/add", {"day": day.isoformat(), "reason": REASON, **data})


def asked(county) -> LateEntry:
    return county.scalar(select(LateEntry).order_by(LateEntry.id.desc()))


def decide(visitor, county, deed="approve", note=""):
    return visitor.post_with_token(
        f"/daily/late/decide/{asked(county).id}", {"deed": deed, "note": note}
    )


def department(county, login):
    person = county.person("挂点干部")
    county.liaison(person, "liaison_department", county.a_school)
    return login("liaison_department", person=person)


def test_three_school_days_need_a_reason_and_no_approval(county, leader, classes):
    url = begin(leader, date(2026, 2, 27)).headers["Location"]

    page = send(leader, url, "save")
    assert 'id="late_reason-error"' in page.get_data(as_text=True)
    assert 'id="day-error"' in ask(leader, date(2026, 2, 27)).get_data(as_text=True)
    assert asked(county) is None


def test_after_them_the_next_level_approves_first(county, login, leader, classes):
    refused = begin(leader)
    assert 'id="occurred_on-error"' in refused.get_data(as_text=True)
    assert stored(county) is None

    assert ask(leader).status_code == 200
    assert (asked(county).state, asked(county).school_id) == ("requested", county.a_school.id)
    assert begin(leader).status_code == 200  # to ask is not enough
    inspector = department(county, login)
    assert "/daily/late/list/?_flt_0_state=requested" in inspector.get("/").get_data(as_text=True)
    assert "approve" in inspector.get(f"/daily/late/show/{asked(county).id}").get_data(as_text=True)
    decide(inspector, county)

    entry = asked(county)
    assert entry.state == RequestState.APPROVED
    assert entry.decided_by_id is not None
    assert entry.decided_at is not None
    url = begin(leader).headers["Location"]
    typed = {f"item_classes_class_{one.id}_present": "3" for one in classes}
    send(leader, url, "submit", **typed, late_reason=REASON)
    record = stored(county)
    assert (record.state, record.late_reason) == (InspectionState.SUBMITTED, REASON)
    assert record.captured_at.date() > record.occurred_on  # approved, and still late


def test_a_draft_left_behind_needs_the_approval_too(county, leader, classes):
    url = begin(leader, date(2026, 2, 27)).headers["Location"]
    send(leader, url, "save", late_reason=REASON)
    assert stored(county).late_reason == REASON

    county.execute(Inspection.__table__.update().values(occurred_on=THURSDAY, late_reason=None))
    send(leader, url, "save", late_reason=REASON)

    assert stored(county).late_reason is None


@pytest.mark.parametrize("who", ["himself", "his school", "township", "clerk", "elsewhere"])
def test_nobody_else_decides(county, login, leader, classes, who):
    ask(leader)
    if who == "himself":
        person_id = asked(county).requested_by_id
        from app.models import Person

        person = county.session.get(Person, person_id)
        county.liaison(person, "liaison_department", county.a_school)
        visitor = leader
        county.appointment(person, "liaison_department")
        from app.models import Appointment

        office = county.scalar(
            select(Appointment.id).where(Appointment.template == "liaison_department")
        )
        visitor.post_with_token("/acting/choose", {"appointment": str(office)})
    elif who == "his school":
        person = county.person("副校长", place=county.a_school)
        county.liaison(person, "liaison_department", county.a_school)
        county.appointment(person, "school_leader", school=county.a_school)
        visitor = login("liaison_department", person=person)
    elif who == "township":
        visitor = login("township_leader", township=county.a_township)
    elif who == "clerk":
        visitor = login("school_clerk", school=county.a_school)
    else:
        person = county.person("别处干部")
        county.liaison(person, "liaison_department", county.school("外校", county.township()))
        visitor = login("liaison_department", person=person)

    answer = decide(visitor, county)

    assert answer.status_code in {302, 403, 404}
    assert asked(county).state == RequestState.REQUESTED


def test_a_refusal_needs_its_reason_and_may_be_followed_by_a_new_request(
    county, login, leader, classes
):
    ask(leader)
    assert 'id="day-error"' in ask(leader).get_data(as_text=True)  # once is enough
    inspector = department(county, login)
    decide(inspector, county, "refuse")
    assert asked(county).state == RequestState.REQUESTED

    decide(inspector, county, "refuse", "未说明原因")
    decide(inspector, county, "approve")  # decided is decided

    assert (asked(county).state, asked(county).decision_note) == ("refused", "未说明原因")
    assert begin(leader).status_code == 200
    first = asked(county).id
    ask(leader)
    assert asked(county).id != first


def test_two_who_decide_at_once_get_an_answer(county, login, leader, classes, monkeypatch):
    ask(leader)
    inspector = department(county, login)
    decided = late.decide

    def after_another(session, entry, **how):
        session.connection().execute(LateEntry.__table__.update().values(row_version=99))
        decided(session, entry, **how)

    monkeypatch.setattr(late, "decide", after_another)
    page = inspector.get(decide(inspector, county).headers["Location"])

    assert page.status_code == 200
    assert "alert-danger" in page.get_data(as_text=True)
    assert asked(county).state == RequestState.REQUESTED
