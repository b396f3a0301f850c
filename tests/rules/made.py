"""Make small counties for the independent judges: calendars, values that change, edges."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from tests.cadence.oracle import KINDS, Seen
from tests.cadence.test_obligation import made_places
from tests.rules.oracle import DAY, LONG_AGO, Campus, Frame, World, days
from tests.rules.oracle_attendance import Attendance, made_attendance
from tests.rules.oracle_doubles import Errand, Picture, made_errands, made_pictures
from tests.rules.oracle_findings import Matter, made_matters
from tests.rules.oracle_records import Papers, made_papers
from tests.rules.oracle_suspension import Pupil, made_pupils
from tests.rules.oracle_teaching import Taught, made_taught

BEFORE = (date(2024, 9, 1), date(2025, 8, 31))
YEAR = (date(2025, 9, 1), date(2026, 8, 31))
CHANGES = {
    "core.fortnight_gap_days": (8, 20),
    "core.feedback_days": (1, 5),
    "core.return_visit_days": (5, 12),
    "suspension.joint_visits": (2, 4),
    "suspension.semester_visits": (1, 3),
    "suspension.year_visits": (2, 6),
    "home_teaching.month_visits": (1, 3),
    "home_teaching.visit_hours": (2, 4),
    "home_teaching.year_hours": (40, 216),
}
"""The parameters that may change, with the values that they may take."""


@dataclass
class SmallCounty:
    """One generated county: its places and what happened in them."""

    world: World
    matters: list[Matter]
    pupils: list[Pupil]
    taught: list[Taught]
    errands: list[Errand]
    pictures: list[Picture]
    attendance: Attendance
    papers: Papers


def made_frame(dice: random.Random) -> Frame:
    """Make two school years with odd weeks, short months, holidays and make-up days."""
    autumn = (date(2024, 9, 2), date(2025, 1, dice.randint(10, 24)))
    spring = (date(2025, 2, dice.randint(10, 24)), date(2025, 7, dice.randint(3, 14)))
    first = date(2025, 9, 1) + timedelta(days=dice.randint(0, 12))
    middle = first + timedelta(days=dice.choice([2, 20, 60, 120, 140]))
    second = max(date(2026, 2, 10), middle + 10 * DAY) + timedelta(days=dice.randint(0, 20))
    last = second + timedelta(days=dice.choice([12, 40, 100, 130]))
    semesters = [(first, middle), (second, last)]
    within = [day for span in (autumn, spring, *semesters) for day in days(*span)]
    weekdays = [day for day in within if day.weekday() < 5]
    weekends = [day for day in within if day.weekday() > 4]
    frame = Frame(
        BEFORE, YEAR, [autumn, spring], semesters,
        set(dice.sample(weekdays, dice.randint(0, min(30, len(weekdays))))),
        set(dice.sample(weekends, min(len(weekends), 4))),
    )  # fmt: skip
    frame.as_of = date(2025, 9, 20) + timedelta(days=dice.randint(0, 340))
    for key in dice.sample(sorted(CHANGES), 4):
        since = frame.as_of - timedelta(days=dice.randint(0, 200))
        frame.changes[key] = (since, dice.choice(CHANGES[key]))
    return frame


def made_series(dice: random.Random, frame: Frame, campuses: list[Campus]) -> Iterator[Seen]:
    """Yield fortnightly visits that lie about as far apart as they may."""
    kinds = [kind for kind, (every, *_rest) in KINDS.items() if every == "fortnight"]
    for campus, span in itertools.product(campuses, frame.semesters):
        open_days = [day for day in days(*span) if frame.is_school_day(day)]
        place, kind = dice.randint(0, 20), dice.choice(kinds)
        while place < len(open_days):
            noon = datetime.combine(open_days[place], time(4), UTC)
            yield Seen(kind, campus, open_days[place], noon, None, {KINDS[kind][1]: noon})
            place += dice.choice([9, 10, 15, 16, 17, 18, 21, 22])


def made_county(dice: random.Random, frame: Frame) -> SmallCounty:
    """Make one county within a frame."""
    world = made_places(dice, frame.semesters, frame.off, frame.make_up)
    for town in {id(one.town): one.town for one in world.campuses}.values():
        town.live = dice.choice([LONG_AGO, LONG_AGO, town.live])
    world.seen += made_series(dice, frame, world.campuses)
    for one in world.seen:
        if dice.random() < 0.06:
            one.denied = one.submitted + timedelta(days=dice.choice([1, 5, 60]))
    world.seen += [replace(one) for one in dice.sample(world.seen, len(world.seen) // 8)]
    return SmallCounty(
        world,
        made_matters(dice, frame, world.campuses),
        made_pupils(dice, frame, world.campuses),
        made_taught(dice, frame, world.campuses),
        made_errands(dice, frame, world.campuses),
        made_pictures(dice, frame, world.campuses),
        made_attendance(dice, frame, world.campuses),
        made_papers(dice, frame, world.campuses),
    )
