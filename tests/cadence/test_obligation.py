"""Compare obligations and how they stand with an independent judge, over generated counties."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, insert, select

from app import database
from app.cadence.fulfilment import judged
from app.cadence.judge import load_judge
from app.cadence.obligation import settle
from app.models import (
    Appointment,
    CalendarDay,
    CalendarException,
    ChecklistVersion,
    ClassGrade,
    Inspection,
    InspectionParticipant,
    LateEntry,
    LiaisonAssignment,
    Obligation,
    Person,
    School,
    SchoolClass,
    SchoolYear,
    Semester,
    Township,
    VisitCheck,
)
from tests.builder import CountyBuilder
from tests.cadence import oracle
from tests.cadence.oracle import DAY, Campus, Holding, Seen, Town, World

YEAR = (date(2025, 9, 1), date(2026, 8, 31))
MARGIN = timedelta(days=70)
CAPACITIES = {name: kind[1] for name, kind in oracle.KINDS.items()}


def made_world(dice: random.Random) -> World:
    """Make a county with odd weeks and short months, and what happened in it."""
    semesters = _semesters(dice)
    within = [day for first, last in semesters for day in oracle.days(first, last)]
    weekdays = [day for day in within if day.weekday() < 5]
    off = set(dice.sample(weekdays, dice.randint(0, min(30, len(weekdays)))))
    weekends = [day for day in within if day.weekday() > 4]
    make_up = set(dice.sample(weekends, min(len(weekends), dice.randint(0, 3))))
    return made_places(dice, semesters, off, make_up)


def made_places(
    dice: random.Random,
    semesters: list[tuple[date, date]],
    off: set[date],
    make_up: set[date],
) -> World:
    """Make schools with handovers, exceptions and visits of all sorts under a calendar."""
    within = [day for first, last in semesters for day in oracle.days(first, last)]
    towns = [Town(dice.choice([date(2025, 9, 1), *dice.sample(within, 2)])) for _ in range(2)]
    campuses = [_campus(dice, dice.choice(towns), within) for _ in range(4)]
    holdings = [one for campus in campuses for one in _holdings(dice, campus, within)]
    seen = [_seen(dice, dice.choice(campuses), within) for _ in range(dice.randint(10, 40))]
    approved = {(id(one.campus), one.day) for one in seen if dice.random() < 0.2}
    return World(semesters, off, make_up, campuses, holdings, seen, approved)


def _semesters(dice: random.Random) -> list[tuple[date, date]]:
    first = date(2025, 9, 1) + timedelta(days=dice.randint(0, 12))
    middle = first + timedelta(days=dice.choice([2, 8, 20, 60, 140]))
    second = max(date(2026, 2, 10), middle + 10 * DAY) + timedelta(days=dice.randint(0, 20))
    last = second + timedelta(days=dice.choice([3, 12, 40, 75]))
    return [(first, middle), (second, last)]


def _campus(dice: random.Random, town: Town, within: list[date]) -> Campus:
    campus = Campus(
        town,
        dice.choice(["junior_high", "primary", "teaching_point"]),
        dice.random() < 0.5,
        dice.choice([None, None, dice.choice(within)]),
        dice.choice([None, None, None, dice.choice(within)]),
    )
    for _ in range(dice.randint(0, 3)):
        campus.closures[dice.choice(within)] = dice.random() < 0.4
        campus.grade_closures[dice.choice((7, 8)), dice.choice(within)] = dice.random() < 0.4
    return campus


def _holdings(dice: random.Random, campus: Campus, within: list[date]) -> Iterator[Holding]:
    """Yield who is assigned to a school or its township, with gaps and handovers."""
    for capacity in ("liaison_leader", "liaison_department"):
        for _ in range(dice.randint(0, 3)):
            start = dice.choice([YEAR[0] - DAY, dice.choice(within)])
            end = dice.choice([None, start + timedelta(days=dice.randint(0, 40))])
            whole = dice.random() < 0.2
            yield Holding(
                capacity, campus.town, None if whole else campus, start, end,
                dice.random() < 0.5, dice.randint(0, 3),
            )  # fmt: skip
    if dice.random() < 0.7:
        start = dice.choice([YEAR[0] - DAY, dice.choice(within)])
        end = dice.choice([None, start + timedelta(days=dice.randint(0, 60))])
        yield Holding("township_leader", campus.town, None, start, end, False, 0, True)


def _seen(dice: random.Random, campus: Campus, within: list[date]) -> Seen:
    kind = dice.choice(list(oracle.KINDS))
    day = dice.choice(within)
    at = datetime.combine(day, time(dice.randint(0, 23), 30), oracle.ZONE)
    submitted = at + timedelta(days=dice.choice([0, 0, 0, 1, 3, 4, 9]))

    def confirmation() -> datetime | None:
        later = timedelta(days=dice.choice([0, 0, 1, 3, 4, 5, 8]), hours=dice.randint(0, 5))
        return None if dice.random() < 0.25 else submitted + later

    people = {CAPACITIES[kind]: confirmation()}
    if kind != "daily_check" and dice.random() < 0.3:
        people[dice.choice(list(CAPACITIES.values()))] = confirmation()
    return Seen(
        kind, campus, day, submitted, confirmation() if dice.random() < 0.3 else None, people,
        dice.random() < 0.2, submitted,
    )  # fmt: skip


class Store:
    """Put a made county into the database of one transaction."""

    def __init__(self, county: CountyBuilder, world: World) -> None:
        self.session, self.county_id, self.world = county.session, county.here.id, world
        version = select(ChecklistVersion.id).limit(1)
        self.version_id = self.session.scalar(version)
        self.number = itertools.count(1)

    def rows(self) -> None:
        self.calendar()
        self.places()

    def calendar(self) -> None:
        session, world = self.session, self.world
        self.year = self._kept(
            SchoolYear(county_id=self.county_id, name="学年", starts_on=YEAR[0], ends_on=YEAR[1])
        )
        for first, last in world.semesters:
            values = {"starts_on": first, "ends_on": last}
            session.add(
                Semester(
                    county_id=self.county_id, school_year_id=self.year.id, name="学期", **values
                )
            )
        session.execute(delete(CalendarDay))
        session.execute(
            insert(CalendarDay),
            [
                {
                    "county_id": self.county_id,
                    "day": day,
                    "is_working_day": world.is_working(day),
                    "is_school_day": world.is_school_day(day),
                }
                for day in oracle.days(YEAR[0] - MARGIN, YEAR[1] + MARGIN)
            ],
        )

    def places(self) -> None:
        session, world = self.session, self.world
        self.people = [self._kept(Person(county_id=self.county_id, name="某人")) for _ in range(9)]
        for campus in world.campuses:
            self._campus(campus)
        world.approved = {
            (campus.id, day)
            for key, day in world.approved
            for campus in world.campuses
            if key == id(campus)
        }
        for one in world.holdings:
            one.person = self.people[one.person].id
            self._holding(one)
        for one in world.seen:
            self._seen(one)
        for school_id, day in world.approved:
            campus = next(one for one in world.campuses if one.id == school_id)
            session.add(
                LateEntry(
                    type_key="daily_check", day=day, reason="补录", state="approved",
                    **self._scope(campus),
                )
            )  # fmt: skip
        session.flush()

    def _kept(self, row: Any) -> Any:
        self.session.add(row)
        self.session.flush()
        return row

    def _scope(self, campus: Campus) -> dict[str, int]:
        return {
            "county_id": self.county_id,
            "township_id": campus.town.id,
            "school_id": campus.id,
        }

    def _campus(self, campus: Campus) -> None:
        town = campus.town
        if not town.id:
            row = Township(
                county_id=self.county_id, code=f"X{next(self.number)}", name="某镇",
                go_live_on=town.live,
            )  # fmt: skip
            town.id = self._kept(row).id
        campus.id = self._kept(
            School(
                county_id=self.county_id, township_id=town.id, code=f"X{next(self.number)}",
                name="某校", kind=campus.kind, is_focus=campus.is_focus,
                opened_on=campus.opened, closed_on=campus.closed,
            )
        ).id  # fmt: skip
        scope = self._scope(campus)
        for grade in campus.grades:
            row = SchoolClass(school_year_id=self.year.id, name=f"{grade}年级", **scope)
            row.grades = [ClassGrade(grade=grade, **scope)]
            self.session.add(row)
        for day, is_open in campus.closures.items():
            self.session.add(
                CalendarException(day=day, is_school_day=is_open, reason="调整", **scope)
            )
        for (grade, day), is_open in campus.grade_closures.items():
            self.session.add(
                CalendarException(
                    day=day, grade=grade, is_school_day=is_open, reason="调整", **scope
                )
            )

    def _holding(self, one: Holding) -> None:
        school_id = one.campus.id if one.campus else None
        common = {
            "person_id": one.person,
            "county_id": self.county_id,
            "township_id": one.town.id,
            "school_id": school_id,
            "capacity": one.capacity,
            "valid_from": one.start,
            "valid_to": one.end,
        }
        if one.is_appointment:
            row = Appointment(template=one.capacity, scope_kind="township", **common)
        else:
            row = LiaisonAssignment(is_primary=one.is_primary, **common)
        self.session.add(row)

    def _seen(self, one: Seen) -> None:
        scope = self._scope(one.campus)
        row = self._kept(
            Inspection(
                type_key=one.kind, checklist_version_id=self.version_id, occurred_on=one.day,
                state="submitted", submitted_at=one.submitted, confirmed_at=one.signed,
                is_backfilled=one.is_backfilled, created_at=one.created, **scope,
            )
        )  # fmt: skip
        one.id = row.id
        if one.denied:
            self.session.add(
                VisitCheck(
                    inspection_id=row.id, reason="未到校", state="approved",
                    decided_at=one.denied, **scope,
                )
            )  # fmt: skip
        for person, (capacity, at) in zip(self.people, one.people.items(), strict=False):
            self.session.add(
                InspectionParticipant(
                    inspection_id=row.id, person_id=person.id, capacity=capacity,
                    confirmed_at=at, **scope,
                )
            )  # fmt: skip


def judged_by_the_product(county: CountyBuilder, as_of: date) -> dict[Any, Any]:
    session = county.session
    settle(session, as_of)
    judge = load_judge(session, as_of, YEAR[0] - MARGIN, YEAR[1])
    rows = session.execute(judged(judge))
    return {
        (row.type_key, row.school_id, row.period_start): (row.due_on, row.person_id, row.status)
        for row in rows
    }


def judged_by_hand(world: World, as_of: date) -> dict[Any, Any]:
    found = {}
    for key, (campus, last, due) in oracle.expected(world, as_of).items():
        kind, _school, first = key
        found[key] = (
            due,
            oracle.answerable(world, kind, campus, (first, last)),
            oracle.status(world, kind, campus, (first, last, due), as_of),
        )
    return found


def agree(county: CountyBuilder, seed: int) -> set[str]:
    """Judge one county on several days, both ways; return the statuses that occurred."""
    dice = random.Random(seed)
    world = made_world(dice)
    occurred: set[str] = set()
    with county.context(), database.writing():
        try:
            Store(county, world).rows()
            for as_of in sorted(YEAR[0] + timedelta(days=dice.randint(5, 360)) for _ in range(2)):
                product, hand = judged_by_the_product(county, as_of), judged_by_hand(world, as_of)
                differing = {
                    key: (product.get(key), hand.get(key))
                    for key in product.keys() | hand.keys()
                    if product.get(key) != hand.get(key)
                }
                assert differing == {}, (seed, as_of)
                occurred |= {status for _due, _person, status in product.values()}
        finally:
            county.session.rollback()
    return occurred


def test_obligations_stand_as_an_independent_judge_says(county: CountyBuilder) -> None:
    occurred = set().union(*(agree(county, seed) for seed in range(5)))

    assert occurred == {"met", "late", "pending", "missed", "excused"}


@pytest.mark.long
def test_many_obligations_stand_as_an_independent_judge_says(county: CountyBuilder) -> None:
    for seed in range(100, 300):
        agree(county, seed)


def test_a_second_run_changes_nothing_and_an_earlier_one_takes_nothing_back(county):
    with county.context(), database.writing():
        Store(county, made_world(random.Random(3))).rows()
        first = settle(county.session, date(2026, 4, 1))
        again = settle(county.session, date(2026, 4, 1))
        earlier = settle(county.session, date(2025, 10, 1))
        count = len(county.session.scalars(select(Obligation.id)).all())
        county.session.rollback()

    assert first.added == count > 0
    assert (again.added, again.changed, again.removed) == (0, 0, 0)
    assert (earlier.added, earlier.changed, earlier.removed) == (0, 0, 0)
