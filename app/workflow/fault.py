"""Read from an inspection what failed: answers, children, and classes whose counts differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from app.base import registry
from app.models import (
    Answer,
    AnswerChild,
    AttendanceReport,
    ChecklistItem,
    ClassLine,
    Inspection,
    InspectionState,
    Verdict,
)
from app.workflow.class_line import CLASS_LINES, Difference, differences_of


@dataclass(frozen=True, slots=True)
class Fault:
    """Describe one thing that a finding is made of."""

    item: ChecklistItem
    answer_id: int | None
    child_id: int | None
    facts: str
    opinion: str | None
    is_urgent: bool
    is_self_found: bool
    found_by_id: int | None


def faults_of(session: Session, inspection: Inspection) -> list[Fault]:
    """Return what failed in a submitted inspection; nothing for a draft."""
    if inspection.state != InspectionState.SUBMITTED:
        return []
    kind = registry.inspection_type(inspection.type_key)
    is_self_found = bool(kind and kind.self_inspection)
    faults: list[Fault] = []
    answered: set[int] = set()
    differences = _differences(session, inspection)
    for answer in _answers(session, inspection):
        answered.add(answer.item_id)
        lines = differences if answer.item.kind == CLASS_LINES else []
        faults.extend(_of_answer(answer, lines, is_self_found))
    faults.extend(_of_lines(session, inspection, differences, answered, is_self_found))
    return faults


def _answers(session: Session, inspection: Inspection) -> Sequence[Answer]:
    query = (
        select(Answer)
        .join(ChecklistItem, ChecklistItem.id == Answer.item_id)
        .where(Answer.inspection_id == inspection.id)
        .options(joinedload(Answer.item), selectinload(Answer.children))
        .order_by(ChecklistItem.position, Answer.id)
    )
    return session.scalars(query).all()


def _of_answer(
    answer: Answer, differences: Sequence[Difference], is_self_found: bool
) -> Iterator[Fault]:
    failed = [child for child in answer.children if child.verdict == Verdict.FAILS]
    for child in failed:
        yield _fault(answer, is_self_found, _facts_of_child(answer, child), child.child_id)
    if failed:
        return
    fails = answer.verdict == Verdict.FAILS
    if fails or differences:
        is_urgent = fails or any(difference.is_of_pupils for difference in differences)
        facts = "\n".join((_facts(answer), *(difference.text for difference in differences)))
        yield _fault(answer, is_self_found, facts, None, is_urgent=is_urgent)


def _fault(
    answer: Answer,
    is_self_found: bool,
    facts: str,
    child_id: int | None,
    *,
    is_urgent: bool = True,
) -> Fault:
    return Fault(
        item=answer.item,
        answer_id=answer.id,
        child_id=child_id,
        facts=facts,
        opinion=answer.opinion,
        is_urgent=answer.item.is_urgent and is_urgent,
        is_self_found=is_self_found,
        found_by_id=answer.answered_by_id,
    )


def _facts(answer: Answer) -> str:
    item = answer.item
    parts = [item.text]
    if answer.number is not None:
        parts.append(_labelled(item.label, answer.number))
    if answer.number_other is not None:
        parts.append(_labelled(item.label_other, answer.number_other))
    if answer.note:
        parts.append(answer.note)
    return "\n".join(parts)


def _labelled(label: str | None, number: int) -> str:
    return f"{label} {number}" if label else str(number)


def _facts_of_child(answer: Answer, child: AnswerChild) -> str:
    return "\n".join(part for part in (answer.item.text, child.note or answer.note) if part)


def _of_lines(
    session: Session,
    inspection: Inspection,
    differences: Sequence[Difference],
    answered: set[int],
    is_self_found: bool,
) -> Iterator[Fault]:
    """Yield the fault of class lines whose item has no answer row."""
    if not differences:
        return
    item = session.scalars(
        select(ChecklistItem)
        .where(
            ChecklistItem.version_id == inspection.checklist_version_id,
            ChecklistItem.kind == CLASS_LINES,
        )
        .order_by(ChecklistItem.position)
        .limit(1)
    ).first()
    if item is None or item.id in answered:
        return
    yield Fault(
        item=item,
        answer_id=None,
        child_id=None,
        facts="\n".join((item.text, *(difference.text for difference in differences))),
        opinion=None,
        is_urgent=item.is_urgent and any(each.is_of_pupils for each in differences),
        is_self_found=is_self_found,
        found_by_id=differences[0].found_by_id,
    )


def _differences(session: Session, inspection: Inspection) -> list[Difference]:
    """Return how the class lines differ; a line with a note is explained and no finding."""
    query = (
        select(ClassLine, AttendanceReport.present)
        .outerjoin(
            AttendanceReport,
            (AttendanceReport.class_id == ClassLine.class_id)
            & (AttendanceReport.day == ClassLine.day),
        )
        .where(ClassLine.inspection_id == inspection.id)
        .options(joinedload(ClassLine.school_class))
        .order_by(ClassLine.id)
    )
    return [
        difference
        for line, reported in session.execute(query)
        for difference in differences_of(line, reported)
    ]
