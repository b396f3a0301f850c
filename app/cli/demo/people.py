"""Appoint the made-up staff: schools, townships, and the county's own offices."""

from __future__ import annotations

from datetime import date, timedelta

from app.cli.demo.plan import Campus, Hand, Town, World
from app.cli.demo.store import Row
from app.models import Appointment, LiaisonAssignment, Person
from app.pinyin import search_key
from app.security.roles import role_for, template_of

LEADERS_ABOVE = 8
"""Classes above which a school has a second deputy."""
LIAISON_LEADERS = 4
OF_TOWNSHIP = {
    "township_leader": 2,
    "township_cadre": 3,
    "education_assistant": 1,
    "township_clerk": 1,
}
OF_COUNTY = {"supervision_office": 2, "task_group": 2, "audit_administrator": 1}
ADMINISTRATOR = ("system_administrator", "security_administrator")
LEADER, DEPARTMENT = "liaison_leader", "liaison_department"
SERVICE = timedelta(days=800)


def appoint_staff(world: World) -> None:
    """Add all staff with their appointments."""
    _appoint_county(world)
    for number, town in enumerate(world.towns):
        _appoint_township(world, town)
        _link(world, town, number)
        for campus in town.schools:
            _appoint_school(world, campus)
    world.store.flush()


def _appoint_county(world: World) -> None:
    words, staff = world.words, world.bureau.staff
    for template, count in OF_COUNTY.items():
        unit = words.units.get(template, words.units["education_bureau"])
        staff[template] = [
            appoint(world, template, world.scope, "county", words.titles[template], unit)
            for _ in range(count)
        ]
    unit = words.units["education_bureau"]
    title = words.titles["administrator"]
    person = add_person(world, world.scope, title, unit)
    for template in ADMINISTRATOR:
        office = words.titles[template]
        hand = _hold(world, person, template, world.scope, "county", office)
        staff[template] = [hand]
    staff[LEADER] = [
        appoint(world, LEADER, world.scope, "linked", words.titles[LEADER], unit)
        for _ in range(LIAISON_LEADERS)
    ]


def _appoint_township(world: World, town: Town) -> None:
    words = world.words
    unit = words.units["township"] % {"town": town.row.name}
    for template, count in OF_TOWNSHIP.items():
        town.staff[template] = [
            appoint(world, template, town.scope, "township", words.titles[template], unit)
            for _ in range(count)
        ]


def _link(world: World, town: Town, number: int) -> None:
    """Link a made-up leader and made-up inspectors with each school, beside the real ones."""
    words = world.words
    leader = world.bureau.staff[LEADER][number % LIAISON_LEADERS]
    inspectors = [
        appoint(
            world,
            DEPARTMENT,
            world.scope,
            "linked",
            words.titles[DEPARTMENT],
            words.units["education_bureau"],
        )
        for _ in range(2)
    ]
    town.staff[LEADER], town.staff[DEPARTMENT] = [leader], inspectors
    for campus in town.schools:
        if campus.is_focus:
            _assign(world, campus, leader, LEADER, is_primary=True)
        for place, inspector in enumerate(inspectors):
            primary = place == campus.id % 2
            _assign(world, campus, inspector, DEPARTMENT, is_primary=primary)


def _assign(world: World, campus: Campus, hand: Hand, capacity: str, *, is_primary: bool) -> None:
    world.store.add(
        LiaisonAssignment,
        **campus.scope,
        person_id=hand.person_id,
        capacity=capacity,
        department=world.words.units["department"] if capacity == DEPARTMENT else None,
        is_primary=is_primary,
        valid_from=_since(world),
        valid_to=None,
    )


def _appoint_school(world: World, campus: Campus) -> None:
    titles, scope, unit = world.words.titles, campus.scope, campus.name
    present = world.days.years[-1][0]
    size = len(campus.rooms(present))
    if campus.parent is not None:
        names = [titles["point_head"]]
    else:
        names = [titles["principal"], *[titles["deputy"]] * (1 + (size > LEADERS_ABOVE))]
    campus.leaders = [
        appoint(world, "school_leader", scope, "schools", name, unit) for name in names
    ]
    if len(campus.leaders) > 1 and campus.id % 5 == 0:
        _let_act(world, campus)
    clerk = titles["school_clerk"]
    campus.clerks = [appoint(world, "school_clerk", scope, "schools", clerk, unit)]
    for room in campus.rooms(present):
        title = titles["class_teacher"]
        room.teacher = appoint(world, "class_teacher", scope, "schools", title, unit)


def _let_act(world: World, campus: Campus) -> None:
    """Let a deputy have acted for the principal for a week."""
    principal, deputy = campus.leaders[:2]
    first = world.days.as_of - timedelta(days=40)
    _hold(
        world,
        deputy.person_id,
        "school_leader",
        campus.scope,
        "schools",
        world.words.titles["principal"],
        deputy.name,
        first,
        first + timedelta(days=6),
        principal.appointment_id,
    )


def appoint(
    world: World, template: str, scope: Row, scope_kind: str, title: str, unit: str
) -> Hand:
    """Add a person with one appointment."""
    name = world.names.person()
    person = add_person(world, scope, title, unit, name)
    return _hold(world, person, template, scope, scope_kind, title, name)


def add_person(world: World, scope: Row, title: str, unit: str, name: str | None = None) -> int:
    """Add a made-up person."""
    name = name or world.names.person()
    key = world.store.next_id(Person)
    return world.store.add(
        Person,
        id=key,
        **scope,
        name=name,
        search_key=search_key(name),
        phone=f"1990000{key % 10000:04d}",
        unit=unit,
        title=title,
        user_id=None,
        is_active=True,
    )


def _hold(
    world: World,
    person_id: int,
    template: str,
    scope: Row,
    scope_kind: str,
    title: str,
    name: str = "",
    valid_from: date | None = None,
    valid_to: date | None = None,
    acting_for_id: int | None = None,
) -> Hand:
    key = world.store.add(
        Appointment,
        **scope,
        person_id=person_id,
        template=template,
        capacity=template_of(template).capacity,
        scope_kind=scope_kind,
        role_id=_role_id(world, template, scope["township_id"]),
        title=title,
        valid_from=valid_from or _since(world),
        valid_to=valid_to,
        acting_for_id=acting_for_id,
    )
    return Hand(person_id, key, template, name)


def _role_id(world: World, template: str, township_id: int | None) -> int:
    key = (template, township_id)
    if key not in world.roles:
        names = (town.row.name for town in world.towns if town.row.id == township_id)
        place = next(names, None)
        world.roles[key] = role_for(world.store.session, template, township_id, place).id
    return world.roles[key]


def _since(world: World) -> date:
    return world.days.as_of - SERVICE
