"""Judge the counts of classes: ROLL-2, ROLL-3, and the classes that a daily check left out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    and_,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.orm import aliased

from app.kit import (
    AttendanceReport,
    ClassLine,
    Inspection,
    InspectionState,
    SchoolClass,
    SchoolYear,
    Settings,
    Township,
    Window,
    _l,
    class_days,
    inspection_types,
    sentence,
)

CLASS = "school_class"
COUNTED = _l(
    "on the list %(on_roll)s, counted %(present)s, reported %(reported)s, desks %(desks)s, "
    "chairs %(chairs)s"
)


def other_than_reported(window: Window, _settings: Settings) -> Select[Any]:
    """Select the classes of which the leader counted others than the class teacher reported."""
    query = _verdicts(ClassLine.present, AttendanceReport.present).join(
        AttendanceReport,
        and_(
            AttendanceReport.class_id == ClassLine.class_id,
            AttendanceReport.day == ClassLine.day,
        ),
    )
    differs = ClassLine.present != AttendanceReport.present
    return _judged(query, window, _daily_checks()).where(differs)


def other_than_listed(window: Window, _settings: Settings) -> Select[Any]:
    """Select the classes whose desks or chairs are not as many as the pupils on the list."""
    counts = (ClassLine.desks, ClassLine.chairs)
    said = [func.coalesce(cast(count, String), literal("–")) for count in counts]
    query = _verdicts(said[0] + literal(" / ") + said[1], ClassLine.on_roll)
    differs = or_(*(count != ClassLine.on_roll for count in counts))
    return _judged(query, window).where(differs)


def skipped(window: Window, _settings: Settings) -> Select[Any]:
    """Select the active classes without a count in a submitted daily check of a school day.

    A class that was set up after the check was submitted was not there to be checked.
    """
    first, last = _span(window)
    counted = exists().where(
        ClassLine.inspection_id == Inspection.id,
        ClassLine.class_id == SchoolClass.id,
        ClassLine.present.is_not(None),
    )
    left_out = (
        select(
            SchoolClass.id.label("class_id"),
            SchoolClass.school_id,
            SchoolClass.township_id,
            Inspection.occurred_on.label("day"),
        )
        .join(Inspection, Inspection.school_id == SchoolClass.school_id)
        .join(SchoolYear, SchoolYear.id == SchoolClass.school_year_id)
        .join(Township, Township.id == SchoolClass.township_id)
        .where(
            *_in_force(first, last, _daily_checks()),
            Inspection.occurred_on.between(SchoolYear.starts_on, SchoolYear.ends_on),
            SchoolClass.is_active,
            SchoolClass.created_at <= func.coalesce(Inspection.submitted_at, Inspection.created_at),
            ~counted,
        )
        .distinct()
    )
    if window.school_ids is not None:
        left_out = left_out.where(SchoolClass.school_id.in_(window.school_ids))
    rows = left_out.subquery("left_out")
    days = class_days(first, last, SchoolClass.id.in_(select(rows.c.class_id)))
    return select(
        literal(CLASS).label("subject_type"),
        rows.c.class_id.label("subject_id"),
        rows.c.school_id,
        rows.c.township_id,
        rows.c.day.label("period_start"),
        literal(0).label("observed"),
        literal(1).label("required"),
    ).join(days, and_(days.c.class_id == rows.c.class_id, days.c.day == rows.c.day))


def lines_of(window: Window, _settings: Settings) -> Select[Any]:
    """Select the daily checks with their counts of classes in the window."""
    first, last = _span(window)
    columns: list[Any] = [
        literal(CLASS).label("subject_type"),
        ClassLine.class_id.label("subject_id"),
        ClassLine.day.label("period_start"),
        literal(Inspection.__tablename__).label("record_type"),
        ClassLine.inspection_id.label("record_id"),
        ClassLine.day.label("day"),
        sentence(
            COUNTED,
            on_roll=ClassLine.on_roll,
            present=ClassLine.present,
            reported=AttendanceReport.present,
            desks=ClassLine.desks,
            chairs=ClassLine.chairs,
        ).label("detail"),
    ]
    query: Select[Any] = select(*columns).outerjoin(
        AttendanceReport,
        and_(
            AttendanceReport.class_id == ClassLine.class_id,
            AttendanceReport.day == ClassLine.day,
        ),
    )
    return query.where(ClassLine.day.between(first, last))


def _span(window: Window) -> tuple[date, date]:
    return window.start, min(window.end, window.as_of)


def _daily_checks() -> Sequence[str]:
    """Return the types in which a school checks itself; asked late, when plugins serve."""
    return [kind.key for kind in inspection_types() if kind.self_inspection]


def _verdicts(observed: Any, required: Any) -> Select[Any]:
    return select(
        literal(CLASS).label("subject_type"),
        ClassLine.class_id.label("subject_id"),
        ClassLine.school_id,
        ClassLine.township_id,
        ClassLine.day.label("period_start"),
        observed.label("observed"),
        required.label("required"),
    )


def _judged(query: Select[Any], window: Window, types: Sequence[str] | None = None) -> Select[Any]:
    """Keep the last count of each class and day; a note explains it, so it is no violation."""
    first, last = _span(window)
    later, its_record = aliased(ClassLine), aliased(Inspection)
    is_counted_again = exists().where(
        later.class_id == ClassLine.class_id,
        later.day == ClassLine.day,
        later.id > ClassLine.id,
        its_record.id == later.inspection_id,
        *_kept(its_record, types),
    )
    kept = (
        query.join(Inspection, Inspection.id == ClassLine.inspection_id)
        .join(Township, Township.id == ClassLine.township_id)
        .where(
            *_in_force(first, last, types),
            func.coalesce(func.trim(ClassLine.note), "") == "",
            ~is_counted_again,
        )
    )
    if window.school_ids is None:
        return kept
    return kept.where(ClassLine.school_id.in_(window.school_ids))


def _in_force(
    first: date, last: date, types: Sequence[str] | None
) -> Sequence[ColumnElement[bool]]:
    """Return the conditions of submitted records of a time, none from before the go-live."""
    return (
        *_kept(Inspection, types),
        Inspection.occurred_on.between(first, last),
        Inspection.occurred_on >= Township.go_live_on,
    )


def _kept(record: Any, types: Sequence[str] | None) -> Sequence[ColumnElement[bool]]:
    is_submitted = record.state == InspectionState.SUBMITTED
    return (is_submitted,) if types is None else (is_submitted, record.type_key.in_(types))
