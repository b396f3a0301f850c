"""Judge home teaching by hand: HT-1 to HT-4, its pace, eligibility, roster and documents."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, timedelta

from tests.rules.oracle import DAY, Campus, Frame, Verdicts, days, speaks

Block = tuple[date, date, date]
"""A school month: its first day, its last, and the school day on which it is due."""
DOCUMENTS = ("basic_form", "assessment_form", "appraisal_form", "plan", "guardian_opinion")
DATED = ("assessment_form", "appraisal_form")


@dataclass(eq=False)
class Lesson:
    """A record of a session: the time from and to in minutes of the day, and the stated hours."""

    day: date
    start: int
    end: int
    stated: int
    teacher: int | None = None
    plan: str | None = "穿衣"
    record: str | None = "完成"
    has_pictures: bool = True
    id: int = 0


@dataclass(eq=False)
class Taught:
    """A child with a case of home teaching."""

    campus: Campus
    first: date
    last: date | None
    determination: str
    determined: date
    lessons: list[Lesson] = field(default_factory=list)
    excused: set[date] = field(default_factory=set)
    """First days of the calendar months that the township excused."""
    papers: dict[str, int | None] = field(default_factory=dict)
    roster: list[tuple[date, date | None, str | None]] = field(default_factory=list)
    """Lines of the disability roster: from, to, placement."""
    home: str | None = None
    id: int = 0


def made_taught(dice: random.Random, frame: Frame, campuses: list[Campus]) -> list[Taught]:
    """Make children whose months lie close to every edge."""
    return [_taught(dice, frame, dice.choice(campuses)) for _ in range(6)]


def _taught(dice: random.Random, frame: Frame, campus: Campus) -> Taught:
    span = days(frame.before[0], frame.as_of)
    first = dice.choice([frame.before[0], frame.year[0], dice.choice(span)])
    last = dice.choice([None, None, first + timedelta(days=dice.randint(0, 300))])
    one = Taught(
        campus, first, last, dice.choice(["unable", "unable", "unable", "able", "pending"]),
        first - timedelta(days=dice.choice([10, 400, 2500])),
    )  # fmt: skip
    eager = dice.choice([0.2, 0.8, 0.97])
    month = first.replace(day=1)
    while month <= frame.as_of:
        following = (month + timedelta(days=31)).replace(day=1)
        inside = [d for d in days(month, following - DAY) if first <= d <= frame.as_of]
        for _ in range(2 if dice.random() < eager else dice.randint(0, 3)):
            one.lessons += _lessons(dice, dice.choice(inside), eager)
        if dice.random() < 0.1:
            one.excused.add(month)
        month = following
    one.lessons = list({(lesson.day, lesson.start): lesson for lesson in one.lessons}.values())
    for lesson in one.lessons:
        lesson.teacher = dice.choice([None, None, 0, 1])
        lesson.plan, lesson.record = (dice.choice(["有", "有", "有", " ", None]) for _ in "ab")
        lesson.has_pictures = dice.random() < 0.8
    one.home = dice.choice([None, "甲村1号", " 甲村 1号", "乙村"])
    year = max(2020, one.determined.year)
    for kind in (*DOCUMENTS, "certificate", "diagnosis", "certificate_application"):
        if dice.random() < 0.9:
            right = dice.random() < 0.95
            one.papers[kind] = (year if right else year - 1) if kind in DATED else None
    if dice.random() < 0.8:
        start = first - timedelta(days=dice.randint(0, 40))
        end = dice.choice([None, None, frame.as_of + timedelta(days=dice.choice([-1, 0, 1]))])
        one.roster.append((start, end, dice.choice(["home", "home", None])))
    return one


def _lessons(dice: random.Random, day: date, eager: float) -> list[Lesson]:
    start = dice.choice([540, 555, 600])
    minutes = dice.choice([89, 90, 91, 120, 180, 200]) if dice.random() > eager else 90
    stated = minutes // 30 + dice.choice([-1, 0, 0, 0, 1]) if dice.random() > eager else 3
    found = [Lesson(day, start, start + minutes, stated)]
    if dice.random() < 0.15:
        again = start + dice.choice([30, minutes, minutes + 20])
        found.append(Lesson(day, again, again + dice.choice([30, 60, 90]), dice.randint(1, 3)))
    return found


@dataclass(frozen=True)
class Day:
    """What a day's records amount to."""

    session: int
    stated: int
    fitting: int
    hours: int


def judged_teaching(
    frame: Frame, months_before: list[Block], months: list[Block], taught: list[Taught]
) -> Verdicts:
    """Return what the rules say of the children."""
    found: Verdicts = {}
    for one in taught:
        for block in months:
            found |= _of_month(frame, one, block)
        found |= _of_hours(frame, one)
        found |= _of_year(frame, one, months_before)
        found |= _of_pace(frame, one, months)
        found |= _of_case(frame, one)
        found |= _of_material(frame, one)
    return found


def _inside(frame: Frame, one: Taught, day: date) -> bool:
    """Whether a day lies in the case; none before the township's go-live does."""
    return max(one.first, one.campus.town.live) <= day and (one.last is None or day <= one.last)


def _days_of(
    frame: Frame, one: Taught, first: date, last: date, value_day: date
) -> dict[date, Day]:
    """Unite the records of each day, and say what counts of it."""
    found = {}
    for day in days(first, last):
        held = [lesson for lesson in one.lessons if lesson.day == day]
        if not held or not _inside(frame, one, day):
            continue
        minutes = len({m for lesson in held for m in range(lesson.start, lesson.end)})
        stated = sum(lesson.stated for lesson in held)
        fitting = minutes // frame.value("home_teaching.hour_minutes", value_day)
        most = frame.value("home_teaching.day_hours", value_day)
        found[day] = Day(
            min(lesson.id for lesson in held), stated, fitting, min(stated, fitting, most)
        )
    return found


def _counts(frame: Frame, one: Taught, block: Block) -> bool:
    """A month counts with ten school days inside the case that are not excused."""
    open_days = [
        day
        for day in days(block[0], block[1])
        if _inside(frame, one, day)
        and day.replace(day=1) not in one.excused
        and frame.school_open(one.campus, day)
    ]
    return len(open_days) >= 10


def _of_month(frame: Frame, one: Taught, block: Block) -> Verdicts:
    """HT-1, and HT-2 once for each short visit of a month that fails."""
    start, end, _due = block
    if end >= frame.as_of or not _counts(frame, one, block):
        return {}
    required = frame.value("home_teaching.month_visits", end)
    least = frame.value("home_teaching.visit_hours", end)
    made = _days_of(frame, one, start, end, end)
    qualifying = [day for day in made.values() if day.hours >= least]
    if not speaks("home_teaching.visits_each_month", len(qualifying) < required):
        return {}
    found: Verdicts = {
        ("home_teaching.visits_each_month", one.id, start): (len(qualifying), required)
    }
    for day in made.values():
        if speaks("home_teaching.class_hours_each_visit", day.hours < least):
            found["home_teaching.class_hours_each_visit", day.session, start] = (day.hours, least)
    return found


def _of_hours(frame: Frame, one: Taught) -> Verdicts:
    """HT-3: more hours stated than the minutes hold, judged when the calendar month is over."""
    found: Verdicts = {}
    month = frame.year[0]
    while month <= frame.as_of:
        following = (month + timedelta(days=31)).replace(day=1)
        last = following - DAY
        if last < frame.as_of:
            for day in _days_of(frame, one, month, last, last).values():
                fires = day.stated > day.fitting
                if speaks("home_teaching.minutes_each_class_hour", fires):
                    found["home_teaching.minutes_each_class_hour", day.session, month] = (
                        day.stated, day.fitting,
                    )  # fmt: skip
        month = following
    return found


def _of_year(frame: Frame, one: Taught, months: list[Block]) -> Verdicts:
    """HT-4: the year that is over, in the share of the child's months."""
    first, last = frame.before
    countable = sum(_counts(frame, one, block) for block in months)
    required = frame.value("home_teaching.year_hours", last) * countable // max(len(months), 1)
    made = sum(day.hours for day in _days_of(frame, one, first, last, last).values())
    fires = countable > 0 and made < required
    if speaks("home_teaching.class_hours_each_year", fires):
        return {("home_teaching.class_hours_each_year", one.id, first): (made, required)}
    return {}


def _of_pace(frame: Frame, one: Taught, months: list[Block]) -> Verdicts:
    """HT-PACE: what the months that are over ask for."""
    first = frame.year[0]
    over = sum(_counts(frame, one, block) for block in months if block[1] < frame.as_of)
    year_hours = frame.value("home_teaching.year_hours", frame.as_of)
    due = year_hours * over // max(len(months), 1)
    held = _days_of(frame, one, first, frame.as_of, frame.as_of)
    made = sum(day.hours for day in held.values())
    if speaks("home_teaching.pace", over > 0 and made < due):
        return {("home_teaching.pace", one.id, first): (made, due)}
    return {}


def _of_case(frame: Frame, one: Taught) -> Verdicts:
    """What a running case must have; a roster line without a placement."""
    found: Verdicts = {}
    as_of = frame.as_of
    running = one.first <= as_of and (one.last is None or as_of <= one.last)
    listed = [
        line for line in one.roster if line[0] <= as_of and (line[1] is None or as_of <= line[1])
    ]
    for start, _end, placement in listed:
        if speaks("home_teaching.roster", placement is None):
            found["home_teaching.roster", one.id, start] = (0, 1)
    if not running:
        return found
    if speaks("home_teaching.eligibility", one.determination != "unable"):
        found["home_teaching.eligibility", one.id, one.first] = (one.determination, "unable")
    if speaks("home_teaching.roster", not listed):
        found["home_teaching.roster", one.id, one.first] = (0, 1)
    there = sum(_has(one, kind) for kind in DOCUMENTS) + _is_certified(one)
    if speaks("home_teaching.documents", there < 6):
        found["home_teaching.documents", one.id, one.first] = (there, 6)
    return found


def _of_material(frame: Frame, one: Taught) -> Verdicts:
    """Each session has a lesson plan, a record and pictures."""
    found: Verdicts = {}
    for lesson in one.lessons:
        if not max(frame.year[0], one.campus.town.live) <= lesson.day <= frame.as_of:
            continue
        texts = (lesson.plan, lesson.record)
        there = sum(bool((text or "").strip()) for text in texts) + lesson.has_pictures
        if speaks("home_teaching.session_material", there < 3):
            found["home_teaching.session_material", lesson.id, lesson.day] = (there, 3)
    return found


def _has(one: Taught, kind: str) -> bool:
    """The two forms bear the year of the determination, or 2020 if that was earlier."""
    right_year = one.papers.get(kind) == max(2020, one.determined.year)
    return kind in one.papers and (right_year or kind not in DATED)


def _is_certified(one: Taught) -> bool:
    """The certificate, or a diagnosis with the application for one."""
    return "certificate" in one.papers or {"diagnosis", "certificate_application"} <= set(
        one.papers
    )
