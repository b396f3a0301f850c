"""What the tests of notifications share: a county with an office of each kind, and its nights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import pytest
from sqlalchemy.orm import Session

from app import database
from app.extensions import db
from app.models import CalendarDay, DueItem, Person, Semester
from app.notices.notify import notify
from tests.builder import CountyBuilder

MAKE_UP = date(2026, 5, 9)
"""A Saturday on which offices work, for the holiday of 1 to 5 May."""
HOLIDAY = [date(2026, 5, day) for day in range(1, 6)]
SPRING = (date(2026, 3, 2), date(2026, 7, 10))
AUTUMN = (date(2026, 9, 1), date(2027, 1, 22))


def give_calendar(county: CountyBuilder) -> None:
    """Give the county the holiday with its make-up day, and two semesters."""
    here = {"county_id": county.here.id}
    for day in (*HOLIDAY, MAKE_UP):
        works = day == MAKE_UP
        row = CalendarDay(day=day, is_working_day=works, is_school_day=works, **here)
        county.add(row)
    for name, (start, end) in {"下学期": SPRING, "上学期": AUTUMN}.items():
        spans = {"starts_on": start, "ends_on": end, "school_year_id": county.year.id}
        county.add(Semester(name=name, **here, **spans))


@pytest.fixture
def staffed(county: CountyBuilder) -> dict[str, Person]:
    """A township and a school with somebody who can sign in on every rung of every ladder."""
    give_calendar(county)
    town, school = county.a_township, county.a_school
    people = {}
    for name, role, place, title in (
        ("校长", "school_leader", {"school": school}, "校长"),
        ("督学", "liaison_department", {}, "责任督学"),
        ("股室", "liaison_department", {}, "责任督学"),
        ("领导", "liaison_leader", {}, "挂点领导"),
        ("小组", "task_group", {}, "专责小组"),
        ("督导办", "supervision_office", {}, "督导办"),
        ("村干部", "township_cadre", {"township": town}, "包村干部"),
        ("副镇长", "township_leader", {"township": town}, "分管副镇长"),
        ("镇长", "township_leader", {"township": town}, "镇长"),
    ):
        people[name] = person = county.person(name, place=school)
        county.account(person)
        county.appointment(person, role, title=title, **place)
        if role.startswith("liaison"):
            county.liaison(person, role, school)
    return people


def add_due(county: CountyBuilder, role: str, due_on: date, **values) -> DueItem:
    """Add a thing to do as the night would have written it down."""
    number = next(county._number)
    values = {"kind_key": "core.rectification", "in_term": False, **values}
    values = {"subject_type": "finding", "subject_id": number, **values}
    place = county.scope_of(values.pop("place", county.a_school))
    first_seen = {"first_seen": date(2026, 3, 2)}
    return county.add(DueItem(role=role, due_on=due_on, **first_seen, **values, **place))


@contextmanager
def night(county: CountyBuilder) -> Iterator[Session]:
    """Enter a transaction of the night; it is kept."""
    with county.context(), database.writing():
        yield db.session()
        db.session.commit()
        db.session.remove()


def told_by(county: CountyBuilder, day: date) -> None:
    """Let a night tell people."""
    with night(county) as session:
        notify(session, day)
