"""Visit children at home, and persuade those who are away, alone and together with others."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from random import Random

from sqlalchemy import select

from app.cli.demo.children import scope_of
from app.cli.demo.evidence import Album
from app.cli.demo.plan import Hand, Pupil, World
from app.cli.demo.statuses import Status, Statuses
from app.models import Code, Visit, VisitParticipant

ROUTINE_SHARE = 0.04
EVERY = (18, 40)
"""Days between two persuasion visits to the same child."""
JOINT_BEFORE = (2, 3, 3, 3, 4)
"""Joint visits before a suspension: sometimes too few."""
OUTSIDERS = ("judicial_office", "police_station", "womens_federation", "civil_affairs")
HOME, PERSUASION = "home", "persuasion"
MET, REMOTE, PROVEN = 0.85, 0.06, 0.95
SUSPENSION = "policy_suspension"

Codes = Mapping[tuple[str, str], int]


def visit_children(world: World, statuses: Statuses) -> None:
    """Store the visits of the half year."""
    random = world.random("visits")
    query = select(Code.domain, Code.key, Code.id).order_by(Code.domain, Code.position)
    codes = {(row.domain, row.key): row.id for row in world.store.session.execute(query)}
    album = Album(world.store, world.days, "劝返照片.png")
    for pupil in world.pupils:
        status = statuses.by_key[pupil.status]
        if status.is_monitored:
            _persuade(world, random, codes, album, pupil, status)
        elif pupil.room and status.is_enrolled and random.random() < ROUTINE_SHARE:
            day = world.days.as_of - timedelta(days=random.randint(1, _span(world)))
            _visit(world, random, codes, None, pupil, day, HOME)
    world.store.flush()


def _span(world: World) -> int:
    return max(1, (world.days.as_of - world.days.start).days)


def _persuade(
    world: World, random: Random, codes: Codes, album: Album, pupil: Pupil, status: Status
) -> None:
    """Visit a monitored child again and again; before a suspension together with others."""
    first = pupil.missing_from or world.days.start
    if status.key == SUSPENSION and pupil.seated_to is not None:
        for number in range(random.choice(JOINT_BEFORE)):
            day = pupil.seated_to - timedelta(days=3 + 8 * number)
            _visit(world, random, codes, album, pupil, day, PERSUASION, is_joint=True)
        first = pupil.seated_to
    day = first + timedelta(days=random.randint(1, 4))
    last = pupil.missing_to or world.days.as_of
    while day <= min(last, world.days.as_of):
        joint = random.random() < 0.3
        _visit(world, random, codes, album, pupil, day, PERSUASION, is_joint=joint)
        day += timedelta(days=random.randint(*EVERY))


def _visit(
    world: World,
    random: Random,
    codes: Codes,
    album: Album | None,
    pupil: Pupil,
    day: date,
    kind: str,
    *,
    is_joint: bool = False,
) -> None:
    words, scope = world.words.visits, scope_of(pupil)
    is_remote = not is_joint and random.random() < REMOTE
    met = random.random() < MET or is_joint
    is_home = kind == HOME
    visit_id = world.store.add(
        Visit,
        **scope,
        child_id=pupil.id,
        kind=kind,
        visited_on=day,
        method_id=codes.get(("visit_method", "video" if is_remote else "home")),
        is_remote=is_remote,
        met_child=met and random.random() < MET,
        met_guardian=met,
        reason_id=_reason(random, codes, is_home=is_home),
        outcome_id=None if is_home else _outcome(random, codes, pupil, met=met),
        countermeasure=None if is_home else random.choice(words.countermeasure),
        next_step=None if is_home else random.choice(words.next_step),
        next_on=None if is_home else day + timedelta(days=14),
        evidence_set_id=album.add(scope) if album and random.random() < PROVEN else None,
        is_backfilled=False,
    )
    for organisation, hand, name in _party(world, random, pupil, is_joint=is_joint):
        world.store.add(
            VisitParticipant,
            **scope,
            visit_id=visit_id,
            person_id=hand.person_id if hand else None,
            name=name,
            organisation_kind_id=codes["organisation_kind", organisation],
        )


def _reason(random: Random, codes: Codes, *, is_home: bool) -> int | None:
    if is_home:
        return codes.get(("visit_reason", "routine"))
    reasons = [key for domain, key in codes if domain == "visit_reason" and key != "routine"]
    return codes["visit_reason", random.choice(reasons[:6])]


def _outcome(random: Random, codes: Codes, pupil: Pupil, *, met: bool) -> int | None:
    if not met:
        return codes.get(("visit_outcome", "not_met"))
    if pupil.status == "returned":
        return codes.get(("visit_outcome", "agreed_with_date"))
    return codes.get(("visit_outcome", random.choice(("considering", "refused_by_child"))))


def _party(
    world: World, random: Random, pupil: Pupil, *, is_joint: bool
) -> list[tuple[str, Hand | None, str]]:
    """Return who goes, and for which kind of organisation."""
    campus = pupil.campus or pupil.town.schools[0]
    teacher = (pupil.room.teacher if pupil.room else None) or campus.leaders[0]
    party: list[tuple[str, Hand | None, str]] = [("school", teacher, teacher.name)]
    if is_joint:
        cadres = pupil.town.staff["township_cadre"]
        cadre = cadres[pupil.id % len(cadres)]
        party.append(("township_government", cadre, cadre.name))
        surname = random.choice(world.names.surnames)
        party.append((random.choice(OUTSIDERS), None, world.names.relative(surname)))
    return party
