"""Say what is due of suspended and home-taught children, by when, and the fewest visits needed."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import select

from app.models import Child, DueItem, Notification, Semester
from app.notices.collect import collect
from app.notices.notify import notify
from tests.builder import CountyBuilder
from tests.notices.conftest import night
from tests.plugins.home_teaching import lay_out_calendar, session, taught
from tests.suspensions import case
from tests.visits import semesters, visit

APPROVED = date(2026, 3, 2)


def found(county: CountyBuilder, day: date) -> dict[tuple[str, int], tuple[Any, ...]]:
    """Return what is due as of a day: the day, the role, the named person, what is needed."""
    with night(county) as session_of_night:
        report = collect(session_of_night, day)
    assert report.failed == ()
    rows = county.all(select(DueItem).where(DueItem.ended_on.is_(None)))
    return {
        (row.kind_key, row.subject_id): (row.due_on, row.role, row.person_id, row.needed)
        for row in rows
    }


def test_suspended_children_are_due_for_visits_and_the_end(county: CountyBuilder) -> None:
    semesters(county)
    spans = {"starts_on": date(2026, 9, 1), "ends_on": date(2027, 1, 22)}
    year = {"county_id": county.here.id, "school_year_id": county.year.id}
    county.add(Semester(name="2026年秋季学期", **year, **spans))
    teacher = county.person(place=county.a_school)
    named = {"school_responsible_id": teacher.id}
    child = county.child(status="policy_suspension", **named)
    unseen = case(county, child, approved_on=APPROVED)
    seen = case(county, approved_on=APPROVED)
    visit(county, county.scalar(select_child(seen)), visited_on=date(2026, 4, 20))
    ending = case(county, approved_on=APPROVED, ends_on=date(2026, 6, 5))
    visit(county, county.scalar(select_child(ending)), visited_on=date(2026, 5, 4))
    case(county, kind="medical_suspension", approved_on=APPROVED, papers=())

    in_may = found(county, date(2026, 5, 12))
    in_august = found(county, date(2026, 8, 10))

    key, due = "suspension.next_visit", "school_leader"
    assert in_may == {
        (key, unseen.id): (date(2026, 6, 2), due, teacher.id, 1),
        ("suspension.end", ending.id): (date(2026, 6, 5), due, None, None),
        # Over half of the semester asks for two visits; after the case none counts any more.
        ("suspension.semester_visits", ending.id): (date(2026, 6, 5), due, None, 1),
    }
    semester = {k: v[3] for k, v in in_august.items() if k[0] == "suspension.semester_visits"}
    assert semester == {
        ("suspension.semester_visits", unseen.id): 2,
        ("suspension.semester_visits", seen.id): 1,
    }


def select_child(row: Any) -> Any:
    return select(Child).where(Child.id == row.child_id)


def test_home_taught_children_are_due_for_the_month_and_the_year(county: CountyBuilder) -> None:
    lay_out_calendar(county)
    behind, fine = taught(county), taught(county, starts_on=date(2026, 3, 2))
    session(county, behind, date(2026, 3, 9))
    for day in (9, 10):
        session(county, fine, date(2026, 3, day))
    head = county.person(place=county.a_school)
    county.account(head)
    county.appointment(head, "school_leader", school=county.a_school)

    in_march = found(county, date(2026, 3, 20))
    with night(county) as session_of_night:
        notify(session_of_night, date(2026, 3, 20))

    leader = "school_leader"
    assert in_march == {
        ("home_teaching.visits", behind.child_id): (date(2026, 3, 31), leader, None, 1),
        # 60 hours less the 3 that were taught: ten visits of at most 6 hours a day.
        ("home_teaching.pace", behind.child_id): (date(2026, 8, 31), leader, None, 10),
    }
    told = county.all(
        select(DueItem.kind_key).join(Notification, Notification.due_item_id == DueItem.id)
    )
    assert told == ["home_teaching.pace"]  # at once; the month is not over so soon


def test_a_visit_ends_what_it_was_due_for(county: CountyBuilder) -> None:
    semesters(county)
    record = case(county, approved_on=APPROVED)
    before = found(county, date(2026, 5, 12))
    visit(county, county.scalar(select_child(record)), visited_on=date(2026, 5, 12))

    after = found(county, date(2026, 5, 13))

    assert ("suspension.next_visit", record.id) in before
    assert ("suspension.next_visit", record.id) not in after
