"""Tell where the findings stood on a day, as selects over all of them."""

from __future__ import annotations

from datetime import date
from typing import Final

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select, true

from app.cadence.calendar import last_working_day
from app.models import Finding, FindingState, FindingStep

UNFINISHED: Final = (
    FindingState.OPEN,
    FindingState.SERVED,
    FindingState.OBJECTED,
    FindingState.CLAIMED,
)


def standing(as_of: date) -> Select:
    """Select where every finding stood at the end of a day: its state, due day and reopenings."""
    order = (FindingStep.happened_on.desc(), FindingStep.id.desc())
    latest = (
        select(
            FindingStep.finding_id,
            FindingStep.to_state.label("state"),
            FindingStep.due_on,
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
            Finding.found_on,
            Finding.needs_pupils,
            Finding.is_urgent,
            latest.c.state,
            latest.c.due_on,
        )
        .join(latest, and_(latest.c.finding_id == Finding.id, latest.c.n == 1))
        .where(Finding.found_on <= as_of)
    )


def closings(start: date, end: date) -> Select:
    """Select every closing of a finding from one day to another, whatever came after it."""
    return select(FindingStep.finding_id, FindingStep.township_id, FindingStep.school_id).where(
        FindingStep.happened_on.between(start, end),
        FindingStep.to_state == FindingState.CLOSED,
        FindingStep.from_state != FindingState.CLOSED,
    )


def overdue(as_of: date) -> Select:
    """Select the findings whose rectification was overdue at the end of a day.

    Objected and claimed ones are not overdue: their clock stands still, or it is the inspectors'
    turn.
    """
    then = standing(as_of).subquery()
    return select(then.c.finding_id, then.c.township_id, then.c.school_id, then.c.due_on).where(
        is_overdue(then.c.state, then.c.due_on, then.c.needs_pupils, then.c.is_urgent, as_of)
    )


def is_overdue(
    state: ColumnElement[str],
    due_on: ColumnElement[date],
    needs_pupils: ColumnElement[bool],
    is_urgent: ColumnElement[bool],
    as_of: date,
) -> ColumnElement[bool]:
    """Return the condition that a rectification is overdue at the end of a day."""
    stops = and_(needs_pupils == true(), is_urgent != true())
    running = or_(
        state == FindingState.SERVED,
        and_(state == FindingState.OPEN, is_urgent == true()),
    )
    last = case((stops, last_working_day(as_of, in_term=True)), else_=last_working_day(as_of))
    return and_(running, due_on < last)


def overdue_now(as_of: date) -> ColumnElement[bool]:
    """Return the condition that a finding row is overdue today, for lists and filters."""
    return is_overdue(
        Finding.state,  # type: ignore[arg-type]  # an attribute is a column here
        Finding.due_on,  # type: ignore[arg-type]
        Finding.needs_pupils,  # type: ignore[arg-type]
        Finding.is_urgent,  # type: ignore[arg-type]
        as_of,
    )
