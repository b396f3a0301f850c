"""Open, submit, confirm and correct inspections."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from flask_babel import format_date
from flask_babel import gettext as _
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app import clock
from app.base import Refused, actor, registry
from app.files.evidence import remove_sets
from app.models import (
    Appointment,
    Checklist,
    ChecklistVersion,
    DailyMode,
    Inspection,
    InspectionParticipant,
    InspectionState,
    School,
    Township,
)
from app.workflow import late, review
from app.workflow.capacity import own_participation, refusal_of_participants
from app.workflow.draw import add_class_lines, asks_for_classes
from app.workflow.finding import findings_from
from app.workflow.kind import Attendant, Kind, Unit
from app.workflow.party import SCHOOL_SIDE
from app.workflow.visit_day import refusal_of_school_day

EARLIEST = date(2000, 1, 1)


def refusal_of_day(day: date, place: School | Township | None) -> str | None:
    """Return why an inspection cannot have happened on a day; None where it can."""
    if day > clock.today():
        return _("The day lies in the future. Record an inspection after it took place.")
    if day < EARLIEST:
        return _("The day lies too far back.")
    if isinstance(place, School):
        if place.opened_on and day < place.opened_on:
            return _("The school was not open yet on that day.")
        if place.closed_on and day > place.closed_on:
            return _("The school was closed on that day.")
    return None


def version_on(session: Session, checklist: str, day: date) -> ChecklistVersion | None:
    """Return the version of a checklist that is in force on a day."""
    return session.scalars(
        select(ChecklistVersion)
        .join(Checklist, Checklist.id == ChecklistVersion.checklist_id)
        .where(
            Checklist.key == checklist,
            ChecklistVersion.valid_from <= day,
            or_(ChecklistVersion.valid_to.is_(None), ChecklistVersion.valid_to >= day),
        )
        .order_by(ChecklistVersion.valid_from.desc(), ChecklistVersion.number.desc())
        .limit(1)
    ).first()


def open_draft(
    session: Session,
    kind: Kind,
    place: School | Township,
    day: date,
    attendants: Sequence[Attendant],
    theme: str | None = None,
) -> Inspection:
    """Open the record of an inspection; its checklist version and drawn classes stay with it."""
    reason = refusal_of_day(day, place)
    if reason is None and isinstance(place, School):
        reason = refusal_of_school_day(session, place, day)
    if reason:
        raise Refused(reason)
    version = version_on(session, kind.checklist, day)
    if version is None:
        raise Refused(
            _("No version of the checklist was in force on %(day)s.", day=format_date(day))
        )
    unit = Unit.of(place)
    inspection = kind.model(
        type_key=kind.key,
        checklist_version_id=version.id,
        occurred_on=day,
        state=InspectionState.DRAFT,
        theme=theme,
        captured_at=clock.now(),
        **unit.columns(),
    )
    for attendant in attendants:
        participant = InspectionParticipant(
            person_id=attendant.person_id, capacity=attendant.capacity, **unit.columns()
        )
        inspection.participants.append(participant)
    session.add(inspection)
    session.flush()
    if unit.school_id is not None and asks_for_classes(session, version):
        add_class_lines(session, inspection, kind)
    review.draw(session, inspection)
    return inspection


def own_draft(
    session: Session, kind: Kind, place: School | Township, day: date
) -> Inspection | None:
    """Return the draft of the same type, place and day that the acting account left open."""
    unit = Unit.of(place)
    return session.scalars(
        select(Inspection)
        .where(
            Inspection.type_key == kind.key,
            Inspection.occurred_on == day,
            Inspection.state == InspectionState.DRAFT,
            Inspection.township_id == unit.township_id,
            Inspection.school_id.is_not_distinct_from(unit.school_id),
            Inspection.created_by_id == actor.get().user_id,
        )
        .order_by(Inspection.id)
        .limit(1)
    ).first()


def submit(session: Session, inspection: Inspection, kind: Kind) -> None:
    """Submit a record whose form is complete; what failed becomes findings."""
    if inspection.state != InspectionState.DRAFT:
        raise Refused(_("The record was submitted already."))
    reason = refusal_of_participants(session, inspection, kind)
    if reason:
        raise Refused(reason)
    inspection.state = InspectionState.SUBMITTED
    inspection.submitted_at = clock.now()
    inspection.submitted_by_id = actor.get().person_id
    own = own_participation(inspection)
    if own is not None:
        _confirm(inspection, own, counts=_counts(session, inspection))
    findings_from(session, inspection)


def refusal_of_discard(inspection: Inspection) -> str | None:
    """Return why the acting person cannot take a draft back; None where he can."""
    kind = registry.inspection_type(inspection.type_key)
    if inspection.state != InspectionState.DRAFT:
        return _("Only a draft can be discarded; a submitted record is corrected.")
    if kind is None or kind.self_inspection:
        return _("The school's record of the day stays; it closes by itself.")
    is_own = actor.get().user_id is not None and inspection.created_by_id == actor.get().user_id
    if not is_own and own_participation(inspection) is None:
        return _("Whoever opened the draft, or takes part in it, discards it.")
    return None


def discard(session: Session, inspection: Inspection) -> None:
    """Take back a draft that was opened by mistake, with its files; the audit keeps what it said.

    Discarding draws no new classes: opened again, the record of the day has the same ones.
    """
    reason = refusal_of_discard(inspection)
    if reason:
        raise Refused(reason)
    held = {inspection.evidence_set_id, *(one.evidence_set_id for one in inspection.answers)}
    for drawn in review.drawn_for(session, inspection):
        session.delete(drawn.review)
    session.delete(inspection)
    session.flush()
    remove_sets(session, held)


def awaits_parent(inspection: Inspection) -> bool:
    """Tell whether the check of a teaching point 教学点 counts by its parent school's word only."""
    return _point_of(inspection) is not None


def _point_of(inspection: Inspection) -> School | None:
    """Return the teaching point that checked itself, where its parent school answers for it."""
    kind, school = registry.inspection_type(inspection.type_key), inspection.school
    if kind is None or not kind.self_inspection or school is None or school.parent_id is None:
        return None
    return school if school.daily_mode == DailyMode.WITH_PARENT else None


def may_sign(session: Session, inspection: Inspection) -> bool:
    """Tell whether the acting person may sign 到校签收 for the inspected school.

    For a teaching point that checks with its parent school, the parent's leader signs.
    """
    own = session.get(Appointment, actor.get().appointment_id or 0)
    if own is None or own.template not in SCHOOL_SIDE or inspection.school_id is None:
        return False
    covered = {row.school_id for row in own.schools} | {own.school_id}
    kind, point = registry.inspection_type(inspection.type_key), _point_of(inspection)
    if kind is not None and point is not None:
        return own.capacity == kind.capacity and point.parent_id in covered
    return inspection.school_id in covered


def refusal_of_confirmation(session: Session, inspection: Inspection) -> str | None:
    """Return why the acting person cannot confirm the inspection; None where he can."""
    if inspection.state != InspectionState.SUBMITTED:
        return _("Only a submitted record can be confirmed.")
    own, signs = own_participation(inspection), may_sign(session, inspection)
    if own is None and not signs:
        if awaits_parent(inspection):
            return _("A leader of the parent school confirms the check of its teaching point.")
        return _("A participant confirms, or the inspected school signs.")
    has_signed = inspection.confirmed_at is not None
    if own is not None and own.confirmed_at is not None and (has_signed or not signs):
        return _("You confirmed this inspection already.")
    if own is None and has_signed:
        return _("This inspection is confirmed already.")
    kind, point = registry.inspection_type(inspection.type_key), _point_of(inspection)
    if signs and kind is not None and point is not None:
        return late.refusal_of_entry(session, kind, point, inspection.occurred_on)
    return None


def signed_by_school(inspection: Inspection) -> bool:
    """Tell whether the school signed 到校签收: who took part confirms for himself only."""
    parts = {part.person_id for part in inspection.participants}
    return inspection.confirmed_at is not None and inspection.confirmed_by_id not in parts


def confirm(session: Session, inspection: Inspection) -> None:
    """Confirm that the inspection took place: by the school, or by a participant's own login."""
    reason = refusal_of_confirmation(session, inspection)
    if reason:
        raise Refused(reason)
    own = own_participation(inspection)
    _confirm(inspection, own, counts=_counts(session, inspection))


def _counts(session: Session, inspection: Inspection) -> bool:
    return not awaits_parent(inspection) or may_sign(session, inspection)


def _confirm(inspection: Inspection, own: InspectionParticipant | None, *, counts: bool) -> None:
    now = clock.now()
    if own is not None:
        own.confirmed_at = now
    if inspection.confirmed_at is None and counts:
        inspection.confirmed_at = now
        inspection.confirmed_by_id = actor.get().person_id


def correct(session: Session, inspection: Inspection, reason: str) -> None:
    """Correct a submitted record with a reason; its findings follow the answers as they are now."""
    if inspection.state != InspectionState.SUBMITTED:
        raise Refused(_("A draft is edited, not corrected."))
    if not reason.strip():
        raise Refused(_("Say why the record is corrected."))
    inspection.corrected_at = clock.now()
    inspection.correction_reason = reason.strip()
    findings_from(session, inspection)
