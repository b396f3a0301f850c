"""Test that outside visits look at what schools found and closed by themselves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from app.base import registry
from app.models import Finding, FindingReview, FindingState, InspectionState
from app.workflow import finding as findings
from app.workflow import review as reviews
from app.workflow.inspection import open_draft
from app.workflow.kind import Attendant
from tests.visitor import read

FOUND, CLOSED, VISIT = date(2026, 3, 3), date(2026, 3, 4), date(2026, 3, 10)


@pytest.fixture
def closed(loop: Any, today: Callable[[date], None]) -> Callable[[int], list[Finding]]:
    """Return a function that lets the school find and close so many things by itself."""

    def make(count: int) -> list[Finding]:
        today(CLOSED)
        made = []
        for _ in range(count):
            finding = loop.finding(
                "class_attendance",
                type_key="daily_check",
                checklist="daily_check",
                finder=loop.hand("school_leader"),
            )
            made.append(loop.into(finding, "closed", CLOSED))
        today(VISIT)
        return made

    return make


def visit(loop: Any, type_key: str = "township_visit", day: date = VISIT) -> Any:
    """Open the draft of a visit."""
    kind = loop.run(lambda _session: registry.inspection_type(type_key))
    attendant = Attendant(loop.hand("township_leader").person_id, kind.capacity)
    return loop.run(open_draft, kind, loop.county.a_school, day, [attendant])


def drawn(loop: Any, inspection: Any) -> list[FindingReview]:
    query = select(FindingReview).where(FindingReview.inspection_id == inspection.id)
    return loop.county.all(query.order_by(FindingReview.finding_id))


def submit(loop: Any, inspection: Any, *outcomes: str | None) -> None:
    """Record outcomes, in order, and submit the visit."""
    for review, outcome in zip(drawn(loop, inspection), outcomes, strict=False):
        review.outcome, review.note = outcome, "问题仍在" if outcome == "fails" else None
    inspection.state = InspectionState.SUBMITTED
    loop.run(findings.findings_from, inspection)


@pytest.mark.parametrize(("count", "expected"), [(0, 0), (2, 2), (5, 3)])
def test_a_visit_draws_three_of_the_schools_own_closings(
    loop: Any, closed: Any, count: int, expected: int
) -> None:
    own = closed(count)

    inspection = visit(loop)

    keys = {review.finding_id for review in drawn(loop, inspection)}
    assert len(keys) == expected
    assert keys <= {finding.id for finding in own}


def test_the_draw_stays_and_differs_between_visits(loop: Any, closed: Any) -> None:
    closed(9)
    first, second, third = (visit(loop) for _ in range(3))
    before = [review.finding_id for review in drawn(loop, first)]

    loop.run(findings.findings_from, first)

    assert [review.finding_id for review in drawn(loop, first)] == before
    others = [[r.finding_id for r in drawn(loop, each)] for each in (second, third)]
    assert any(other != before for other in others)


def test_what_is_not_drawn(loop: Any, closed: Any, today: Callable[[date], None]) -> None:
    (own,) = closed(1)
    loop.into(loop.finding(day=FOUND), "closed", VISIT)  # an inspector found this one
    today(VISIT)

    assert drawn(loop, visit(loop, "daily_check")) == []
    assert drawn(loop, visit(loop, day=FOUND)) == []  # before it was closed
    assert [review.finding_id for review in drawn(loop, visit(loop))] == [own.id]


def test_outcomes_act_when_the_visit_is_submitted(loop: Any, closed: Any) -> None:
    held, failed, unseen = closed(3)
    inspection = visit(loop)

    submit(loop, inspection, "holds", "fails", None)

    assert (held.state, held.steps[-1].step) == (FindingState.CLOSED, "confirm")
    assert (failed.state, failed.closed_on, failed.reopened) == (FindingState.SERVED, None, 1)
    assert (failed.steps[-1].step, failed.steps[-1].note) == ("recall", "问题仍在")
    assert failed.due_on == date(2026, 3, 13)  # urgent: three working days
    assert (unseen.state, unseen.steps[-1].step) == (FindingState.CLOSED, "close")
    again = {review.finding_id for review in drawn(loop, visit(loop))}
    assert again == {unseen.id}


def test_a_correction_acts_once_and_what_was_recalled_runs_its_course(
    loop: Any, closed: Any
) -> None:
    held, failed = closed(2)
    inspection = visit(loop)
    submit(loop, inspection, "holds", "fails")

    submit(loop, inspection, "holds", "holds")
    assert [step.step for step in held.steps].count("confirm") == 1
    assert failed.state == FindingState.SERVED
    submit(loop, inspection, "fails", "holds")

    assert (held.state, held.steps[-1].step) == (FindingState.SERVED, "recall")
    assert failed.state == FindingState.SERVED
    loop.take(failed, "close", "school_leader", evidence_set_id=loop.evidence(), day=VISIT)
    assert failed.id in {review.finding_id for review in drawn(loop, visit(loop))}


def test_reading_what_is_drawn_takes_three_statements(loop: Any, closed: Any) -> None:
    closed(3)
    inspection = visit(loop)

    with loop.county.context():
        found = reviews.drawn_for(loop.session, inspection)

        assert [one.files[0].name for one in found]
        assert all(one.closing.note is None and one.is_open for one in found)


def test_the_form_of_a_visit_asks_and_its_page_shows(loop: Any, closed: Any, login: Any) -> None:
    closed(2)
    person = loop.county.person(place=loop.county.a_township)
    leader = login("township_leader", township=loop.county.a_township, person=person)
    school = loop.county.a_school.id
    opened = leader.submit(
        f"/inspection/township-visit/add?school={school}",
        {"occurred_on": VISIT.isoformat()},
        select="#model_form",
    )
    url = opened.request.path
    first, second = loop.county.all(select(FindingReview).order_by(FindingReview.id))
    page = read(opened)
    assert len(page.select("#reviews .item")) == 2
    assert page.select("#reviews a[href^='/evidence/']")

    said = {f"review_{first.id}_outcome": "fails", f"review_{second.id}_outcome": "holds"}
    form = page.select_one("#model_form")
    items = {box["name"]: "conforms" for box in form.select("[name^=item_][name$=_verdict]")}
    refused = leader.send(form, url, {**items, **said, "deed": "submit"})
    assert "#reviews" not in refused.request.path
    assert read(refused).select_one(f"#review-{first.id} .field-error") is not None
    reason = {f"review_{first.id}_note": "课桌椅仍不足"}
    leader.send(read(refused).select_one("#model_form"), url, {**items, **said, **reason})

    saved = loop.county.scalar(select(FindingReview).where(FindingReview.id == first.id))
    assert (saved.outcome, saved.note) == ("fails", "课桌椅仍不足")
    assert saved.reviewed_by_id == person.id
    shown = leader.soup(url.replace("edit", "show"))
    assert "课桌椅仍不足" in shown.select_one("#reviews").get_text()
    assert len(leader.soup("/findingreview/list/").select("table tbody tr")) == 2
