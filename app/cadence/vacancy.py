"""Tell where nobody held an office for too many school days of a period (人员调整)."""

from __future__ import annotations

from datetime import date

from sqlalchemy import ColumnElement, and_, case, exists, false, func, or_, select
from sqlalchemy.sql.selectable import CTE

from app.base import registry
from app.cadence.judge import VACANCY, Judge
from app.models import Appointment, AppointmentSchool, LiaisonAssignment, Obligation


def is_vacant(judge: Judge, days: CTE) -> ColumnElement[bool]:
    """Tell whether nobody held the capacity on too many school days of the period (人员调整)."""
    nobody = (
        select(func.count())
        .select_from(days)
        .where(
            days.c.day.between(Obligation.period_start, Obligation.period_end),
            days.c.is_school_day,
            ~_is_assigned(days.c.day),
            ~_is_appointed(days.c.day),
        )
        .correlate(Obligation)
        .scalar_subquery()
    )
    limits = {
        kind.key: int(judge.parameters.on(VACANCY[kind.cadence.every], judge.as_of) or 0)
        for kind in registry.inspection_types()
        if kind.cadence.every in VACANCY
    }
    if not any(limits.values()):
        return false()
    limit = case({key: value for key, value in limits.items() if value}, value=Obligation.type_key)
    return and_(limit.is_not(None), nobody >= limit)


def _is_assigned(day: ColumnElement[date]) -> ColumnElement[bool]:
    kinds = registry.inspection_types()
    of_township = [kind.capacity for kind in kinds if kind.assigned == "township"]
    held = LiaisonAssignment
    found = exists().where(
        held.capacity == Obligation.capacity,
        held.township_id == Obligation.township_id,
        or_(
            held.school_id == Obligation.school_id,
            held.school_id.is_(None),
            held.capacity.in_(of_township),
        ),
        held.valid_from <= day,
        or_(held.valid_to.is_(None), held.valid_to >= day),
    )
    return found.correlate_except(held)


def _is_appointed(day: ColumnElement[date]) -> ColumnElement[bool]:
    held = Appointment
    listed = (
        exists()
        .where(
            AppointmentSchool.appointment_id == held.id,
            AppointmentSchool.school_id == Obligation.school_id,
        )
        .correlate_except(AppointmentSchool)
    )
    covers = or_(
        and_(held.scope_kind == "county", held.county_id == Obligation.county_id),
        and_(held.scope_kind == "township", held.township_id == Obligation.township_id),
        and_(held.scope_kind == "schools", or_(held.school_id == Obligation.school_id, listed)),
    )
    found = exists().where(
        func.coalesce(held.capacity, held.template) == Obligation.capacity,
        held.valid_from <= day,
        or_(held.valid_to.is_(None), held.valid_to >= day),
        covers,
    )
    return found.correlate_except(held)
