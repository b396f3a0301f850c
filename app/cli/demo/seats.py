"""Fill the classes: how many children sit where, this school year and the one before."""

from __future__ import annotations

from datetime import date, timedelta
from math import ceil
from random import Random

from app.cli.demo.plan import Campus, Pupil, Room, Town, World
from app.cli.demo.schools import add_room, shares
from app.models import Child, SchoolKind

LARGEST_CLASS = 46
MULTIGRADE_UP_TO = 24
GRADUATES = 0.1
"""Share of the children who left grade 9 in the summer before, where that year has records."""
WEIGHT = {
    SchoolKind.JUNIOR_HIGH: 8,
    SchoolKind.NINE_YEAR: 6,
    SchoolKind.PRIMARY: 6,
    SchoolKind.TEACHING_POINT: 2,
}
HIGHEST = 9


def seat_children(world: World, count: int, outside: int) -> list[Pupil]:
    """Give each child a name, a birthday and a seat; return those outside all classes."""
    random = world.random("seats")
    cells = [(campus, grade) for campus in world.campuses for grade in campus.grades]
    inside = count - outside - graduates(world, count)
    weights = [_weight(campus, grade) for campus, grade in cells]
    by_campus: dict[int, dict[int, int]] = {}
    for (campus, grade), size in zip(cells, shares(weights, inside), strict=True):
        by_campus.setdefault(campus.id, {})[grade] = size
    for campus in world.campuses:
        _fill(world, random, campus, by_campus[campus.id])
    towns = _open_towns(world)
    return [
        _pupil(world, random, random.choice(towns), None, random.randint(1, HIGHEST))
        for _ in range(outside)
    ]


def graduates(world: World, count: int) -> int:
    """Return how many of the children graduated within the half year."""
    return round(count * GRADUATES) if len(world.days.years) > 1 else 0


def add_year_before(world: World, count: int) -> list[Pupil]:
    """Add last year's classes where they have records: the same children one grade lower.

    Returns those who sat in grade 9 and graduated.
    """
    if len(world.days.years) == 1:
        return []
    year = world.days.years[0][0]
    for campus in world.campuses:
        for room in campus.rooms(world.days.years[-1][0]):
            _add_room_before(world, room, year)
    for town in world.towns:
        _add_sixth_grades(world, town, year)
    return _add_graduates(world, world.random("graduates"), year, graduates(world, count))


def _open_towns(world: World) -> list[Town]:
    return [town for town in world.towns if town.schools]


def _weight(campus: Campus, grade: int) -> int:
    """Return a grade's share of the township, parted among the schools that teach it."""
    rivals = [c for c in campus.town.schools if grade in c.grades]
    total = sum(WEIGHT[SchoolKind(c.kind)] for c in rivals)
    return campus.town.weight * 1000 * WEIGHT[SchoolKind(campus.kind)] // total


def _fill(world: World, random: Random, campus: Campus, sizes: dict[int, int]) -> None:
    year = world.days.years[-1][0]
    if campus.parent is not None and sum(sizes.values()) <= MULTIGRADE_UP_TO:
        room = add_room(world, campus, year, campus.grades, 1)
        for grade, size in sizes.items():
            _sit(world, random, room, grade, size)
        return
    for grade, size in sizes.items():
        rooms = max(1, ceil(size / LARGEST_CLASS))
        for number in range(rooms):
            room = add_room(world, campus, year, (grade,), number + 1)
            _sit(world, random, room, grade, size // rooms + (number < size % rooms))


def _sit(world: World, random: Random, room: Room, grade: int, size: int) -> None:
    for _ in range(size):
        room.pupils.append(_pupil(world, random, room.campus.town, room, grade))


def _pupil(world: World, random: Random, town: Town, room: Room | None, grade: int) -> Pupil:
    campus = room.campus if room else None
    first = _eldest(world.days.years[-1][2].year, grade)
    villages = campus.villages if campus else town.schools[0].villages
    pupil = Pupil(
        id=world.store.next_id(Child),
        name=world.names.person(),
        town=town,
        campus=campus,
        room=room,
        grade=grade,
        born_on=first + timedelta(days=random.randrange(365)),
        village=random.choice(villages),
    )
    world.pupils.append(pupil)
    return pupil


def _eldest(year: int, grade: int) -> date:
    """Return the first birthday of a grade: six years old by the end of August of grade 1."""
    return date(year - 6 - grade, 9, 1)


def _add_room_before(world: World, room: Room, year: int) -> None:
    campus = room.campus
    grades = room.grades if len(room.grades) > 1 else (room.grades[0] - 1,)
    pupils = [pupil for pupil in room.pupils if pupil.grade - 1 in campus.grades]
    if grades[0] not in campus.grades or not pupils:
        return
    before = add_room(world, campus, year, grades, room.position % 100)
    before.teacher, before.pupils = room.teacher, pupils


def _add_sixth_grades(world: World, town: Town, year: int) -> None:
    """Let the seventh grades of junior highs come from the township's primaries."""
    present = world.days.years[-1][0]
    newcomers = [
        pupil
        for campus in town.schools
        for room in campus.rooms(present)
        if room.grades == (7,) and 6 not in campus.grades
        for pupil in room.pupils
    ]
    sources = [c for c in town.schools if 6 in c.grades and 7 not in c.grades]
    for place, campus in enumerate(sources):
        own = newcomers[place :: len(sources)]
        rooms = ceil(len(own) / LARGEST_CLASS)
        teachers = [r.teacher for r in campus.rooms(present) if r.grades == (1,)]
        for number in range(rooms):
            room = add_room(world, campus, year, (6,), number + 1)
            room.teacher = teachers[number % len(teachers)]
            room.pupils = own[number::rooms]


def _add_graduates(world: World, random: Random, year: int, former: int) -> list[Pupil]:
    present = world.days.years[-1][0]
    campuses = [campus for campus in world.campuses if HIGHEST in campus.grades]
    left: list[Pupil] = []
    sizes = shares([_weight(campus, HIGHEST) for campus in campuses], former)
    for campus, size in zip(campuses, sizes, strict=True):
        rooms = ceil(size / LARGEST_CLASS)
        teachers = [r.teacher for r in campus.rooms(present) if r.grades == (7,)]
        for number in range(rooms):
            room = add_room(world, campus, year, (HIGHEST,), number + 1)
            room.teacher = teachers[number % len(teachers)]
            for _ in range(size // rooms + (number < size % rooms)):
                pupil = _pupil(world, random, campus.town, None, HIGHEST + 1)
                pupil.status = "graduated"
                room.pupils.append(pupil)
                left.append(pupil)
    return left
