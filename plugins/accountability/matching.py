"""Compare what superiors found with the county's own clean inspections before (LP24-4-4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, case, exists, or_, select
from sqlalchemy.orm import aliased

from app.kit import (
    Answer,
    AnswerChild,
    ChecklistItem,
    ChecklistSection,
    ChecklistVersion,
    DaysAfter,
    Finding,
    Inspection,
    InspectionParticipant,
    InspectionState,
    Semester,
    Settings,
    Verdict,
    took_place,
)

from .models import SuperiorFinding
from .words import HELD, UNCLEAR

FOUND: Final = aliased(ChecklistItem, name="found_item")
FOUND_SECTION: Final = aliased(ChecklistSection, name="found_section")
FOUND_VERSION: Final = aliased(ChecklistVersion, name="found_version")


def matches(settings: Settings) -> Select[Any]:
    """Select who answered the item of a superior finding in a clean inspection before.

    Columns: `finding_id`, `school_id`, `township_id`, `found_on`, `inspection_id`, `occurred_on`,
    `type_key`, `person_id`, `capacity`, `result`: held, or unclear where nobody knows since when
    the problem stood. An item that was not due, not in the form, not answered, or answered by
    somebody else gives nothing.
    """
    item, version = aliased(ChecklistItem), aliased(ChecklistVersion)
    part = InspectionParticipant
    result = case((SuperiorFinding.condition_since.is_(None), UNCLEAR), else_=HELD)
    stood_then = or_(
        SuperiorFinding.condition_since.is_(None),
        SuperiorFinding.condition_since <= Inspection.occurred_on,
    )
    return (
        select(
            SuperiorFinding.id.label("finding_id"),
            SuperiorFinding.school_id,
            SuperiorFinding.township_id,
            SuperiorFinding.found_on,
            Inspection.id.label("inspection_id"),
            Inspection.occurred_on,
            Inspection.type_key,
            part.person_id,
            part.capacity,
            result.label("result"),
        )
        .join(FOUND, FOUND.id == SuperiorFinding.item_id)
        .join(FOUND_SECTION, FOUND_SECTION.id == FOUND.section_id)
        .join(FOUND_VERSION, FOUND_VERSION.id == FOUND.version_id)
        .join(Inspection, Inspection.school_id == SuperiorFinding.school_id)
        .join(Answer, Answer.inspection_id == Inspection.id)
        .join(item, item.id == Answer.item_id)
        .join(version, version.id == item.version_id)
        .join(
            part,
            and_(part.inspection_id == Inspection.id, part.person_id == Answer.answered_by_id),
        )
        .where(
            Inspection.state == InspectionState.SUBMITTED,
            took_place(),
            part.capacity.in_(county_capacities(settings)),
            _in_reach(int(settings.match_days)),
            item.key == FOUND.key,
            version.checklist_id == FOUND_VERSION.checklist_id,
            Answer.verdict == Verdict.CONFORMS,
            or_(~FOUND.is_point_in_time, Inspection.occurred_on == SuperiorFinding.found_on),
            stood_then,
            ~_has_finding_on_project(),
            ~_was_known(),
        )
    )


def county_capacities(settings: Settings) -> Sequence[str]:
    """Return the capacities of those who inspect for the county."""
    return str(settings.county_capacities).split()


def _in_reach(days: int) -> ColumnElement[bool]:
    """Tell whether the inspection lies within the days before, and in the same semester."""
    term = Semester
    same_semester = exists().where(
        term.county_id == SuperiorFinding.county_id,
        Inspection.occurred_on.between(term.starts_on, term.ends_on),
        SuperiorFinding.found_on.between(term.starts_on, term.ends_on),
    )
    return and_(
        Inspection.occurred_on <= SuperiorFinding.found_on,
        SuperiorFinding.found_on <= DaysAfter(Inspection.occurred_on, days),
        same_semester.correlate_except(term),
    )


def _has_finding_on_project() -> ColumnElement[bool]:
    """Tell whether the inspection left a finding on the project: then it was not clean for it."""
    left = aliased(Finding)
    item, section = aliased(ChecklistItem), aliased(ChecklistSection)
    on_project = case(
        (FOUND_SECTION.project.is_not(None), section.project == FOUND_SECTION.project),
        else_=section.key == FOUND_SECTION.key,
    )
    found = (
        select(left.id)
        .outerjoin(item, item.id == left.item_id)
        .outerjoin(section, section.id == item.section_id)
        .where(left.inspection_id == Inspection.id, or_(left.item_id.is_(None), on_project))
    )
    return found.correlate_except(left, item, section).exists()


def _was_known() -> ColumnElement[bool]:
    """Tell whether the matter or the child stood in an earlier finding, its feedback, or a note.

    A feedback speaks of the findings that it covers.
    """
    return or_(_stood_in_finding(), _stood_in_note(), _child_stood_in_answer())


def _same_matter(item: Any, version: Any) -> ColumnElement[bool]:
    return and_(item.key == FOUND.key, version.checklist_id == FOUND_VERSION.checklist_id)


def _stood_in_finding() -> ColumnElement[bool]:
    earlier = aliased(Finding)
    item, version = aliased(ChecklistItem), aliased(ChecklistVersion)
    of_child = and_(
        SuperiorFinding.child_id.is_not(None), earlier.child_id == SuperiorFinding.child_id
    )
    found = (
        select(earlier.id)
        .outerjoin(item, item.id == earlier.item_id)
        .outerjoin(version, version.id == item.version_id)
        .where(
            earlier.school_id == SuperiorFinding.school_id,
            earlier.found_on <= SuperiorFinding.found_on,
            or_(_same_matter(item, version), of_child),
        )
    )
    return found.correlate_except(earlier, item, version).exists()


def _stood_in_note() -> ColumnElement[bool]:
    seen, noted = aliased(Inspection), aliased(Answer)
    item, version = aliased(ChecklistItem), aliased(ChecklistVersion)
    found = (
        select(noted.id)
        .join(seen, seen.id == noted.inspection_id)
        .join(item, item.id == noted.item_id)
        .join(version, version.id == item.version_id)
        .where(
            *_before(seen),
            noted.note.is_not(None),
            noted.note != "",
            _same_matter(item, version),
        )
    )
    return found.correlate_except(seen, noted, item, version).exists()


def _child_stood_in_answer() -> ColumnElement[bool]:
    seen, noted, answer = aliased(Inspection), aliased(AnswerChild), aliased(Answer)
    told = or_(noted.verdict == Verdict.FAILS, and_(noted.note.is_not(None), noted.note != ""))
    found = (
        select(noted.id)
        .join(answer, answer.id == noted.answer_id)
        .join(seen, seen.id == answer.inspection_id)
        .where(*_before(seen), noted.child_id == SuperiorFinding.child_id, told)
    )
    return found.correlate_except(seen, noted, answer).exists()


def _before(seen: Any) -> list[ColumnElement[bool]]:
    """Keep to the submitted inspections of the school up to the day of the superior finding."""
    return [
        seen.school_id == SuperiorFinding.school_id,
        seen.state == InspectionState.SUBMITTED,
        seen.occurred_on <= SuperiorFinding.found_on,
    ]
