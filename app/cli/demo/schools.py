"""Lay out the schools, teaching points and classes over the townships."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from random import Random

from app.cli.demo.plan import Campus, Room, Town, World
from app.models import ClassGrade, DailyMode, LiaisonContact, School, SchoolClass, SchoolKind
from app.pinyin import search_key

LOWER, UPPER, ALL = tuple(range(1, 7)), tuple(range(7, 10)), tuple(range(1, 10))
POINT = (1, 2, 3)
FURTHER = (
    SchoolKind.TEACHING_POINT,
    SchoolKind.PRIMARY,
    SchoolKind.NINE_YEAR,
    SchoolKind.PRIMARY,
    SchoolKind.TEACHING_POINT,
    SchoolKind.PRIMARY,
    SchoolKind.JUNIOR_HIGH,
)
"""What follows a township's junior high and central primary, over and over."""
GRADES = {
    SchoolKind.PRIMARY: LOWER,
    SchoolKind.JUNIOR_HIGH: UPPER,
    SchoolKind.NINE_YEAR: ALL,
    SchoolKind.TEACHING_POINT: POINT,
}


def lay_out_schools(world: World, count: int) -> None:
    """Spread the schools over the townships: each has its junior high, the larger ones more."""
    random = world.random("schools")
    parts = shares([town.weight for town in world.towns], count)
    for town, share in zip(world.towns, parts, strict=True):
        words = _shuffled(random, world.words.schools.words)
        villages = _shuffled(random, world.words.schools.villages)
        for number, kind in enumerate(kinds(share), start=1):
            _add_school(world, town, kind, number, next(words), next(villages))
    world.store.flush()


def shares(weights: list[int], count: int) -> list[int]:
    """Part a number by weights: one for everybody first, then the rest in proportion."""
    size = len(weights)
    if count <= size:
        return [1] * count + [0] * (size - count)
    rest, total = count - size, sum(weights)
    exact = [rest * weight / total for weight in weights]
    given = [int(part) for part in exact]
    order = sorted(range(size), key=lambda n: (given[n] - exact[n], n))
    for n in order[: rest - sum(given)]:
        given[n] += 1
    return [1 + part for part in given]


def kinds(count: int) -> list[SchoolKind]:
    """Return the kinds of a township's schools: a focus school first."""
    if count == 0:
        return []
    if count == 1:
        return [SchoolKind.NINE_YEAR]
    if count == 2:
        return [SchoolKind.JUNIOR_HIGH, SchoolKind.PRIMARY]
    further = cycle(FURTHER)
    return [
        SchoolKind.JUNIOR_HIGH,
        SchoolKind.PRIMARY,
        *(next(further) for _ in range(count - 2)),
    ]


def _add_school(
    world: World, town: Town, kind: SchoolKind, number: int, word: str, village: str
) -> None:
    words = world.words.schools
    parent = next((c for c in town.schools if 1 in c.grades), None)
    is_point = kind is SchoolKind.TEACHING_POINT
    template = {
        SchoolKind.JUNIOR_HIGH: words.junior_high,
        SchoolKind.NINE_YEAR: words.nine_year,
        SchoolKind.PRIMARY: words.primary if parent else words.central,
        SchoolKind.TEACHING_POINT: words.teaching_point,
    }[kind]
    name = template % {"town": town.row.name, "word": word, "village": village}
    is_focus = kind in {SchoolKind.JUNIOR_HIGH, SchoolKind.NINE_YEAR}
    random = world.random(f"school/{town.row.code}/{number}")
    campus = Campus(
        id=world.store.next_id(School),
        town=town,
        name=name,
        kind=kind,
        grades=GRADES[kind],
        is_focus=is_focus,
        is_boarding=is_focus or random.random() < 0.2,
        parent=parent if is_point else None,
        villages=tuple(random.sample(words.villages.split(), 4)),
        care=random.choice((0.5, 0.8, 1.0, 1.2, 2.5)),
    )
    town.schools.append(campus)
    world.store.add(
        School,
        id=campus.id,
        county_id=town.row.county_id,
        township_id=town.row.id,
        name=name,
        search_key=search_key(name),
        code=f"{town.row.code}{number:03d}",
        kind=str(kind),
        is_focus=is_focus,
        is_boarding=campus.is_boarding,
        parent_id=campus.parent.id if campus.parent else None,
        daily_mode=str(_daily_mode(is_point, number)),
        address=words.address % {"town": town.row.name, "village": village},
        phone=f"0773-000{campus.id % 10000:04d}",
        opened_on=None,
        closed_on=None,
    )


def _daily_mode(is_point: bool, number: int) -> DailyMode:
    """Let most teaching points report by their parent, some by themselves."""
    return DailyMode.WITH_PARENT if is_point and number % 2 else DailyMode.OWN


def add_room(
    world: World, campus: Campus, year_id: int, grades: tuple[int, ...], number: int
) -> Room:
    """Add a class of a school year."""
    words = world.words.schools
    names = [words.grades[grade - 1] for grade in grades]
    pattern = words.multigrade_name if len(grades) > 1 else words.class_name
    name = pattern % {"grade": names[0], "grades": "、".join(names), "number": number}
    room = Room(
        id=world.store.next_id(SchoolClass),
        campus=campus,
        year_id=year_id,
        name=name,
        position=grades[0] * 100 + number,
        grades=grades,
    )
    campus.classes.append(room)
    return room


def store_rooms(world: World) -> None:
    """Store the classes, once their teachers are known."""
    present = world.days.years[-1][0]
    for campus in world.campuses:
        for room in campus.classes:
            world.store.add(
                SchoolClass,
                id=room.id,
                **campus.scope,
                school_year_id=room.year_id,
                name=room.name,
                position=room.position,
                teacher_id=room.teacher.person_id if room.teacher else None,
                is_active=room.year_id == present,
            )
            for grade in room.grades:
                world.store.add(ClassGrade, **campus.scope, class_id=room.id, grade=grade)


def store_contacts(world: World) -> None:
    """Store who links each school with its township."""
    for campus in world.campuses:
        cadres = campus.town.staff["township_cadre"]
        cadre = cadres[campus.id % len(cadres)]
        world.store.add(
            LiaisonContact,
            **campus.scope,
            school_person=campus.leaders[0].name,
            school_phone=None,
            township_person=cadre.name,
            township_phone=None,
            duties=world.words.contacts.duties,
            valid_from=world.days.start,
            valid_to=None,
            evidence_set_id=None,
        )


def _shuffled(random: Random, words: str) -> Iterator[str]:
    listed = words.split()
    random.shuffle(listed)
    return cycle(listed)
