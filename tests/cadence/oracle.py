"""Judge small counties in plain, slow Python, from the written decisions alone.

Nothing here asks the product: it is what two people with a calendar and a pencil would do.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Asia/Shanghai")
DAY = timedelta(days=1)
KINDS = {
    # type: (every, capacity, whether only its own records serve, whether its records count)
    "daily_check": ("day", "school_leader", True, True),
    "department_visit": ("fortnight", "liaison_department", False, True),
    "leader_visit": ("month", "liaison_leader", False, True),
    "township_visit": ("fortnight", "township_leader", False, True),
    "semester_inspection": ("semester", "supervision_office", True, False),
}


@dataclass(eq=False)
class Town:
    live: date
    id: int = 0


@dataclass(eq=False)
class Campus:
    town: Town
    kind: str
    is_focus: bool
    opened: date | None
    closed: date | None
    closures: dict[date, bool] = field(default_factory=dict)
    grade_closures: dict[tuple[int, date], bool] = field(default_factory=dict)
    grades: tuple[int, ...] = (7, 8)
    """One class for each grade."""
    id: int = 0


@dataclass(eq=False)
class Holding:
    """An assignment (to a school or a whole township) or an appointment to a township."""

    capacity: str
    town: Town
    campus: Campus | None
    start: date
    end: date | None
    is_primary: bool
    person: int
    is_appointment: bool = False


@dataclass(eq=False)
class Seen:
    """An inspection: capacities with the instant at which each participant confirmed."""

    kind: str
    campus: Campus
    day: date
    submitted: datetime
    signed: datetime | None
    people: dict[str, datetime | None]
    is_backfilled: bool = False
    created: datetime | None = None
    denied: datetime | None = None
    """When it was found that nobody came."""
    id: int = 0


@dataclass(eq=False)
class World:
    semesters: list[tuple[date, date]]
    off: set[date]
    make_up: set[date]
    campuses: list[Campus]
    holdings: list[Holding]
    seen: list[Seen]
    approved: set[tuple[int, date]]
    year: tuple[date, date] = (date(2025, 9, 1), date(2026, 8, 31))
    excused: dict[tuple[str, int, date], datetime] = field(default_factory=dict)
    """Obligations that the next level excused, by type, school and period start."""

    def in_term(self, day: date) -> bool:
        return any(first <= day <= last for first, last in self.semesters)

    def is_working(self, day: date) -> bool:
        return day in self.make_up or (day.weekday() < 5 and day not in self.off)

    def is_school_day(self, day: date) -> bool:
        return self.is_working(day) and self.in_term(day)

    def school_days(self, semester: tuple[date, date]) -> list[date]:
        return [day for day in days(*semester) if self.is_school_day(day)]


def days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def end_of(day: date) -> datetime:
    return datetime.combine(day + DAY, time(), ZONE).astimezone(UTC)


def fortnights(world: World) -> list[tuple[date, date, list[date]]]:
    """Week 1 holds the first school day; fewer than 3 in it: it joins weeks 2 and 3."""
    found = []
    for semester in world.semesters:
        open_days = world.school_days(semester)
        if not open_days:
            continue
        monday = open_days[0] - timedelta(days=open_days[0].weekday())
        in_week = [day for day in open_days if day < monday + timedelta(days=7)]
        length = 14 if len(in_week) >= 3 else 21
        blocks = []
        while monday <= open_days[-1]:
            sunday = monday + timedelta(days=length - 1)
            blocks.append([monday, sunday, [d for d in open_days if monday <= d <= sunday]])
            monday, length = sunday + DAY, 14
        found += join(blocks, 5)
    return found


def months(world: World) -> list[tuple[date, date, list[date]]]:
    """Ten school days make a month; a shorter one joins its neighbour in the semester."""
    found = []
    for semester in world.semesters:
        open_days = world.school_days(semester)
        if len(open_days) < 10:
            continue
        blocks, first = [], semester[0].replace(day=1)
        while first <= semester[1]:
            following = (first + timedelta(days=31)).replace(day=1)
            inside = [day for day in open_days if first <= day < following]
            blocks.append([first, following - DAY, inside])
            first = following
        found += join(blocks, 10)
    return found


def join(blocks, least):
    changed = True
    while changed and len(blocks) > 1:
        changed = False
        for at, block in enumerate(blocks):
            if len(block[2]) < least:
                left, right = (at - 1, at) if at else (0, 1)
                one, two = blocks[left], blocks[right]
                blocks[left : right + 1] = [[one[0], two[1], one[2] + two[2]]]
                changed = True
                break
    return [tuple(block) for block in blocks]


def has_class(world: World, campus: Campus, day: date) -> bool:
    """A grade's exception wins over the school's, this over the county's calendar."""
    school = campus.closures.get(day, world.is_school_day(day))
    return any(campus.grade_closures.get((grade, day), school) for grade in campus.grades)


def expected(world: World, as_of: date) -> dict[tuple[str, int, date], tuple[Campus, date, date]]:
    """Return (type, school, period start) → (school, period end, due on)."""
    found = {}
    spans = {
        "fortnight": [(first, last, inside[-1]) for first, last, inside in fortnights(world)],
        "month": [(first, last, inside[-1]) for first, last, inside in months(world)],
        "semester": [
            (first, last, max(world.school_days((first, last)), default=last))
            for first, last in world.semesters
        ],
    }
    for kind, (every, _capacity, _own, _counts) in KINDS.items():
        for campus in world.campuses:
            own = [(day, day, day) for day in days(*world.year) if has_class(world, campus, day)]
            listed = own if every == "day" else spans[every]
            for first, last, due in listed:
                if first <= as_of and is_due(world, kind, campus, (first, last, due)):
                    found[kind, campus.id, first] = (campus, last, due)
    return found


def is_due(world: World, kind: str, campus: Campus, span: tuple[date, date, date]) -> bool:
    first, last, due = span
    if due < campus.town.live or (campus.opened and campus.opened > due):
        return False
    if campus.closed and campus.closed < due:
        return False
    if kind != "daily_check" and campus.kind == "teaching_point":
        return False
    if kind == "semester_inspection":
        return campus.is_focus
    if kind == "leader_visit":
        return any(
            one.capacity == "liaison_leader" and one.campus is campus and covers(one, day)
            for one in world.holdings
            for day in days(first, last)
            if world.is_school_day(day)
        )
    return True


def covers(one: Holding, day: date) -> bool:
    return one.start <= day and (one.end is None or day <= one.end)


def answerable(world: World, kind: str, campus: Campus, span: tuple[date, date]) -> int | None:
    """The holder with most school days answers; at a tie the earlier. The pool has no person."""
    if KINDS[kind][0] == "day":
        return None
    capacity, best = KINDS[kind][1], (0, date.max, None)
    for one in world.holdings:
        if one.is_appointment or one.capacity != capacity or one.campus is not campus:
            continue
        if kind == "department_visit" and not one.is_primary:
            continue
        count = sum(covers(one, d) for d in days(*span) if world.is_school_day(d))
        if count and (count > best[0] or (count == best[0] and one.start < best[1])):
            best = (count, one.start, one.person)
    return best[2]


def status(world: World, kind: str, campus: Campus, span: tuple[date, date, date], as_of: date):
    first, last, due = span
    every, capacity, only_own, _counts = KINDS[kind]
    ranks = []
    for seen in world.seen:
        if seen.campus is not campus or not first <= seen.day <= last or seen.day > as_of:
            continue
        if seen.submitted >= end_of(as_of) or (seen.denied and seen.denied < end_of(as_of)):
            continue
        if only_own and seen.kind != kind:
            continue
        if not only_own and not (KINDS[seen.kind][3] and capacity in seen.people):
            continue
        wanted = list(seen.people) if only_own else [capacity]
        ranks += [rank(world, seen, one, every, as_of) for one in wanted]
    best = min(ranks, default=9)
    if best in {0, 1}:
        return ("met", "late")[best]
    if world.excused.get((kind, campus.id, first), end_of(as_of)) < end_of(as_of):
        return "excused"
    if best == 2 or as_of <= due:
        return "pending"
    limit = {"fortnight": 3, "month": 5}.get(every)
    if limit and vacant(world, campus, capacity, (first, last)) >= limit:
        return "excused"
    return "missed"


def rank(world: World, seen: Seen, capacity: str, every: str, as_of: date) -> int:
    """0 in time, 1 late, 2 waiting for a confirmation, 9 nothing."""
    instants = [at for at in (seen.people[capacity], seen.signed) if at is not None]
    confirmed = min(instants, default=None)
    limit = end_of(after(seen.day, 3, world.is_working))
    if confirmed is not None and confirmed < end_of(as_of):
        found = 0 if confirmed < limit else 1
    else:
        found = 2 if limit >= end_of(as_of) else 9
    if (every == "day" or seen.kind == "daily_check") and seen.submitted >= end_of(seen.day):
        in_time = seen.submitted < end_of(after(seen.day, 3, world.is_school_day))
        if not in_time and (seen.campus.id, seen.day) not in world.approved:
            return 9
        found = max(found, 1)
    grace = end_of(seen.campus.town.live + timedelta(days=30))
    if found == 1 and seen.is_backfilled and seen.created and seen.created < grace:
        return 0
    return found


def after(day: date, count: int, counts) -> date:
    """The last day on which no more than `count` days that count have elapsed."""
    elapsed, reached = 0, day
    for _ in range(60):
        elapsed += counts(reached + DAY)
        if elapsed > count:
            return reached
        reached += DAY
    return reached


def vacant(world: World, campus: Campus, capacity: str, span: tuple[date, date]) -> int:
    """Count the school days of a period on which nobody held the office for the school."""

    def is_held(day: date) -> bool:
        return any(
            one.capacity == capacity
            and one.town is campus.town
            and covers(one, day)
            and (
                one.campus in {None, campus}
                if one.is_appointment or capacity != "liaison_department"
                else True
            )
            for one in world.holdings
        )

    return sum(not is_held(day) for day in days(*span) if world.is_school_day(day))
