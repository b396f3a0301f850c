"""Write down what is due: every kind of the core, as the records stand, once and no more."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from app.host.loader import host_of
from app.models import (
    ChecklistVersion,
    Child,
    DueItem,
    Finding,
    FindingStep,
    Inspection,
    InspectionParticipant,
    Leave,
    Township,
    Transfer,
    Visit,
)
from app.notices.collect import Collected, collect
from app.notices.due import DueKind
from tests.builder import CountyBuilder
from tests.crud.conftest import recorded
from tests.notices.conftest import give_calendar, night

TODAY = date(2026, 5, 12)
FOUND = date(2026, 4, 28)


@pytest.fixture
def school(county: CountyBuilder) -> CountyBuilder:
    give_calendar(county)
    return county


def collected(county: CountyBuilder, day: date = TODAY) -> Collected:
    with night(county) as session:
        return collect(session, day)


def due(county: CountyBuilder, *, ended: bool = False) -> dict[tuple[str, int], tuple[Any, ...]]:
    """Return what is due by kind and subject: the day, the role, the person, what is needed."""
    rows = county.all(select(DueItem).where(DueItem.ended_on.is_not(None) == ended))
    return {
        (row.kind_key, row.subject_id): (row.due_on, row.role, row.person_id, row.needed)
        for row in rows
    }


def a_finding(county: CountyBuilder, capacity: str, **values: Any) -> Finding:
    """Add a finding of an inspection in which the finder took part in a capacity."""
    finder = county.person()
    scope = county.scope_of(county.a_school)
    version = county.scalar(select(ChecklistVersion.id).limit(1))
    record = county.add(
        Inspection(
            type_key="township_visit",
            checklist_version_id=version,
            occurred_on=FOUND,
            state="submitted",
            **scope,
        )
    )
    part = {"inspection_id": record.id, "person_id": finder.id, "capacity": capacity}
    county.add(InspectionParticipant(**part, **scope))
    values = {"facts": "课桌不足", "found_on": FOUND, "found_by_id": finder.id, **values}
    return county.add(Finding(inspection_id=record.id, **values, **scope))


def test_the_steps_of_findings_are_due_to_those_whose_turn_it_is(school: CountyBuilder) -> None:
    open_one = a_finding(school, "liaison_leader", state="open")
    served = a_finding(school, "township_leader", state="served", due_on=date(2026, 5, 20))
    pupils = a_finding(
        school, "township_leader", state="served", due_on=date(2026, 5, 8), needs_pupils=True
    )
    claimed = a_finding(school, "liaison_department", state="claimed", claimed_on=date(2026, 5, 6))
    objected = a_finding(school, "liaison_department", state="objected", due_on=date(2026, 5, 20))
    step = {"step": "object", "from_state": "served", "to_state": "objected"}
    happened = {"happened_on": date(2026, 5, 6), "happened_at": objected.created_at}
    scope = school.scope_of(school.a_school)
    school.add(FindingStep(finding_id=objected.id, **step, **happened, **scope))
    for state in ("closed", "withdrawn"):
        a_finding(school, "township_leader", state=state, due_on=date(2026, 5, 8))
    a_finding(school, "school_leader", state="open", is_self_found=True)

    collected(school)

    assert due(school) == {
        # 3 working days after 28 April: 29, 30, and 6 May behind the holiday.
        ("core.feedback", open_one.id): (
            date(2026, 5, 6), "liaison_leader", open_one.found_by_id, None,
        ),
        ("core.rectification", served.id): (date(2026, 5, 20), "school_leader", None, None),
        ("core.rectification", pupils.id): (date(2026, 5, 8), "school_leader", None, None),
        # 10 working days after 6 May, the make-up Saturday among them.
        ("core.return_visit", claimed.id): (
            date(2026, 5, 19), "liaison_department", claimed.found_by_id, None,
        ),
        ("core.objection", objected.id): (date(2026, 5, 12), "liaison_department", None, None),
    }  # fmt: skip
    assert school.all(select(DueItem.subject_id).where(DueItem.in_term)) == [pupils.id]


def test_visits_and_leave_papers_are_due_to_the_school_and_the_named(school) -> None:
    teacher = school.person(place=school.a_school)
    seat = school.school_class(teacher_id=teacher.id)
    watched = school.child(status="suspected", school_responsible_id=teacher.id)
    forgotten = school.child(school_class=seat)
    met, back = school.child(status="suspected"), school.child()
    scope = school.scope_of(school.a_school)
    for child, day, next_on in (
        (watched, date(2026, 5, 6), date(2026, 5, 20)),
        (met, date(2026, 5, 6), date(2026, 5, 11)),
        (met, date(2026, 5, 11), None),
        (back, date(2026, 5, 6), date(2026, 5, 20)),
    ):
        facts = {"visited_on": day, "next_on": next_on, "kind": "persuasion"}
        school.add(Visit(child_id=child.id, **facts, **scope))
    told = {"kind": "sick_leave", "reason": "感冒", "asked_by": "父亲"}
    days = {"starts_on": date(2026, 5, 6), "ends_on": date(2026, 5, 7)}
    bare = school.add(Leave(child_id=forgotten.id, **told, **days, **scope))
    noted = {"returned_on": date(2026, 5, 7)}
    early = school.add(Leave(child_id=met.id, **told, **days, **noted, **scope))
    called = {"called_on": date(2026, 5, 6)}
    school.add(Leave(child_id=back.id, **told, **days, **called, **scope))

    collected(school)

    assert due(school) == {
        ("core.visit", watched.id): (date(2026, 5, 20), "school_leader", teacher.id, None),
        # Back on Friday the 8th: school days are the Saturday, Monday the 11th, the 12th.
        ("core.leave_paper", bare.id): (date(2026, 5, 12), "school_leader", teacher.id, None),
        ("core.leave_paper", early.id): (date(2026, 5, 11), "school_leader", None, None),
    }


def test_what_is_done_has_ended_and_what_comes_back_is_open_again(school) -> None:
    finding = a_finding(school, "township_leader", state="served", due_on=date(2026, 5, 20))
    key = ("core.rectification", finding.id)
    first, again = collected(school), collected(school)

    school.execute(update(Finding).values(state="claimed", claimed_on=TODAY))
    claimed = collected(school)
    ended = due(school, ended=True)
    school.execute(update(Finding).values(state="served", claimed_on=None))
    collected(school)

    assert (first, again) == (Collected(added=1), Collected())
    assert (claimed.added, claimed.ended) == (1, 1)
    assert list(ended) == [key]
    assert list(due(school)) == [key]
    assert len(school.all(select(DueItem.id))) == 2


def test_a_change_of_who_answers_changes_the_row(school) -> None:
    child = school.child(status="suspected")
    scope = school.scope_of(school.a_school)
    facts = {"visited_on": TODAY, "next_on": date(2026, 5, 20), "kind": "persuasion"}
    school.add(Visit(child_id=child.id, **facts, **scope))
    collected(school)
    teacher = school.person(place=school.a_school)
    school.execute(update(Child).values(school_responsible_id=teacher.id))

    report = collected(school)

    assert report == Collected(changed=1)
    assert school.all(select(DueItem.person_id)) == [teacher.id]


def test_nothing_is_due_before_the_go_live_and_far_ahead(school) -> None:
    a_finding(school, "township_leader", state="served", due_on=date(2026, 6, 20))
    early = a_finding(school, "township_leader", state="served", due_on=date(2026, 5, 8))
    live = update(Township).values(go_live_on=date(2026, 5, 9))

    before = collected(school)
    school.execute(live)
    after = collected(school)

    assert before.added == 1
    assert after.ended == 1
    assert list(due(school, ended=True)) == [("core.rectification", early.id)]


def test_transfers_are_due_to_both_schools(school) -> None:
    receiver = school.school("青山中学", school.township("青山镇"))
    child = school.child(status="transfer_under_way")
    facts = {"started_on": date(2026, 4, 28), "to_place": "青山中学", "basis": "搬迁"}
    scope = school.scope_of(school.a_school)
    made = school.add(Transfer(child_id=child.id, to_school_id=receiver.id, **facts, **scope))

    collected(school)

    rows = school.all(select(DueItem).order_by(DueItem.kind_key))
    assert [(row.kind_key, row.school_id, row.due_on) for row in rows] == [
        ("roll_and_attendance.arrival", receiver.id, date(2026, 5, 14)),
        ("roll_and_attendance.transfer", school.a_school.id, date(2026, 5, 14)),
    ]
    assert {row.subject_id for row in rows} == {made.id}


def test_a_kind_that_fails_is_named_and_leaves_its_things_alone(school, monkeypatch) -> None:
    a_finding(school, "township_leader", state="served", due_on=date(2026, 5, 20))
    collected(school)
    plugin = host_of(school.app).find("escalation")

    def broken(_window: Any, _settings: Any) -> Any:
        raise ValueError("no such thing")

    kind = DueKind("escalation.broken", "坏", "FindingView", broken)
    monkeypatch.setattr(plugin, "offers", replace(plugin.offers, dues=(kind,)))

    assert collected(school) == Collected(failed=("escalation.broken",))


def test_the_statements_do_not_grow_with_the_rows(school) -> None:
    counts = []
    for rows in (1, 20):
        for _number in range(rows):
            a_finding(school, "township_leader", state="served", due_on=date(2026, 5, 8))
        school.execute(delete(DueItem))
        with recorded(school.app) as seen:
            collected(school)
        counts.append(len(seen))

    assert counts[0] == counts[1]
