"""Who answers for an inspection asks to be excused from it; the next level decides."""

from __future__ import annotations

from datetime import date, datetime

import pytest
import time_machine
from sqlalchemy import select

from app import database
from app.cadence.fulfilment import status_of
from app.cadence.obligation import settle
from app.clock import zone
from app.models import Appointment, Change, Excuse, Obligation, Person, RequestState, Semester

TODAY = datetime(2026, 3, 18, 10, tzinfo=zone())
REASON = "全镇防汛，当期无法到校"


@pytest.fixture(autouse=True)
def _today():
    with time_machine.travel(TODAY, tick=True):
        yield


@pytest.fixture
def due(county):
    """Obligations of a township whose leader holds his office, up to today."""
    county.add(
        Semester(
            county_id=county.here.id, school_year_id=county.year.id, name="下学期",
            starts_on=date(2026, 3, 2), ends_on=date(2026, 7, 10),
        )
    )  # fmt: skip
    _ = county.a_school
    county.leader = county.person("镇长", place=county.a_township)
    return lambda: refresh(county)


def refresh(county) -> Obligation:
    with county.context(), database.writing():
        settle(county.session, TODAY.date())
        county.session.commit()
    return county.scalar(
        select(Obligation).where(
            Obligation.type_key == "township_visit", Obligation.period_start == date(2026, 3, 2)
        )
    )


@pytest.fixture
def leader(login, county, due):
    return login("township_leader", township=county.a_township, person=county.leader)


def ask(visitor, obligation, reason=REASON):
    return visitor.submit("/excuse/add", {"obligation": str(obligation.id), "reason": reason})


def asked(county) -> Excuse | None:
    return county.scalar(select(Excuse).order_by(Excuse.id.desc()))


def decide(visitor, county, deed="approve", note=""):
    return visitor.post_with_token(
        f"/excuse/decide/{asked(county).id}", {"deed": deed, "note": note}
    )


def status(county, obligation, as_of=date(2026, 3, 18)) -> str:
    with county.context():
        county.session.rollback()
        county.session.expire_all()
        return status_of(county.session, county.session.get(Obligation, obligation.id), as_of)


def test_the_next_level_excuses_what_its_holder_asks_for(county, login, leader, due):
    obligation = due()
    page = leader.get(f"/obligationview/show/{obligation.id}").get_data(as_text=True)
    assert f"/excuse/add?_flt_0_obligation={obligation.id}" in page
    assert status(county, obligation) == "missed"

    assert ask(leader, obligation).status_code == 200
    assert (asked(county).state, asked(county).school_id) == ("requested", county.a_school.id)
    assert 'id="obligation-error"' in ask(leader, obligation).get_data(as_text=True)  # once
    group = login("task_group")
    assert "/excuse/list/?_flt_0_state=requested" in group.get("/").get_data(as_text=True)
    decide(group, county)

    row = asked(county)
    assert (row.state, row.decided_by_id is not None) == (RequestState.APPROVED, True)
    assert status(county, obligation) == "excused"
    assert status(county, obligation, date(2026, 3, 17)) == "missed"  # not decided yet then
    assert 'id="obligation-error"' in ask(leader, obligation).get_data(as_text=True)
    kept = refresh(county)  # a run of the night leaves it
    assert (kept.excused_reason, kept.excused_by_id) == (REASON, row.decided_by_id)
    tables = county.all(select(Change.table_name).where(Change.action == "insert"))
    assert "excuse" in tables


@pytest.mark.parametrize("who", ["himself", "colleague", "office", "department", "school"])
def test_nobody_else_decides(county, login, leader, due, who):
    ask(leader, due())
    if who == "himself":
        person = county.session.get(Person, asked(county).requested_by_id)
        county.appointment(person, "task_group")
        visitor = leader
        office = county.scalar(select(Appointment.id).where(Appointment.template == "task_group"))
        visitor.post_with_token("/acting/choose", {"appointment": str(office)})
    elif who == "colleague":
        person = county.person("副镇长", place=county.a_township)
        county.appointment(person, "township_leader", township=county.a_township)
        visitor = login("task_group", person=person)
    elif who == "office":
        visitor = login("supervision_office")
    elif who == "department":
        person = county.person("股室干部")
        county.liaison(person, "liaison_department", county.a_school)
        visitor = login("liaison_department", person=person)
    else:
        visitor = login("school_leader", school=county.a_school)

    answer = decide(visitor, county)

    assert answer.status_code in {302, 403, 404}
    assert asked(county).state == RequestState.REQUESTED


@pytest.mark.parametrize("role", ["supervision_office", "township_cadre", "school_leader"])
def test_only_who_answers_asks(county, login, due, role):
    county.appointment(county.leader, "township_leader", township=county.a_township)
    obligation = due()
    places = {
        "township_cadre": {"township": county.a_township},
        "school_leader": {"school": county.a_school},
    }
    visitor = login(role, **places.get(role, {}))

    page = visitor.get(f"/obligationview/show/{obligation.id}").get_data(as_text=True)

    assert "/excuse/add" not in page
    if visitor.get("/excuse/add").status_code == 200:
        ask(visitor, obligation)
    assert asked(county) is None


def test_a_refusal_says_why_and_may_be_followed_by_another_request(county, login, leader, due):
    obligation = due()
    assert 'id="reason-error"' in ask(leader, obligation, "").get_data(as_text=True)
    ask(leader, obligation)
    group = login("task_group")

    decide(group, county, "refuse")
    assert asked(county).state == RequestState.REQUESTED
    decide(group, county, "nothing", "理由")
    assert asked(county).state == RequestState.REQUESTED
    decide(group, county, "refuse", "可由副镇长代为督导")
    decide(group, county, "approve")  # decided is decided

    assert (asked(county).state, asked(county).decision_note) == ("refused", "可由副镇长代为督导")
    assert status(county, obligation) == "missed"
    first = asked(county).id
    ask(leader, obligation)
    assert asked(county).id != first
