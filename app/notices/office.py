"""Find who holds an office over a place on a day: the offices that can be told of something."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from flask_appbuilder.security.sqla.models import User
from sqlalchemy import Connection, Row, and_, or_, select
from sqlalchemy.orm import Session

from app.models import (
    Appointment,
    AppointmentSchool,
    DailyMode,
    LiaisonAssignment,
    Person,
    School,
)
from app.notices.ladder import Rung
from app.security.holder import templates_with
from app.security.scope import table_of

_held = table_of(Appointment)
_person = table_of(Person)
_user = table_of(User)
_listed = table_of(AppointmentSchool)
_liaison = table_of(LiaisonAssignment)
_school = table_of(School)
Place = tuple[str, int]


class Placed(Protocol):
    """A thing that lies at a school, in a township, in a county."""

    county_id: int
    township_id: int
    school_id: int | None


@dataclass(frozen=True, slots=True)
class Office:
    """An appointment that holds on the day and whose holder can sign in."""

    id: int
    person_id: int
    role: str
    title: str | None
    acting_for_id: int | None = None


@dataclass(frozen=True, slots=True)
class Offices:
    """Hold the offices of a day by the places that they cover."""

    at: Mapping[Place, tuple[Office, ...]]

    def on(self, rung: Rung, thing: Placed, person_id: int | None) -> list[Office]:
        """Return the offices of a rung over a thing, without those in whose place others act."""
        found = [one for one in self._over(thing) if rung.is_held_by(one.role, one.title)]
        if rung.is_named:
            found = list(_of_person(found, person_id))
        return _present(found)

    def of_named(self, thing: Placed, person_id: int | None) -> list[Office]:
        """Return the offices over a thing of the person whom it names, or of who acts for him."""
        return _present(list(_of_person(list(self._over(thing)), person_id)))

    def _over(self, thing: Placed) -> Iterator[Office]:
        if thing.school_id is not None:
            yield from self.at.get(("school", thing.school_id), ())
        yield from self.at.get(("township", thing.township_id), ())
        yield from self.at.get(("county", thing.county_id), ())


def _of_person(offices: list[Office], person_id: int | None) -> Iterator[Office]:
    """Yield the offices of a person, and those of who acts for him."""
    own = {one.id for one in offices if one.person_id == person_id}
    return (one for one in offices if one.id in own or one.acting_for_id in own)


def _present(offices: list[Office]) -> list[Office]:
    absent = {one.acting_for_id for one in offices}
    return [one for one in offices if one.id not in absent]


def load_offices(session: Session, day: date) -> Offices:
    """Read the offices of a day in four statements; no row scope narrows them."""
    connection = session.connection()
    reach = _Reach.read(connection, day)
    found: dict[Place, list[Office]] = {}
    for row in connection.execute(_offices(day)):
        office = Office(row.id, row.person_id, row.template, row.title, row.acting_for_id)
        for place in dict.fromkeys(reach.places(row)):
            found.setdefault(place, []).append(office)
    return Offices({place: tuple(offices) for place, offices in found.items()})


@dataclass(frozen=True, slots=True)
class _Reach:
    """Hold what tells which places offices cover: lists of schools, assignments, points."""

    listed: Mapping[int, list[int]]
    links: Mapping[tuple[int, str], list[Place]]
    points: Mapping[int, list[int]]
    """The teaching points that a school answers for."""

    @classmethod
    def read(cls, connection: Connection, day: date) -> _Reach:
        """Read it in three statements."""
        listed: dict[int, list[int]] = defaultdict(list)
        links: dict[tuple[int, str], list[Place]] = defaultdict(list)
        points: dict[int, list[int]] = defaultdict(list)
        for row in connection.execute(select(_listed.c.appointment_id, _listed.c.school_id)):
            listed[row.appointment_id].append(row.school_id)
        for row in connection.execute(_links(day)):
            of_town: Place = ("township", row.township_id)
            place = of_town if row.school_id is None else ("school", row.school_id)
            links[row.person_id, row.capacity].append(place)
        for row in connection.execute(_points()):
            points[row.parent_id].append(row.id)
        return cls(listed, links, points)

    def places(self, row: Row[Any]) -> Iterable[Place]:
        """Return the places that an appointment covers."""
        if row.scope_kind == "county":
            return [("county", row.county_id)]
        if row.scope_kind == "township":
            return [("township", row.township_id)]
        if row.scope_kind == "linked":
            return self.links.get((row.person_id, row.capacity or row.template), [])
        own = [row.school_id] if row.school_id is not None else self.listed.get(row.id, [])
        if row.template in templates_with("covers_points"):
            own = [*own, *(point for key in own for point in self.points.get(key, ()))]
        return [("school", key) for key in own]


def _offices(day: date) -> Any:
    return (
        select(
            _held.c.id,
            _held.c.person_id,
            _held.c.template,
            _held.c.capacity,
            _held.c.title,
            _held.c.scope_kind,
            _held.c.county_id,
            _held.c.township_id,
            _held.c.school_id,
            _held.c.acting_for_id,
        )
        .join(_person, _person.c.id == _held.c.person_id)
        .join(_user, _user.c.id == _person.c.user_id)
        .where(_person.c.is_active, _user.c.active, _in_force(_held, day))
        .order_by(_held.c.id)
    )


def _points() -> Any:
    is_point = _school.c.parent_id.is_not(None) & (_school.c.daily_mode == DailyMode.WITH_PARENT)
    return select(_school.c.parent_id, _school.c.id).where(is_point)


def _links(day: date) -> Any:
    columns = _liaison.c.person_id, _liaison.c.capacity, _liaison.c.township_id
    return select(*columns, _liaison.c.school_id).where(_in_force(_liaison, day))


def _in_force(table: Any, day: date) -> Any:
    not_ended = or_(table.c.valid_to.is_(None), table.c.valid_to >= day)
    return and_(table.c.valid_from <= day, not_ended)
