"""Make findings of what failed in an inspection, and keep them in line with its corrections."""

from __future__ import annotations

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from app import clock
from app.base import actor
from app.models import Finding, FindingState, FindingStep, Inspection
from app.words import official_language
from app.workflow import deadline, paper, review
from app.workflow.fault import Fault, faults_of
from app.workflow.party import Case, Hand, recording_hand
from app.workflow.standing import is_overdue, overdue, overdue_now, standing
from app.workflow.step import follow_record, record, take, visit_again

__all__ = [
    "findings_from",
    "is_overdue",
    "overdue",
    "overdue_now",
    "standing",
    "take",
    "visit_again",
]


def findings_from(session: Session, inspection: Inspection) -> list[Finding]:
    """Bring the findings of a submitted or corrected inspection into line with its answers.

    A failed answer without a finding gets one. A finding that no answer supports any more is
    withdrawn while it is unserved, else it runs its course. What an upheld objection took back
    is not found again. Returns the findings made now. What is written into them is in the
    product's own language, whatever the reader's is.
    """
    with official_language():
        return _findings_from(session, inspection)


def _findings_from(session: Session, inspection: Inspection) -> list[Finding]:
    session.flush()
    is_as_drafted = paper.is_as_drafted(session, inspection)
    unmatched = _known(session, inspection)
    made = []
    for fault in faults_of(session, inspection):
        known = unmatched.pop((fault.item.id, fault.child_id), None)
        if known is None:
            made.append(_found(session, inspection, fault))
        else:
            _amend(session, known, fault)
    for finding in unmatched.values():
        if finding.state == FindingState.OPEN:
            follow_record(session, finding, "withdraw", inspection.correction_reason)
    paper.draft(session, inspection, rewrite=is_as_drafted)
    review.settle(session, inspection)
    return made


def _known(
    session: Session, inspection: Inspection
) -> dict[tuple[int | None, int | None], Finding]:
    """Return the findings made so far, by item and child, but those that a correction withdrew."""
    was_withdrawn = exists().where(
        FindingStep.finding_id == Finding.id, FindingStep.step == "withdraw"
    )
    query = (
        select(Finding)
        .where(Finding.inspection_id == inspection.id, ~was_withdrawn)
        .order_by(Finding.id)
    )
    return {(finding.item_id, finding.child_id): finding for finding in session.scalars(query)}


def _found(session: Session, inspection: Inspection, fault: Fault) -> Finding:
    finding = Finding(
        inspection_id=inspection.id,
        answer_id=fault.answer_id,
        item_id=fault.item.id,
        child_id=fault.child_id,
        clause_key=fault.item.clause_key,
        facts=fault.facts,
        opinion=fault.opinion,
        state=FindingState.OPEN,
        closing=fault.item.closing,
        is_urgent=fault.is_urgent,
        needs_pupils=fault.item.needs_pupils,
        is_self_found=fault.is_self_found,
        found_on=inspection.occurred_on,
        found_by_id=fault.found_by_id or inspection.submitted_by_id,
        reopened=0,
        county_id=inspection.county_id,
        township_id=inspection.township_id,
        school_id=inspection.school_id,
    )
    if finding.is_urgent:
        finding.due_on = deadline.urgent_due(session, finding, finding.found_on)
    session.add(finding)
    session.flush()
    hand = Hand(finding.found_by_id, actor.get().appointment_id, "")
    record("find", Case(session, finding, hand, inspection.occurred_on), FindingState.OPEN)
    return finding


def _amend(session: Session, finding: Finding, fault: Fault) -> None:
    """Let an unserved finding say what the corrected record says."""
    if finding.state != FindingState.OPEN or (finding.facts, finding.opinion) == (
        fault.facts,
        fault.opinion,
    ):
        return
    finding.facts, finding.opinion = fault.facts, fault.opinion
    case = Case(session, finding, recording_hand(), clock.today())
    record("amend", case, finding.state)
