"""Give the children their statuses, numbers, guardians, groups and enrolments."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from sqlalchemy import select
from stdnum.cn import ric

from app.cli.demo.plan import Hand, Pupil, World
from app.cli.demo.statuses import ENROLLED, GRADUATED, Status, Statuses
from app.columns import blind_index
from app.models import (
    Child,
    ChildGroup,
    Code,
    Enrolment,
    Guardian,
    StatusEvent,
)
from app.pinyin import search_key

REGION = "000000"
"""No place has this number: nobody is really meant."""
UNREGISTERED = "without_registration"
SEATED = {ENROLLED, "suspected", "returned", "pending_determination"}
SUSPECTED_AFTER = 3
LAGS = {"suspected": (2, 12), "pending_determination": (1, 12), "returned": (3, 30)}
GAPS = {"pending_determination": 20, "dropped_out": 12, "returned": 12}
LAG, GAP = (5, 60), 10
"""School days since the last event, and between two."""
GROUP_SHARE, BOARDING_SHARE, TWO_GUARDIANS = 0.14, 0.45, 0.3
GUEST_SHARE = 0.01
BOARDING_FROM = 5
SUMMER = timedelta(days=52)
"""From the last school day to the end of the school year."""
INCOMPLETE = 0.05
"""Share of the monitored children who lack a responsible person."""


@dataclass(slots=True)
class Codes:
    """Hold the coded answers that children need, by domain."""

    groups: list[tuple[int, str]]
    relations: list[tuple[int, str]]


class Numbers:
    """Give out id numbers: no region, the birthday, a serial that tells the sex, a check digit."""

    def __init__(self) -> None:
        self._used: dict[tuple[date, bool], int] = defaultdict(int)

    def take(self, born_on: date, *, is_male: bool) -> str:
        """Return a new number with a valid check digit."""
        serial = self._used[born_on, is_male]
        self._used[born_on, is_male] += 1
        body = f"{REGION}{born_on:%Y%m%d}{2 * serial + is_male:03d}"
        return body + str(ric.calc_check_digit(body + "0"))


def store_children(world: World, statuses: Statuses) -> None:
    """Store the children with all that hangs on them."""
    random, numbers = world.random("children"), Numbers()
    codes = _codes(world)
    for pupil in world.pupils:
        _store_child(world, random, numbers, statuses, pupil)
        _store_events(world, random, statuses, pupil)
        _store_guardians(world, random, codes, pupil)
        _store_groups(world, random, codes, pupil)
    _store_enrolments(world, random, statuses)
    world.store.flush()


def _codes(world: World) -> Codes:
    query = select(Code.id, Code.key, Code.domain).order_by(Code.domain, Code.position)
    rows = world.store.session.execute(query).all()
    return Codes(
        groups=[(row.id, row.key) for row in rows if row.domain == "special_group"],
        relations=[(row.id, row.key) for row in rows if row.domain == "guardian_relation"],
    )


def scope_of(pupil: Pupil, statuses: Statuses | None = None) -> dict[str, int | None]:
    """Return the scope columns of a child's rows: those of the school that holds him, if any."""
    in_school = pupil.campus is not None and (
        statuses is None or statuses.by_key[pupil.status].is_enrolled
    )
    campus = pupil.campus if in_school else None
    return dict(campus.scope if campus else pupil.town.scope)


def _store_child(
    world: World, random: Random, numbers: Numbers, statuses: Statuses, pupil: Pupil
) -> None:
    status = statuses.by_key[pupil.status]
    is_male = random.random() < 0.53
    kind = "none" if pupil.status == UNREGISTERED else "resident"
    number = numbers.take(pupil.born_on, is_male=is_male) if kind == "resident" else None
    enrolment = f"G{number}" if number and statuses.path(pupil.status)[0] == ENROLLED else None
    place = f"{world.county.name}{pupil.town.row.name}{_village(world, pupil)}"
    school, township = _responsible(random, pupil, status)
    room = pupil.room if status.is_enrolled else None
    boards = bool(room and room.campus.is_boarding and pupil.grade >= BOARDING_FROM)
    world.store.add(
        Child,
        id=pupil.id,
        **scope_of(pupil, statuses),
        name=pupil.name,
        search_key=search_key(pupil.name),
        sex="male" if is_male else "female",
        born_on=pupil.born_on,
        id_kind=kind,
        id_number=number,
        id_number_index=blind_index(number),
        enrolment_number=enrolment,
        enrolment_number_index=blind_index(enrolment),
        status_id=status.id,
        class_id=room.id if room else None,
        is_boarding=boards and random.random() < BOARDING_SHARE,
        household_place=place,
        residence_place=place,
        village=_village(world, pupil),
        school_responsible_id=school.person_id if school else None,
        township_responsible_id=township.person_id if township else None,
    )


def _village(world: World, pupil: Pupil) -> str:
    return world.words.schools.village % {"village": pupil.village}


def _responsible(random: Random, pupil: Pupil, status: Status) -> tuple[Hand | None, Hand | None]:
    """Return who is responsible on the two lines 双线: at the school and in the township."""
    cadres = pupil.town.staff["township_cadre"]
    township = cadres[pupil.id % len(cadres)]
    school = pupil.room.teacher if pupil.room else None
    school = school or pupil.town.schools[0].leaders[0]
    if status.is_monitored and random.random() < INCOMPLETE:
        return school, None
    return school, township


def _store_events(world: World, random: Random, statuses: Statuses, pupil: Pupil) -> None:
    path, words = statuses.path(pupil.status), world.words.events
    days = _days_of(world, random, path)
    _leave_seat(world, pupil, path, days)
    scope = scope_of(pupil)
    for key, day in zip(path, days, strict=True):
        world.store.add(
            StatusEvent,
            **scope,
            child_id=pupil.id,
            status_id=statuses.by_key[key].id,
            happened_on=day,
            basis=words["enrolled"] if key == ENROLLED else words["other"],
            note=None,
            evidence_set_id=None,
        )


def _days_of(world: World, random: Random, path: list[str]) -> list[date]:
    """Return the days of a child's events, the first at the start of the records."""
    first = world.days.years[0][2]
    if path[-1] == GRADUATED:
        return _days_of_graduate(world, path)
    found: list[date] = []
    lag = random.randint(*LAGS.get(path[-1], LAG))
    for key in reversed(path[1:]):
        found.append(world.days.school_day_before(world.days.as_of, lag))
        lag += GAPS.get(key, GAP)
    return [first, *reversed(found)]


def _days_of_graduate(world: World, path: list[str]) -> list[date]:
    """Return the days of one who left in the summer within the records, or before them."""
    _, _, first, last = world.days.years[0]
    left = (last if len(world.days.years) > 1 else first) - SUMMER
    return [min(first, left - SUMMER)] * (len(path) - 1) + [left]


def _leave_seat(world: World, pupil: Pupil, path: list[str], days: list[date]) -> None:
    """Say from when on a child is missing, and when his seat was given up."""
    when = dict(zip(path, days, strict=True))
    if "suspected" in when:
        pupil.missing_from = world.days.school_day_before(when["suspected"], SUSPECTED_AFTER)
    if pupil.status == "returned":
        pupil.missing_to = when["returned"] - timedelta(days=1)
    if pupil.status not in SEATED and pupil.status != GRADUATED:
        pupil.seated_to = days[-1] - timedelta(days=1) if len(days) > 1 else date.min


def _store_guardians(world: World, random: Random, codes: Codes, pupil: Pupil) -> None:
    scope, count = scope_of(pupil), 1 + (random.random() < TWO_GUARDIANS)
    first = random.choices(range(4), weights=(50, 25, 13, 12))[0]
    for number in range(count):
        relation, key = codes.relations[first if not number else (first + 1) % 4]
        own = key in {"father", "grandfather"}
        surname = pupil.name[0] if own else random.choice(world.names.surnames)
        world.store.add(
            Guardian,
            **scope,
            child_id=pupil.id,
            name=world.names.relative(surname),
            relation_id=relation,
            phone=f"1980000{random.randrange(10000):04d}",
            is_primary=number == 0,
        )


def _store_groups(world: World, random: Random, codes: Codes, pupil: Pupil) -> None:
    chosen: set[int] = set()
    if random.random() < GROUP_SHARE:
        chosen.add(random.choice(codes.groups)[0])
    if pupil.status == "home_taught":
        chosen |= {key for key, name in codes.groups if name == "disabled"}
    for group in sorted(chosen):
        world.store.add(
            ChildGroup,
            **scope_of(pupil),
            child_id=pupil.id,
            group_id=group,
            valid_from=world.days.years[0][2],
            valid_to=None,
        )


def _store_enrolments(world: World, random: Random, statuses: Statuses) -> None:
    """Store the children's places, class by class, the year before first."""
    years = {key: (first, last) for key, _, first, last in world.days.years}
    present = world.days.years[-1][0]
    guests = {pupil.id for pupil in world.pupils if random.random() < GUEST_SHARE}
    places = [(room, pupil) for c in world.campuses for room in c.classes for pupil in room.pupils]
    for room, pupil in sorted(places, key=lambda place: (years[place[0].year_id][0], place[1].id)):
        first, last = years[room.year_id]
        has_left = not statuses.by_key[pupil.status].is_enrolled
        ended = max(pupil.seated_to, first) if has_left and pupil.seated_to else None
        world.store.add(
            Enrolment,
            **room.campus.scope,
            child_id=pupil.id,
            class_id=room.id,
            valid_from=first,
            valid_to=last if room.year_id != present else ended,
            is_registered=pupil.id not in guests,
        )
