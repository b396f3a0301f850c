"""Part 7: test every line of the state table: each state, step and role, legal and illegal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from app.base import Refused
from app.models import Finding, FindingState
from app.security.roles import TEMPLATES
from app.workflow.party import INSPECTORS, Case, Hand
from app.workflow.state import STEP, STEPS, possible, refusal, require
from app.workflow.step import follow_record

DAY = date(2026, 3, 5)
UNIT = frozenset({"school_leader", "school_clerk"})
INSPECTING = frozenset(INSPECTORS)
OTHERS = INSPECTING - {"township_leader"}
"""All but the finder, who is the township leader here."""
ABOVE = frozenset({"liaison_leader", "supervision_office", "task_group"})
NOBODY: frozenset[str] = frozenset()

LEGAL: dict[str, dict[str, frozenset[str]]] = {
    "open": {"serve": INSPECTING},
    "served": {"object": UNIT, "claim": UNIT},
    "objected": {"uphold": OTHERS, "dismiss": OTHERS},
    "claimed": {"verify": INSPECTING, "reopen": INSPECTING, "accept": OTHERS},
    "closed": {},
    "withdrawn": {},
}
LEGAL_SELF_FOUND: dict[str, dict[str, frozenset[str]]] = {
    "open": {"serve": INSPECTING | UNIT, "close": frozenset({"school_leader"})},
    "served": {"close": frozenset({"school_leader"})},
    "closed": {},
}


def taken(loop: Any, finding: Finding, evidence: int) -> dict[str, frozenset[str]]:
    """Return who may take which step; each refusal is checked to have its reason."""
    legal: dict[str, set[str]] = {}
    with loop.county.context():
        for step in STEPS:
            for template in TEMPLATES:
                case = Case(loop.session, finding, loop.hand(template), DAY, "理由", evidence)
                reason = refusal(step, case)
                assert reason is None or reason.strip()
                if reason is None:
                    legal.setdefault(step.key, set()).add(template)
        loop.session.rollback()
    return {key: frozenset(who) for key, who in legal.items()}


@pytest.mark.parametrize("state", LEGAL)
def test_step_is_taken_only_from_its_state_by_its_roles(
    loop: Any, today: Callable[[date], None], state: str
) -> None:
    finding = loop.into(loop.finding(), state, DAY)
    evidence = loop.evidence()

    assert taken(loop, finding, evidence) == LEGAL[state]


@pytest.mark.parametrize("state", LEGAL_SELF_FOUND)
def test_what_the_school_found_itself_is_closed_by_its_leader(
    loop: Any, today: Callable[[date], None], state: str
) -> None:
    finding = loop.finding(
        "class_attendance",
        type_key="daily_check",
        checklist="daily_check",
        finder=loop.hand("school_leader"),
    )
    finding = loop.into(finding, state, DAY)
    evidence = loop.evidence()

    assert taken(loop, finding, evidence) == LEGAL_SELF_FOUND[state]


@pytest.mark.parametrize("was_served", [False, True])
def test_what_is_recalled_has_no_receipt_left_to_sign(
    loop: Any, today: Callable[[date], None], was_served: bool
) -> None:
    """It was closed before it was ordered in writing, or the order was signed for."""
    finding = loop.finding(
        "class_attendance",
        type_key="daily_check",
        checklist="daily_check",
        finder=loop.hand("school_leader"),
    )
    evidence = loop.evidence()
    if was_served:
        loop.into(finding, "served", DAY)
    loop.take(finding, "close", "school_leader", evidence_set_id=evidence, day=DAY)

    loop.run(follow_record, finding, "recall", "问题仍在")

    case = Case(loop.session, finding, loop.hand("school_clerk"), DAY)
    assert loop.run(lambda _session: [step.key for step in possible(case)]) == ["close"]
    assert taken(loop, finding, evidence) == LEGAL_SELF_FOUND["served"]


def test_a_lower_unit_does_not_decide_on_a_higher_ones_finding(
    loop: Any, today: Callable[[date], None]
) -> None:
    finding = loop.finding(finder=loop.hand("liaison_leader"), type_key="leader_visit")
    evidence = loop.evidence()

    assert taken(loop, finding, evidence) == {"serve": ABOVE}


def test_a_finding_on_a_township_is_answered_by_the_township(
    loop: Any, today: Callable[[date], None]
) -> None:
    finding = loop.finding(
        finder=loop.hand("liaison_leader"), type_key="leader_visit", place=loop.county.a_township
    )
    feedback = loop.feedback_of(finding)
    from app.workflow import feedback as feedbacks

    loop.run(feedbacks.serve, feedback, loop.hand("liaison_leader"), day=DAY)

    assert taken(loop, finding, loop.evidence()) == {
        "receive": frozenset({"township_leader", "township_clerk"}),
        "claim": frozenset({"township_leader", "township_clerk"}),
    }


def test_an_item_that_needs_a_return_visit_is_not_closed_on_evidence(
    loop: Any, today: Callable[[date], None]
) -> None:
    finding = loop.into(loop.finding("suspended_roster"), "claimed", DAY)

    legal = taken(loop, finding, loop.evidence())

    assert finding.closing == "return_visit"
    assert legal == {"verify": INSPECTING, "reopen": INSPECTING}


@pytest.mark.parametrize(
    ("state", "step", "template", "note", "has_evidence", "told"),
    [
        ("served", "object", "school_clerk", None, False, "a note"),
        ("served", "object", "school_clerk", "  ", False, "a note"),
        ("served", "claim", "school_clerk", "已改", False, "evidence"),
        ("objected", "dismiss", "task_group", None, False, "a note"),
        ("claimed", "verify", "township_leader", None, False, "a note"),
        ("open", "claim", "school_clerk", "已改", True, "Possible now"),
        ("closed", "claim", "school_clerk", "已改", True, "nothing can follow"),
        ("open", "serve", "school_clerk", None, False, "is for"),
        ("open", "withdraw", "township_leader", "误", False, "only a correction"),
    ],
)
def test_refusal_names_its_reason(
    loop: Any,
    today: Callable[[date], None],
    state: str,
    step: str,
    template: str,
    note: str | None,
    has_evidence: bool,
    told: str,
) -> None:
    finding = loop.into(loop.finding(), state, DAY)
    evidence = loop.evidence() if has_evidence else None

    with loop.county.context(), english(loop), pytest.raises(Refused) as refused:
        require(STEP[step], Case(loop.session, finding, loop.hand(template), DAY, note, evidence))

    assert told in refused.value.message


def test_an_empty_evidence_set_is_no_evidence(loop: Any, today: Callable[[date], None]) -> None:
    from app.models import EvidenceSet

    finding = loop.into(loop.finding(), "served", DAY)
    scope = loop.county.scope_of(loop.county.a_school)
    empty = loop.county.add(EvidenceSet(is_staged=False, **scope))

    with pytest.raises(Refused):
        loop.take(finding, "claim", "school_clerk", note="已改", evidence_set_id=empty.id)

    assert finding.state == FindingState.SERVED


def test_nobody_acts_without_an_appointment(loop: Any, today: Callable[[date], None]) -> None:
    finding = loop.finding()

    with loop.county.context(), pytest.raises(Refused):
        require(STEP["serve"], Case(loop.session, finding, Hand(None, None, ""), DAY))


def english(loop: Any) -> Any:
    from flask_babel import force_locale

    return force_locale("en")
