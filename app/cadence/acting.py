"""Tell which schools are checked too often by somebody who acts for its leaders (代理)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, select
from sqlalchemy.orm import Session

from app.base import registry
from app.models import (
    Appointment,
    AppointmentSchool,
    Inspection,
    InspectionParticipant,
    InspectionState,
    School,
    Township,
)
from app.parameters.value import number_on
from app.security.guard import current_scope, unrestricted

LIMIT: Final = "core.acting_share_percent"


@dataclass(frozen=True, slots=True)
class ActingShare:
    """The checks of a school, and how many of them were made by people who only act."""

    township: str
    school: str
    checks: int
    acting: int

    @property
    def percent(self) -> int:
        """Return the share of those who act."""
        return round(100 * self.acting / self.checks)


def acting_shares(
    session: Session, first: date, last: date
) -> tuple[int | None, list[ActingShare]]:
    """Return the limit in percent, and the schools in the reader's scope that lie above it."""
    limit = number_on(session, LIMIT, last)
    own = [kind for kind in registry.inspection_types() if kind.self_inspection]
    if limit is None or not own:
        return limit, []
    rows = current_scope().narrow(_counted([kind.key for kind in own], first, last)).subquery()
    query = (
        select(Township.name, School.name, rows.c.checks, rows.c.acting)
        .join(Township, Township.id == rows.c.township_id)
        .join(School, School.id == rows.c.school_id)
        .where(100 * rows.c.acting > limit * rows.c.checks)
        .order_by(Township.position, School.name)
    )
    with unrestricted():
        return limit, [ActingShare(*row) for row in session.execute(query)]


def _counted(types: list[str], first: date, last: date) -> Select[Any]:
    """Select the submitted checks of each school, and those in which nobody holds the office."""
    is_acting = and_(_holds(is_acting=True), ~_holds(is_acting=False))
    counted: Any = (
        select(
            Inspection.township_id,
            Inspection.school_id,
            func.count().label("checks"),
            func.sum(case((is_acting, 1), else_=0)).label("acting"),
        )
        .where(
            Inspection.type_key.in_(types),
            Inspection.state == InspectionState.SUBMITTED,
            Inspection.occurred_on.between(first, last),
            Inspection.school_id.is_not(None),
        )
        .group_by(Inspection.township_id, Inspection.school_id)
    )
    return counted


def _holds(*, is_acting: bool) -> ColumnElement[bool]:
    """Tell whether a participant held the office on the day: for somebody else, or as his own."""
    part, held = InspectionParticipant, Appointment
    listed = (
        exists()
        .where(
            AppointmentSchool.appointment_id == held.id,
            AppointmentSchool.school_id == Inspection.school_id,
        )
        .correlate_except(AppointmentSchool)
    )
    found = exists().where(
        part.inspection_id == Inspection.id,
        held.person_id == part.person_id,
        func.coalesce(held.capacity, held.template) == part.capacity,
        held.acting_for_id.is_not(None) if is_acting else held.acting_for_id.is_(None),
        held.valid_from <= Inspection.occurred_on,
        or_(held.valid_to.is_(None), held.valid_to >= Inspection.occurred_on),
        or_(held.school_id == Inspection.school_id, listed),
    )
    return found.correlate_except(part, held)
