"""Let outside visits look at what schools found and closed by themselves 抽查."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from types import MappingProxyType
from typing import Final

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session, joinedload

from app.base import actor, registry
from app.files.evidence import files_of
from app.models import (
    EvidenceFile,
    Finding,
    FindingReview,
    FindingState,
    FindingStep,
    Inspection,
    InspectionState,
    ReviewOutcome,
)
from app.parameters.value import number_on
from app.workflow.step import follow_record, place

COUNT: Final = "core.self_closed_review_count"
STEP_OF: Final[Mapping[str | None, str]] = MappingProxyType(
    {ReviewOutcome.HOLDS: "confirm", ReviewOutcome.FAILS: "recall"}
)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A finding that is drawn for a visit, with how the school closed it."""

    review: FindingReview
    closing: FindingStep | None
    files: Sequence[EvidenceFile]

    @property
    def is_open(self) -> bool:
        """Tell whether an outcome may still be recorded; what was recalled runs its course."""
        return self.review.finding.state == FindingState.CLOSED


def draw(session: Session, inspection: Inspection) -> None:
    """List at random what an outside visit looks at; the day's first visit draws the same."""
    kind = registry.inspection_type(inspection.type_key)
    if kind is None or kind.self_inspection or inspection.school_id is None:
        return
    count = number_on(session, COUNT, inspection.occurred_on)
    waiting = _waiting(session, inspection) if count else []
    seed = f"{inspection.school_id}:{inspection.occurred_on}:{_before(session, inspection)}:review"
    chosen = Random(seed).sample(waiting, min(count or 0, len(waiting)))  # noqa: S311  # a draw
    for finding in sorted(chosen, key=lambda finding: finding.id):
        session.add(
            FindingReview(inspection_id=inspection.id, finding_id=finding.id, **place(finding))
        )
    session.flush()


def _before(session: Session, inspection: Inspection) -> int:
    """Count the day's visits before this one; a draft that is discarded must not draw anew."""
    return (
        session.scalar(
            select(func.count(Inspection.id)).where(
                Inspection.school_id == inspection.school_id,
                Inspection.occurred_on == inspection.occurred_on,
                Inspection.id < inspection.id,
            )
        )
        or 0
    )


def drawn_for(session: Session, inspection: Inspection) -> Sequence[Drawn]:
    """Return what was drawn for a visit, in a constant number of statements."""
    query = (
        select(FindingReview)
        .where(FindingReview.inspection_id == inspection.id)
        .options(joinedload(FindingReview.finding), joinedload(FindingReview.step))
        .order_by(FindingReview.finding_id)
    )
    reviews = session.scalars(query).all()
    if not reviews:
        return []
    closings = _closings(session, [review.finding_id for review in reviews])
    files = files_of(session, (step.evidence_set_id for step in closings.values()))
    drawn = []
    for review in reviews:
        closing = closings.get(review.finding_id)
        held = files.get(closing.evidence_set_id, ()) if closing is not None else ()
        drawn.append(Drawn(review, closing, held))
    return drawn


def note_outcome(review: FindingReview, outcome: str | None, note: str | None) -> None:
    """Keep what the visit saw; it acts on the finding when the record is submitted."""
    if (review.outcome, review.note) != (outcome, note):
        review.outcome, review.note = outcome, note
        review.reviewed_by_id = actor.get().person_id


def settle(session: Session, inspection: Inspection) -> None:
    """Let the outcomes of a submitted visit act: what does not hold goes back to served."""
    if inspection.state != InspectionState.SUBMITTED:
        return
    for drawn in drawn_for(session, inspection):
        review = drawn.review
        key = STEP_OF.get(review.outcome)
        is_settled = review.step is not None and review.step.step == key
        if key is not None and drawn.is_open and not is_settled:
            review.step = follow_record(session, review.finding, key, review.note)
    session.flush()


def _waiting(session: Session, inspection: Inspection) -> Sequence[Finding]:
    """Return what the school closed by itself and no outside visit has confirmed since."""
    was_confirmed = exists().where(
        FindingStep.finding_id == Finding.id,
        FindingStep.step == STEP_OF[ReviewOutcome.HOLDS],
        FindingStep.happened_on >= Finding.closed_on,
    )
    query = (
        select(Finding)
        .where(
            Finding.school_id == inspection.school_id,
            Finding.is_self_found,
            Finding.state == FindingState.CLOSED,
            Finding.closed_on <= inspection.occurred_on,
            ~was_confirmed,
        )
        .order_by(Finding.id)
    )
    return session.scalars(query).all()


def _closings(session: Session, finding_ids: Sequence[int]) -> Mapping[int, FindingStep]:
    query = (
        select(FindingStep)
        .where(FindingStep.finding_id.in_(finding_ids), FindingStep.step == "close")
        .options(joinedload(FindingStep.person))
        .order_by(FindingStep.id)
    )
    return {step.finding_id: step for step in session.scalars(query)}
