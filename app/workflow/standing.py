"""Tell where the findings stood on a day, as selects over all of them."""

from __future__ import annotations

from datetime import date
from typing import Final

from sqlalchemy import (
    ColumnElement,
    Select,
    Subquery,
    and_,
    case,
    distinct,
    func,
    or_,
    select,
    true,
)

from app.cadence.calendar import last_working_day
from app.models import (
    ChecklistItem,
    ChecklistVersion,
    Finding,
    FindingState,
    FindingStep,
)

UNFINISHED: Final = (
    FindingState.OPEN,
    FindingState.SERVED,
    FindingState.OBJECTED,
    FindingState.CLAIMED,
)


def standing(as_of: date) -> Select:
    """Select where every finding stood at the end of a day: its state, since when, its due day."""
    order = (FindingStep.happened_on.desc(), FindingStep.id.desc())
    latest = (
        select(
            FindingStep.finding_id,
            FindingStep.to_state.label("state"),
            FindingStep.due_on,
            FindingStep.happened_on.label("since"),
            func.row_number().over(partition_by=FindingStep.finding_id, order_by=order).label("n"),
        )
        .where(FindingStep.happened_on <= as_of)
        .subquery()
    )
    return (
        select(
            Finding.id.label("finding_id"),
            Finding.township_id,
            Finding.school_id,
            Finding.inspection_id,
            Finding.item_id,
            Finding.found_on,
            Finding.needs_pupils,
            Finding.is_urgent,
            Finding.is_self_found,
            latest.c.state,
            latest.c.since,
            latest.c.due_on,
        )
        .join(latest, and_(latest.c.finding_id == Finding.id, latest.c.n == 1))
        .where(Finding.found_on <= as_of)
    )


def closings(start: date, end: date) -> Select:
    """Select every closing of a finding from one day to another, whatever came after it."""
    return select(FindingStep.finding_id, FindingStep.township_id, FindingStep.school_id).where(
        FindingStep.happened_on.between(start, end), *_is_closing()
    )


def overdue(as_of: date) -> Select:
    """Select the findings whose rectification was overdue at the end of a day.

    Objected and claimed ones are not overdue: their clock stands still, or it is the inspectors'
    turn.
    """
    then = standing(as_of).subquery()
    return select(then).where(
        is_overdue(then.c.state, then.c.due_on, then.c.needs_pupils, then.c.is_urgent, as_of)
    )


def unserved(as_of: date, days: int) -> Select:
    """Select the findings that were not served at the end of a day, after so many working days.

    What a school found itself is not served to it: it is put right on the spot.
    """
    then = standing(as_of).subquery()
    return select(then).where(
        then.c.state == FindingState.OPEN,
        ~then.c.is_self_found,
        then.c.found_on < last_working_day(as_of, before=days),
    )


def unverified(as_of: date, days: int) -> Select:
    """Select the findings that nobody has verified, so many working days after the claim.

    The clock of what needs pupils stops in vacations, an urgent one never.
    """
    then = standing(as_of).subquery()
    last = case(
        (
            _stops(then.c.needs_pupils, then.c.is_urgent),
            last_working_day(as_of, in_term=True, before=days),
        ),
        else_=last_working_day(as_of, before=days),
    )
    return select(then).where(then.c.state == FindingState.CLAIMED, then.c.since < last)


def failed_again(as_of: date) -> Select:
    """Select the findings on a matter that was closed before: `closed` counts those closings.

    The matter is the item of the checklist, whatever its version, at the same school or township,
    and the same child where it is about one. What a school finds itself is no reproach, and what
    is objected to or was withdrawn is none yet, or none at all.
    """
    then = standing(as_of).subquery()
    again, before = _matters("again"), _matters("before")
    same = and_(*(before.c[name] == again.c[name] for name in MATTER))
    closed = (
        select(again.c.id, func.count(distinct(before.c.id)).label("closed"))
        .join(before, and_(same, before.c.id != again.c.id))
        .join(FindingStep, FindingStep.finding_id == before.c.id)
        .where(*_is_closing(), FindingStep.happened_on < again.c.found_on)
        .group_by(again.c.id)
        .subquery("closed")
    )
    return (
        select(then, closed.c.closed)
        .join(closed, closed.c.id == then.c.finding_id)
        .where(
            ~then.c.is_self_found,
            then.c.state.not_in((FindingState.OBJECTED, FindingState.WITHDRAWN)),
        )
    )


MATTER: Final = ("township_id", "school_id", "child_id", "checklist_id", "key")
"""What two findings have in common that are about the same matter."""


def _matters(name: str) -> Subquery:
    """Return the findings with their matter, zero where it has no school or no child."""
    return (
        select(
            Finding.id,
            Finding.found_on,
            Finding.township_id,
            func.coalesce(Finding.school_id, 0).label("school_id"),
            func.coalesce(Finding.child_id, 0).label("child_id"),
            ChecklistVersion.checklist_id,
            ChecklistItem.key,
        )
        .join(ChecklistItem, ChecklistItem.id == Finding.item_id)
        .join(ChecklistVersion, ChecklistVersion.id == ChecklistItem.version_id)
        .subquery(name)
    )


def is_overdue(
    state: ColumnElement[str],
    due_on: ColumnElement[date],
    needs_pupils: ColumnElement[bool],
    is_urgent: ColumnElement[bool],
    as_of: date,
) -> ColumnElement[bool]:
    """Return the condition that a rectification is overdue at the end of a day."""
    stops = _stops(needs_pupils, is_urgent)
    running = or_(
        state == FindingState.SERVED,
        and_(state == FindingState.OPEN, is_urgent == true()),
    )
    last = case((stops, last_working_day(as_of, in_term=True)), else_=last_working_day(as_of))
    return and_(running, due_on < last)


def _is_closing() -> tuple[ColumnElement[bool], ...]:
    """Return the conditions that a step closed a finding."""
    return (
        FindingStep.to_state == FindingState.CLOSED,
        FindingStep.from_state != FindingState.CLOSED,
    )


def _stops(
    needs_pupils: ColumnElement[bool], is_urgent: ColumnElement[bool]
) -> ColumnElement[bool]:
    """Tell whether a clock stops in vacations."""
    return and_(needs_pupils == true(), is_urgent != true())


def overdue_now(as_of: date) -> ColumnElement[bool]:
    """Return the condition that a finding row is overdue today, for lists and filters."""
    return is_overdue(
        Finding.state,  # type: ignore[arg-type]  # an attribute is a column here
        Finding.due_on,  # type: ignore[arg-type]
        Finding.needs_pupils,  # type: ignore[arg-type]
        Finding.is_urgent,  # type: ignore[arg-type]
        as_of,
    )
