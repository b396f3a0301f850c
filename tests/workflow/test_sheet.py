"""Test the page of an inspection record: what came of it, and the one button that is next."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from app.models import InspectionState


@pytest.fixture(autouse=True)
def _now(today: Callable[[date], None]) -> None:
    today(date(2026, 3, 5))


def test_a_record_leads_to_its_findings_and_to_its_feedback(loop: Any, login: Any) -> None:
    finding = loop.finding("suspended_roster")
    feedback = loop.feedback_of(finding)
    leader = login("township_leader", township=loop.county.a_township)
    url = f"/inspection/township-visit/show/{finding.inspection_id}"

    before = leader.soup(url)
    leader.submit(f"/feedback/show/{feedback.id}", {"opinion": "请整改。"}, select="#serve-form")
    after = leader.soup(url)

    assert before.select_one(f"main a[href='/finding/show/{finding.id}']")
    assert before.select_one(".finding-state .badge-soft.tone-warning")
    link = before.select_one(f"a.btn-primary[href='/feedback/show/{feedback.id}']")
    assert link is not None
    assert after.select_one(f"a.btn-default[href='/feedback/show/{feedback.id}']")
    assert after.select_one(".finding-state .badge-soft.tone-info")
    assert "2026-03-05" in after.select_one(".feedback-line").get_text()


def test_who_may_not_serve_reads_the_feedback(loop: Any, login: Any) -> None:
    finding = loop.finding("suspended_roster")
    feedback = loop.feedback_of(finding)
    clerk = login("school_clerk", school=loop.county.a_school)

    page = clerk.soup(f"/inspection/all/show/{finding.inspection_id}")

    assert page.select_one(f"a.btn-default[href='/feedback/show/{feedback.id}']")
    assert not page.select("main a.btn-primary")


def test_a_record_offers_one_way_to_its_form_named_for_its_state(loop: Any, login: Any) -> None:
    leader = login("township_leader", township=loop.county.a_township)
    ways = {}
    for state in (InspectionState.DRAFT, InspectionState.SUBMITTED):
        inspection = loop.inspection({}, state=state, day=date(2026, 3, 2 + len(ways)))
        page = leader.soup(f"/inspection/township-visit/show/{inspection.id}")
        ways[state] = page.select(f"main a[href$='/edit/{inspection.id}']")

    assert [len(found) for found in ways.values()] == [1, 1]
    assert ways[InspectionState.SUBMITTED][0].get_text(strip=True) == "更正"
    assert ways[InspectionState.DRAFT][0].get_text(strip=True) != "更正"


def test_empty_fields_of_a_record_are_left_out(loop: Any, login: Any) -> None:
    inspection = loop.inspection({})
    leader = login("township_leader", township=loop.county.a_township)

    page = leader.soup(f"/inspection/township-visit/show/{inspection.id}")

    assert page.select(".facts dd")
    assert not [fact for fact in page.select(".facts dd") if fact.select_one(".nothing")]
