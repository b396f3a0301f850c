"""Judge absence, leave, transfers and the counts of classes by hand: ABS, LV, TRF, ROLL, CLS."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass, field
from datetime import date, timedelta

from tests.cadence.oracle import Seen
from tests.rules.oracle import DAY, Campus, Frame, Verdicts, days, speaks

GRADE = 7
LEAVE = ("sick_leave", "personal_leave")
PLUGIN = "roll_and_attendance"
MONITORED = (f"{PLUGIN}.priority_monitoring", "")
SUSPECTED = (f"{PLUGIN}.suspected", "A")
DROPPED_OUT = (f"{PLUGIN}.dropped_out", "")


@dataclass(eq=False)
class Room:
    """A class of grade 7, with the days on which its teacher reported, and how many sat there."""

    campus: Campus
    reports: dict[date, int] = field(default_factory=dict)
    id: int = 0


@dataclass(eq=False)
class Line:
    """The count of a class in an inspection; a note explains what differs."""

    room: Room
    on_roll: int
    present: int | None
    desks: int | None
    chairs: int | None
    note: str | None


@dataclass(eq=False)
class Round:
    """A daily check, or a visit, with its lines."""

    campus: Campus
    kind: str
    day: date
    is_submitted: bool
    lines: list[Line]
    id: int = 0


@dataclass(eq=False)
class Pupil:
    """A child of a class with its absences, papers, entries in ledgers and transfers."""

    room: Room
    away: dict[date, str] = field(default_factory=dict)
    called: set[date] = field(default_factory=set)
    """Absences with a recorded call to the guardian."""
    leave: list[tuple[date, date, str]] = field(default_factory=list)
    """Requests from a day to another, carried by a ``paper``, a ``call`` or ``nothing``."""
    entries: list[tuple[tuple[str, str], date, date | None]] = field(default_factory=list)
    transfers: list[tuple[date, date | None, date | None]] = field(default_factory=list)
    """Started, arrived, cancelled."""
    id: int = 0


@dataclass(eq=False)
class Attendance:
    """Classes, their pupils and the rounds through them."""

    rooms: list[Room]
    pupils: list[Pupil]
    rounds: list[Round]


def has_class(frame: Frame, room: Room, day: date) -> bool:
    """The grade's exception wins over the school's, this over the county's calendar."""
    in_school = frame.school_open(room.campus, day)
    return room.campus.grade_closures.get((GRADE, day), in_school)


def made_attendance(dice: random.Random, frame: Frame, campuses: list[Campus]) -> Attendance:
    """Make classes whose absences end close to the judging day."""
    rooms = [Room(campus) for campus in campuses]
    pupils = [_pupil(dice, frame, dice.choice(rooms)) for _ in range(10)]
    for room in rooms:
        for day in days(frame.as_of - timedelta(days=45), frame.as_of):
            if has_class(frame, room, day) and dice.random() < 0.15:
                room.reports[day] = dice.randint(28, 30)
    rounds = [_round(dice, frame, rooms) for _ in range(10)]
    return Attendance(rooms, pupils, rounds)


def _pupil(dice: random.Random, frame: Frame, room: Room) -> Pupil:
    one = Pupil(room)
    span = days(frame.as_of - timedelta(days=90), frame.as_of)
    open_days = [day for day in span if has_class(frame, room, day)]
    for _ in range(dice.randint(1, 2)):
        if not open_days:
            break
        end = len(open_days) - dice.choice([0, 0, 0, 1, 2, 4, 5, 6, 9])
        length = dice.choice([1, 2, 3, 3, 4, 5, 10, 11, 19, 20, 21, 22])
        kind = dice.choice(["unexplained", "unexplained", *LEAVE])
        for day in open_days[max(end - length, 0) : max(end, 0)]:
            one.away[day] = kind
            if dice.random() < 0.05:
                one.called.add(day)
    is_mixed = dice.random() < 0.3
    for day in sorted(one.away):
        if is_mixed and dice.random() < 0.1:
            one.away[day] = dice.choice(["pending", "personal_leave"])
    if dice.random() < 0.5 and one.away:
        first = dice.choice(sorted(one.away))
        last = first + timedelta(days=dice.randint(0, 20))
        one.leave.append((first, last, dice.choice(["paper", "call", "nothing"])))
    for ledger in dice.sample([MONITORED, SUSPECTED, DROPPED_OUT], dice.choice([0, 0, 1, 2])):
        opened = frame.as_of - timedelta(days=dice.randint(-1, 20))
        closed = opened + timedelta(days=dice.randint(0, 20)) if dice.random() < 0.4 else None
        one.entries.append((ledger, opened, closed))
    if dice.random() < 0.6:
        started = frame.as_of - timedelta(days=dice.choice([1, 12, 13, 14, 15, 16, 17, 18, 30]))
        later = started + timedelta(days=dice.randint(0, 20))
        one.transfers.append((started, *dice.choice([(None, None), (later, None), (None, later)])))
    return one


def _round(dice: random.Random, frame: Frame, rooms: list[Room]) -> Round:
    room = dice.choice(rooms)
    reported = sorted(room.reports)
    day = dice.choice([*reported, frame.as_of - timedelta(days=dice.randint(0, 9))])
    lines = []
    if dice.random() < 0.8:
        count = room.reports.get(day, 30)
        lines.append(
            Line(
                room, 30, dice.choice([count, count, count + 1, None]),
                dice.choice([30, 30, 31, None]), dice.choice([30, 30, 29, None]),
                dice.choice([None, None, None, "", " ", "休学"]),
            )
        )  # fmt: skip
    kind = dice.choice(["daily_check", "daily_check", "random_inspection"])
    return Round(room.campus, kind, day, dice.random() < 0.9, lines)


def judged_attendance(frame: Frame, held: Attendance, seen: list[Seen]) -> Verdicts:
    """Return what the rules say."""
    found: Verdicts = {}
    for one in held.pupils:
        found |= _of_pupil(frame, one)
    return found | _of_rounds(frame, held) | _of_coverage(frame, held, seen)


def _of_pupil(frame: Frame, one: Pupil) -> Verdicts:
    as_of, found = frame.as_of, {}
    if one.room.campus.town.live > as_of:
        return _of_papers(frame, one)
    value = {
        name: frame.value(f"{PLUGIN}.{name}", as_of)
        for name in (
            "suspected_absence_days", "at_risk_absences", "at_risk_window_days",
            "determination_days", "personal_leave_days", "sick_leave_days",
            "transfer_at_risk_days",
        )
    }  # fmt: skip
    unexplained = _standing_rows(frame, one, lambda _day, kind: kind == "unexplained")
    for rule, limit, held in (
        ("absence_not_in_ledger", "suspected_absence_days", (SUSPECTED, DROPPED_OUT)),
        ("determination_not_in_ledger", "determination_days", (DROPPED_OUT,)),
    ):
        for since, count in unexplained:
            fires = count >= value[limit] and not _is_listed(frame, one, held, since)
            if speaks(f"{PLUGIN}.{rule}", fires):
                found[f"{PLUGIN}.{rule}", one.id, since] = (count, value[limit])
    recent = _class_days(frame, one)[-value["at_risk_window_days"] :]
    often = [day for day in recent if one.away.get(day) == "unexplained"]
    if often:
        held = (MONITORED, SUSPECTED, DROPPED_OUT)
        rule, least = f"{PLUGIN}.frequent_absence_not_in_ledger", value["at_risk_absences"]
        fires = len(often) >= least and not _is_listed(frame, one, held, often[0])
        if speaks(rule, fires):
            found[rule, one.id, often[0]] = (len(often), least)
    found |= _of_leave(frame, one, value)
    for started, arrived, cancelled in one.transfers:
        ended = [day for day in (arrived, cancelled) if day is not None and day <= as_of]
        passed = frame.working_days(started, as_of)
        rule, most = f"{PLUGIN}.transfer_not_confirmed", value["transfer_at_risk_days"]
        if speaks(rule, started <= as_of and not ended and passed > most):
            found[rule, one.id, started] = (passed, most)
    return found | _of_papers(frame, one)


def _class_days(frame: Frame, one: Pupil, first: date | None = None) -> list[date]:
    start = first or frame.as_of - timedelta(days=150)
    return [day for day in days(start, frame.as_of) if has_class(frame, one.room, day)]


def _rows(open_days: list[date], is_away) -> list[list[date]]:
    """Return the school days in a row on which a child was away so."""
    groups = itertools.groupby(open_days, key=is_away)
    return [list(row) for away, row in groups if away]


def _standing_rows(frame: Frame, one: Pupil, matches) -> list[tuple[date, int]]:
    """Return the rows that nothing has ended: the child was not seen, nor away otherwise."""
    found = []

    def is_away(day: date) -> bool:
        return day in one.away and matches(day, one.away[day])

    for row in _rows(_class_days(frame, one), is_away):
        after = days(row[-1] + DAY, frame.as_of)
        seen = any(day in one.room.reports and one.away.get(day) != "pending" for day in after)
        otherwise = any(one.away.get(day, "pending") != "pending" for day in after)
        if not seen and not otherwise:
            found.append((row[0], len(row)))
    return found


def _is_listed(frame: Frame, one: Pupil, held: tuple, since: date) -> bool:
    return any(
        ledger in held and opened <= frame.as_of and (closed is None or closed >= since)
        for ledger, opened, closed in one.entries
    )


def _of_leave(frame: Frame, one: Pupil, value: dict[str, int]) -> Verdicts:
    """LV-1: long personal leave, and long sick leave without a hospital's paper."""
    found: Verdicts = {}
    rule = f"{PLUGIN}.hidden_dropout"
    papers = [(first, last) for first, last, carrier in one.leave if carrier == "paper"]

    def is_bare_sick(day: date, kind: str) -> bool:
        return kind == "sick_leave" and not any(a <= day <= b for a, b in papers)

    for limit, matches in (
        ("personal_leave_days", lambda _day, kind: kind == "personal_leave"),
        ("sick_leave_days", is_bare_sick),
    ):
        for since, count in _standing_rows(frame, one, matches):
            if speaks(rule, count > value[limit]):
                found[rule, one.id, since] = (count, value[limit])
    return found


def _of_papers(frame: Frame, one: Pupil) -> Verdicts:
    """ABS-2: leave that neither paper nor call carried up to the third school day after."""
    found: Verdicts = {}
    open_days = _class_days(frame, one, frame.year[0])

    def is_bare(day: date) -> bool:
        carried = any(
            first <= day <= last and carrier != "nothing" for first, last, carrier in one.leave
        )
        return one.away[day] in LEAVE and day not in one.called and not carried

    for row in _rows(open_days, lambda day: day in one.away):
        bare = [day for day in row if is_bare(day)]
        if not bare:
            continue
        after = [day for day in open_days if day > row[-1]]
        most = frame.value("core.leave_paper_days", row[0])
        fires = len(after) - 1 > most and one.room.campus.town.live <= row[0]
        if speaks(f"{PLUGIN}.leave_without_paper", fires):
            found[f"{PLUGIN}.leave_without_paper", one.id, row[0]] = (len(bare), most)
    return found


def _of_rounds(frame: Frame, held: Attendance) -> Verdicts:
    """ROLL-2, ROLL-3: the last count of a class and day, where no note explains it."""
    found: Verdicts = {}
    for rule, own in (("count_differs", True), ("desks_and_chairs", False)):
        latest = {
            (line.room, one.day): (one, line)
            for one in held.rounds
            for line in one.lines
            if one.is_submitted and (one.kind == "daily_check" or not own)
        }
        for (room, day), (one, line) in latest.items():
            if not _is_judged(frame, one.campus, day) or (line.note or "").strip():
                continue
            if own:
                reported = room.reports.get(day)
                if reported is None:
                    continue
                fires = line.present is not None and line.present != reported
                verdict = (line.present, reported)
            else:
                counts = (line.desks, line.chairs)
                fires = any(count is not None and count != line.on_roll for count in counts)
                words = ["–" if count is None else str(count) for count in counts]
                verdict = (" / ".join(words), line.on_roll)
            if speaks(f"{PLUGIN}.{rule}", fires):
                found[f"{PLUGIN}.{rule}", room.id, day] = verdict
    return found


def _of_coverage(frame: Frame, held: Attendance, seen: list[Seen]) -> Verdicts:
    """CLS-COV: a submitted daily check of a school day counted an active class not at all."""
    found: Verdicts = {}
    rule = f"{PLUGIN}.class_not_checked"
    checks = [
        (one.campus, one.day, {line.room for line in one.lines if line.present is not None})
        for one in held.rounds
        if one.is_submitted and one.kind == "daily_check"
    ]
    checks += [(one.campus, one.day, set()) for one in seen if one.kind == "daily_check"]
    for campus, day, counted in checks:
        for room in held.rooms:
            if room.campus is campus and has_class(frame, room, day):
                fires = room not in counted and _is_judged(frame, campus, day)
                if speaks(rule, fires):
                    found[rule, room.id, day] = (0, 1)
    return found


def _is_judged(frame: Frame, campus: Campus, day: date) -> bool:
    return frame.year[0] <= day <= frame.as_of and campus.town.live <= day
