"""Draft the paper 书面反馈 on what an inspection found, and keep it in line until it is served."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.base import registry
from app.models import Feedback, Finding, FindingState, Inspection
from app.words import official_language

WRITTEN_FEEDBACK: Final = "written_feedback"


def draft(session: Session, inspection: Inspection, *, rewrite: bool = False) -> Feedback | None:
    """Return the feedback of an inspection, made where it has unserved findings and none yet.

    It takes up the findings that are not covered yet. With `rewrite` an unserved opinion is
    written anew from them; a draft that covers nothing any more is dropped.
    """
    unserved = session.scalars(
        select(Finding).where(
            Finding.inspection_id == inspection.id, Finding.state == FindingState.OPEN
        )
    ).all()
    feedback = _of(session, inspection)
    if feedback is None:
        if not unserved:
            return None
        feedback, rewrite = _new(session, inspection), True
    for finding in unserved:
        finding.feedback_id = feedback.id
    session.flush()
    return _kept(session, feedback, rewrite=rewrite)


def is_as_drafted(session: Session, inspection: Inspection) -> bool:
    """Tell whether there is an unserved opinion that nobody has changed since it was drafted."""
    feedback = _of(session, inspection)
    if feedback is None or feedback.served_on is not None:
        return False
    return feedback.opinion == opinion_of(covered(session, feedback))


def release(session: Session, finding: Finding) -> None:
    """Take a finding that ended before it was served out of the draft."""
    feedback = finding.feedback
    if feedback is None:
        return
    with official_language():  # what is compared and written anew is the paper's own text
        rewrite = is_as_drafted(session, finding.inspection)
        finding.feedback = None
        session.flush()
        _kept(session, feedback, rewrite=rewrite)


def opinion_of(findings: Sequence[Finding]) -> str:
    """Return the opinion in words: each finding with its facts and what is to be done."""
    return "\n".join(
        f"{number}. {line}" if not position else line
        for number, finding in enumerate(findings, start=1)
        for position, line in enumerate(_lines(finding))
    )


def _lines(finding: Finding) -> Iterator[str]:
    yield finding.facts
    if finding.child is not None:
        yield _("Child: %(name)s", name=finding.child.name)
    standard = finding.item.standard if finding.item else ""
    if finding.opinion:
        yield finding.opinion
    elif standard:
        yield _("To rectify by the standard: %(standard)s", standard=standard)


def covered(session: Session, feedback: Feedback) -> Sequence[Finding]:
    """Return the findings that a feedback speaks of, in its order."""
    query = (
        select(Finding)
        .where(Finding.feedback_id == feedback.id, Finding.state != FindingState.WITHDRAWN)
        .order_by(Finding.id)
    )
    return session.scalars(query).all()


def _kept(session: Session, feedback: Feedback, *, rewrite: bool) -> Feedback | None:
    """Bring a draft into line with what it covers; drop it where that is nothing."""
    findings = covered(session, feedback)
    if findings:
        if rewrite:
            feedback.opinion = opinion_of(findings)
            session.flush()
        return feedback
    if feedback.served_on is not None:
        return feedback
    for finding in session.scalars(select(Finding).where(Finding.feedback_id == feedback.id)):
        finding.feedback_id = None
    session.flush()
    session.delete(feedback)
    session.flush()
    return None


def _of(session: Session, inspection: Inspection) -> Feedback | None:
    return session.scalars(select(Feedback).where(Feedback.inspection_id == inspection.id)).first()


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
