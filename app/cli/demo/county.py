"""Make the whole demonstration county, part after part."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from random import Random

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import database
from app.base import registry
from app.cli import reference
from app.cli.demo import (
    attendance,
    children,
    findings,
    inspections,
    ledgers,
    logins,
    people,
    schools,
    seats,
    visits,
)
from app.cli.demo.answers import Asker, lists_of
from app.cli.demo.days import at, known_span, read_days
from app.cli.demo.plan import Town, World
from app.cli.demo.statuses import Statuses, quotas, settle_children
from app.cli.demo.store import Store
from app.cli.demo.words import name_maker, read_words
from app.models import County, LiaisonAssignment, Person, School, Township


@dataclass(frozen=True, slots=True)
class Request:
    """How large the county is to be, and around which day."""

    schools: int
    pupils: int
    random_seed: int
    as_of: date


@dataclass(frozen=True, slots=True)
class Summary:
    """What was made."""

    as_of: date
    rows: dict[str, int]
    logins: list[logins.Login]


def exists(session: Session) -> bool:
    """Tell whether there is a county with schools already."""
    return session.scalar(select(School.id).limit(1)) is not None


def known_days(session: Session, folder: Path) -> tuple[date, date]:
    """Return the first and the last day that the calendar knows, loading it where it is missing."""
    with database.writing():
        reference.load_county(session, folder)
    return known_span(session)


def make(session: Session, folder: Path, request: Request) -> Summary:
    """Make the county in this transaction; the caller commits."""
    world = begin(session, folder, request)
    statuses = Statuses(world)
    schools.lay_out_schools(world, request.schools)
    outside = quotas(statuses, request.pupils, inside=False)
    away = seats.seat_children(world, request.pupils, len(outside))
    people.appoint_staff(world)
    settle_children(world, statuses, away, request.pupils)
    seats.add_year_before(world, request.pupils)
    schools.store_rooms(world)
    schools.store_contacts(world)
    world.store.flush()
    children.store_children(world, statuses)
    rolls = attendance.report_attendance(world)
    monitored = {key for key, status in statuses.by_key.items() if status.is_monitored}
    of_schools, of_townships = lists_of(world.pupils, monitored)
    random = world.random("answers")
    asker = Asker(random, world.words, rolls, of_schools, of_townships)
    findings.follow_findings(world, inspections.inspect(world, rolls, asker))
    visits.visit_children(world, statuses)
    world.store.finish()
    ledgers.keep_ledgers(world)
    made = logins.create_logins(world)
    registry.seed(session, Random(request.random_seed))  # noqa: S311
    return Summary(request.as_of, world.store.written, made)


def begin(session: Session, folder: Path, request: Request) -> World:
    """Load the county of the seed, and prepare to fill it."""
    county: County = reference.load_county(session, folder)
    words = read_words(folder)
    real = set(session.scalars(select(Person.name)))
    world = World(
        county=county,
        words=words,
        names=name_maker(words, Random(f"{request.random_seed}/names"), real),  # noqa: S311
        store=Store(session, at(request.as_of, 7)),
        days=read_days(session, county.id, request.as_of),
        seed=request.random_seed,
    )
    world.towns = _towns(session)
    return world


def _towns(session: Session) -> list[Town]:
    """Return the townships; those with more responsible inspectors are larger."""
    inspectors = (
        select(LiaisonAssignment.township_id, func.count().label("size"))
        .where(LiaisonAssignment.capacity == people.DEPARTMENT)
        .group_by(LiaisonAssignment.township_id)
    )
    weights = {row.township_id: row.size for row in session.execute(inspectors)}
    rows = session.scalars(select(Township).order_by(Township.position, Township.id))
    return [Town(row, 1 + weights.get(row.id, 0)) for row in rows]
