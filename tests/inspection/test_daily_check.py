"""Attendance by the class teacher and the leader's daily check are two records."""

from __future__ import annotations

from datetime import datetime

import pytest
import time_machine
from sqlalchemy import func, select

from app.clock import zone
from app.extensions import db
from app.models import (
    Absence,
    AttendanceReport,
    ClassLine,
    Inspection,
    InspectionState,
)
from app.workflow import closing, draw
from tests.inspection.conftest import TODAY
from tests.inspection.test_inspection_flow import send, stored
from tests.visitor import read


@pytest.fixture
def leader(login, county, classes):
    return login("school_leader", school=county.a_school)


def teacher_of(county, login, school_class):
    person = county.person(place=county.a_school)
    school_class.teacher_id = person.id
    county.add(school_class)
    return login("class_teacher", school=county.a_school, person=person)


def children(county, school_class):
    from app.models import Child

    return county.all(select(Child).where(Child.class_id == school_class.id).order_by(Child.id))


def report(visitor, school_class, deed="report", **data):
    return visitor.submit(
        f"/attendance/{school_class.id}", {"deed": deed, **data}, select="#model_form"
    )


def start(leader) -> str:
    answer = leader.submit(
        "/inspection/daily-check/add",
        {"occurred_on": TODAY.isoformat()},
        follow_redirects=False,
    )
    assert answer.status_code == 302, answer.get_data(as_text=True)[-3000:]
    return answer.headers["Location"]


def line_of(county, school_class) -> ClassLine:
    return county.scalar(select(ClassLine).where(ClassLine.class_id == school_class.id))


# The class teacher


def test_all_present_is_one_press(county, login, classes):
    teacher = teacher_of(county, login, classes[0])
    landing = teacher.get("/attendance/", follow_redirects=False)
    assert landing.headers["Location"].endswith(f"/attendance/{classes[0].id}")

    report(teacher, classes[0], "all")

    made = county.scalar(select(AttendanceReport))
    assert (made.class_id, made.day, made.on_roll, made.present) == (classes[0].id, TODAY, 3, 3)


def test_absent_children_are_named_with_the_kind(county, login, classes):
    teacher = teacher_of(county, login, classes[0])
    first, second, _ = children(county, classes[0])

    report(
        teacher,
        classes[0],
        child_1=str(first.id),
        kind_1="sick_leave",
        child_2=str(second.id),
        kind_2="unexplained",
        contact_2="电话无人接听，已联系村干部",
    )

    rows = county.all(select(Absence).order_by(Absence.child_id))
    assert [(row.child_id, row.kind) for row in rows] == [
        (first.id, "sick_leave"),
        (second.id, "unexplained"),
    ]
    assert rows[1].contact_at is not None
    assert county.scalar(select(AttendanceReport.present)) == 1


def test_unexplained_needs_the_contact_with_the_guardian(county, login, classes):
    teacher = teacher_of(county, login, classes[0])
    first = children(county, classes[0])[0]

    page = report(teacher, classes[0], child_1=str(first.id), kind_1="unexplained")

    assert 'id="contact_1-error"' in page.get_data(as_text=True)
    assert county.scalar(select(func.count(Absence.id))) == 0
    assert county.scalar(select(func.count(AttendanceReport.id))) == 0


def test_report_is_corrected_the_same_day_and_stays_one(county, login, classes):
    teacher = teacher_of(county, login, classes[0])
    first, second, _ = children(county, classes[0])
    report(teacher, classes[0], child_1=str(first.id), kind_1="pending")

    report(teacher, classes[0], child_1=str(second.id), kind_1="personal_leave")
    assert [row.child_id for row in county.all(select(Absence))] == [second.id]
    report(teacher, classes[0], "all")

    assert county.scalar(select(func.count(Absence.id))) == 0
    assert county.scalar(select(func.count(AttendanceReport.id))) == 1
    assert county.scalar(select(AttendanceReport.present)) == 3


@pytest.mark.parametrize("bad", ["other class", "missing", "twice", "no kind", "bad kind"])
def test_wrong_names_are_refused(county, login, classes, bad):
    teacher = teacher_of(county, login, classes[0])
    own, foreign = children(county, classes[0])[0], children(county, classes[1])[0]
    data = {"child_1": str(own.id), "kind_1": "sick_leave"}
    if bad in ("other class", "missing"):
        data["child_1"] = str(foreign.id) if bad == "other class" else "999999"
    elif bad == "twice":
        data |= {"child_2": str(own.id), "kind_2": "pending"}
    else:
        data["kind_1"] = "" if bad == "no kind" else "holiday"

    page = report(teacher, classes[0], **data)

    assert page.status_code == 200
    assert "-error" in page.get_data(as_text=True)
    assert county.scalar(select(func.count(Absence.id))) == 0


def test_teacher_reports_only_his_own_class(county, login, classes):
    teacher = teacher_of(county, login, classes[0])

    assert teacher.get(f"/attendance/{classes[1].id}").status_code == 404
    answer = teacher.post_with_token(f"/attendance/{classes[1].id}", {"deed": "all"})
    assert answer.status_code == 404
    stranger = login("class_teacher", school=county.school("别校"))
    assert stranger.get(f"/attendance/{classes[0].id}").status_code == 404


# The school leader


def test_daily_check_has_a_line_for_every_class_and_draws_one(county, leader, classes):
    start(leader)

    rows = county.all(select(ClassLine))
    assert {row.class_id for row in rows} == {one.id for one in classes}
    assert sum(row.is_drawn for row in rows) == 1
    assert {row.on_roll for row in rows} == {3}


def test_two_leaders_share_the_record_of_the_day(county, login, leader, classes):
    first = start(leader)
    deputy = login("school_leader", school=county.a_school)

    assert start(deputy) == first
    assert county.scalar(select(func.count(Inspection.id))) == 1
    assert len(stored(county).participants) == 2


def test_only_reported_classes_are_accepted_and_never_the_drawn_one(county, login, leader, classes):
    url = start(leader)
    drawn = next(one for one in classes if line_of(county, one).is_drawn)
    others = [one for one in classes if one is not drawn and one.id != drawn.id]
    before = read(leader.get(url)).select_one("button[value=agree]")
    assert before.has_attr("disabled")
    for one in (drawn, others[0], others[1]):
        teacher = teacher_of(county, login, one)
        first = children(county, one)[0]
        report(teacher, one, child_1=str(first.id), kind_1="sick_leave")

    send(leader, url, "agree")

    agreed = {row.class_id for row in county.all(select(ClassLine)) if row.is_agreed}
    assert agreed == {others[0].id, others[1].id}
    line = line_of(county, others[0])
    assert (line.on_roll, line.present, line.on_leave, line.unexplained) == (3, 2, 1, 0)
    assert line.checked_by_id is not None
    assert line.checked_at is not None
    assert line_of(county, drawn).checked_at is None
    assert line_of(county, others[2]).checked_at is None


def test_expected_number_of_the_drawn_class_is_hidden_until_counted(county, leader, classes):
    url = start(leader)
    drawn = next(one for one in classes if line_of(county, one).is_drawn)
    card = f"#class-{drawn.id}"
    other = next(one for one in classes if one.id != drawn.id)

    page = read(leader.get(url))
    assert "3" not in page.select_one(card).get_text().replace(drawn.name, "")
    assert "3" in page.select_one(f"#class-{other.id}").get_text().replace(other.name, "")

    send(leader, url, "save", **{f"item_classes_class_{drawn.id}_present": "3"})
    assert line_of(county, drawn).checked_at is not None
    counted = read(leader.get(url)).select_one(card)
    assert "3" in counted.get_text().replace(drawn.name, "")


def test_each_line_keeps_its_own_checker(county, login, leader, classes):
    url = start(leader)
    send(leader, url, "save", **{f"item_classes_class_{classes[0].id}_present": "3"})
    deputy = login("school_leader", school=county.a_school)
    start(deputy)

    send(deputy, url, "save", **{f"item_classes_class_{classes[1].id}_present": "3"})

    checkers = {line_of(county, one).checked_by_id for one in classes[:2]}
    assert len(checkers) == 2
    assert None not in checkers


def test_submit_asks_for_every_class(county, leader, classes):
    url = start(leader)
    send(leader, url, "submit", **{f"item_classes_class_{classes[0].id}_present": "3"})
    assert stored(county).state == InspectionState.DRAFT

    typed = {f"item_classes_class_{one.id}_present": "3" for one in classes}
    send(leader, url, "submit", **typed)
    assert stored(county).state == InspectionState.SUBMITTED
    assert stored(county).confirmed_at is not None


def test_day_closes_with_the_true_coverage(app, county, leader, classes):
    url = start(leader)
    send(leader, url, "save", **{f"item_classes_class_{classes[0].id}_present": "3"})

    with time_machine.travel(datetime(2026, 3, 5, 18, 1, tzinfo=zone())), app.app_context():
        assert closing.close_due(db.session()) == closing.Closed(submitted=1)
        db.session.commit()
        record = db.session.scalar(select(Inspection))
        assert closing.coverage(db.session(), record) == closing.Coverage(1, 4)
    assert stored(county).state == InspectionState.SUBMITTED


def test_late_line_needs_a_reason_and_never_counts_as_in_time(app, county, login, classes):
    typed = {f"item_classes_class_{classes[0].id}_present": "3"}

    with time_machine.travel(datetime(2026, 3, 5, 18, 10, tzinfo=zone())):
        leader = login("school_leader", school=county.a_school)
        url = start(leader)
        page = send(leader, url, "save", **typed)
        assert 'id="late_reason-error"' in page.get_data(as_text=True)
        assert line_of(county, classes[0]).checked_at is None
        send(leader, url, "save", **typed, late_reason="停电")

    assert line_of(county, classes[0]).checked_at is not None
    assert stored(county).late_reason == "停电"
    with app.app_context():
        record = db.session.scalar(select(Inspection))
        assert closing.coverage(db.session(), record).checked == 0


def test_large_school_has_two_hidden_classes(app, county, leader, classes):
    from app.parameters.value import load_parameters
    from tests.inspection.test_draw import rolls

    with app.app_context():
        parameters = load_parameters(db.session())
        numbers = [
            len(draw.counted_daily(rolls(*[7] * size), parameters, TODAY, "1"))
            for size in (0, 1, 18, 19)
        ]

    assert numbers == [0, 1, 1, 2]


def test_clerk_may_not_open_the_leaders_check(county, login, classes):
    clerk = login("school_clerk", school=county.a_school)

    assert clerk.get("/inspection/daily-check/add").status_code in (302, 403)
    assert county.scalar(select(func.count(Inspection.id))) == 0


def test_the_drawn_class_is_the_leaders_own_to_count(county, login, classes):
    leader = login("school_leader", school=county.a_school)
    url = start(leader)
    shown = url.replace("/edit/", "/show/")
    drawn = county.scalar(select(ClassLine.class_id).where(ClassLine.is_drawn))
    send(leader, url, "save", **{f"item_classes_class_{drawn}_present": "3"})

    badges = [
        leader.soup(page).select_one(place).get_text(strip=True)
        for page, place in ((url, ".is-drawn legend .tone-info"), (shown, ".is-drawn .tone-info"))
    ]

    outside = {"Drawn for the roll-call", "抽中点名"}
    assert len(badges) == 2
    assert outside.isdisjoint(badges)
