"""Serve the feedback of an inspection, and take the receipt 送达回证."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from app import clock
from app.base import Refused
from app.models import Feedback, Finding, FindingState
from app.workflow import deadline
from app.workflow.paper import covered
from app.workflow.party import Case, Hand, Side, is_of_side
from app.workflow.state import STEP, received_on, refusal
from app.workflow.step import take


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
    findings = [each for each in covered(session, feedback) if each.state == FindingState.OPEN]
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
    findings = covered(session, feedback)
    if not may_receive(session, feedback, findings, hand):
        raise Refused(_("The receipt is signed by the inspected school or township."))
    for finding in findings:
        if finding.state == FindingState.SERVED and received_on(session, finding) is None:
            take(session, finding, "receive", hand, day=day)
    feedback.received_on, feedback.received_by_id = day, hand.person_id
    session.flush()
    return feedback


def may_receive(
    session: Session, feedback: Feedback, findings: Sequence[Finding], hand: Hand
) -> bool:
    """Tell whether the hand may sign for a feedback that covers some findings."""
    if feedback.served_on is None or feedback.received_on is not None or not findings:
        return False
    return is_of_side(Case(session, findings[0], hand, clock.today()), Side.INSPECTED)


def serve_by(session: Session, feedback: Feedback) -> date | None:
    """Return the day by which the feedback is to be served, counted after the inspection."""
    findings = covered(session, feedback)
    if not findings or findings[0].is_self_found:
        return None
    return deadline.days_from(session, findings[0], deadline.FEEDBACK, findings[0].found_on)


def order_from(session: Session, findings: Sequence[Finding]) -> date | None:
    """Return the day from which what the school found itself is ordered in writing."""
    waits = (each for each in findings if each.is_self_found and each.state == FindingState.OPEN)
    waiting = next(waits, None)
    return None if waiting is None else deadline.order_from(session, waiting)
