"""Give and end offices: who may act under which template, over what, and from when to when."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from flask import g, has_request_context
from flask_babel import gettext as _
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from app import clock
from app.base import Refused
from app.models import Appointment, AppointmentSchool, County, Person, School, Township
from app.security.roles import TEMPLATES, RoleTemplate, role_for

APART = frozenset({"audit_administrator"})
"""Duties that nobody holds beside another duty: who reads the trail must not be in it."""


@dataclass(frozen=True, slots=True)
class Office:
    """A template with its place and dates: what one or several people are appointed to."""

    template: RoleTemplate
    townships: tuple[Township, ...] = ()
    schools: tuple[School, ...] = ()
    valid_from: date | None = None
    valid_to: date | None = None
    title: str | None = None
    acting_for: Person | None = None
    """Whose office it is, while somebody else holds it for a time 代理."""


def configure(session: Session, template: str, townships: Sequence[Township]) -> int:
    """Make the roles of a template in townships, or the county's one; return how many there are.

    Making them again changes nothing.
    """
    for township in townships:
        role_for(session, template, township.id, township.name)
    if not townships:
        role_for(session, template)
    return len(townships) or 1


def appoint(session: Session, person: Person, office: Office) -> list[Appointment]:
    """Appoint a person; refuse himself, duties that must stay apart, and places that do not fit."""
    _refuse_self(person)
    _refuse_joined_duties(session, person, office.template)
    rows = list(_rows(session, person, office))
    _refuse_doubles(session, person, rows)
    if office.acting_for is not None:
        _stand_in(session, person, office.acting_for, rows)
    session.add_all(rows)
    session.flush()
    return rows


def end(appointment: Appointment, day: date | None = None) -> None:
    """End an appointment with the day before, so that it no longer acts today."""
    _refuse_self(appointment.person)
    appointment.valid_to = (day or clock.today()) - timedelta(days=1)


def _refuse_self(person: Person) -> None:
    holder = g.get("holder") if has_request_context() else None
    if holder is not None and holder.person_id == person.id:
        raise Refused(_("Nobody changes his own appointments or his own account here."))


def _refuse_joined_duties(session: Session, person: Person, template: RoleTemplate) -> None:
    if not template.is_duty or person.id is None:
        return
    held = set(session.scalars(select(Appointment.template).where(*_in_force(person))))
    duties = {key for key in held if key in TEMPLATES and TEMPLATES[key].is_duty}
    if any(APART & {key, template.key} for key in duties - {template.key}):
        raise Refused(_("The audit administrator holds no other administrator's office."))


def _refuse_doubles(session: Session, person: Person, rows: list[Appointment]) -> None:
    if person.id is None:
        return
    for held in session.scalars(select(Appointment).where(*_in_force(person))):
        for row in rows:
            if _place_of(held) == _place_of(row):
                raise Refused(_("%(person)s holds this office already.", person=person.name))


def _stand_in(session: Session, person: Person, absent: Person, rows: list[Appointment]) -> None:
    """Tie new offices to those that somebody acts for; refuse what has no end or no office."""
    if absent.id == person.id:
        raise Refused(_("Nobody acts for himself."))
    held = session.scalars(
        select(Appointment)
        .where(Appointment.person_id == absent.id, Appointment.acting_for_id.is_(None))
        .order_by(Appointment.id)
    ).all()
    for row in rows:
        if row.valid_to is None:
            raise Refused(_("Say until when: somebody acts for another for a time only."))
        own = (one for one in held if _place_of(one) == _place_of(row) and _overlap(one, row))
        row.acting_for = next(own, None)
        if row.acting_for is None:
            raise Refused(_("%(person)s does not hold this office then.", person=absent.name))


def _overlap(held: Appointment, row: Appointment) -> bool:
    begins_in_time = row.valid_to is None or held.valid_from <= row.valid_to
    return begins_in_time and (held.valid_to is None or held.valid_to >= row.valid_from)


def _place_of(row: Appointment) -> tuple[str, int | None, int | None, frozenset[int | None]]:
    """Return what makes an office the same: its template, and all the places it covers."""
    schools = frozenset(one.school_id for one in row.schools)
    return row.template, row.township_id, row.school_id, schools


def _in_force(person: Person) -> tuple[ColumnElement[bool], ...]:
    still = or_(Appointment.valid_to.is_(None), Appointment.valid_to >= clock.today())
    return Appointment.person_id == person.id, still


def _rows(session: Session, person: Person, office: Office) -> Iterator[Appointment]:
    kind = office.template.scope_kind
    if kind == "township":
        if not office.townships or office.schools:
            raise Refused(_("This role needs townships."))
        for township in office.townships:
            yield _row(session, person, office, township=township)
    elif kind == "schools":
        if not office.schools:
            raise Refused(_("This role needs schools."))
        yield _row(session, person, office, schools=office.schools)
    elif office.townships or office.schools:
        raise Refused(_("This role covers all townships: leave townships and schools empty."))
    else:
        yield _row(session, person, office)


def _row(
    session: Session,
    person: Person,
    office: Office,
    *,
    township: Township | None = None,
    schools: Sequence[School] = (),
) -> Appointment:
    place = township or (session.get(Township, schools[0].township_id) if schools else None)
    template = office.template
    role = role_for(session, template.key, place.id if place else None, place.name if place else "")
    row = Appointment(
        person_id=person.id,
        county_id=place.county_id if place else session.scalar(select(County.id).limit(1)),
        township_id=place.id if place else None,
        school_id=schools[0].id if len(schools) == 1 else None,
        template=template.key,
        capacity=template.capacity,
        scope_kind=template.scope_kind,
        role_id=role.id,
        title=office.title or None,
        valid_from=office.valid_from or clock.today(),
        valid_to=office.valid_to,
    )
    if len(schools) > 1:
        row.schools = [
            AppointmentSchool(
                county_id=one.county_id, township_id=one.township_id, school_id=one.id
            )
            for one in schools
        ]
    return row
