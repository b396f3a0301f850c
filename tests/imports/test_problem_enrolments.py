"""Two schools report one id number: both load, both have a task, the child counts once."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
import time_machine
from sqlalchemy import select

from app import database, imports
from app.base import Refused
from app.extensions import db
from app.models import (
    AttendanceReport,
    Child,
    ChildStatus,
    Enrolment,
    EnrolmentProblem,
    School,
    StatusEvent,
)
from app.security.scope import Scope
from app.workflow import enrolment_problem as problems
from app.workflow.enrolment_problem import Decision
from app.workflow.seat import counted_elsewhere

HEADS = ("姓名★", "身份证件号", "全国学籍号", "学校名称*", "班级")
DECISION = Decision(None, "点名核实")


@pytest.fixture(autouse=True)
def march():
    """Stop the clock on a school day."""
    with time_machine.travel("2026-03-10T04:00:00+00:00", tick=True):
        yield


@pytest.fixture
def number(sheets):
    return sheets.id_number(date(2012, 3, 4), 41)


@pytest.fixture
def first(county, load, number, ground):
    """Import the child at the first school, on an earlier day."""
    with time_machine.travel("2026-03-02T04:00:00+00:00", tick=True):
        result = load("child", [["莫小军", number, "G1", "修仁中学", "七年级1班"]], HEADS)
    assert result.added == 1
    return ground[1][0]


@pytest.fixture
def second(county):
    """Return another school of another township with a class."""
    school = county.school("青山初级中学", county.township("青山镇"))
    return school, county.school_class(school, name="七年级1班")


def scope_of(school):
    return Scope("schools", school.county_id, school_ids=frozenset({school.id}))


def claimed(load, number, second, name="莫小军", **options):
    rows = [[name, number, "G1", "青山初级中学", "七年级1班"]]
    return load("child", rows, HEADS, scope=scope_of(second[0]), **options)


def records(county):
    query = select(School.name, Child.name, ChildStatus.key, Child.id_number).join(
        School, School.id == Child.school_id
    )
    with county.context():
        county.session.rollback()
        rows = county.session.execute(query.join(ChildStatus).order_by(Child.id)).all()
        return [tuple(row) for row in rows]


def states(county):
    with county.context():
        county.session.rollback()
        query = select(EnrolmentProblem.state).order_by(EnrolmentProblem.child_id)
        return list(county.session.scalars(query))


def elsewhere(county, day=date(2026, 3, 10)):
    with county.context():
        county.session.rollback()
        names = {row.id: row.school_id for row in county.session.scalars(select(Child))}
        return [names[key] for key in counted_elsewhere(county.session, day)]


def reported(county, seat, day):
    county.add(
        AttendanceReport(
            class_id=seat.id, day=day, on_roll=1, present=1,
            reported_at=datetime(2026, 3, day.day, tzinfo=UTC), county_id=seat.county_id,
            township_id=seat.township_id, school_id=seat.school_id,
        )
    )  # fmt: skip


def settled(county, school, act):
    """Settle the problem of a school as the bureau would; nobody's scope is in the way."""
    with county.context(), database.writing():
        county.session.rollback()
        query = select(EnrolmentProblem).filter_by(school_id=school.id, state="open")
        act(county.session, county.session.scalars(query).one(), DECISION)
        county.session.commit()


def test_the_second_school_loads_its_own_record_and_overwrites_nothing(
    county, load, first, second, number
):
    dry = claimed(load, number, second, dry=True)
    result = claimed(load, number, second)
    again = claimed(load, number, second)

    assert (dry.added, dry.failed, dry.warned) == (1, 0, 1)
    assert (result.added, result.changed, result.failed, result.warned) == (1, 0, 0, 1)
    assert (again.added, again.changed, again.skipped) == (0, 0, 1)
    assert records(county) == [
        ("修仁中学", "莫小军", "enrolled", number),
        ("青山初级中学", "莫小军", "enrolled", number),
    ]
    assert states(county) == ["open", "open"]
    owners = {row.school_id for row in county.all(select(EnrolmentProblem))}
    assert owners == {county.a_school.id, second[0].id}


def test_two_schools_in_one_file_both_load_and_one_school_twice_does_not(
    county, load, ground, second, number
):
    rows = [
        ["莫小军", number, "", "修仁中学", "七年级1班"],
        ["莫小军", number, "", "青山初级中学", "七年级1班"],
        ["莫小军", number, "", "青山初级中学", "七年级1班"],
    ]

    result = load("child", rows, HEADS)

    assert (result.added, result.failed, result.warned) == (2, 1, 2)
    assert [fault.number for fault in result.faults] == [4]
    assert states(county) == ["open", "open"]


def test_the_child_counts_where_a_roll_call_saw_him_last(county, load, first, second, number):
    claimed(load, number, second)

    unseen = elsewhere(county)
    reported(county, first, date(2026, 3, 6))
    at_first = elsewhere(county)
    reported(county, second[1], date(2026, 3, 9))  # before his record begins there: not looked for
    still_first = elsewhere(county)
    reported(county, second[1], date(2026, 3, 10))
    at_second = elsewhere(county)
    forgotten = elsewhere(county, date(2026, 3, 30))  # no roll-call within five school days

    assert unseen == at_first == still_first == [second[0].id]
    assert at_second == [county.a_school.id]
    assert forgotten == [second[0].id]


def test_different_names_are_two_children_with_a_wrong_number(county, load, first, second, number):
    claimed(load, number, second, name="韦小丽")

    assert elsewhere(county) == []  # both count
    with pytest.raises(Refused):
        settled(county, second[0], problems.keep)
    county.session.rollback()


def test_a_corrected_number_settles_both_sides(county, load, first, second, number, sheets):
    claimed(load, number, second, name="韦小丽")
    right = sheets.id_number(date(2012, 3, 4), 43)

    rows = [["韦小丽", right, "G1", "青山初级中学", "七年级1班"]]
    result = load("child", rows, HEADS, scope=scope_of(second[0]))

    assert (result.changed, result.failed) == (1, 0), result.faults
    assert states(county) == ["withdrawn", "corrected"]


@pytest.mark.parametrize("act", [problems.keep, problems.give_up])
def test_settling_ends_one_record_and_its_roster_does_not_bring_it_back(
    county, load, first, second, number, act
):
    claimed(load, number, second)

    settled(county, county.a_school if act is problems.keep else second[0], act)
    again = claimed(load, number, second)

    assert states(county) == ["kept", "ended"]
    assert records(county) == [
        ("修仁中学", "莫小军", "enrolled", number),
        ("青山初级中学", "莫小军", "transferred", None),
    ]
    assert (again.added, again.changed, again.failed) == (0, 0, 1)
    open_places = select(Enrolment.school_id).where(Enrolment.class_id == second[1].id)
    assert county.scalar(select(Enrolment.valid_to).where(Enrolment.class_id == second[1].id))
    assert county.scalar(open_places) == second[0].id
    assert elsewhere(county) == []


def test_undo_takes_the_second_record_back_with_both_tasks(
    app, county, load, first, second, number
):
    result = claimed(load, number, second)

    with app.app_context(), database.writing():
        imports.undo(db.session(), result.batch_id, scope_of(second[0]))
        db.session.commit()

    assert records(county) == [("修仁中学", "莫小军", "enrolled", number)]
    assert states(county) == ["withdrawn"]


def test_who_is_on_the_way_without_a_receiver_arrives_by_the_county_s_roster(
    county, load, first, second, number
):
    under_way = county.scalar(select(ChildStatus.id).filter_by(key="transfer_under_way"))
    county.execute(Child.__table__.update().values(status_id=under_way))

    result = load("child", [["莫小军", number, "G1", "青山初级中学", "七年级1班"]], HEADS)

    assert (result.added, result.changed, result.failed) == (0, 1, 0), result.faults
    assert records(county) == [("青山初级中学", "莫小军", "enrolled", number)]
    places = county.all(select(Enrolment).order_by(Enrolment.valid_from))
    assert [(one.class_id, one.valid_to) for one in places] == [
        (first.id, date(2026, 3, 9)),
        (second[1].id, None),
    ]
    assert len(county.all(select(StatusEvent))) == 2


def test_another_class_of_the_same_school_is_noted_in_the_history(
    county, load, first, ground, number
):
    result = load("child", [["莫小军", number, "G1", "修仁中学", "七年级2班"]], HEADS)

    assert result.changed == 1
    places = county.all(select(Enrolment).order_by(Enrolment.valid_from))
    assert [(one.class_id, one.valid_from) for one in places] == [
        (first.id, date(2026, 3, 2)),
        (ground[1][1].id, date(2026, 3, 10)),
    ]
