"""Problem enrolments on the screens: each school sees its side, the bureau settles."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from app.cli.bench.roster import _number
from app.models import Child, ChildStatus, EnrolmentProblem, School
from tests.conftest import CountyBuilder, Login, Visitor
from tests.visitor import read

NUMBER = _number(date(2012, 3, 4), 41, is_bad=False)
OTHER = _number(date(2012, 3, 4), 43, is_bad=False)


@pytest.fixture(autouse=True)
def march() -> Iterator[None]:
    """Stop the clock on a day of school."""
    with time_machine.travel("2026-03-10T04:00:00+00:00", tick=True):
        yield


@pytest.fixture
def second(county: CountyBuilder) -> School:
    """Return a school beside the first, in another township."""
    county.child("莫小军", id_number=NUMBER, school_class=county.school_class(name="七年级3班"))
    return county.school("青山初级中学", county.township("青山镇"))


def entered(visitor: Visitor, county: CountyBuilder, school: School, **values: Any) -> Any:
    """Enter a child on the form; return the page that follows."""
    status = county.scalar(select(ChildStatus.id).filter_by(key="enrolled"))
    data = {"name": "莫小军", "id_kind": "resident", "id_number": NUMBER, "status": status}
    return visitor.submit("/childview/add", {**data, "school": school.id, **values})


def problem(county: CountyBuilder, school: School) -> Any:
    return county.scalar(select(EnrolmentProblem).filter_by(school_id=school.id))


def states(county: CountyBuilder) -> list[str]:
    return county.all(select(EnrolmentProblem.state).order_by(EnrolmentProblem.child_id))


def test_each_school_sees_its_own_side_and_that_another_reports_the_number(
    county: CountyBuilder, login: Login, second: School
) -> None:
    clerk, first = (
        login("school_clerk", school=second),
        login("school_clerk", school=county.a_school),
    )

    page = entered(clerk, county, second)
    own, theirs = (problem(county, school).id for school in (second, county.a_school))
    mine = clerk.get(f"/enrolment-problems/show/{own}")
    listed = first.get("/enrolment-problems/list/").get_data(as_text=True)

    assert "问题学籍" in page.get_data(as_text=True)
    assert states(county) == ["open", "open"]
    shown = mine.get_data(as_text=True)
    assert "另一所学校" in shown
    assert "修仁中学" not in shown
    assert clerk.get(f"/enrolment-problems/show/{theirs}").status_code == 404
    assert "修仁中学" in listed
    assert "青山初级中学" not in listed
    assert "问题学籍" in first.get("/").get_data(as_text=True)
    assert not read(mine).select('form[action*="/keep/"]')


def test_the_bureau_sees_both_sides_and_settles(
    county: CountyBuilder, login: Login, second: School
) -> None:
    entered(login("school_clerk", school=second), county, second)
    office, key = login("supervision_office"), problem(county, county.a_school).id
    shown = office.get(f"/enrolment-problems/show/{key}").get_data(as_text=True)

    answer = office.submit(
        f"/enrolment-problems/show/{key}",
        {"keep-note": "3月9日点名在校"},
        select='form[action*="/keep/"]',
    )

    assert "青山初级中学" in shown
    assert "修仁中学" in shown
    assert states(county) == ["kept", "ended"], answer.get_data(as_text=True)
    ended = county.scalar(select(Child).filter_by(school_id=second.id))
    assert (ended.id_number, ended.class_id) == (None, None)
    again = entered(login("school_clerk", school=second), county, second)
    assert read(again).select_one("#id_number-error, .has-error [name=id_number]") is not None


def test_a_school_ends_its_own_record_and_only_that(
    county: CountyBuilder, login: Login, second: School
) -> None:
    clerk = login("school_clerk", school=second)
    entered(clerk, county, second)
    own, theirs = (problem(county, school).id for school in (second, county.a_school))

    foreign = clerk.post_with_token(f"/enrolment-problems/give-up/{theirs}", {"give-up-note": "x"})
    kept = clerk.post_with_token(f"/enrolment-problems/keep/{own}", {"keep-note": "在校"})
    before = states(county)
    empty = clerk.submit(f"/enrolment-problems/show/{own}", {}, select='form[action*="/give-up/"]')
    clerk.submit(
        f"/enrolment-problems/show/{own}",
        {"give-up-note": "从未到校"},
        select='form[action*="/give-up/"]',
    )

    assert foreign.status_code == 404
    assert "教育局" in kept.get_data(as_text=True)
    assert before == ["open", "open"]
    assert read(empty).select(".has-error")
    assert states(county) == ["kept", "ended"]


def test_a_number_is_entered_once_in_a_school_and_its_correction_settles(
    county: CountyBuilder, login: Login, second: School
) -> None:
    clerk = login("school_clerk", school=second)
    entered(clerk, county, second, name="韦小丽")

    twice = entered(clerk, county, second)
    child = county.scalar(select(Child.id).filter_by(school_id=second.id))
    differs = clerk.get(f"/enrolment-problems/show/{problem(county, second).id}")
    clerk.submit(f"/childview/edit/{child}", {"id_number": OTHER})

    assert read(twice).select_one(".has-error [name=id_number]") is not None
    assert "姓名不一致" in differs.get_data(as_text=True)
    assert states(county) == ["withdrawn", "corrected"]
