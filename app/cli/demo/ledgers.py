"""Keep leave, and open the ledgers as they stand: most entries are followed, some are not."""

from __future__ import annotations

from datetime import timedelta
from random import Random

from sqlalchemy import select

from app.cli.demo.plan import World
from app.models import Absence, Code, Leave, LedgerEntry
from app.rules.openings import open_entries
from app.security import audit

FOLLOWED = 0.8
"""Share of the entries with a reason and a next action."""
MOST_LEAVES = 200
CALLED = 0.7
LEAVE_DAYS = timedelta(days=30)


def keep_ledgers(world: World) -> None:
    """Store leave of the last weeks, and an entry for each child that a ledger must hold."""
    random, session = world.random("ledgers"), world.store.session
    _store_leave(world, random)
    world.store.finish()
    with audit.paused():
        open_entries(session, world.days.as_of)
        _follow_all(world, random)


def _follow_all(world: World, random: Random) -> None:
    session = world.store.session
    reasons = list(session.scalars(select(Code).filter_by(domain="visit_reason")))
    for entry in session.scalars(select(LedgerEntry).order_by(LedgerEntry.id)):
        _follow(world, random, reasons, entry)
    session.flush()


def _follow(world: World, random: Random, reasons: list[Code], entry: LedgerEntry) -> None:
    today = world.days.as_of
    entry.opened_on = min(today, entry.since + timedelta(days=random.randint(3, 6)))
    if random.random() < FOLLOWED:
        entry.reason_id = random.choice(reasons).id
        entry.next_action = random.choice(world.words.ledgers.next_action)
        entry.next_on = today + timedelta(days=random.randint(-6, 14))


def _store_leave(world: World, random: Random) -> None:
    """Cover absences of the last weeks that were reported as leave."""
    words = world.words.ledgers
    query = (
        select(Absence.child_id, Absence.day, Absence.kind)
        .where(
            Absence.kind.in_(("sick_leave", "personal_leave")),
            Absence.day > world.days.as_of - LEAVE_DAYS,
        )
        .add_columns(Absence.county_id, Absence.township_id, Absence.school_id)
        .order_by(Absence.id.desc())
        .limit(MOST_LEAVES)
    )
    for row in world.store.session.execute(query).all():
        is_called = random.random() < CALLED
        world.store.add(
            Leave,
            child_id=row.child_id,
            kind=row.kind,
            starts_on=row.day,
            ends_on=row.day,
            reason=random.choice(words.leave_reason),
            asked_by=random.choice(words.asked_by),
            called_on=row.day if is_called else None,
            call_note=words.call if is_called else None,
            returned_on=None,
            evidence_set_id=None,
            county_id=row.county_id,
            township_id=row.township_id,
            school_id=row.school_id,
        )
