"""The head of a teaching point counts its classes; the parent school's leader confirms."""

from __future__ import annotations

from datetime import date, datetime

import pytest
import time_machine
from sqlalchemy import func, select

from app.clock import zone
from app.models import Inspection, InspectionState
from app.workflow.closing import Closed
from tests.inspection.conftest import item, publish
from tests.inspection.test_closing import close
from tests.inspection.test_daily_check import start
from tests.inspection.test_inspection_flow import send, stored
from tests.security.test_statements import counted
from tests.visitor import read

PAGE = "/daily/points/"


@pytest.fixture
def point(county):
    point = county.school(
        "山口教学点",
        kind="teaching_point",
        parent_id=county.a_school.id,
        daily_mode="with_parent",
    )
    one = county.school_class(point, (1, 2))
    county.child(school=point, school_class=one)
    publish(county, "daily_check", [item("classes", "class_lines")], date(2026, 2, 24))
    return point


@pytest.fixture
def head(login, point):
    return login("school_leader", school=point)


@pytest.fixture
def parent(login, county, point):
    return login("school_leader", school=county.a_school)


def count(head, point, county, deed="submit"):
    from app.models import SchoolClass

    own = county.scalar(select(SchoolClass.id).where(SchoolClass.school_id == point.id))
    return send(head, start(head), deed, **{f"item_classes_class_{own}_present": "1"})


def test_the_heads_word_alone_does_not_count(county, head, parent, point):
    assert "未开始" in parent.get(PAGE).get_data(as_text=True) or "Not begun" in parent.get(
        PAGE
    ).get_data(as_text=True)
    count(head, point, county)

    record = stored(county)
    assert record.state == InspectionState.SUBMITTED
    assert record.participants[0].confirmed_at is not None
    assert record.confirmed_at is None
    url = f"/inspection/daily-check/confirm/{record.id}"
    head.post_with_token(url)
    assert stored(county).confirmed_at is None

    assert PAGE in parent.get("/").get_data(as_text=True)
    button = read(parent.get(PAGE)).select_one(f"button[formaction='{url}']")
    assert button is not None
    parent.post_with_token(url)

    assert stored(county).confirmed_at is not None
    assert stored(county).confirmed_by_id != stored(county).submitted_by_id
    assert read(parent.get(PAGE)).select_one(f"button[formaction='{url}']") is None


def test_a_day_that_closes_by_itself_waits_for_the_parent_too(app, county, login, head, point):
    count(head, point, county, "save")

    with time_machine.travel(datetime(2026, 3, 5, 18, 5, tzinfo=zone()), tick=True):
        assert close(app) == Closed(submitted=1)
        assert stored(county).confirmed_at is None
        parent = login("school_leader", school=county.a_school)
        parent.post_with_token(f"/inspection/daily-check/confirm/{stored(county).id}")

    assert stored(county).confirmed_at is not None


def test_too_late_a_confirmation_needs_an_approval(county, login, head, point):
    count(head, point, county)

    with time_machine.travel(datetime(2026, 3, 11, 9, 0, tzinfo=zone()), tick=True):
        parent = login("school_leader", school=county.a_school)
        parent.post_with_token(f"/inspection/daily-check/confirm/{stored(county).id}")

    assert stored(county).confirmed_at is None


@pytest.mark.parametrize("who", ["clerk", "teacher", "other school", "own mode"])
def test_only_the_parents_leader_sees_the_point(county, login, head, point, who):
    count(head, point, county)
    record = stored(county)
    if who == "own mode":
        point.daily_mode = "own"
        county.add(point)
    template = {"clerk": "school_clerk", "teacher": "class_teacher"}.get(who, "school_leader")
    school = county.school("别校") if who == "other school" else county.a_school
    visitor = login(template, school=school)

    answer = visitor.post_with_token(f"/inspection/daily-check/confirm/{record.id}")

    assert answer.status_code in {302, 403, 404}
    assert stored(county).confirmed_at is None
    assert point.name not in visitor.get(PAGE).get_data(as_text=True)
    assert visitor.get(f"/inspection/daily-check/show/{record.id}").status_code in {403, 404}


def test_own_forms_still_begin_with_the_own_school(county, parent, point):
    page = read(parent.get("/inspection/daily-check/add"))
    assert page.select_one("[name=school] option[selected]")["value"] == str(county.a_school.id)

    start(parent)

    assert stored(county).school_id == county.a_school.id
    assert county.scalar(select(func.count(Inspection.id))) == 1


def test_points_cost_no_further_statement(app, county, parent, login, point):
    parent.get(PAGE)
    with counted(app) as one:
        parent.get(PAGE)
    for _ in range(3):
        county.school(kind="teaching_point", parent_id=county.a_school.id, daily_mode="with_parent")
    with counted(app) as four:
        parent.get(PAGE)

    assert len(one) == len(four) <= 4, "\n".join(four)
