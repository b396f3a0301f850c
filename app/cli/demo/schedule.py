"""Plan the inspections of a type on its cadence, most of them kept, some missed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Any

from app.cli.demo.days import Period
from app.cli.demo.plan import Campus, Town, World

MISSED = 0.015
SKIPPED_FORTNIGHT, POINT_VISITED, SAMPLED = 0.06, 0.3, 0.15
CAMPAIGN_DAYS = 30
RANDOM_SHARE = 3
SCHOOL_DAY, FORTNIGHT, MONTH, SEMESTER = "school_day", "fortnight", "month", "semester"


@dataclass(frozen=True, slots=True)
class Plan:
    """An inspection that is to be made."""

    day: date
    order: int
    kind: Any
    town: Town
    campus: Campus | None
    semester: int | None

    @property
    def place(self) -> tuple[date, int, int, int]:
        """Return where it comes among the others."""
        return self.day, self.order, self.town.row.id, self.campus.id if self.campus else 0


def plans_of(world: World, random: Random, kind: Any, order: int) -> Iterator[Plan]:
    """Yield the inspections of a type in the half year."""
    every = kind.cadence.every
    campuses = [campus for campus in world.campuses if _is_meant(kind, campus)]
    if every == SCHOOL_DAY:
        yield from _daily(world, random, kind, order, campuses)
    elif every == FORTNIGHT:
        for period in world.days.fortnights():
            yield from _each(random, kind, order, campuses, period, _is_visited)
    elif every == MONTH:
        linked = kind.cadence.scope == "linked_schools"
        campuses = [campus for campus in campuses if campus.is_focus or not linked]
        for period in world.days.months():
            yield from _each(random, kind, order, campuses, period, lambda _random, _campus: True)
    elif every == SEMESTER:
        for period in world.days.whole_semesters():
            yield from _campaign(world, random, kind, order, campuses, period)
    elif world.days.past:
        for campus in random.choices(campuses, k=max(3, len(campuses) // RANDOM_SHARE)):
            day = random.choice(world.days.past)
            yield _plan(world, kind, order, campus, day)


def _is_meant(kind: Any, campus: Campus) -> bool:
    """Tell whether the type's cadence names schools of this sort."""
    return all(getattr(campus, name, None) == wanted for name, wanted in kind.cadence.only.items())


def _is_visited(random: Random, campus: Campus) -> bool:
    if campus.parent is not None:
        return random.random() < POINT_VISITED
    return random.random() >= SKIPPED_FORTNIGHT * campus.care


def _plan(world: World, kind: Any, order: int, campus: Campus, day: date) -> Plan:
    return Plan(day, order, kind, campus.town, campus, world.days.semester_of(day))


def _daily(
    world: World, random: Random, kind: Any, order: int, campuses: list[Campus]
) -> Iterator[Plan]:
    for day in world.days.past:
        year = world.days.year_of(day)
        for campus in campuses:
            if campus.rooms(year) and random.random() >= MISSED * campus.care:
                yield _plan(world, kind, order, campus, day)


def _each(
    random: Random,
    kind: Any,
    order: int,
    campuses: list[Campus],
    period: Period,
    is_made: Callable[[Random, Campus], bool],
) -> Iterator[Plan]:
    for campus in campuses:
        if is_made(random, campus):
            day = random.choice(period.days)
            yield Plan(day, order, kind, campus.town, campus, period.semester)


def _campaign(
    world: World, random: Random, kind: Any, order: int, campuses: list[Campus], period: Period
) -> Iterator[Plan]:
    """Plan a campaign on the last days of a semester: the schools meant, a sample, townships."""
    days = period.days[-CAMPAIGN_DAYS:]
    meant = {campus.id for campus in campuses}
    for town in world.towns:
        for campus in town.schools:
            if campus.id in meant or random.random() < SAMPLED:
                yield Plan(random.choice(days), order, kind, town, campus, period.semester)
        if town.schools:
            yield Plan(random.choice(days), order, kind, town, None, period.semester)
