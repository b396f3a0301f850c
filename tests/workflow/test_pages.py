"""Test the pages of the findings loop: each side takes its steps through forms."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from io import BytesIO
from typing import Any

import pytest
from sqlalchemy import select

from app.models import Change, Feedback, Finding, FindingState, FindingStep, ReturnVisit
from tests.crud.conftest import recorded
from tests.visitor import read

PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
DAY = date(2026, 3, 5)


@pytest.fixture
def now(today: Callable[[date], None]) -> None:
    today(DAY)


def text(response: Any) -> str:
    return response.get_data(as_text=True)


def test_the_whole_loop_runs_through_the_pages(loop: Any, login: Any, now: None) -> None:
    school, township = loop.county.a_school, loop.county.a_township
    finding = loop.finding("suspended_roster")
    feedback = loop.feedback_of(finding)
    inspector = login("township_leader", township=township)
    clerk = login("school_clerk", school=school)

    page = f"/feedback/show/{feedback.id}"
    inspector.submit(page, {"opinion": "请于十五日内整改。"}, select="#serve-form")
    clerk.submit(page, select="#receive-form")
    page = f"/finding/show/{finding.id}"
    clerk.submit(
        page,
        {"claim-note": "名册已补", "claim-evidence": (BytesIO(PDF), "名册.pdf")},
        select="form[action$=claim]",
    )
    inspector.submit(
        page,
        {"return_visit-rectified": "yes", "return_visit-note": "现场核实"},
        select="form[action$=return_visit]",
    )

    stored = loop.county.scalar(select(Finding).where(Finding.id == finding.id))
    assert stored.state == FindingState.CLOSED
    assert stored.closed_on == DAY
    assert loop.county.scalar(select(Feedback.opinion)) == "请于十五日内整改。"
    assert loop.county.scalar(select(ReturnVisit.is_rectified)) is True
    shown = text(clerk.get(page))
    assert "名册.pdf" in shown
    assert "现场核实" in shown


def test_a_form_sent_twice_is_taken_once(loop: Any, login: Any, now: None) -> None:
    school, township = loop.county.a_school, loop.county.a_township
    finding = loop.finding()
    inspector = login("township_leader", township=township)
    clerk = login("school_clerk", school=school)
    paper, page = f"/feedback/show/{finding.feedback_id}", f"/finding/show/{finding.id}"
    claimed = {"claim-note": "已改", "claim-evidence": (BytesIO(PDF), "名册.pdf")}
    visited = {"return_visit-rectified": "no", "return_visit-note": "未改"}

    for visitor, url, select_, data in (
        (inspector, paper, "#serve-form", {"opinion": "请整改。"}),
        (clerk, paper, "#receive-form", {}),
        (clerk, page, "form[action$=claim]", claimed),
        (inspector, page, "form[action$=return_visit]", visited),
    ):
        form = visitor.soup(url).select_one(select_)
        steps = len(loop.county.all(select(FindingStep)))
        visitor.send(form, url, data)
        again = visitor.send(form, url, {**data, "claim-evidence": None})
        assert again.request.path == url
        assert "重复提交" in text(again)
        assert len(loop.county.all(select(FindingStep))) == steps + 1


def test_refused_form_names_the_field_and_keeps_what_was_typed(
    loop: Any, login: Any, now: None
) -> None:
    finding = loop.into(loop.finding(), "served", DAY)
    clerk = login("school_clerk", school=loop.county.a_school)

    answer = clerk.submit(
        f"/finding/show/{finding.id}",
        {"claim-note": "", "claim-evidence": (BytesIO(PDF), "照片.pdf")},
        select="form[action$=claim]",
    )

    page = read(answer)
    assert page.select_one("#claim-note-error") is not None
    assert "照片.pdf" in text(answer)
    again = clerk.send(
        page.select_one("form[action$=claim]"), answer.request.path, {"claim-note": "已改"}
    )
    assert again.status_code == 200
    stored = loop.county.scalar(select(Finding).where(Finding.id == finding.id))
    assert stored.state == FindingState.CLAIMED


def test_step_without_evidence_is_refused_and_keeps_the_note(
    loop: Any, login: Any, now: None
) -> None:
    finding = loop.into(loop.finding(), "served", DAY)
    clerk = login("school_clerk", school=loop.county.a_school)

    answer = clerk.submit(
        f"/finding/show/{finding.id}", {"claim-note": "口头说明"}, select="form[action$=claim]"
    )

    page = read(answer)
    assert "口头说明" in page.select_one("#claim-note").get_text()
    assert page.select_one("form[action$=claim] [role=alert]") is not None


def test_step_of_another_role_is_refused(loop: Any, login: Any, now: None) -> None:
    finding = loop.into(loop.finding(), "claimed", DAY)
    clerk = login("school_clerk", school=loop.county.a_school)

    answer = clerk.post_with_token(
        f"/finding/step/{finding.id}/accept", {"accept-note": ""}, follow_redirects=True
    )

    stored = loop.county.scalar(select(Finding).where(Finding.id == finding.id))
    assert answer.status_code == 200
    assert stored.state == FindingState.CLAIMED


def test_forms_are_offered_to_those_who_may(loop: Any, login: Any, now: None) -> None:
    finding = loop.into(loop.finding(), "served", DAY)
    clerk = login("school_clerk", school=loop.county.a_school)
    leader = login("liaison_leader", township=loop.county.a_township)

    offered = clerk.soup(f"/finding/show/{finding.id}").select("form[action*='/finding/step/']")

    assert {form["action"].rsplit("/", 1)[1] for form in offered} == {"object", "claim"}
    assert leader.soup(f"/finding/show/{finding.id}").select("form[action*='/step/']") == []


@pytest.mark.parametrize(
    "path", ["/finding/show/{f}", "/feedback/show/{b}", "/feedback/print/{b}", "/feedback/of/{i}"]
)
def test_foreign_rows_are_not_found(loop: Any, login: Any, now: None, path: str) -> None:
    finding = loop.into(loop.finding(), "served", DAY)
    elsewhere = loop.county.school(township=loop.county.township())
    stranger = login("school_clerk", school=elsewhere)
    url = path.format(f=finding.id, b=finding.feedback_id, i=finding.inspection_id)

    assert stranger.get(url).status_code == 404


@pytest.mark.parametrize(
    "path", ["/finding/step/{f}/claim", "/feedback/serve/{b}", "/feedback/receive/{b}"]
)
def test_foreign_rows_are_not_changed(loop: Any, login: Any, now: None, path: str) -> None:
    finding = loop.into(loop.finding(), "served", DAY)
    elsewhere = loop.county.school(township=loop.county.township())
    stranger = login("school_clerk", school=elsewhere)
    url = path.format(f=finding.id, b=finding.feedback_id)

    assert stranger.post_with_token(url).status_code == 404
    assert stranger.get(url).status_code in {404, 405}


def test_unknown_step_is_not_found(loop: Any, login: Any, now: None) -> None:
    finding = loop.finding()
    leader = login("township_leader", township=loop.county.a_township)

    assert leader.post_with_token(f"/finding/step/{finding.id}/bribe").status_code == 404


def test_steps_need_the_token_of_the_form(loop: Any, login: Any, now: None) -> None:
    finding = loop.finding()
    leader = login("township_leader", township=loop.county.a_township)

    assert leader.post(f"/feedback/serve/{finding.feedback_id}").status_code == 400


def test_list_shows_overdue_days_with_few_statements(
    loop: Any, login: Any, today: Callable[[date], None]
) -> None:
    finding = loop.into(loop.finding(), "served", DAY)
    today(date(2026, 4, 1))
    leader = login("township_leader", township=loop.county.a_township)

    row = leader.soup("/finding/list/").select_one("table tbody tr")

    assert finding.due_on == date(2026, 3, 26)
    assert "2026-03-26" in row.get_text()
    assert "4" in row.select_one(".tone-danger").get_text()


@pytest.mark.parametrize(
    ("key", "day", "is_over"),
    [
        ("meeting_notice", date(2026, 3, 27), False),
        ("meeting_notice", date(2026, 3, 28), False),
        ("meeting_notice", date(2026, 3, 30), True),
        ("headcount", date(2026, 3, 30), False),
        ("headcount", date(2026, 4, 14), True),
    ],
)
def test_card_and_list_call_overdue_what_the_badge_does(
    loop: Any, login: Any, today: Callable[[date], None], key: str, day: date, is_over: bool
) -> None:
    """A Friday's term is over on Monday; what needs pupils waits for the vacation to end."""
    loop.semesters((date(2026, 2, 23), date(2026, 3, 27)), (date(2026, 4, 13), date(2026, 7, 10)))
    loop.calendar(working=tuple(day for day in weekdays(date(2026, 3, 1), date(2026, 4, 20))))
    today(date(2026, 3, 6))
    loop.into(loop.finding(key), "served", date(2026, 3, 6))
    today(day)
    leader = login("township_leader", township=loop.county.a_township)

    card = leader.soup("/").select_one("a[href*=_due_on]")
    rows = leader.soup("/finding/list/").select("table tbody tr")

    assert [bool(row.select(".tone-danger")) for row in rows] == [is_over]
    assert (card is not None) is is_over
    condition = f"/finding/list/?_flt_3_due_on={day.isoformat()}"
    assert condition == card["href"] if card else True
    assert len(leader.soup(condition).select("table tbody .row-link")) == is_over
    today(date(2026, 5, 6))  # what was overdue on a day stays so
    leader = login("township_leader", township=loop.county.a_township)
    assert len(leader.soup(condition).select("table tbody .row-link")) == is_over


def weekdays(first: date, last: date) -> Iterator[date]:
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return (day for day in days if day.weekday() < 5)


def test_paper_can_be_printed(loop: Any, login: Any, now: None) -> None:
    finding = loop.into(loop.finding(), "served", DAY)
    clerk = login("school_clerk", school=loop.county.a_school)

    page = clerk.soup(f"/feedback/print/{finding.feedback_id}")

    assert loop.county.a_school.name in page.get_text()
    assert "2026年3月26日" in page.get_text()


def test_receipt_is_on_the_paper_and_signed_once(loop: Any, login: Any, now: None) -> None:
    finding = loop.finding()
    page = f"/feedback/show/{finding.feedback_id}"
    inspector = login("township_leader", township=loop.county.a_township)
    clerk = login("school_clerk", school=loop.county.a_school)
    assert clerk.soup(page).select("#receive-form, #serve-form") == []
    inspector.submit(page, select="#serve-form")

    form, other = (clerk.soup(page).select_one("#receive-form") for _ in range(2))
    clerk.send(form, page)
    again = clerk.send(other, page)

    assert read(again).select_one("[role=alert]") is not None
    receipt = clerk.soup(f"/feedback/print/{finding.feedback_id}").select_one(".paper-receipt")
    assert receipt.get_text().count("2026年3月5日") == 2


def test_page_of_a_finding_says_what_is_next_and_by_when(
    loop: Any, login: Any, today: Callable[[date], None]
) -> None:
    today(DAY)
    finding = loop.into(loop.finding("suspended_roster"), "claimed", DAY)
    today(date(2026, 3, 24))
    leader = login("liaison_leader", township=loop.county.a_township)

    facts = leader.soup(f"/finding/show/{finding.id}").select_one("dl.facts").get_text()

    assert "2026年3月19日" in facts  # ten working days after the claim
    assert "3" in leader.soup(f"/finding/show/{finding.id}").select_one(".tone-danger").get_text()


@pytest.mark.parametrize("path", ["finding", "feedback", "findingstep", "returnvisit"])
def test_lists_take_few_statements_whatever_the_rows(
    app: Any, loop: Any, login: Any, now: None, path: str
) -> None:
    visitor = login("supervision_office")
    counts = []
    for rows in (1, 4):
        for _ in range(rows):
            loop.into(loop.finding("suspended_roster"), "closed", DAY)
        visitor.get(f"/{path}/list/")
        with recorded(app) as seen:
            page = visitor.soup(f"/{path}/list/")
        assert len(page.select("table tbody tr")) >= rows
        counts.append(len(seen))

    assert counts[0] == counts[1]


def test_reading_a_finding_on_a_child_is_recorded(loop: Any, login: Any, now: None) -> None:
    child = loop.county.child()
    inspection = loop.inspection(
        {"leave_formalities": "fails"}, children={"leave_formalities": {child: "fails"}}
    )
    from app.workflow import finding as findings

    made = loop.run(findings.findings_from, inspection)[0]
    leader = login("township_leader", township=loop.county.a_township)

    assert child.name in text(leader.get(f"/finding/show/{made.id}"))
    kept = loop.county.all(select(Change).where(Change.action == "read"))
    assert [(one.table_name, one.row_id) for one in kept] == [("child", child.id)]


@pytest.mark.parametrize("path", ["finding", "feedback", "findingstep", "returnvisit"])
def test_lists_open_for_both_sides(loop: Any, login: Any, now: None, path: str) -> None:
    loop.into(loop.finding(), "closed", DAY)
    clerk = login("school_clerk", school=loop.county.a_school)
    office = login("supervision_office")

    for visitor in (clerk, office):
        page = visitor.get(f"/{path}/list/")
        assert page.status_code == 200
        assert len(read(page).select("table tbody tr")) >= 1
