"""Tell in which capacity people may take part in an inspection, and whether those named do."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask_babel import format_date
from flask_babel import gettext as _
from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from app.base import actor, registry
from app.models import (
    Appointment,
    AppointmentSchool,
    Inspection,
    InspectionParticipant,
    LiaisonAssignment,
)
from app.workflow.kind import Attendant, Kind, Unit


def capacities_of(session: Session, person_id: int, unit: Unit, day: date) -> frozenset[str]:
    """Return the capacities that a person held for a unit on a day."""
    in_force = or_(Appointment.valid_to.is_(None), Appointment.valid_to >= day)
    covers = or_(
        and_(Appointment.scope_kind == "county", Appointment.county_id == unit.county_id),
        and_(Appointment.scope_kind == "township", Appointment.township_id == unit.township_id),
    )
    if unit.school_id is not None:
        # An appointment to several schools names none itself: to a township it would seem to apply.
        listed = select(AppointmentSchool.appointment_id).where(
            AppointmentSchool.school_id == unit.school_id
        )
        of_school = or_(Appointment.school_id == unit.school_id, Appointment.id.in_(listed))
        covers = or_(covers, and_(Appointment.scope_kind == "schools", of_school))
    appointed = select(Appointment.capacity, Appointment.template).where(
        Appointment.person_id == person_id, Appointment.valid_from <= day, in_force, covers
    )
    held = {capacity or template for capacity, template in session.execute(appointed)}
    return frozenset(held | _assigned(session, person_id, unit, day))


def _assigned(session: Session, person_id: int, unit: Unit, day: date) -> set[str]:
    in_force = or_(LiaisonAssignment.valid_to.is_(None), LiaisonAssignment.valid_to >= day)
    kinds = registry.inspection_types()
    of_township = {kind.capacity for kind in kinds if kind.assigned == "township"}
    covers = or_(
        LiaisonAssignment.school_id == unit.school_id,
        LiaisonAssignment.school_id.is_(None),
        LiaisonAssignment.capacity.in_(of_township),
    )
    query = select(LiaisonAssignment.capacity).where(
        LiaisonAssignment.person_id == person_id,
        LiaisonAssignment.township_id == unit.township_id,
        LiaisonAssignment.valid_from <= day,
        in_force,
        covers,
    )
    return set(session.scalars(query))


def refusal_of_attendant(
    session: Session, attendant: Attendant, unit: Unit, day: date, words: Mapping[str, Any]
) -> str | None:
    """Return why a person cannot take part under a capacity; None where he can."""
    if attendant.capacity is None:
        return None
    if attendant.capacity in capacities_of(session, attendant.person_id, unit, day):
        return None
    return _(
        "%(capacity)s: not held for this unit on %(day)s.",
        capacity=str(words.get(attendant.capacity, attendant.capacity)),
        day=format_date(day),
    )


def refusal_of_participants(session: Session, inspection: Inspection, kind: Kind) -> str | None:
    """Return why the people named do not make this an inspection of its type."""
    # Whether the visit counts for a cadence is another matter: that asks for the type's capacity.
    inspecting = {kind.capacity, *kind.fill}
    if not any(part.capacity in inspecting for part in inspection.participants):
        return _("Nobody on the record takes part under the capacity that this inspection needs.")
    unit = Unit(inspection.county_id, inspection.township_id, inspection.school_id)

    def lacks(part: InspectionParticipant) -> bool:
        if part.capacity is None:
            return False
        held = capacities_of(session, part.person_id, unit, inspection.occurred_on)
        return part.capacity not in held

    lacking = [str(part.person) for part in inspection.participants if lacks(part)]
    if lacking:
        return _(
            "Not in that office on %(day)s: %(people)s",
            day=format_date(inspection.occurred_on),
            people=_(", ").join(lacking),
        )
    return None


def own_participation(inspection: Inspection) -> InspectionParticipant | None:
    """Return the participation of the acting person, None where he was not there."""
    person_id = actor.get().person_id
    parts = (part for part in inspection.participants if part.person_id == person_id)
    return next(parts, None) if person_id is not None else None
