"""Keep the school leader's one record of the day, and let him accept the class reports."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.base import Refused, actor
from app.models import Inspection, InspectionParticipant, InspectionState, School
from app.workflow import late
from app.workflow.attendance import count_absences, reports_of
from app.workflow.inspection import open_draft
from app.workflow.kind import Attendant, Kind, Unit


def daily_record(
    session: Session, kind: Kind, school: School, day: date, attendant: Attendant
) -> Inspection:
    """Return the school's one record of the day, opened by whoever comes first.

    A day too far back needs an approval; a record that lapsed is open again.
    """
    reason = late.refusal_of_entry(session, kind, school, day)
    if reason:
        raise Refused(reason)
    # The row lock keeps two leaders from opening two records; SQLite serialises writers anyway.
    session.execute(select(School.id).where(School.id == school.id).with_for_update())
    found = session.scalars(
        select(kind.model).where(kind.model.school_id == school.id, kind.model.occurred_on == day)
    ).first()
    if found is None:
        return open_draft(session, kind, school, day, [attendant])
    if found.state == InspectionState.LAPSED:
        found.state = InspectionState.DRAFT
    is_new = all(part.person_id != attendant.person_id for part in found.participants)
    if is_new and found.state == InspectionState.DRAFT:
        participant = InspectionParticipant(
            person_id=attendant.person_id,
            capacity=attendant.capacity,
            **Unit.of(school).columns(),
        )
        found.participants.append(participant)
        session.flush()
    return found


def agree(session: Session, inspection: Inspection, classes: Iterable[int] | None = None) -> int:
    """Accept the reports as they stand 全部一致; return how many classes that covers.

    Only reported classes can be accepted, and never a drawn one: its number is counted.
    """
    wanted = None if classes is None else set(classes)
    reports = reports_of(session, inspection)
    accepted = 0
    for line in inspection.class_lines:
        report = reports.get(line.class_id)
        is_open = line.checked_at is None and not line.is_drawn
        if report is None or not is_open or (wanted is not None and line.class_id not in wanted):
            continue
        line.on_roll, line.present = report.on_roll, report.present
        line.is_agreed = True
        line.checked_by_id = actor.get().person_id
        line.checked_at = clock.now()
        accepted += 1
    if not accepted:
        raise Refused(_("No class with a report waits for your check."))
    count_absences(session, [inspection])
    session.flush()
    return accepted
