"""Select the leave 请假 that no paper and no call has carried in time after the return."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    Subquery,
    and_,
    case,
    cast,
    exists,
    func,
    or_,
    select,
)

from app.kit import (
    Absence,
    Child,
    Leave,
    SchoolClass,
    Settings,
    Township,
    Window,
    class_days,
    value_at,
)

PAPER_DAYS: Final = "core.leave_paper_days"
ON_LEAVE: Final = Absence.kind.in_(("sick_leave", "personal_leave"))


def is_bare() -> ColumnElement[bool]:
    """Tell whether a day of leave has neither a paper nor a recorded call to the guardian."""
    carried = exists().where(
        Leave.child_id == Absence.child_id,
        Leave.starts_on <= Absence.day,
        Leave.ends_on >= Absence.day,
        or_(Leave.evidence_set_id.is_not(None), Leave.called_on.is_not(None)),
    )
    return and_(
        ON_LEAVE,
        Absence.evidence_set_id.is_(None),
        Absence.contact_at.is_(None),
        Absence.contact_note.is_(None),
        ~carried,
    )


def without_paper(window: Window, _settings: Settings) -> Select[Any]:
    """Select the absences in a row with such days, whose papers can no longer come.

    The return is the first school day of the class after the row, whatever kinds of absence are in
    it. What began before the township's go-live is left alone, and so is a return after which the
    school year has fewer school days than the papers may take.
    """
    first, last = window.start, min(window.end, window.as_of)
    concerned = select(Child.class_id).join(Absence, Absence.child_id == Child.id)
    among = concerned.where(Absence.day.between(first, last), is_bare())
    days = class_days(first, last, SchoolClass.id.in_(among))
    row = _rows(days)
    known = (
        select(days.c.class_id, func.max(days.c.number).label("number"))
        .group_by(days.c.class_id)
        .subquery("known")
    )
    passed = known.c.number - (row.c.number + 1)
    limit = cast(value_at(PAPER_DAYS, row.c.since), Integer)
    return (
        select(
            row.c.child_id,
            row.c.school_id,
            row.c.township_id,
            row.c.since,
            row.c.until,
            row.c.bare.label("observed"),
            limit.label("required"),
        )
        .join(known, known.c.class_id == row.c.class_id)
        .join(Township, Township.id == row.c.township_id)
        .where(Township.go_live_on <= row.c.since, passed > limit)
    )


def _rows(days: Subquery) -> Subquery:
    """Return the absences in a row of each child, with the number of days without a paper."""
    place = func.row_number().over(partition_by=Absence.child_id, order_by=days.c.number)
    marked = (
        select(
            Absence.child_id,
            Absence.school_id,
            Absence.township_id,
            Absence.day,
            days.c.class_id,
            days.c.number,
            (days.c.number - place).label("stretch"),
            case((is_bare(), 1), else_=0).label("bare"),
        )
        .join(Child, Child.id == Absence.child_id)
        .join(days, and_(days.c.class_id == Child.class_id, days.c.day == Absence.day))
        .subquery("marked")
    )
    keys = [
        marked.c[name] for name in ("child_id", "class_id", "stretch", "school_id", "township_id")
    ]
    return (
        select(
            *keys,
            func.min(marked.c.day).label("since"),
            func.max(marked.c.day).label("until"),
            func.max(marked.c.number).label("number"),
            func.sum(marked.c.bare).label("bare"),
        )
        .group_by(*keys)
        .having(func.sum(marked.c.bare) > 0)
        .subquery("row")
    )
