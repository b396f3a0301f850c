"""Take the class teachers' attendance reports 班级考勤: who of a class is away today, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from flask_babel import gettext as _
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app import clock
from app.base import Refused, actor, registry
from app.models import (
    Absence,
    AttendanceReport,
    Child,
    ChildStatus,
    ClassLine,
    Inspection,
    InspectionState,
    SchoolClass,
)

LEAVE_KINDS = ("sick_leave", "personal_leave")
UNEXPLAINED = "unexplained"
KINDS = (*LEAVE_KINDS, "pending", UNEXPLAINED)


@dataclass(frozen=True, slots=True)
class Away:
    """A child that is away, the kind of absence, and what the guardian said."""

    child_id: int
    kind: str
    contact_note: str | None = None


def on_roll(session: Session, school_class: SchoolClass, without: Sequence[int] = ()) -> int:
    """Return how many children are on the list of a class, some of them left out."""
    counted = (
        select(func.count(Child.id))
        .join(ChildStatus, ChildStatus.id == Child.status_id)
        .where(Child.class_id == school_class.id, ChildStatus.is_enrolled, Child.id.not_in(without))
    )
    return session.scalar(counted) or 0


def report_of(session: Session, school_class: SchoolClass, day: date) -> AttendanceReport | None:
    """Return the report of a class on a day."""
    query = select(AttendanceReport).where(
        AttendanceReport.class_id == school_class.id, AttendanceReport.day == day
    )
    return session.scalars(query).first()


def absences_of(session: Session, school_class: SchoolClass, day: date) -> list[Absence]:
    """Return who of a class is away on a day."""
    query = select(Absence).where(Absence.class_id == school_class.id, Absence.day == day)
    return list(session.scalars(query.order_by(Absence.id)))


def uncounted(day: date) -> Select[int]:
    """Select the classes drawn for the hidden count of a day that nobody has counted yet."""
    keys = [kind.key for kind in registry.inspection_types() if kind.self_inspection]
    return (
        select(ClassLine.class_id)
        .join(Inspection, Inspection.id == ClassLine.inspection_id)
        .where(
            Inspection.type_key.in_(keys),
            Inspection.state == InspectionState.DRAFT,
            ClassLine.day == day,
            ClassLine.is_drawn,
            ClassLine.checked_at.is_(None),
        )
    )


def count_absences(session: Session, inspections: Sequence[Inspection]) -> None:
    """Take leave and unexplained absence of each class line from the class teachers' reports."""
    lines = [line for inspection in inspections for line in inspection.class_lines]
    counted = (
        select(Absence.class_id, Absence.day, Absence.kind, func.count(Absence.id))
        .where(
            Absence.class_id.in_({line.class_id for line in lines}),
            Absence.day.in_({line.day for line in lines}),
        )
        .group_by(Absence.class_id, Absence.day, Absence.kind)
    )
    numbers = {(row[0], row[1], row[2]): row[3] for row in session.execute(counted)}
    for line in lines:
        place = line.class_id, line.day
        line.on_leave = sum(numbers.get((*place, kind), 0) for kind in LEAVE_KINDS)
        line.unexplained = numbers.get((*place, UNEXPLAINED), 0)


def reports_of(session: Session, inspection: Inspection) -> Mapping[int, AttendanceReport]:
    """Return the class teachers' reports of the day, by class."""
    classes = [line.class_id for line in inspection.class_lines]
    query = select(AttendanceReport).where(
        AttendanceReport.class_id.in_(classes), AttendanceReport.day == inspection.occurred_on
    )
    return {report.class_id: report for report in session.scalars(query)}


def refusal_of(away: Away) -> str | None:
    """Return why an absence cannot be recorded so; None where it can."""
    if away.kind not in KINDS:
        return _("Choose the kind of absence.")
    if away.kind == UNEXPLAINED and not away.contact_note:
        return _(
            "An absence is unexplained only after the guardian was contacted today: write down "
            "whom you reached or tried to reach, and the answer."
        )
    return None


def report(
    session: Session, school_class: SchoolClass, day: date, aways: Sequence[Away]
) -> list[Absence]:
    """Store the report of today, or correct it; return the absences in the order given."""
    if day != clock.today():
        raise Refused(_("Attendance is reported and corrected on the day itself."))
    for away in aways:
        reason = refusal_of(away)
        if reason:
            raise Refused(reason)
    if len({away.child_id for away in aways}) < len(aways):
        raise Refused(_("A child is named twice."))
    stored = _stored(session, school_class, day, aways)
    named = {away.child_id for away in aways}
    for child_id, absence in stored.items():
        if child_id not in named:
            session.delete(absence)
    session.flush()
    absences = [_absence(session, school_class, day, away, stored) for away in aways]
    _store_report(session, school_class, day, aways)
    session.flush()
    return absences


def _stored(
    session: Session, school_class: SchoolClass, day: date, aways: Sequence[Away]
) -> dict[int, Absence]:
    """Return the day's absences of the class, and those of a child who came from another one."""
    rows = absences_of(session, school_class, day)
    moved = select(Absence).where(
        Absence.day == day, Absence.child_id.in_([away.child_id for away in aways])
    )
    return {row.child_id: row for row in (*rows, *session.scalars(moved))}


def _absence(
    session: Session,
    school_class: SchoolClass,
    day: date,
    away: Away,
    stored: dict[int, Absence],
) -> Absence:
    absence = stored.get(away.child_id)
    if absence is None:
        absence = Absence(child_id=away.child_id, day=day, **_scope(school_class))
    absence.class_id = school_class.id
    absence.kind = away.kind
    if away.contact_note and absence.contact_note != away.contact_note:
        absence.contact_at = clock.now()
    absence.contact_note = away.contact_note
    session.add(absence)
    return absence


def _store_report(
    session: Session, school_class: SchoolClass, day: date, aways: Sequence[Away]
) -> None:
    """Count who is there among the children on the list: others are not counted as away."""
    row = report_of(session, school_class, day)
    if row is None:
        row = AttendanceReport(class_id=school_class.id, day=day, **_scope(school_class))
    row.on_roll = on_roll(session, school_class)
    row.present = on_roll(session, school_class, [away.child_id for away in aways])
    row.reported_by_id = actor.get().person_id
    row.reported_at = clock.now()
    session.add(row)


def _scope(school_class: SchoolClass) -> dict[str, int | None]:
    return {
        "county_id": school_class.county_id,
        "township_id": school_class.township_id,
        "school_id": school_class.school_id,
    }
