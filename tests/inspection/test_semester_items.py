"""Items of a semester are folded once settled, and come back while they are not."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from app.models import Finding, FindingState, Inspection, InspectionState
from tests.inspection.conftest import item, publish
from tests.inspection.test_inspection_flow import open_draft, send, stored
from tests.visitor import read

START = date(2026, 2, 24)


@pytest.fixture
def school(county, semester):
    publish(
        county,
        "annex_1",
        [
            item("plan", "document", frequency="semester", is_required=True),
            item("order", is_required=True),
            item("town", applies_to="township"),
        ],
        START,
    )
    return county.a_school


@pytest.fixture
def leader(county, school):
    return county.person("王镇长", place=county.a_township)


@pytest.fixture
def visitor(login, county, leader):
    return login("township_leader", township=county.a_township, person=leader)


def is_folded(page, key: str) -> bool:
    found = page.select_one(f"#item_{key}_verdict")
    assert found is not None
    return found.name == "details"


def inspect(visitor, school, leader, day="2026-03-02", plan="conforms", order="conforms", **more):
    url = open_draft(visitor, school, leader, occurred_on=day)
    send(visitor, url, "submit", item_plan_verdict=plan, item_order_verdict=order, **more)


def next_form(visitor, school, leader, day="2026-03-05"):
    return read(visitor.get(open_draft(visitor, school, leader, occurred_on=day)))


def test_settled_item_is_folded_with_day_and_people_and_not_required(
    county, school, visitor, leader
):
    inspect(visitor, school, leader)

    url = open_draft(visitor, school, leader)
    page = read(visitor.get(url))

    assert is_folded(page, "plan")
    assert not is_folded(page, "order")
    summary = page.select_one("#item_plan_verdict summary").get_text()
    assert "2026年3月2日" in summary
    assert "王镇长" in summary
    send(visitor, url, "submit", item_order_verdict="conforms")
    assert stored(county).state == InspectionState.SUBMITTED


def test_nothing_is_copied_forward_as_conforming(county, school, visitor, leader):
    inspect(visitor, school, leader)

    page = next_form(visitor, school, leader)

    checked = page.select("input[name=item_plan_verdict][checked]")
    assert [box["value"] for box in checked] == ["unchecked"]


def test_failed_item_returns_until_its_finding_is_closed(county, school, visitor, leader):
    inspect(visitor, school, leader, plan="fails", item_plan_note="没有方案")
    assert not is_folded(next_form(visitor, school, leader), "plan")

    finding = county.scalar(select(Finding))
    finding.state = FindingState.CLOSED
    county.add(finding)

    assert is_folded(next_form(visitor, school, leader), "plan")


def test_a_later_conforming_visit_does_not_hide_an_open_finding(county, school, visitor, leader):
    inspect(visitor, school, leader, plan="fails", item_plan_note="没有方案")
    inspect(visitor, school, leader, day="2026-03-03", plan="conforms")

    assert not is_folded(next_form(visitor, school, leader), "plan")


@pytest.mark.parametrize("state", ["other school", "draft", "last semester", "later day"])
def test_what_does_not_settle_an_item(county, school, visitor, leader, state):
    if state == "other school":
        inspect(visitor, county.school("另一中学"), leader)
    elif state == "draft":
        url = open_draft(visitor, school, leader, occurred_on="2026-03-02")
        send(visitor, url, "save", item_plan_verdict="conforms")
    elif state == "later day":
        inspect(visitor, school, leader, day="2026-03-05")
    else:
        inspect(visitor, school, leader)
        earlier = county.scalar(select(Inspection))
        earlier.occurred_on = date(2026, 1, 9)
        county.add(earlier)

    day = "2026-03-04" if state == "later day" else "2026-03-05"
    assert not is_folded(next_form(visitor, school, leader, day), "plan")


def test_township_is_asked_its_own_items(county, school, visitor, leader):
    where = {"school": "", "township": str(county.a_township.id)}
    url = open_draft(visitor, school, leader, **where)
    page = read(visitor.get(url))

    assert page.select_one("#item_town_verdict") is not None
    assert page.select_one("#item_order_verdict") is None
    assert stored(county).school_id is None
