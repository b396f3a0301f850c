"""Count classes: every class on the daily round, drawn ones on visits from outside."""

from __future__ import annotations

from math import ceil
from random import Random

from app.cli.demo.attendance import Roll, Rolls
from app.cli.demo.plan import Room
from app.cli.demo.visit import Inspected, Line
from app.cli.demo.words import Words

MISCOUNT, SPARE, SKIPPED = 0.002, 0.02, 0.002
DRAWN_OUTSIDE, DRAWN_SHARE, ALL_UP_TO = 3, 0.2, 6
LARGE_SCHOOL = 18


def daily_lines(
    random: Random, words: Words, rolls: Rolls, inspected: Inspected, rooms: list[Room]
) -> list[Line]:
    """Return a line for every class, of which one or two were drawn for a hidden count."""
    drawn = {room.id for room in random.sample(rooms, k=min(len(rooms), 1 + _is_large(rooms)))}
    lines = []
    for room in rooms:
        roll = rolls[room.id, inspected.day]
        if len(rooms) > 1 and random.random() < SKIPPED:
            continue
        line = _line(room, roll)
        line.is_drawn = room.id in drawn
        line.is_agreed = roll.is_reported and not line.is_drawn
        if line.is_drawn and roll.is_reported and random.random() < MISCOUNT * 10 * inspected.care:
            _miscount(words, line, roll)
        lines.append(line)
    return lines


def drawn_lines(
    random: Random, words: Words, rolls: Rolls, inspected: Inspected, rooms: list[Room]
) -> list[Line]:
    """Return lines for the classes drawn for the roll-call, desks and chairs counted too."""
    size = len(rooms)
    count = size if size <= ALL_UP_TO else max(DRAWN_OUTSIDE, ceil(size * DRAWN_SHARE))
    chosen = {room.id for room in random.sample(rooms, k=count)}
    lines = []
    for room in rooms:
        if room.id not in chosen:
            continue
        roll = rolls[room.id, inspected.day]
        line = _line(room, roll)
        line.is_drawn = True
        line.desks = line.chairs = line.on_roll
        if random.random() < SPARE:
            line.desks = line.chairs = line.on_roll + 1
            line.note = random.choice((words.notes.spare, words.notes.kept))
        elif roll.is_reported and random.random() < MISCOUNT * inspected.care:
            _miscount(words, line, roll)
        lines.append(line)
    return lines


def _is_large(rooms: list[Room]) -> bool:
    return len(rooms) > LARGE_SCHOOL


def _line(room: Room, roll: Roll) -> Line:
    return Line(room, roll.on_roll, roll.present, roll.leave, roll.unexplained)


def _miscount(words: Words, line: Line, roll: Roll) -> None:
    """Let one child more be missing than the class teacher reported."""
    if roll.present < 1:
        return
    line.present -= 1
    line.unexplained += 1
    line.fault = words.failures.difference % {
        "name": line.room.name,
        "present": line.present,
        "reported": roll.present,
    }
