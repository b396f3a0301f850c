"""A school says that nobody came; the bureau looks into it, and what did not happen counts not."""

from __future__ import annotations

from datetime import date, datetime

import pytest
import time_machine
from sqlalchemy import select

from app import database
from app.cadence.fulfilment import status_of
from app.cadence.obligation import settle
from app.clock import zone
from app.models import (
    ChecklistVersion,
    Inspection,
    InspectionParticipant,
    Obligation,
    RequestState,
    Semester,
    VisitCheck,
)

TODAY = datetime(2026, 3, 18, 10, tzinfo=zone())
SAYS = "当日门卫登记无来访，校长在校未见督导人员"


@pytest.fixture(autouse=True)
def _today():
    with time_machine.travel(TODAY, tick=True):
        yield


@pytest.fixture
def visited(county):
    """A visit of the first fortnight that the department's inspector confirmed himself."""
    county.add(
        Semester(
            county_id=county.here.id, school_year_id=county.year.id, name="下学期",
            starts_on=date(2026, 3, 2), ends_on=date(2026, 7, 10),
        )
    )  # fmt: skip
    county.inspector = county.person("责任督学")
    county.liaison(county.inspector, "liaison_department", county.a_school)
    at = datetime(2026, 3, 5, 15, tzinfo=zone())
    scope = county.scope_of(county.a_school)
    row = county.add(
        Inspection(
            type_key="department_visit", occurred_on=date(2026, 3, 5), state="submitted",
            checklist_version_id=county.scalar(select(ChecklistVersion.id).limit(1)),
            submitted_at=at, confirmed_at=at, confirmed_by_id=county.inspector.id, **scope,
        )
    )  # fmt: skip
    county.add(
        InspectionParticipant(
            inspection_id=row.id, person_id=county.inspector.id, confirmed_at=at,
            capacity="liaison_department", **scope,
        )
    )  # fmt: skip
    with county.context(), database.writing():
        settle(county.session, TODAY.date())
        county.session.commit()
    return row


def status(county) -> str:
    query = select(Obligation).filter_by(type_key="department_visit", period_start=date(2026, 3, 2))
    obligation = county.scalar(query)
    with county.context():
        found = status_of(
            county.session, county.session.get(Obligation, obligation.id), TODAY.date()
        )
        county.session.rollback()
    return found


def said(county) -> VisitCheck | None:
    return county.scalar(select(VisitCheck).order_by(VisitCheck.id.desc()))


def deny(visitor, inspection, says=SAYS):
    return visitor.submit("/visit-check/add", {"inspection": str(inspection.id), "reason": says})


def decide(visitor, county, deed="absent", note="门卫登记属实"):
    address = f"/visit-check/decide/{said(county).id}"
    return visitor.post_with_token(address, {"deed": deed, "note": note})


@pytest.mark.parametrize(
    ("deed", "state", "stands"),
    [("absent", RequestState.APPROVED, "missed"), ("present", RequestState.REFUSED, "met")],
)
def test_the_bureau_decides_whether_it_took_place(county, login, visited, deed, state, stands):
    clerk = login("school_clerk", school=county.a_school)
    page = clerk.get(f"/inspection/department-visit/show/{visited.id}").get_data(as_text=True)
    assert f"/visit-check/add?_flt_0_inspection={visited.id}" in page
    assert 'id="reason-error"' in deny(clerk, visited, "").get_data(as_text=True)

    deny(clerk, visited)
    assert 'id="inspection-error"' in deny(clerk, visited).get_data(as_text=True)  # once
    office = login("supervision_office")
    assert "/visit-check/list/?_flt_0_state=requested" in office.get("/").get_data(as_text=True)
    assert status(county) == "met"  # nobody is judged before it is looked into
    decide(office, county, deed, "")
    assert said(county).state == RequestState.REQUESTED  # say what you found out
    decide(office, county, deed)

    assert (said(county).state, said(county).school_id) == (state, county.a_school.id)
    assert status(county) == stands
    page = clerk.get(f"/inspection/department-visit/show/{visited.id}").get_data(as_text=True)
    assert f"/visit-check/show/{said(county).id}" in page


@pytest.mark.parametrize("who", ["the inspector", "his office", "the school", "the township"])
def test_nobody_concerned_decides(county, login, visited, who):
    deny(login("school_leader", school=county.a_school), visited)
    if who == "the inspector":
        visitor = login("supervision_office", person=county.inspector)
    elif who == "his office":
        part = county.scalar(select(InspectionParticipant))
        part.capacity = "supervision_office"
        county.add(part)
        visitor = login("supervision_office")
    elif who == "the school":
        visitor = login("school_clerk", school=county.a_school)
    else:
        visitor = login("township_leader", township=county.a_township)

    assert decide(visitor, county).status_code in {302, 403, 404}
    assert said(county).state == RequestState.REQUESTED


def test_what_the_school_signed_it_cannot_deny(county, login, visited):
    visited.confirmed_by_id = county.person(place=county.a_school).id
    county.add(visited)
    clerk = login("school_clerk", school=county.a_school)

    page = clerk.get(f"/inspection/department-visit/show/{visited.id}").get_data(as_text=True)

    assert "/visit-check/add" not in page
    assert 'id="inspection-error"' in deny(clerk, visited).get_data(as_text=True)
    assert said(county) is None


def test_who_took_part_and_the_school_are_asked_to_confirm(county, login, visited):
    """Only while nobody has; after three working days it is missed, and late once confirmed."""
    part = county.scalar(select(InspectionParticipant))
    visited.confirmed_at = visited.confirmed_by_id = part.confirmed_at = None
    county.add(visited)
    county.add(part)
    link = f"/inspection/all/show/{visited.id}"
    clerk = login("school_clerk", school=county.a_school)
    assert link in clerk.get("/").get_data(as_text=True)
    assert link in login("liaison_department", person=county.inspector).get("/").get_data(
        as_text=True
    )
    assert link not in login("supervision_office").get("/").get_data(as_text=True)
    assert status(county) == "missed"

    clerk.post_with_token(f"/inspection/department-visit/confirm/{visited.id}", {})

    assert status(county) == "late"
    assert link not in clerk.get("/").get_data(as_text=True)
