"""Part 7: test findings from answers, the steps they take, and their deadlines."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from flask_babel import force_locale
from sqlalchemy import select

from app.base import Refused
from app.models import (
    AttendanceReport,
    ClassLine,
    Feedback,
    Finding,
    FindingState,
    FindingStep,
    InspectionState,
    ReturnVisit,
    Verdict,
)
from app.workflow import deadline
from app.workflow import feedback as feedbacks
from app.workflow import finding as findings

TUESDAY = date(2026, 3, 3)
Today = Callable[[date], None]


def served(loop: Any, today: Today, key: str = "meeting_notice", **kwargs: Any) -> Finding:
    """Find on Tuesday, serve on Wednesday."""
    finding = loop.finding(key, **kwargs)
    today(date(2026, 3, 4))
    loop.run(feedbacks.serve, loop.feedback_of(finding), loop.hand("township_leader"))
    return finding


def received(loop: Any, today: Today, day: date, key: str = "meeting_notice") -> Finding:
    finding = served(loop, today, key)
    today(day)
    loop.run(feedbacks.receive, loop.feedback_of(finding), loop.hand("school_clerk"))
    return finding


def test_failed_answers_become_findings(loop: Any, today: Today) -> None:
    inspection = loop.inspection(
        {
            "meeting_notice": Verdict.FAILS,
            "at_risk_roster": Verdict.FAILS,
            "attendance_sheet": Verdict.CONFORMS,
            "prevention_plan": Verdict.UNCHECKED,
            "leave_system": Verdict.NOT_APPLICABLE,
        }
    )

    made = loop.run(findings.findings_from, inspection)

    by_key = {finding.item.key: finding for finding in made}
    notice, roster = by_key["meeting_notice"], by_key["at_risk_roster"]
    assert set(by_key) == {"meeting_notice", "at_risk_roster"}
    assert notice.state == FindingState.OPEN
    assert "事实 meeting_notice" in notice.facts
    assert (notice.closing, notice.is_urgent, notice.due_on) == ("evidence", False, None)
    assert notice.clause_key == "LP24-A1-1-1a"
    assert (roster.closing, roster.is_urgent) == ("return_visit", True)
    assert notice.school_id == inspection.school_id
    assert notice.found_by_id == inspection.submitted_by_id


def test_drafts_have_no_findings(loop: Any, today: Today) -> None:
    inspection = loop.inspection(state=InspectionState.DRAFT)

    assert loop.run(findings.findings_from, inspection) == []


def test_each_failing_child_has_its_finding(loop: Any, today: Today) -> None:
    first, second, third = (loop.county.child() for _ in range(3))
    inspection = loop.inspection(
        {"leave_formalities": Verdict.FAILS},
        children={
            "leave_formalities": {
                first: Verdict.FAILS,
                second: Verdict.CONFORMS,
                third: Verdict.FAILS,
            }
        },
    )

    made = loop.run(findings.findings_from, inspection)

    assert {finding.child_id for finding in made} == {first.id, third.id}
    assert all(finding.needs_pupils for finding in made)


@pytest.mark.parametrize(
    ("line", "reported", "is_found", "is_urgent"),
    [
        ({"on_roll": 45, "present": 44, "on_leave": 1}, 44, False, None),
        ({"on_roll": 45, "present": 43, "on_leave": 1}, 43, True, True),
        ({"on_roll": 45, "present": 43, "on_leave": 1, "unexplained": 1}, 43, False, None),
        ({"on_roll": 45, "present": 45}, 44, True, True),
        ({"on_roll": 45, "present": 45, "desks": 45, "chairs": 45}, 45, False, None),
        ({"on_roll": 45, "present": 45, "desks": 44, "chairs": 45}, 45, True, False),
        ({"on_roll": 45, "present": 43, "note": "两名学生外出比赛"}, 43, False, None),
        ({"on_roll": 45}, 45, False, None),
    ],
)
def test_class_lines_that_differ_are_a_finding(
    loop: Any,
    today: Today,
    line: dict[str, Any],
    reported: int,
    is_found: bool,
    is_urgent: bool | None,
) -> None:
    one = loop.county.school_class()
    scope = loop.county.scope_of(loop.county.a_school)
    inspection = loop.inspection({"roll_call": Verdict.CONFORMS})
    loop.county.add(
        ClassLine(inspection_id=inspection.id, class_id=one.id, day=TUESDAY, **line, **scope)
    )
    from app import clock

    loop.county.add(
        AttendanceReport(
            class_id=one.id,
            day=TUESDAY,
            on_roll=45,
            present=reported,
            reported_at=clock.now(),
            **scope,
        )
    )

    made = loop.run(findings.findings_from, inspection)

    assert bool(made) is is_found
    if made:
        assert one.name in made[0].facts
        assert made[0].is_urgent is is_urgent


def test_submitting_again_makes_no_second_finding(loop: Any, today: Today) -> None:
    inspection = loop.inspection()
    loop.run(findings.findings_from, inspection)

    assert loop.run(findings.findings_from, inspection) == []
    assert len(loop.county.all(select(Finding))) == 1
    assert len(loop.county.all(select(Feedback))) == 1


def correct(loop: Any, finding: Finding, verdict: str) -> None:
    finding.answer.verdict = verdict
    finding.inspection.correction_reason = "看错了"
    loop.run(findings.findings_from, finding.inspection)


def test_correction_withdraws_an_unserved_finding_and_its_draft(loop: Any, today: Today) -> None:
    finding = loop.finding()

    correct(loop, finding, Verdict.CONFORMS)

    assert finding.state == FindingState.WITHDRAWN
    assert finding.steps[-1].note == "看错了"
    assert loop.county.all(select(Feedback)) == []


def test_correction_lets_a_served_finding_run_its_course(loop: Any, today: Today) -> None:
    finding = served(loop, today)

    correct(loop, finding, Verdict.CONFORMS)

    assert finding.state == FindingState.SERVED


def test_correction_back_to_failing_makes_a_new_finding(loop: Any, today: Today) -> None:
    finding = loop.finding()
    correct(loop, finding, Verdict.CONFORMS)

    correct(loop, finding, Verdict.FAILS)

    states = {row.state for row in loop.county.all(select(Finding))}
    assert states == {FindingState.WITHDRAWN, FindingState.OPEN}


def test_correction_does_not_find_again_what_an_objection_took_back(
    loop: Any, today: Today
) -> None:
    finding = loop.into(loop.finding(), "withdrawn", date(2026, 3, 5))
    finding.answer.note = "改正后的事实"

    for verdict in (Verdict.FAILS, Verdict.CONFORMS, Verdict.FAILS):
        correct(loop, finding, verdict)

    assert loop.county.all(select(Finding)) == [finding]
    assert finding.state == FindingState.WITHDRAWN
    assert "改正后的事实" not in finding.facts


def test_correction_changes_the_facts_of_an_unserved_finding(loop: Any, today: Today) -> None:
    finding = loop.finding()
    finding.answer.note = "改正后的事实"

    loop.run(findings.findings_from, finding.inspection)

    assert "改正后的事实" in finding.facts
    assert "改正后的事实" in loop.feedback_of(finding).opinion


def test_an_edited_opinion_is_not_written_over(loop: Any, today: Today) -> None:
    finding = loop.finding()
    feedback = loop.feedback_of(finding)
    feedback.opinion = "本人修改的意见"
    finding.answer.note = "改正后的事实"

    loop.run(findings.findings_from, finding.inspection)

    assert loop.feedback_of(finding).opinion == "本人修改的意见"


@pytest.mark.parametrize(
    ("type_key", "checklist", "key", "finder", "kind"),
    [
        ("township_visit", "annex_1", "meeting_notice", "township_leader", "written_feedback"),
        (
            "semester_inspection",
            "annex_1",
            "meeting_notice",
            "supervision_office",
            "inspection_opinion",
        ),
        ("daily_check", "daily_check", "class_attendance", "school_leader", "rectification_order"),
        ("gone_type", "annex_1", "meeting_notice", "township_leader", "written_feedback"),
    ],
)
def test_feedback_has_the_paper_of_its_inspection_type(
    loop: Any, today: Today, type_key: str, checklist: str, key: str, finder: str, kind: str
) -> None:
    finding = loop.finding(key, type_key=type_key, checklist=checklist, finder=loop.hand(finder))

    assert loop.feedback_of(finding).kind == kind


def test_order_of_the_school_itself_waits_for_the_next_day(loop: Any, today: Today) -> None:
    finding = loop.finding(
        "class_attendance",
        type_key="daily_check",
        checklist="daily_check",
        finder=loop.hand("school_leader"),
    )
    today(TUESDAY)

    with pytest.raises(Refused):
        loop.run(feedbacks.serve, loop.feedback_of(finding), loop.hand("school_leader"))
    today(TUESDAY + timedelta(days=1))
    loop.run(feedbacks.serve, loop.feedback_of(finding), loop.hand("school_leader"))

    assert finding.state == FindingState.SERVED


def own_finding(loop: Any, today: Today, day: date = TUESDAY) -> Finding:
    today(day)
    return loop.finding(
        "class_attendance",
        type_key="daily_check",
        checklist="daily_check",
        finder=loop.hand("school_leader"),
        day=day,
    )


def test_order_of_the_school_itself_waits_for_the_next_school_day(loop: Any, today: Today) -> None:
    friday, holiday = date(2026, 3, 6), date(2026, 3, 9)
    loop.calendar(off=(holiday,))
    finding = own_finding(loop, today, friday)
    feedback = loop.feedback_of(finding)
    assert loop.run(feedbacks.order_from, [finding]) == date(2026, 3, 10)
    assert loop.run(feedbacks.serve_by, feedback) is None

    for day in (friday + timedelta(days=1), holiday):
        today(day)
        with pytest.raises(Refused, match="2026"):
            loop.run(feedbacks.serve, feedback, loop.hand("school_leader"))
    today(date(2026, 3, 10))
    loop.run(feedbacks.serve, feedback, loop.hand("school_leader"))

    assert finding.state == FindingState.SERVED


@pytest.mark.parametrize("language", ["zh", "en"])
def test_what_closes_before_it_is_ordered_gets_no_paper(
    loop: Any, today: Today, language: str
) -> None:
    """The opinion is in the product's own language, whatever that of whoever closes is."""
    today(TUESDAY)
    inspection = loop.inspection(
        {"class_attendance": Verdict.FAILS, "leave_formalities": Verdict.FAILS},
        type_key="daily_check",
        checklist="daily_check",
        finder=loop.hand("school_leader"),
    )
    first, second = loop.run(findings.findings_from, inspection)
    evidence = loop.evidence()

    def close(session: Any, finding: Finding) -> None:
        with force_locale(language):
            hand = loop.hand("school_leader")
            findings.take(session, finding, "close", hand, evidence_set_id=evidence)

    loop.run(close, first)
    feedback = loop.feedback_of(second)
    assert first.feedback_id is None
    assert feedback.opinion.startswith("1. ")
    assert first.facts not in feedback.opinion
    assert "请按督导标准整改" in feedback.opinion
    loop.run(close, second)

    assert loop.county.all(select(Feedback)) == []


def test_each_side_has_its_term(loop: Any, today: Today) -> None:
    finding = loop.finding("suspended_roster")
    terms = [loop.run(deadline.next_due, finding, TUESDAY)]
    loop.into(finding, "served", date(2026, 3, 5))
    terms.append(loop.run(deadline.next_due, finding, date(2026, 3, 5)))
    loop.take(finding, "object", "school_clerk", note="不实")
    terms.append(loop.run(deadline.next_due, finding, date(2026, 3, 5)))
    loop.take(finding, "dismiss", "liaison_leader", note="属实")
    loop.take(finding, "claim", "school_clerk", note="已改", evidence_set_id=loop.evidence())
    terms.append(loop.run(deadline.next_due, finding, date(2026, 3, 5)))

    served_by, nobody, decided_by, verified_by = terms
    assert (served_by, nobody) == (date(2026, 3, 6), None)
    assert (decided_by, verified_by) == (date(2026, 3, 12), date(2026, 3, 19))


def test_opinion_names_the_child_and_rows_say_what_they_are(loop: Any, today: Today) -> None:
    child = loop.county.child()
    inspection = loop.inspection(
        {"leave_formalities": Verdict.FAILS}, children={"leave_formalities": {child: "fails"}}
    )
    (finding,) = loop.run(findings.findings_from, inspection)
    feedback = loop.feedback_of(finding)
    assert child.name in feedback.opinion

    loop.run(feedbacks.serve, feedback, loop.hand("township_leader"))

    with loop.county.context(), force_locale("zh"):
        assert str(feedback) == "督导反馈意见书 2026-03-05"
        assert [str(step) for step in finding.steps] == ["2026-03-03 发现问题", "2026-03-05 送达"]
        assert str(finding) == finding.item.text[:60]


def test_feedback_is_served_once_and_signed_by_the_inspected(loop: Any, today: Today) -> None:
    finding = served(loop, today)
    feedback = loop.feedback_of(finding)

    with pytest.raises(Refused):
        loop.run(feedbacks.serve, feedback, loop.hand("township_leader"))
    with pytest.raises(Refused):
        loop.run(feedbacks.receive, feedback, loop.hand("township_leader"))
    loop.run(feedbacks.receive, feedback, loop.hand("school_leader"))
    with pytest.raises(Refused):
        loop.run(feedbacks.receive, feedback, loop.hand("school_leader"))

    assert feedback.received_by_id == loop.hand("school_leader").person_id


def test_feedback_is_to_be_served_within_three_working_days(loop: Any, today: Today) -> None:
    finding = loop.finding()

    assert loop.run(feedbacks.serve_by, loop.feedback_of(finding)) == date(2026, 3, 6)


def test_rectification_counts_from_the_service_then_from_the_receipt(
    loop: Any, today: Today
) -> None:
    finding = served(loop, today)
    assert finding.due_on == date(2026, 3, 25)

    today(date(2026, 3, 6))
    loop.run(feedbacks.receive, loop.feedback_of(finding), loop.hand("school_clerk"))

    assert finding.due_on == date(2026, 3, 27)


def test_holidays_and_make_up_days_move_the_deadline(loop: Any, today: Today) -> None:
    loop.calendar(working=(date(2026, 3, 14),), off=(date(2026, 3, 9), date(2026, 3, 10)))

    assert served(loop, today).due_on == date(2026, 3, 26)


def test_late_receipt_stays_within_the_cap(loop: Any, today: Today) -> None:
    finding = received(loop, today, date(2026, 4, 10))

    assert finding.due_on == date(2026, 4, 15)


@pytest.mark.parametrize(
    ("key", "term"),
    [("meeting_notice", date(2026, 4, 28)), ("at_risk_roster", date(2026, 4, 10))],
)
def test_receipt_after_a_return_visit_leaves_the_new_term_alone(
    loop: Any, today: Today, key: str, term: date
) -> None:
    finding = served(loop, today, key)
    today(date(2026, 4, 6))
    evidence = loop.evidence()
    loop.take(finding, "claim", "school_clerk", note="已改", evidence_set_id=evidence)
    today(date(2026, 4, 7))
    visit = {"hand": loop.hand("township_leader"), "note": "未改", "is_rectified": False}
    loop.run(findings.visit_again, finding, **visit)
    assert finding.due_on == term

    today(date(2026, 4, 9))
    loop.run(feedbacks.receive, loop.feedback_of(finding), loop.hand("school_clerk"))

    assert finding.due_on == finding.steps[-1].due_on == term


def test_urgent_findings_run_from_the_finding(loop: Any, today: Today) -> None:
    finding = loop.finding("at_risk_roster")
    assert finding.due_on == date(2026, 3, 6)

    loop.run(feedbacks.serve, loop.feedback_of(finding), loop.hand("township_leader"))

    assert finding.due_on == date(2026, 3, 6)
    assert loop.run(deadline.persuasion_due, finding) == date(2026, 3, 4)


def test_clock_of_what_needs_pupils_stops_in_vacations(loop: Any, today: Today) -> None:
    loop.semesters((date(2026, 2, 23), date(2026, 3, 13)), (date(2026, 4, 13), date(2026, 7, 10)))

    pupils = served(loop, today, "headcount")
    papers = served(loop, today, "meeting_notice")
    urgent = served(loop, today, "at_risk_roster")

    assert pupils.due_on == date(2026, 4, 22)
    assert papers.due_on == date(2026, 3, 25)
    assert urgent.due_on == date(2026, 3, 6)


def test_without_parameters_there_is_no_deadline(loop: Any, today: Today) -> None:
    finding = loop.finding(day=date(2024, 2, 20))
    loop.run(
        feedbacks.serve,
        loop.feedback_of(finding),
        loop.hand("township_leader"),
        day=date(2024, 2, 21),
    )

    assert finding.state == FindingState.SERVED
    assert finding.due_on is None


@pytest.mark.parametrize(
    ("day", "is_in_time"),
    [
        (date(2026, 3, 10), True),
        (date(2026, 3, 13), True),
        (date(2026, 3, 14), True),
        (date(2026, 3, 15), True),
        (date(2026, 3, 16), False),
    ],
)
def test_objection_is_possible_three_working_days_after_the_receipt(
    loop: Any, today: Today, day: date, is_in_time: bool
) -> None:
    finding = received(loop, today, date(2026, 3, 10))
    today(day)

    if not is_in_time:
        with pytest.raises(Refused, match="3"):
            loop.take(finding, "object", "school_clerk", note="不实")
        return
    loop.take(finding, "object", "school_clerk", note="不实")

    assert finding.state == FindingState.OBJECTED


def test_objection_needs_the_receipt(loop: Any, today: Today) -> None:
    finding = served(loop, today)

    with pytest.raises(Refused):
        loop.take(finding, "object", "school_clerk", note="不实")


def test_dismissal_gives_back_the_stopped_days_and_ends_the_dispute(
    loop: Any, today: Today
) -> None:
    finding = received(loop, today, date(2026, 3, 6))
    today(date(2026, 3, 10))
    loop.take(finding, "object", "school_clerk", note="不实")
    today(date(2026, 3, 16))

    loop.take(finding, "dismiss", "liaison_leader", note="属实")

    assert (finding.state, finding.due_on) == (FindingState.SERVED, date(2026, 4, 2))
    with pytest.raises(Refused):
        loop.take(finding, "object", "school_clerk", note="再议")


def test_return_visit_closes_or_opens_again(loop: Any, today: Today) -> None:
    finding = received(loop, today, date(2026, 3, 6), "suspended_roster")
    today(date(2026, 3, 20))
    evidence = loop.evidence()
    loop.take(finding, "claim", "school_clerk", note="已改", evidence_set_id=evidence)
    assert finding.claimed_on == date(2026, 3, 20)
    visit = {"hand": loop.hand("township_leader"), "note": "现场查看"}

    with pytest.raises(Refused):
        loop.run(
            findings.visit_again, finding, is_rectified=True, visited_on=date(2026, 3, 19), **visit
        )
    with pytest.raises(Refused):
        loop.run(findings.visit_again, finding, is_rectified=True, is_on_site=False, **visit)
    today(date(2026, 3, 23))
    loop.run(findings.visit_again, finding, is_rectified=False, **visit)

    assert (finding.state, finding.reopened) == (FindingState.SERVED, 1)
    assert finding.due_on == date(2026, 4, 13)
    assert finding.claimed_on is None

    loop.take(finding, "claim", "school_clerk", note="再改", evidence_set_id=evidence)
    loop.run(findings.visit_again, finding, is_rectified=True, **visit)

    assert (finding.state, finding.closed_on) == (FindingState.CLOSED, date(2026, 3, 23))
    assert [row.is_rectified for row in loop.county.all(select(ReturnVisit))] == [False, True]


def test_nobody_verifies_what_he_did_not_see_on_site(loop: Any, today: Today) -> None:
    """Paper closes a finding only by the word of somebody other than the finder."""
    finding = loop.into(loop.finding(), "claimed", date(2026, 3, 5))
    visit = {"note": "电话回访", "is_on_site": False}

    for template in ("township_leader", "liaison_leader"):
        with pytest.raises(Refused):
            loop.run(findings.visit_again, finding, loop.hand(template), is_rectified=True, **visit)
    assert (finding.state, finding.closed_on) == (FindingState.CLAIMED, None)
    assert loop.county.all(select(ReturnVisit)) == []
    loop.run(
        findings.visit_again, finding, loop.hand("township_leader"), is_rectified=False, **visit
    )

    assert finding.state == FindingState.SERVED


def test_every_step_is_written_down(loop: Any, today: Today) -> None:
    finding = loop.into(loop.finding(), "closed", date(2026, 3, 5))

    steps = loop.county.all(
        select(FindingStep).where(FindingStep.finding_id == finding.id).order_by(FindingStep.id)
    )

    assert [(one.step, one.from_state, one.to_state) for one in steps] == [
        ("find", "open", "open"),
        ("serve", "open", "served"),
        ("receive", "served", "served"),
        ("claim", "served", "claimed"),
        ("verify", "claimed", "closed"),
    ]
    assert all(one.person_id is not None for one in steps)
    assert steps[3].evidence_set_id is not None


def test_refused_step_leaves_no_trace(loop: Any, today: Today) -> None:
    finding = loop.into(loop.finding(), "served", date(2026, 3, 5))
    before = len(loop.county.all(select(FindingStep)))

    with pytest.raises(Refused):
        loop.take(finding, "accept", "liaison_leader")

    assert len(loop.county.all(select(FindingStep))) == before


def test_a_step_does_not_lie_in_the_future_or_before_the_last(loop: Any, today: Today) -> None:
    finding = served(loop, today)

    for day in (date(2026, 3, 5), date(2026, 3, 3)):
        with pytest.raises(Refused):
            loop.take(
                finding,
                "claim",
                "school_clerk",
                note="已改",
                evidence_set_id=loop.evidence(),
                day=day,
            )


def overdue_on(loop: Any, day: date) -> set[int]:
    with loop.county.context():
        found = {row.finding_id for row in loop.session.execute(findings.overdue(day))}
        loop.session.rollback()
    return found


def test_finding_is_overdue_when_a_working_day_passed_after_its_due_day(
    loop: Any, today: Today
) -> None:
    finding = received(loop, today, date(2026, 3, 6))
    assert finding.due_on == date(2026, 3, 27)

    assert overdue_on(loop, date(2026, 3, 27)) == set()
    assert overdue_on(loop, date(2026, 3, 29)) == set()
    assert overdue_on(loop, date(2026, 3, 30)) == {finding.id}
    assert loop.run(deadline.overdue_days, finding, date(2026, 3, 31)) == 2


def test_overdue_looks_back_to_a_day_whatever_came_after(loop: Any, today: Today) -> None:
    finding = received(loop, today, date(2026, 3, 6))
    today(date(2026, 4, 2))
    loop.take(finding, "claim", "school_clerk", note="已改", evidence_set_id=loop.evidence())

    assert overdue_on(loop, date(2026, 4, 1)) == {finding.id}
    assert overdue_on(loop, date(2026, 4, 2)) == set()


def test_objected_finding_is_not_overdue(loop: Any, today: Today) -> None:
    finding = received(loop, today, date(2026, 3, 25))
    today(date(2026, 3, 26))
    loop.take(finding, "object", "school_clerk", note="不实")

    assert overdue_on(loop, date(2026, 5, 30)) == set()


def test_urgent_finding_is_overdue_even_if_nobody_served_it(loop: Any, today: Today) -> None:
    finding = loop.finding("at_risk_roster")

    assert overdue_on(loop, date(2026, 3, 6)) == set()
    assert overdue_on(loop, date(2026, 3, 9)) == {finding.id}


def test_vacation_keeps_what_needs_pupils_from_being_overdue(loop: Any, today: Today) -> None:
    loop.semesters((date(2026, 2, 23), date(2026, 3, 25)), (date(2026, 4, 13), date(2026, 7, 10)))
    finding = served(loop, today, "headcount")
    loop.calendar(working=tuple(date(2026, 3, 4) + timedelta(days=n) for n in range(50)))

    assert finding.due_on == date(2026, 3, 25)
    assert overdue_on(loop, date(2026, 4, 12)) == set()
    assert overdue_on(loop, date(2026, 4, 13)) == {finding.id}
