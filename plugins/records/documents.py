"""Select the schools at which required documents were found missing this semester: DOC."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Date, Select, Subquery, and_, case, func, literal, or_, select

from app.kit import (
    Answer,
    ChecklistItem,
    ChecklistVersion,
    FindingState,
    Inspection,
    InspectionState,
    Settings,
    Township,
    Verdict,
    Window,
    sentence,
    standing,
)

DOCUMENT: Final = "document"
SEMESTER: Final = "semester"
ENDED: Final = (FindingState.CLOSED, FindingState.WITHDRAWN)


def missing_documents(window: Window, _settings: Settings) -> Select[Any]:
    """Select the schools with documents that the last inspection to look for them did not find.

    What nobody looked for is unknown; a document whose finding is closed or withdrawn is there.
    """
    rows = _missing(window)
    place = (rows.c.school_id, rows.c.township_id, rows.c.period_start)
    found = (
        select(
            literal("school").label("subject_type"),
            rows.c.school_id.label("subject_id"),
            *place,
            func.count().label("observed"),
            literal(0).label("required"),
        )
        .join(Township, Township.id == rows.c.township_id)
        .where(Township.go_live_on <= rows.c.day)
        .group_by(*place)
    )
    if window.school_ids is None:
        return found
    return found.where(rows.c.school_id.in_(window.school_ids))


def answers_behind(window: Window, _settings: Settings) -> Select[Any]:
    """Select the inspections that did not find them, with the document's name."""
    rows = _missing(window)
    return select(
        literal("school").label("subject_type"),
        rows.c.school_id.label("subject_id"),
        rows.c.period_start,
        literal("inspection").label("record_type"),
        rows.c.inspection_id.label("record_id"),
        rows.c.day,
        sentence("%(text)s", text=rows.c.text).label("detail"),
    )


def _missing(window: Window) -> Subquery:
    """Return the documents of each school whose last answer of a semester is that they lack."""
    latest = _latest(window)
    then = standing(window.as_of).subquery("then")
    ended = (
        select(then.c.finding_id)
        .where(
            then.c.inspection_id == latest.c.inspection_id,
            then.c.item_id == latest.c.item_id,
            then.c.state.in_(ENDED),
        )
        .exists()
    )
    return (
        select(latest)
        .where(latest.c.place == 1, latest.c.verdict == Verdict.FAILS, ~ended)
        .subquery("missing")
    )


def _latest(window: Window) -> Subquery:
    """Return the answers on documents in each semester, the last of each document as number 1."""
    semester = or_(
        *(
            Inspection.occurred_on.between(one.start, min(one.end, window.as_of))
            for one in window.periods
        )
    )
    start = _start(window)
    place = func.row_number().over(
        partition_by=(
            Inspection.school_id, start, ChecklistVersion.checklist_id, ChecklistItem.key
        ),
        order_by=(Inspection.occurred_on.desc(), Inspection.id.desc()),
    )  # fmt: skip
    return (
        select(
            Inspection.id.label("inspection_id"),
            Inspection.school_id,
            Inspection.township_id,
            Inspection.occurred_on.label("day"),
            start.label("period_start"),
            ChecklistItem.id.label("item_id"),
            ChecklistItem.text,
            Answer.verdict,
            place.label("place"),
        )
        .join(Answer, Answer.inspection_id == Inspection.id)
        .join(
            ChecklistItem,
            and_(
                ChecklistItem.id == Answer.item_id,
                ChecklistItem.kind == DOCUMENT,
                ChecklistItem.frequency == SEMESTER,
            ),
        )
        .join(ChecklistVersion, ChecklistVersion.id == ChecklistItem.version_id)
        .where(
            Inspection.state == InspectionState.SUBMITTED,
            Inspection.school_id.is_not(None),
            Answer.verdict != Verdict.UNCHECKED,
            semester,
        )
        .subquery("latest")
    )


def _start(window: Window) -> Any:
    """Return the first day of the semester that an inspection lies in."""
    return case(
        *(
            (Inspection.occurred_on.between(one.start, one.end), literal(one.start, Date))
            for one in window.periods
        )
    )
