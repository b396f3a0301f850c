"""Fill a county's year by SQL: a daily check of each school, counts and reports of classes."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Select,
    String,
    Table,
    and_,
    case,
    cast,
    exists,
    func,
    insert,
    literal,
    select,
    text,
)
from sqlalchemy.orm import Session

from app.base import registry
from app.cadence.obligation import settle
from app.cadence.school_day import class_days
from app.columns import UtcDateTime
from app.models import (
    AttendanceReport,
    Checklist,
    ChecklistVersion,
    Child,
    ClassLine,
    Inspection,
    InspectionState,
    Obligation,
    School,
    SchoolClass,
    SchoolYear,
)
from app.security.scope import table_of

ODD: Final = 97
"""Of so many counts one differs from the report, so that there is something to find."""


def fill(session: Session, as_of: date) -> dict[str, int]:
    """Write what is missing of the school year up to a day, with its obligations; count all."""
    year = session.execute(
        select(SchoolYear.starts_on).where(
            SchoolYear.starts_on <= as_of, SchoolYear.ends_on >= as_of
        )
    ).first()
    assert year is not None
    days = class_days(year.starts_on, as_of, SchoolClass.is_active.is_(True))
    made = {
        "inspection": _insert(session, Inspection, _checks(session, days)),
        "class_line": _insert(session, ClassLine, _lines(days)),
        "attendance_report": _insert(session, AttendanceReport, _reports(session, days)),
    }
    settle(session, as_of)
    made["obligation"] = session.scalar(select(func.count()).select_from(Obligation)) or 0
    session.execute(text("ANALYZE"))
    return made


def _insert(session: Session, model: type[Any], values: dict[str, Any]) -> int:
    """Insert rows; `where` and `source` of the values say of which."""
    table: Table = table_of(model)
    source, where = values.pop("source"), values.pop("where")
    at = literal(datetime(2026, 6, 15, tzinfo=UTC), UtcDateTime)
    stamps: dict[str, Any] = {"created_at": at, "changed_at": at, "row_version": literal(1)}
    columns: dict[str, Any] = {**values, **stamps}
    rows: Select[Any] = select(*columns.values()).select_from(source).where(*where)
    statement = insert(table).from_select(list(columns), rows, include_defaults=False)
    session.connection().execute(statement)
    return session.scalar(select(func.count()).select_from(table)) or 0


def _place(model: type[Any]) -> dict[str, Any]:
    key = model.id if model is School else model.school_id
    return {"county_id": model.county_id, "township_id": model.township_id, "school_id": key}


def _checks(session: Session, days: Any) -> dict[str, Any]:
    kind = next(one for one in registry.inspection_types() if one.self_inspection)
    of_school = (
        select(SchoolClass.school_id, days.c.day)
        .join(days, days.c.class_id == SchoolClass.id)
        .distinct()
        .subquery("of_school")
    )
    version = (
        select(func.max(ChecklistVersion.id))
        .join(Checklist, Checklist.id == ChecklistVersion.checklist_id)
        .where(Checklist.key == kind.checklist)
        .scalar_subquery()
    )
    held = exists().where(
        Inspection.school_id == School.id,
        Inspection.occurred_on == of_school.c.day,
        Inspection.type_key == kind.key,
    )
    return {
        **_place(School),
        "type_key": literal(kind.key),
        "checklist_version_id": version,
        "occurred_on": of_school.c.day,
        "state": literal(str(InspectionState.SUBMITTED)),
        "submitted_at": _instant(of_school.c.day, session),
        "captured_at": _instant(of_school.c.day, session),
        "confirmed_at": _instant(of_school.c.day, session),
        "is_backfilled": literal(False),
        "source": table_of(School).join(of_school, of_school.c.school_id == School.id),
        "where": [~held],
    }


def _lines(days: Any) -> dict[str, Any]:
    kind = next(one for one in registry.inspection_types() if one.self_inspection)
    held = exists().where(
        ClassLine.inspection_id == Inspection.id, ClassLine.class_id == SchoolClass.id
    )
    size = _size()
    return {
        **_place(SchoolClass),
        "inspection_id": Inspection.id,
        "class_id": SchoolClass.id,
        "day": days.c.day,
        "on_roll": size,
        "present": size - _oddity(Inspection.id + SchoolClass.id),
        "on_leave": literal(0),
        "unexplained": literal(0),
        "desks": size,
        "chairs": size,
        "is_drawn": literal(False),
        "is_agreed": literal(True),
        "source": table_of(Inspection)
        .join(SchoolClass, SchoolClass.school_id == Inspection.school_id)
        .join(days, and_(days.c.class_id == SchoolClass.id, days.c.day == Inspection.occurred_on)),
        "where": [Inspection.type_key == kind.key, ~held],
    }


def _reports(session: Session, days: Any) -> dict[str, Any]:
    held = exists().where(
        AttendanceReport.class_id == SchoolClass.id, AttendanceReport.day == days.c.day
    )
    size = _size()
    return {
        **_place(SchoolClass),
        "class_id": SchoolClass.id,
        "day": days.c.day,
        "on_roll": size,
        "present": size,
        "reported_at": _instant(days.c.day, session),
        "source": table_of(SchoolClass).join(days, days.c.class_id == SchoolClass.id),
        "where": [~held],
    }


def _size() -> ColumnElement[int]:
    return (
        select(func.count(Child.id))
        .where(Child.class_id == SchoolClass.id)
        .correlate(SchoolClass)
        .scalar_subquery()
    )


def _oddity(key: ColumnElement[int]) -> ColumnElement[int]:
    return case((key % ODD == 0, 1), else_=0)


def _instant(day: ColumnElement[date], session: Session) -> ColumnElement[Any]:
    """Return nine o'clock of a day in China, as the database keeps an instant."""
    said = cast(day, String)
    if session.get_bind().dialect.name == "sqlite":
        return said + literal(" 01:00:00.000000")
    return cast(said + literal(" 01:00:00+00"), DateTime(timezone=True))
