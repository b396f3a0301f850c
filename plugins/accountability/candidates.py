"""Name candidates for interviews 约谈: what a rule finds, a person confirms (LP24-4-4).

What a unit found itself, reported, or put right in time never counts, nor what it objects to.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    and_,
    case,
    cast,
    exists,
    false,
    func,
    literal,
    select,
)
from sqlalchemy.orm import aliased

from app.kit import (
    ChecklistItem,
    ChecklistVersion,
    Finding,
    FindingState,
    Inspection,
    InspectionParticipant,
    InspectionState,
    LedgerEntry,
    Period,
    Settings,
    Window,
    inspection_types,
    obligations_due,
    took_place,
)

DONE: Final = ("met", "late")
STANDING_STILL: Final = (FindingState.OBJECTED, FindingState.WITHDRAWN)


def low_rate(window: Window, settings: Settings, *, capacity: str) -> Select[Any]:
    """Select the townships whose unit did too little of what was due in two months running."""
    own = [kind.key for kind in inspection_types() if not kind.self_inspection]
    due = obligations_due(window).subquery()
    rows = select(due).where(due.c.capacity == capacity, due.c.type_key.in_(own)).subquery()
    query = _low(window, settings, rows, rows.c.township_id, None)
    # A run over some schools judges no township: its other schools are not in it.
    return query if window.school_ids is None else query.where(false())


def low_rate_of_school(window: Window, settings: Settings) -> Select[Any]:
    """Select the schools whose leaders did too few of their own checks in two months running."""
    own = [kind.key for kind in inspection_types() if kind.self_inspection]
    due = obligations_due(window).subquery()
    rows = select(due).where(due.c.type_key.in_(own)).subquery()
    query = _low(window, settings, rows, rows.c.school_id, rows.c.school_id)
    if window.school_ids is None:
        return query
    return query.where(query.selected_columns["school_id"].in_(window.school_ids))


def _low(
    window: Window,
    settings: Settings,
    due: Any,
    unit: ColumnElement[int],
    school: ColumnElement[int] | None,
) -> Select[Any]:
    """Select the second of two months running in which a unit lay below the rate."""
    months = [one for one in window.periods if one.end < window.as_of]
    number = _number_of(months, due.c.due_on)
    done = func.sum(case((due.c.status.in_(DONE), 1), else_=0))
    judged = func.sum(case((due.c.status.in_((*DONE, "missed")), 1), else_=0))
    subject = "township" if school is None else "school"
    lows = (
        select(
            unit.label("unit"),
            func.min(due.c.township_id).label("township_id"),
            number.label("number"),
            cast(100 * done / func.nullif(judged, 0), Integer).label("rate"),
        )
        .where(number.is_not(None))
        .group_by(unit, number)
        .having(judged >= int(settings.rate_least), 100 * done < settings.rate_percent * judged)
        .subquery("lows")
    )
    before = lows.alias("before")
    starts = {place: literal(one.start) for place, one in enumerate(months)}
    start = case(starts, value=lows.c.number) if starts else literal(window.start)
    return (
        select(
            literal(subject).label("subject_type"),
            lows.c.unit.label("subject_id"),
            (cast(None, Integer) if school is None else lows.c.unit).label("school_id"),
            lows.c.township_id,
            start.label("period_start"),
            lows.c.rate.label("observed"),
            literal(int(settings.rate_percent)).label("required"),
        )
        .select_from(lows)
        .join(before, and_(before.c.unit == lows.c.unit, before.c.number == lows.c.number - 1))
    )


def _number_of(months: Sequence[Period], day: ColumnElement[Any]) -> ColumnElement[int | None]:
    """Return the place of a day's month among those that are over; null outside of them."""
    if not months:
        return cast(None, Integer)
    places = [(day.between(one.start, one.end), place) for place, one in enumerate(months)]
    return case(*places, else_=cast(None, Integer))


def recurrence(window: Window, settings: Settings) -> Select[Any]:
    """Select the schools where problems came back after they were closed, found from outside."""
    before = aliased(Finding)
    item, version = aliased(ChecklistItem), aliased(ChecklistVersion)
    old_item, old_version = aliased(ChecklistItem), aliased(ChecklistVersion)
    was_closed = (
        select(before.id)
        .join(old_item, old_item.id == before.item_id)
        .join(old_version, old_version.id == old_item.version_id)
        .where(
            before.school_id == Finding.school_id,
            before.state == FindingState.CLOSED,
            before.closed_on < Finding.found_on,
            old_item.key == item.key,
            old_version.checklist_id == version.checklist_id,
        )
        .correlate_except(before, old_item, old_version)
        .exists()
    )
    query = (
        _counted(window)
        .join(item, item.id == Finding.item_id)
        .join(version, version.id == item.version_id)
        .where(was_closed)
    )
    return _by_school(query, window, int(settings.recurrences))


def unreported(window: Window, _settings: Settings) -> Select[Any]:
    """Select the schools where a child was found away that stood in no ledger by then."""
    reported = exists().where(
        LedgerEntry.child_id == Finding.child_id, LedgerEntry.opened_on <= Finding.found_on
    )
    query = _counted(window).where(
        Finding.is_urgent, Finding.child_id.is_not(None), ~reported.correlate_except(LedgerEntry)
    )
    return _by_school(query, window, 1)


def _counted(window: Window) -> Select[Any]:
    """Select the findings from outside that count: not in time put right, nor objected to."""
    in_time = and_(
        Finding.state == FindingState.CLOSED,
        Finding.due_on.is_not(None),
        Finding.closed_on <= Finding.due_on,
    )
    query: Any = (
        select(Finding.school_id, func.min(Finding.township_id).label("township_id"))
        .where(
            Finding.school_id.is_not(None),
            Finding.is_self_found.is_(False),
            Finding.state.not_in(STANDING_STILL),
            ~func.coalesce(in_time, false()),
            Finding.found_on.between(window.start, window.as_of),
        )
        .group_by(Finding.school_id)
    )
    return query


def _by_school(query: Select[Any], window: Window, least: int) -> Select[Any]:
    if window.school_ids is not None:
        query = query.where(Finding.school_id.in_(window.school_ids))
    rows = query.add_columns(func.count(Finding.id.distinct()).label("number")).subquery()
    return select(
        literal("school").label("subject_type"),
        rows.c.school_id.label("subject_id"),
        rows.c.school_id,
        rows.c.township_id,
        literal(window.start).label("period_start"),
        rows.c.number.label("observed"),
        literal(least).label("required"),
    ).where(rows.c.number >= least)


def false_record(window: Window, _settings: Settings) -> Select[Any]:
    """Select the inspections that were recorded though nobody came.

    The row is the township's, not the school's: it was the school that said so.
    """
    someone = exists().where(InspectionParticipant.inspection_id == Inspection.id)
    query: Any = select(
        literal("inspection").label("subject_type"),
        Inspection.id.label("subject_id"),
        cast(None, Integer).label("school_id"),
        Inspection.township_id,
        Inspection.occurred_on.label("period_start"),
        literal(1).label("observed"),
        literal(0).label("required"),
    ).where(
        Inspection.state == InspectionState.SUBMITTED,
        Inspection.occurred_on.between(window.start, window.as_of),
        ~took_place(),
        someone,
    )
    return query if window.school_ids is None else query.where(false())
