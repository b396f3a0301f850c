"""Select children by their absences on school days: days in a row, days among the last ones."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import aliased

from app.kit import (
    Absence,
    AttendanceReport,
    Child,
    Leave,
    SchoolClass,
    Settings,
    Window,
    class_days,
)

LOOKBACK: Final = timedelta(days=150)
"""Long enough for the longest limit with the summer vacation inside."""
UNEXPLAINED: Final = Absence.kind == "unexplained"
PENDING: Final = "pending"


def _in_window(window: Window) -> ColumnElement[bool]:
    return Absence.day.between(window.as_of - LOOKBACK, window.as_of)


def _days(window: Window, condition: ColumnElement[bool], name: str = "class_day") -> Any:
    """Return the school days of the classes in which somebody was away so."""
    concerned = select(Child.class_id).join(Absence, Absence.child_id == Child.id)
    among = SchoolClass.id.in_(concerned.where(_in_window(window), condition))
    return class_days(window.as_of - LOOKBACK, window.as_of, among, name=name)


def in_a_row(
    window: Window, condition: ColumnElement[bool], least: int, name: str = "class_day"
) -> Select:
    """Select children away so on at least so many school days in a row, and not seen since.

    The calendar of the child's present class says which days are school days. A day on which the
    class was not reported since then ends nothing; a day on which the child was there, or was away
    for another reason, does. Two such selects in one statement need a `name` each.
    """
    days = _days(window, condition, name)
    place = func.row_number().over(partition_by=Absence.child_id, order_by=days.c.number)
    marked = (
        select(Absence.child_id, Absence.day, (days.c.number - place).label("stretch"))
        .join(Child, Child.id == Absence.child_id)
        .join(days, and_(days.c.class_id == Child.class_id, days.c.day == Absence.day))
        .where(_in_window(window), condition)
        .subquery()
    )
    stretch = (
        select(
            marked.c.child_id,
            func.min(marked.c.day).label("since"),
            func.max(marked.c.day).label("until"),
            func.count().label("observed"),
        )
        .group_by(marked.c.child_id, marked.c.stretch)
        .having(func.count() >= least)
        .subquery()
    )
    return (
        select(stretch.c.child_id, stretch.c.since, stretch.c.observed)
        .join(Child, Child.id == stretch.c.child_id)
        .where(~_ended(window, stretch))
    )


def _ended(window: Window, stretch: Any) -> ColumnElement[bool]:
    """Tell whether the child was seen, or was away for another reason, after a stretch."""
    later, waiting = aliased(Absence), aliased(Absence)
    # Named: from two levels down, the stretch would be taken for a table of the inner query.
    is_waiting = (
        exists()
        .where(
            waiting.child_id == stretch.c.child_id,
            waiting.day == AttendanceReport.day,
            waiting.kind == PENDING,
        )
        .correlate(AttendanceReport, stretch)
    )
    was_there = exists().where(
        AttendanceReport.class_id == Child.class_id,
        AttendanceReport.day > stretch.c.until,
        AttendanceReport.day <= window.as_of,
        ~is_waiting,
    )
    is_away_otherwise = exists().where(
        later.child_id == stretch.c.child_id,
        later.day > stretch.c.until,
        later.day <= window.as_of,
        later.kind != PENDING,
    )
    return or_(was_there, is_away_otherwise)


def among_the_last(window: Window, least: int, span: int) -> Select:
    """Select children with so many unexplained absences among the last school days."""
    days = _days(window, UNEXPLAINED)
    return (
        select(
            Absence.child_id,
            func.min(Absence.day).label("since"),
            func.count().label("observed"),
        )
        .join(Child, Child.id == Absence.child_id)
        .join(days, and_(days.c.class_id == Child.class_id, days.c.day == Absence.day))
        .where(_in_window(window), UNEXPLAINED, days.c.from_end <= span)
        .group_by(Absence.child_id)
        .having(func.count() >= least)
    )


def suspected(window: Window, settings: Settings) -> Select:
    """Select children without explanation on too many school days in a row."""
    return in_a_row(window, UNEXPLAINED, int(settings.suspected_absence_days))


def to_determine(window: Window, settings: Settings) -> Select:
    """Select children whose absence has lasted so long that dropping out must be determined."""
    return in_a_row(window, UNEXPLAINED, int(settings.determination_days))


def often_away(window: Window, settings: Settings) -> Select:
    """Select children with many unexplained absences among the last school days."""
    return among_the_last(window, int(settings.at_risk_absences), int(settings.at_risk_window_days))


def long_personal_leave(window: Window, settings: Settings) -> Select:
    """Select children on personal leave 事假 for more school days in a row than are allowed."""
    condition = Absence.kind == "personal_leave"
    return in_a_row(window, condition, int(settings.personal_leave_days) + 1, "personal_leave_day")


def long_sick_leave(window: Window, settings: Settings) -> Select:
    """Select children long on sick leave 病假 without a hospital's paper."""
    paper = exists().where(
        Leave.child_id == Absence.child_id,
        Leave.starts_on <= Absence.day,
        Leave.ends_on >= Absence.day,
        Leave.evidence_set_id.is_not(None),
    )
    condition = and_(Absence.kind == "sick_leave", Absence.evidence_set_id.is_(None), ~paper)
    return in_a_row(window, condition, int(settings.sick_leave_days) + 1, "sick_leave_day")
