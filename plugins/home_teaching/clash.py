"""Find teachers who would be in two homes at overlapping times, in a constant number of statements.

Children who live at one address are one home: siblings may be taught together.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select

from app.kit import Child, Person, Session, _

from .models import SessionTeacher, TeachingSession


@dataclass(frozen=True, slots=True)
class Booking:
    """The time that a session takes of its teachers; `session_id` where it is stored already."""

    child_id: int
    day: date
    starts_at: str
    ends_at: str
    person_ids: frozenset[int]
    session_id: int | None = None

    def meets(self, other: Booking) -> bool:
        """Tell whether a teacher would have to be with two children at once."""
        return (
            self.child_id != other.child_id
            and self.day == other.day
            and self.starts_at < other.ends_at
            and other.starts_at < self.ends_at
            and not self.person_ids.isdisjoint(other.person_ids)
        )


def clashes(session: Session, wanted: Sequence[Booking]) -> Mapping[int, str]:
    """Return what is wrong with bookings by their place in the list, the other record named."""
    stored = _stored(session, wanted)
    pairs = list(_pairs(wanted, [*stored, *wanted]))
    if not pairs:
        return {}
    met = {other.child_id for _place, other in pairs}
    homes = _homes(session, met | {wanted[place].child_id for place, _other in pairs})
    apart = [
        (place, other)
        for place, other in pairs
        if not homes[other.child_id] or homes[wanted[place].child_id] != homes[other.child_id]
    ]
    names = _names(session, [other for _place, other in apart])
    return {place: _text(wanted[place], other, names) for place, other in reversed(apart)}


def _pairs(wanted: Sequence[Booking], others: Iterable[Booking]) -> Iterator[tuple[int, Booking]]:
    of_day: dict[date, list[Booking]] = {}
    for other in others:
        of_day.setdefault(other.day, []).append(other)
    for place, one in enumerate(wanted):
        yield from ((place, other) for other in of_day.get(one.day, ()) if one.meets(other))


def _stored(session: Session, wanted: Sequence[Booking]) -> list[Booking]:
    """Read the other sessions of the teachers on these days, outside the reader's scope, too."""
    people = {person for one in wanted for person in one.person_ids}
    own = {one.session_id for one in wanted if one.session_id is not None}
    row, link = TeachingSession.__table__, SessionTeacher.__table__
    query = (
        select(
            row.c.id, row.c.child_id, row.c.taught_on, row.c.starts_at, row.c.ends_at,
            link.c.person_id,
        )
        .join(link, link.c.session_id == row.c.id)
        .where(
            row.c.taught_on.in_({one.day for one in wanted}),
            link.c.person_id.in_(people),
            row.c.id.not_in(own),
        )
    )  # fmt: skip
    return [
        Booking(child, day, start, end, frozenset((person,)), key)
        for key, child, day, start, end, person in session.execute(query)
    ]


def _homes(session: Session, child_ids: Collection[int]) -> Mapping[int, str]:
    """Return where children live; a child without an address shares no home."""
    child = Child.__table__
    query = select(child.c.id, child.c.residence_place).where(child.c.id.in_(child_ids))
    return {key: "".join((place or "").split()) for key, place in session.execute(query)}


def _names(session: Session, others: Iterable[Booking]) -> Mapping[tuple[type[Any], int], str]:
    """Return the names of children and teachers; the guard keeps those of other schools back."""
    known = list(others)
    children = {one.child_id for one in known}
    people = {person for one in known for person in one.person_ids}
    names: dict[tuple[type[Any], int], str] = {}
    for model, keys in ((Child, children), (Person, people)):
        rows = session.execute(select(model.id, model.name).where(model.id.in_(keys)))
        names.update(((model, key), name) for key, name in rows)
    return names


def _text(one: Booking, other: Booking, names: Mapping[tuple[type[Any], int], str]) -> str:
    person = min(one.person_ids & other.person_ids)
    return _(
        "%(teacher)s teaches %(child)s at home on %(day)s from %(start)s to %(end)s. Correct the "
        "time or the teacher of one of the two records.",
        teacher=names.get((Person, person)) or _("The teacher"),
        child=names.get((Child, other.child_id)) or _("a child of another school"),
        day=other.day.isoformat(),
        start=other.starts_at,
        end=other.ends_at,
    )
