"""Let the class teachers report each school day, and keep who was away and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from math import log
from random import Random

from app.cli.demo.days import at
from app.cli.demo.plan import Pupil, Room, World
from app.models import Absence, AttendanceReport

FALLS_AWAY = 0.006
"""Chance that a child's absence begins on a day."""
LENGTHS = (1, 1, 1, 2, 3)
SICK, PERSONAL, UNEXPLAINED, PENDING = "sick_leave", "personal_leave", "unexplained", "pending"
KINDS, WEIGHTS = (SICK, PERSONAL, UNEXPLAINED), (66, 30, 4)
FORGOTTEN = 0.006
"""Chance that a class is not reported."""
REPORTED_TODAY = 0.8
FORCED = 2
"""Absences that begin on the last day in any case: the day's work of a demonstration."""


@dataclass(slots=True)
class Roll:
    """What is true of one class on one day."""

    on_roll: int
    leave: int = 0
    unexplained: int = 0
    new_unexplained: list[int] = field(default_factory=list)
    """Children whose unexplained absence begins on this day."""
    absent: list[int] = field(default_factory=list)
    is_reported: bool = True

    @property
    def present(self) -> int:
        """Return how many are there."""
        return self.on_roll - self.leave - self.unexplained


Rolls = dict[tuple[int, date], Roll]
"""The truth by class and day."""


def report_attendance(world: World) -> Rolls:
    """Store the reports and absences of the half year, and return what was true."""
    random, rolls = world.random("attendance"), Rolls()
    for year_id, _, first, last in world.days.years:
        days = [day for day in world.days.school_days if first <= day <= last]
        rooms = [room for campus in world.campuses for room in campus.rooms(year_id)]
        _report_year(world, random, rolls, rooms, days)
    world.store.flush()
    return rolls


def _report_year(
    world: World, random: Random, rolls: Rolls, rooms: list[Room], days: list[date]
) -> None:
    special = {room.id: [p for p in room.pupils if p.seated_to or p.missing_from] for room in rooms}
    usual = [
        (pupil, room)
        for room in rooms
        for pupil in room.pupils
        if not pupil.seated_to and not pupil.missing_from
    ]
    away: dict[int, tuple[Room, str, int]] = {}
    for day in days:
        for room in rooms:
            left = sum(p.seated_to is not None and p.seated_to < day for p in special[room.id])
            rolls[room.id, day] = Roll(len(room.pupils) - left)
        is_last = day == world.days.school_days[-1]
        _fall_away(random, away, usual, FORCED if is_last else 0)
        for pupil_id, (room, kind, rest) in list(away.items()):
            is_new = rest < 0
            kind_today = PENDING if is_last and is_new and kind != SICK else kind
            _miss(world, rolls, room, pupil_id, day, kind_today, is_new=is_new)
            if abs(rest) > 1:
                away[pupil_id] = (room, kind, abs(rest) - 1)
            else:
                del away[pupil_id]
        for room in rooms:
            for pupil in special[room.id]:
                if _is_missing(pupil, day):
                    is_new = pupil.missing_from == day
                    _miss(world, rolls, room, pupil.id, day, UNEXPLAINED, is_new=is_new)
            _report(world, random, rolls, room, day)


def _fall_away(
    random: Random,
    away: dict[int, tuple[Room, str, int]],
    usual: list[tuple[Pupil, Room]],
    forced: int,
) -> None:
    """Let absences begin; a negative rest marks the first day."""
    for place in _hits(random, len(usual)):
        pupil, room = usual[place]
        if pupil.id not in away:
            kind = random.choices(KINDS, WEIGHTS)[0]
            away[pupil.id] = (room, kind, -random.choice(LENGTHS))
    for pupil, room in random.sample(usual, k=min(forced, len(usual))):
        away[pupil.id] = (room, PERSONAL, -1)


def _hits(random: Random, size: int) -> Iterator[int]:
    """Yield the places that chance picks, by the gaps between them."""
    place, scale = -1, log(1 - FALLS_AWAY)
    while True:
        place += 1 + int(log(1 - random.random()) / scale)
        if place >= size:
            return
        yield place


def _is_missing(pupil: Pupil, day: date) -> bool:
    start, end = pupil.missing_from, pupil.missing_to
    if start is None or day < start or (end is not None and day > end):
        return False
    return pupil.seated_to is None or day <= pupil.seated_to


def _miss(
    world: World, rolls: Rolls, room: Room, pupil_id: int, day: date, kind: str, *, is_new: bool
) -> None:
    roll = rolls[room.id, day]
    roll.absent.append(pupil_id)
    if kind in {SICK, PERSONAL}:
        roll.leave += 1
    else:
        roll.unexplained += 1
        if is_new and kind == UNEXPLAINED:
            roll.new_unexplained.append(pupil_id)
    words = world.words.contacts
    is_called = kind != PENDING
    world.store.add(
        Absence,
        **room.campus.scope,
        class_id=room.id,
        child_id=pupil_id,
        day=day,
        kind=kind,
        contact_at=at(day, 8, 40) if is_called else None,
        contact_note=(words.unexplained if kind == UNEXPLAINED else words.leave)
        if is_called
        else None,
        evidence_set_id=None,
    )


def _report(world: World, random: Random, rolls: Rolls, room: Room, day: date) -> None:
    roll = rolls[room.id, day]
    is_today = day == world.days.as_of
    chance = 1 - REPORTED_TODAY if is_today else FORGOTTEN * room.campus.care
    roll.is_reported = random.random() >= chance
    if not roll.is_reported or not roll.on_roll:
        return
    world.store.add(
        AttendanceReport,
        **room.campus.scope,
        class_id=room.id,
        day=day,
        on_roll=roll.on_roll,
        present=roll.present,
        reported_by_id=room.teacher.person_id if room.teacher else None,
        reported_at=at(day, 7, 50 + (room.id + day.day) % 40),
    )
