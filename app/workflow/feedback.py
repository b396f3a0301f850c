"""Write the feedback of an inspection, serve it, and take the receipt."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.base import Refused, registry
from app.models import Feedback, Finding, FindingState, Inspection
from app.workflow import deadline
from app.workflow.state import STEP, Case, Hand, Side, is_of_side, received_on, refusal
from app.workflow.step import take

WRITTEN_FEEDBACK = "written_feedback"


def draft(session: Session, inspection: Inspection, *, rewrite: bool = False) -> Feedback | None:
    """Return the feedback of an inspection, made where it has unserved findings and none yet.

    It takes up the findings that are not covered yet. With `rewrite` an unserved opinion is
    written anew from them; a draft that covers nothing any more is dropped.
    """
    findings = _unserved(session, inspection)
    feedback = _of(session, inspection)
    if feedback is None:
        if not findings:
            return None
        feedback, rewrite = _new(session, inspection), True
    for finding in findings:
        finding.feedback_id = feedback.id
    session.flush()
    if not rewrite:
        return feedback
    covered = _covered(session, feedback)
    if covered:
        feedback.opinion = opinion_of(covered)
        session.flush()
        return feedback
    for finding in session.scalars(select(Finding).where(Finding.feedback_id == feedback.id)):
        finding.feedback_id = None
    session.flush()
    session.delete(feedback)
    session.flush()
    return None


def is_as_drafted(session: Session, inspection: Inspection) -> bool:
    """Tell whether there is an unserved opinion that nobody has changed since it was drafted."""
    feedback = _of(session, inspection)
    if feedback is None or feedback.served_on is not None:
        return False
    return feedback.opinion == opinion_of(_covered(session, feedback))


def opinion_of(findings: list[Finding]) -> str:
    """Return the opinion in words: each finding with its facts and what is to be done."""
    return "\n".join(
        "\n".join(part for part in (f"{number}. {finding.facts}", _to_do(finding)) if part)
        for number, finding in enumerate(findings, start=1)
    )


def serve(
    session: Session,
    feedback: Feedback,
    hand: Hand,
    *,
    opinion: str | None = None,
    day: date | None = None,
) -> Feedback:
    """Serve the feedback with all its unserved findings; their clocks start."""
    day = day or clock.today()
    findings = [each for each in _covered(session, feedback) if each.state == FindingState.OPEN]
    if not findings:
        raise Refused(_("There is no finding to serve."))
    if opinion is not None:
        feedback.opinion = opinion.strip()
    if not feedback.opinion:
        raise Refused(_("Write the opinion first."))
    for finding in findings:
        take(session, finding, "serve", hand, day=day)
    feedback.served_on, feedback.served_by_id = day, hand.person_id
    feedback.received_on, feedback.received_by_id = None, None
    session.flush()
    return feedback


def may_serve(session: Session, findings: Sequence[Finding], hand: Hand) -> bool:
    """Tell whether the hand may serve the feedback that covers some findings."""
    waiting = next((each for each in findings if each.state == FindingState.OPEN), None)
    if waiting is None:
        return False
    case = Case(session, waiting, hand, clock.today())
    return refusal(STEP["serve"], case, complete=False) is None


def receive(
    session: Session, feedback: Feedback, hand: Hand, *, day: date | None = None
) -> Feedback:
    """Sign for the feedback; objection and rectification count from this day."""
    day = day or clock.today()
    if feedback.served_on is None:
        raise Refused(_("The feedback is not served yet."))
    if feedback.received_on is not None:
        raise Refused(_("The receipt is signed already."))
    covered = _covered(session, feedback)
    if not covered or not is_of_side(Case(session, covered[0], hand, day), Side.INSPECTED):
        raise Refused(_("The receipt is signed by the inspected school or township."))
    for finding in covered:
        if finding.state == FindingState.SERVED and received_on(session, finding) is None:
            take(session, finding, "receive", hand, day=day)
    feedback.received_on, feedback.received_by_id = day, hand.person_id
    session.flush()
    return feedback


def serve_by(session: Session, feedback: Feedback) -> date | None:
    """Return the day by which the feedback is to be served, counted after the inspection."""
    findings = _covered(session, feedback)
    if not findings:
        return None
    start = findings[0].found_on
    return deadline.days_from(session, findings[0], deadline.FEEDBACK, start)


def _of(session: Session, inspection: Inspection) -> Feedback | None:
    return session.scalars(select(Feedback).where(Feedback.inspection_id == inspection.id)).first()


def _unserved(session: Session, inspection: Inspection) -> list[Finding]:
    query = (
        select(Finding)
        .where(Finding.inspection_id == inspection.id, Finding.state == FindingState.OPEN)
        .order_by(Finding.id)
    )
    return list(session.scalars(query))


def _covered(session: Session, feedback: Feedback) -> list[Finding]:
    query = (
        select(Finding)
        .where(Finding.feedback_id == feedback.id, Finding.state != FindingState.WITHDRAWN)
        .order_by(Finding.id)
    )
    return list(session.scalars(query))


def _new(session: Session, inspection: Inspection) -> Feedback:
    kind = registry.inspection_type(inspection.type_key)
    feedback = Feedback(
        inspection_id=inspection.id,
        kind=kind.feedback if kind else WRITTEN_FEEDBACK,
        opinion="",
        county_id=inspection.county_id,
        township_id=inspection.township_id,
        school_id=inspection.school_id,
    )
    session.add(feedback)
    session.flush()
    return feedback


def _to_do(finding: Finding) -> str:
    if finding.opinion:
        return finding.opinion
    standard = finding.item.standard if finding.item else ""
    return _("To rectify by the standard: %(standard)s", standard=standard) if standard else ""
