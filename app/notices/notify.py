"""Tell people what is due soon and overdue, and climb the ladders: every night, each step once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from app import clock
from app.cadence.calendar import Calendar, load_calendars
from app.models import DueItem, Notification
from app.notices.due import DueKind, due_kinds
from app.notices.ladder import Ladder, Rung, ladder_of
from app.notices.office import Office, Offices, load_offices
from app.parameters.value import Parameters, load_parameters
from app.security.scope import table_of

SOON: Final = "soon"
SOON_DAYS: Final = "core.due_soon_days"
"""The working days before the due day from which on a thing is told to be due soon."""
_ITEM: Final = table_of(DueItem)
_TOLD: Final = table_of(Notification)


@dataclass(frozen=True, slots=True)
class Told:
    """Count the notifications of a run, and the steps for which there was nobody to tell."""

    count: int = 0
    unheard: int = 0


@dataclass(frozen=True, slots=True)
class _Night:
    """Hold what telling as of a day needs, read once."""

    as_of: date
    calendars: Mapping[int, Calendar]
    parameters: Parameters
    offices: Offices
    kinds: Mapping[str, DueKind]


def notify(session: Session, as_of: date) -> Told:
    """Tell of every thing that is due soon or overdue, each office once a step.

    A constant number of statements; what has ended needs no reading any more. The caller commits.
    """
    _lay_aside(session)
    connection = session.connection()
    items = connection.execute(select(_ITEM).where(_ITEM.c.ended_on.is_(None))).all()
    if not items:
        return Told()
    night = _Night(
        as_of,
        load_calendars(session, min(as_of, *(item.due_on for item in items)), as_of),
        load_parameters(session),
        load_offices(session, as_of),
        {kind.key: kind for kind in due_kinds()},
    )
    known = _known(session)
    told, unheard = [], 0
    for item in items:
        for step, offices in _steps(night, item):
            unheard += not offices
            told += [
                _row(item, office, step, as_of)
                for office in offices
                if (item.id, step, office.id) not in known
            ]
    if told:
        connection.execute(insert(_TOLD), told)
    return Told(len(told), unheard)


def first_heard(offices: Offices, thing: Any) -> Sequence[Office]:
    """Return those who answer for a thing; where nobody does, the next above."""
    _ladder, rungs = _way(thing)
    return _heard(offices, thing, rungs, 0)


def overdue_days(calendar: Calendar, item: Any, as_of: date) -> int:
    """Return the working days by which a thing is overdue."""
    if item.due_on >= as_of:
        return 0
    return calendar.elapsed(item.due_on, as_of, in_term=item.in_term)


def _steps(night: _Night, item: Any) -> Iterator[tuple[str, Sequence[Office]]]:
    """Yield what has to be told of a thing by now: the step, and to whom."""
    ladder, rungs = _way(item)
    calendar = night.calendars.get(item.county_id, Calendar())
    if item.due_on >= night.as_of:
        if _is_soon(night, calendar, item):
            yield SOON, _heard(night.offices, item, rungs, 0)
        return
    overdue = overdue_days(calendar, item, night.as_of)
    for place in ladder.reached(rungs, night.parameters, item.due_on, overdue):
        yield ladder.step(rungs, place), _heard(night.offices, item, rungs, place)


def _is_soon(night: _Night, calendar: Calendar, item: Any) -> bool:
    kind = night.kinds.get(item.kind_key)
    if kind is not None and kind.at_once:
        return True
    days = night.parameters.on(SOON_DAYS, night.as_of)
    return days is not None and calendar.elapsed(night.as_of, item.due_on) <= int(days)


def _way(item: Any) -> tuple[Ladder, Sequence[Rung]]:
    ladder = ladder_of(item.role)
    return ladder, ladder.above(item.role, is_named=item.person_id is not None)


def _heard(offices: Offices, item: Any, rungs: Sequence[Rung], place: int) -> Sequence[Office]:
    """Return who is told at a rung; where it is vacant, who stands on the next one above."""
    named = [] if place else offices.of_named(item, item.person_id)
    for rung in rungs[place:]:
        found = offices.on(rung, item, item.person_id)
        if found:
            return list({one.id: one for one in (*found, *named)}.values())
    return named


def _row(item: Any, office: Office, step: str, as_of: date) -> dict[str, Any]:
    return {
        "due_item_id": item.id,
        "appointment_id": office.id,
        "step": step,
        "made_on": as_of,
        "county_id": item.county_id,
        "township_id": item.township_id,
        "school_id": item.school_id,
    }


def _known(session: Session) -> set[tuple[int, str, int]]:
    query = (
        select(_TOLD.c.due_item_id, _TOLD.c.step, _TOLD.c.appointment_id)
        .join(_ITEM, _ITEM.c.id == _TOLD.c.due_item_id)
        .where(_ITEM.c.ended_on.is_(None))
    )
    return {(row.due_item_id, row.step, row.appointment_id) for row in session.execute(query)}


def _lay_aside(session: Session) -> None:
    """Take what tells of ended things out of the unread ones."""
    ended = select(_ITEM.c.id).where(_ITEM.c.ended_on.is_not(None))
    session.connection().execute(
        update(_TOLD)
        .where(_TOLD.c.read_at.is_(None), _TOLD.c.due_item_id.in_(ended))
        .values(read_at=clock.now())
    )
