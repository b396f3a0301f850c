"""Judge by hand what is recorded twice: inspections, visits, pictures, people in two places."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta

from tests.cadence.oracle import Seen
from tests.rules.oracle import Campus, Frame, Verdicts, speaks
from tests.rules.oracle_suspension import Pupil
from tests.rules.oracle_teaching import Lesson, Taught

PEOPLE = 3


@dataclass(eq=False)
class Errand:
    """A random inspection with the people who took part, and when each was there (minutes)."""

    campus: Campus
    day: date
    is_submitted: bool
    people: dict[int, tuple[int, int] | None]
    id: int = 0


@dataclass(eq=False)
class Picture:
    """A file of a record: what it shows, whether it is a picture, when it was stored."""

    campus: Campus
    content: int
    is_picture: bool
    record: int
    day: date
    id: int = 0


def made_errands(dice: random.Random, frame: Frame, campuses: list[Campus]) -> list[Errand]:
    """Make inspections of few days by few people."""
    return [
        Errand(
            dice.choice(campuses), _day(dice, frame), dice.random() < 0.9,
            {
                person: dice.choice([None, *[(n, n + dice.choice([30, 60])) for n in (0, 30, 60)]])
                for person in dice.sample(range(PEOPLE), dice.randint(1, 2))
            },
        )
        for _ in range(12)
    ]  # fmt: skip


def made_pictures(dice: random.Random, frame: Frame, campuses: list[Campus]) -> list[Picture]:
    """Make files of which some show the same."""
    return [
        Picture(
            dice.choice(campuses), content, content % 4 != 0, dice.randrange(6), _day(dice, frame)
        )
        for content in dice.choices(range(9), k=9)
    ]  # fmt: skip


def _day(dice: random.Random, frame: Frame) -> date:
    return dice.choice([frame.year[0], frame.year[0] - timedelta(days=1)]) + timedelta(
        days=dice.randint(0, 3)
    )


def _is_judged(frame: Frame, campus: Campus, day: date) -> bool:
    return frame.year[0] <= day <= frame.as_of and campus.town.live <= day


def judged_errands(frame: Frame, errands: list[Errand], seen: list[Seen]) -> Verdicts:
    """The same inspection twice; somebody at two schools at once."""
    found: Verdicts = {}
    submitted = [one for one in errands if one.is_submitted]
    for place, one in enumerate(submitted):
        if not _is_judged(frame, one.campus, one.day):
            continue
        before = [
            other
            for other in submitted[:place]
            if other.day == one.day and other.people.keys() & one.people.keys()
        ]
        same = sum(other.campus is one.campus for other in before)
        apart = sum(other.campus is not one.campus and _at_once(one, other) for other in before)
        for rule, count in (("double_inspection", same), ("double_presence", apart)):
            if speaks(f"roll_and_attendance.{rule}", count > 0):
                found[f"roll_and_attendance.{rule}", one.id, one.day] = (count, 0)
    # The first participant of every other generated inspection is the same person.
    for place, one in enumerate(seen):
        same = sum(
            (other.campus, other.day, other.kind) == (one.campus, one.day, one.kind)
            for other in seen[:place]
        )
        if same and _is_judged(frame, one.campus, one.day):
            found["roll_and_attendance.double_inspection", one.id, one.day] = (same, 0)
    return found


def _at_once(one: Errand, other: Errand) -> bool:
    for person in one.people.keys() & other.people.keys():
        here, there = one.people[person], other.people[person]
        if here and there and here[0] < there[1] and there[0] < here[1]:
            return True
    return False


def judged_pictures(frame: Frame, pictures: list[Picture]) -> Verdicts:
    """The same picture under two records: told of all but the first."""
    found: Verdicts = {}
    shown = [one for one in pictures if one.is_picture]
    for one in shown:
        twins = [other for other in shown if other.content == one.content]
        doubled = [other for other in twins if any(each.record != other.record for each in twins)]
        fires = one in doubled[1:] and _is_judged(frame, one.campus, one.day)
        if speaks("roll_and_attendance.double_picture", fires):
            found["roll_and_attendance.double_picture", one.id, one.day] = (1, 0)
    return found


def judged_visits(frame: Frame, pupils: list[Pupil]) -> Verdicts:
    """The same child, day and kind of visit, with somebody in common."""
    found: Verdicts = {}
    for one in pupils:
        for place, call in enumerate(one.calls):
            same = sum(
                (other.day, other.is_persuasion) == (call.day, call.is_persuasion)
                and bool(other.kinds & call.kinds)
                for other in one.calls[:place]
            )
            fires = same > 0 and _is_judged(frame, one.campus, call.day)
            if speaks("roll_and_attendance.double_visit", fires):
                found["roll_and_attendance.double_visit", call.id, call.day] = (same, 0)
    return found


def judged_homes(frame: Frame, taught: list[Taught]) -> Verdicts:
    """A teacher in two homes at once; siblings at one address are one home."""
    found: Verdicts = {}
    held = [(child, lesson) for child in taught for lesson in child.lessons]
    for child, lesson in held:
        if lesson.teacher is None or not _is_judged(frame, child.campus, lesson.day):
            continue
        clashes = sum(
            other.id < lesson.id and _clash(child, lesson, its_child, other)
            for its_child, other in held
        )
        if speaks("home_teaching.teacher_in_two_homes", clashes > 0):
            key = "home_teaching.teacher_in_two_homes", lesson.id, lesson.day
            found[key] = (clashes, 0)
    return found


def _clash(child: Taught, lesson: Lesson, its_child: Taught, other: Lesson) -> bool:
    apart = child is not its_child and (not _home(child) or _home(child) != _home(its_child))
    same = (lesson.teacher, lesson.day) == (other.teacher, other.day)
    return apart and same and lesson.start < other.end and other.start < lesson.end


def _home(child: Taught) -> str:
    return "".join((child.home or "").split())
