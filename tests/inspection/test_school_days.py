"""An inspection counts on a school day of its school only; a draft begun twice is the same one."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import func, select

from app.models import CalendarDay, CalendarException, Inspection
from app.workflow.visit_day import refusals_of_school_days
from tests.inspection.conftest import TODAY, item, publish

THURSDAY, FRIDAY, SATURDAY = (date(2026, 2, day) for day in (26, 27, 28))
SUNDAY, MONDAY = date(2026, 3, 1), date(2026, 3, 2)


def closed(county, school, day, is_open=False, **part):
    county.add(
        CalendarException(
            day=day, is_school_day=is_open, reason="调课", **part, **county.scope_of(school)
        )
    )


def test_a_school_is_inspected_on_its_school_days(county, semester):
    plain, boarding = county.school("走读中学"), county.school("寄宿中学", is_boarding=True)
    make_up, holiday = county.school("补课中学"), county.school("停课中学")
    half, shut = county.school("半校停课"), county.school("全校分年级停课")
    eve = county.school("周一停课", is_boarding=True)
    closed(county, make_up, SATURDAY, is_open=True)
    closed(county, holiday, FRIDAY)
    closed(county, eve, MONDAY)
    for school in (half, shut):
        for grade in (7, 8):
            county.school_class(school, (grade,))
    closed(county, half, FRIDAY, grade=7)
    for grade in (7, 8):
        closed(county, shut, FRIDAY, grade=grade)
    county.add(
        CalendarDay(
            county_id=county.here.id, day=THURSDAY, is_working_day=False, is_school_day=False
        )
    )
    asked = {
        (plain, FRIDAY): True,
        (plain, SATURDAY): False,
        (plain, SUNDAY): False,  # nobody returns in the evening
        (plain, THURSDAY): False,  # a holiday of the county
        (boarding, SUNDAY): True,  # the evening on which boarders return
        (boarding, SATURDAY): False,
        (boarding, THURSDAY): True,
        (eve, SUNDAY): False,
        (make_up, SATURDAY): True,
        (holiday, FRIDAY): False,
        (half, FRIDAY): True,
        (shut, FRIDAY): False,
        (plain, date(2026, 7, 4)): False,
    }  # fmt: skip

    with county.context():
        reasons = refusals_of_school_days(county.session, list(asked))
        county.session.rollback()

    counts = [reason is None for reason in reasons]
    named = [(school.name, day.isoformat()) for school, day in asked]
    assert dict(zip(named, counts, strict=True)) == dict(zip(named, asked.values(), strict=True))


@pytest.fixture
def inspector(county, login, semester):
    publish(county, "annex_1", [item("order")], date(2026, 2, 24))
    county.inspector = county.person("王镇长", place=county.a_township)
    return login("township_leader", township=county.a_township, person=county.inspector)


def begin(county, visitor, day, **more):
    typed = {
        "school": str(county.a_school.id), "occurred_on": day.isoformat(),
        "person_1": str(county.inspector.id), "capacity_1": "township_leader", **more,
    }  # fmt: skip
    return visitor.submit("/inspection/township-visit/add", typed, follow_redirects=False)


def drafts(county) -> int:
    return county.scalar(select(func.count(Inspection.id)))


def test_the_form_names_the_day_and_the_cure(county, inspector):
    page = begin(county, inspector, SATURDAY).get_data(as_text=True)

    assert 'id="occurred_on-error"' in page
    assert "校历调整" in page
    assert f'value="{SATURDAY.isoformat()}"' in page
    assert drafts(county) == 0
    closed(county, county.a_school, SATURDAY, is_open=True)
    assert begin(county, inspector, SATURDAY).status_code == 302


def test_a_draft_begun_twice_is_the_same_one(county, inspector, login):
    first = begin(county, inspector, TODAY).headers["Location"]

    again = begin(county, inspector, TODAY)
    told = inspector.get(again.headers["Location"]).get_data(as_text=True)

    assert again.headers["Location"] == first
    assert "草稿" in told
    assert drafts(county) == 1
    assert begin(county, inspector, FRIDAY).headers["Location"] != first
    colleague = county.person("李副镇长", place=county.a_township)
    other = login("township_leader", township=county.a_township, person=colleague)
    county.inspector = colleague
    assert begin(county, other, TODAY).headers["Location"] != first
    assert drafts(county) == 3
