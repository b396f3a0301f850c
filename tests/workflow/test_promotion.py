"""The year's turn: all classes go up in one step, and come back while nothing rests on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
import time_machine
from sqlalchemy import func, select

from app.base import Refused
from app.extensions import db
from app.models import (
    AttendanceReport,
    Child,
    ChildStatus,
    ClassGrade,
    Enrolment,
    Promotion,
    School,
    SchoolClass,
    SchoolYear,
    StatusEvent,
)
from app.workflow.promote import promote, undo
from app.workflow.promotion import Plan, next_name, plan
from tests.conftest import CountyBuilder
from tests.crud.conftest import recorded

NOON = "2026-09-02T04:00:00+00:00"
TURN = date(2026, 9, 1)
BEGUN = date(2025, 9, 1)


@pytest.fixture(autouse=True)
def september() -> Iterator[None]:
    """Stop the clock on the second day of the new school year."""
    with time_machine.travel(NOON, tick=True):
        yield


@pytest.fixture
def county(county: CountyBuilder) -> CountyBuilder:
    """Return a county whose next school year is entered."""
    _ = county.year
    county.add(
        SchoolYear(
            county_id=county.here.id,
            name="2026—2027学年",
            starts_on=TURN,
            ends_on=date(2027, 8, 31),
        )
    )
    return county


def seated(county: CountyBuilder, row: SchoolClass, *statuses: str) -> list[int]:
    """Seat a child of each status in a class; return their keys."""
    scope = {name: getattr(row, name) for name in ("county_id", "township_id", "school_id")}
    class_id, keys = row.id, []
    school = county.session.get(School, row.school_id)
    for status in statuses:
        child = county.child(school=school, status=status)
        child.class_id = class_id
        county.add(child)
        county.add(Enrolment(child_id=child.id, class_id=class_id, valid_from=BEGUN, **scope))
        keys.append(child.id)
    return keys


def run(county: CountyBuilder, call: Callable[..., Any], *args: Any) -> Any:
    """Call within the application and keep what it did."""
    with county.context():
        try:
            result = call(county.session, *args)
            county.session.commit()
        finally:
            county.session.rollback()
    return result


def place(county: CountyBuilder, child: int) -> tuple[str | None, str]:
    """Return the class and the status of a child."""
    query = (
        select(SchoolClass.name, ChildStatus.key)
        .select_from(Child)
        .outerjoin(SchoolClass, SchoolClass.id == Child.class_id)
        .join(ChildStatus, ChildStatus.id == Child.status_id)
        .where(Child.id == child)
    )
    with county.context():
        county.session.rollback()
        return tuple(county.session.execute(query).one())


def places(county: CountyBuilder, child: int) -> list[tuple[date, date | None]]:
    query = select(Enrolment).filter_by(child_id=child).order_by(Enrolment.valid_from)
    return [(row.valid_from, row.valid_to) for row in county.all(query)]


@pytest.mark.parametrize(
    ("name", "raised"),
    [
        ("三年级（1）班", "四年级（1）班"),
        ("3年级2班", "4年级2班"),
        ("七（1）班", "八（1）班"),
        ("初一（2）班", "初二（2）班"),
        ("701", "701"),
        ("一二年级复式班", "二三年级复式班"),
        ("2024级1班", "2024级1班"),
        ("彩虹班", "彩虹班"),
    ],
)
def test_name_of_a_class_follows_its_grade(name: str, raised: str) -> None:
    assert next_name(name) == raised


def test_all_classes_go_up_in_one_step(county: CountyBuilder) -> None:
    lower = seated(county, county.school_class(name="七年级1班"), "enrolled", "policy_suspension")
    upper = seated(county, county.school_class(grades=(9,), name="九年级1班"), "enrolled")
    primary = county.school("青山小学", kind="primary")
    sixth = seated(county, county.school_class(primary, (6,), name="六年级1班"), "enrolled")
    point = county.school("大榕教学点", kind="teaching_point")
    mixed = seated(county, county.school_class(point, (1, 2), name="一二年级班"), "enrolled")
    seated(county, county.school_class(point, (3,), name="三年级班"), "enrolled")

    done = run(county, promote)

    assert (done.moved, done.graduated, done.left) == (3, 1, 2)
    assert [place(county, one) for one in lower] == [
        ("八年级1班", "enrolled"),
        ("八年级1班", "policy_suspension"),
    ]
    assert places(county, lower[0]) == [(BEGUN, date(2026, 8, 31)), (TURN, None)]
    assert place(county, upper[0]) == (None, "graduated")
    assert places(county, upper[0]) == [(BEGUN, date(2026, 8, 31))]
    assert place(county, sixth[0]) == ("六年级1班", "transfer_under_way")
    assert places(county, sixth[0]) == [(BEGUN, None)]
    assert place(county, mixed[0]) == ("二三年级班", "enrolled")
    grades = select(ClassGrade.grade).join(SchoolClass).where(SchoolClass.name == "二三年级班")
    assert sorted(county.all(grades)) == [2, 3]
    events = select(func.count(StatusEvent.id)).where(StatusEvent.happened_on == TURN)
    assert county.scalar(events) == 3


def grade_of(county: CountyBuilder, child: int) -> int | None:
    return county.scalar(select(Child.grade).filter_by(id=child))


def test_children_of_a_multigrade_class_go_by_their_own_grade(county: CountyBuilder) -> None:
    point = county.school("大榕教学点", kind="teaching_point")
    mixed = county.school_class(point, (2, 3), name="二三年级班")
    nine = county.school_class(county.school(kind="nine_year"), (8, 9), name="八九年级班")
    keys = seated(county, mixed, *["enrolled"] * 4) + seated(county, nine, "enrolled", "enrolled")
    for key, grade in zip(keys, (2, 3, None, 2, 8, 9), strict=True):
        county.execute(Child.__table__.update().where(Child.id == key).values(grade=grade))
    before = snapshot(county), [grade_of(county, key) for key in keys]

    planned: Plan = run(county, plan)
    done = run(county, promote)
    after = [(*place(county, key), grade_of(county, key)) for key in keys]
    run(county, undo, done)

    assert [(one.finishing, one.unknown) for one in planned.classes] == [(1, 1), (1, 0)]
    assert (planned.moved, planned.graduated, planned.left) == (4, 1, 1)
    assert (done.moved, done.graduated, done.left) == (4, 1, 1)
    assert after == [
        ("三四年级班", "enrolled", 3),
        ("二三年级班", "transfer_under_way", 3),
        ("三四年级班", "enrolled", None),
        ("三四年级班", "enrolled", 3),
        ("九九年级班", "enrolled", 9),
        (None, "graduated", 9),
    ]
    assert (snapshot(county), [grade_of(county, key) for key in keys]) == before


def test_who_may_not_take_the_step_stays_for_a_decision(county: CountyBuilder) -> None:
    row = county.school_class(grades=(9,), name="九年级1班")
    stays, goes = seated(county, row, "dropped_out", "enrolled")

    planned: Plan = run(county, plan)
    done = run(county, promote)

    assert (planned.graduated, planned.staying) == (1, 1)
    assert done.graduated == 1
    assert place(county, stays) == ("九年级1班", "dropped_out")
    assert place(county, goes) == (None, "graduated")


def test_a_class_that_is_there_already_is_joined(county: CountyBuilder) -> None:
    child = seated(county, county.school_class(name="七年级1班"), "enrolled")[0]
    new_year = county.scalar(select(SchoolYear.id).filter_by(starts_on=TURN))
    scope = county.scope_of(county.a_school)
    ready = county.add(SchoolClass(name="八年级1班", school_year_id=new_year, **scope)).id

    done = run(county, promote)

    assert county.scalar(select(Child.class_id).filter_by(id=child)) == ready
    run(county, undo, done)
    assert county.scalar(select(SchoolClass.id).filter_by(id=ready)) == ready
    assert place(county, child) == ("七年级1班", "enrolled")


def test_one_school_alone_and_then_the_rest(county: CountyBuilder) -> None:
    own = seated(county, county.school_class(name="七年级1班"), "enrolled")[0]
    other = county.school()
    elsewhere = seated(county, county.school_class(other, name="七年级1班"), "enrolled")[0]

    done = run(county, promote, other)
    between = place(county, own), place(county, elsewhere)
    run(county, promote)

    assert done.school_id == other.id
    assert between == (("七年级1班", "enrolled"), ("八年级1班", "enrolled"))
    assert place(county, own) == ("八年级1班", "enrolled")
    with pytest.raises(Refused):
        run(county, promote)


def test_before_the_year_begins_there_is_a_plan_that_changes_nothing(county: CountyBuilder) -> None:
    seated(county, county.school_class(name="七年级1班"), "enrolled")

    with time_machine.travel("2026-08-20T04:00:00+00:00"):
        planned = run(county, plan)
        with pytest.raises(Refused):
            run(county, promote)

    assert planned.moved == 1
    assert county.scalar(select(func.count(SchoolClass.id))) == 1
    assert county.scalar(select(func.count(Promotion.id))) == 0


def snapshot(county: CountyBuilder) -> list[Any]:
    """Return what a promotion may touch."""
    return [
        county.all(select(Child.class_id).order_by(Child.id)),
        county.all(select(Child.status_id).order_by(Child.id)),
        sorted(county.all(select(SchoolClass.name))),
        sorted(county.all(select(ClassGrade.grade))),
        county.all(select(Enrolment.class_id).order_by(Enrolment.id)),
        county.all(select(Enrolment.valid_to).order_by(Enrolment.id)),
        county.scalar(select(func.count(StatusEvent.id))),
    ]


def test_undo_leaves_everything_as_it_was(county: CountyBuilder) -> None:
    seated(county, county.school_class(name="七年级1班"), "enrolled", "suspected")
    seated(county, county.school_class(grades=(9,), name="九年级1班"), "enrolled", "dropped_out")
    primary = county.school("青山小学", kind="primary")
    seated(county, county.school_class(primary, (6,), name="六年级1班"), "enrolled")
    before = snapshot(county)

    done = run(county, promote)
    changed = snapshot(county)
    run(county, undo, done)

    assert changed != before
    assert snapshot(county) == before
    with pytest.raises(Refused):
        run(county, undo, done)
    run(county, promote)
    assert snapshot(county)[1:4] == changed[1:4]


def a_report(county: CountyBuilder, child: int) -> None:
    class_id = county.scalar(select(Child.class_id).filter_by(id=child))
    scope = county.scope_of(county.a_school)
    counts = {"on_roll": 1, "present": 1, "reported_at": datetime.now(UTC)}
    county.add(AttendanceReport(class_id=class_id, day=TURN, **counts, **scope))


def a_status(county: CountyBuilder, child: int) -> None:
    county.execute(
        Child.__table__.update().where(Child.__table__.c.id == child).values(class_id=None)
    )


@pytest.mark.parametrize("key", ["attendance", "move"])
def test_undo_is_refused_as_soon_as_something_rests_on_it(county: CountyBuilder, key: str) -> None:
    rests = {"attendance": a_report, "move": a_status}[key]
    child = seated(county, county.school_class(name="七年级1班"), "enrolled")[0]
    done = run(county, promote)
    rests(county, child)
    before = snapshot(county)

    with pytest.raises(Refused):
        run(county, undo, done)

    assert snapshot(county) == before
    assert county.scalar(select(Promotion.undone_at)) is None


def test_statements_do_not_grow_with_the_children(county: CountyBuilder, app) -> None:
    counts = []
    for classes, children in ((1, 2), (3, 40)):
        school = county.school()
        for number in range(1, classes + 1):
            row = county.school_class(school, name=f"七年级{number}班")
            seated(county, row, *["enrolled"] * (children // classes))
        with county.context(), recorded(app) as seen:
            promote(db.session(), db.session.get(School, school.id))
            db.session.commit()
        counts.append(len(seen))

    # What is there for each class: the row and its grades, when the driver takes one at a time.
    assert counts[1] <= counts[0] + 2 * 2
