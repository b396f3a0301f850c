"""Open ledger entries: for every child that an opening finds and that has no entry for it yet."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Row, Select, String, cast, or_, select
from sqlalchemy.orm import Session

from app.base import registry
from app.database import next_ids
from app.models import Child, LedgerEntry, Township
from app.parameters.settings import NoValue, settings_on
from app.parameters.value import Parameters, load_parameters
from app.parameters.window import Period, Window
from app.rules.judge import WrongColumns, brief
from app.security.scope import table_of
from app.workflow.ledger import OPENING_COLUMNS, Ledger, Opening, ledgers
from app.workflow.seat import counted_elsewhere

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Opened:
    """Say how many entries an opening made, or why it failed."""

    ledger: str
    opening: str
    count: int = 0
    error: str | None = None


def open_entries(
    session: Session, as_of: date, chosen: Sequence[Ledger] | None = None
) -> tuple[Opened, ...]:
    """Open what is missing in the ledgers as of a day; nothing is ever closed by itself.

    Each opening runs in its own savepoint, with a constant number of statements. What began
    before an entry was closed opens none again. The caller commits.
    """
    parameters = load_parameters(session)
    elsewhere = counted_elsewhere(session, as_of)
    return tuple(
        _open_one(session, parameters, as_of, ledger, opening, elsewhere)
        for ledger in (ledgers() if chosen is None else chosen)
        for opening in registry.openings()
        if opening.ledger == ledger.key
    )


def _open_one(
    session: Session,
    parameters: Parameters,
    as_of: date,
    ledger: Ledger,
    opening: Opening,
    elsewhere: frozenset[int],
) -> Opened:
    """Run one opening; what it raises becomes its result."""
    try:
        with session.begin_nested():
            rows = _missing(session, parameters, as_of, ledger, opening, elsewhere)
            # With keys of their own the rows are inserted together, on SQLite too.
            keys = next_ids(session.connection(), table_of(LedgerEntry), len(rows))
            for key, row in zip(keys, rows, strict=True):
                session.add(_entry(key, ledger, opening, as_of, row))
            session.flush()
    except Exception as error:  # as for rules, one that fails stops no other
        log.exception("opening %s failed", opening.key)
        return Opened(ledger.key, opening.key, error=brief(error))
    return Opened(ledger.key, opening.key, len(rows))


def _missing(
    session: Session,
    parameters: Parameters,
    as_of: date,
    ledger: Ledger,
    opening: Opening,
    elsewhere: frozenset[int],
) -> Sequence[Row[Any]]:
    """Return the children that an opening finds and that have no entry for it.

    Not those of a problem enrolment who sit at another school: nobody misses them here.
    """
    window = Window(as_of, (Period(as_of.isoformat(), as_of, as_of, as_of),))
    names = registry.parameter_names(opening.plugin)
    settings = settings_on(parameters, opening.plugin, names, as_of)
    try:
        query = opening.select(window, settings)
    except NoValue:
        return ()  # a parameter has no value on the day: the opening does not apply
    columns = tuple(column.name for column in query.selected_columns)
    if columns != OPENING_COLUMNS:
        raise WrongColumns(", ".join(columns))
    rows = session.execute(_without_entry(query, as_of, ledger.key, opening.category)).all()
    return [row for row in rows if row.child_id not in elsewhere]


def _without_entry(query: Select[Any], as_of: date, ledger: str, category: str) -> Select[Any]:
    """Keep the children of townships that are live, and what is newer than the last closing."""
    found = query.subquery()
    held = select(LedgerEntry.id).where(
        LedgerEntry.child_id == found.c.child_id,
        LedgerEntry.ledger == ledger,
        LedgerEntry.category == category,
        or_(LedgerEntry.closed_on.is_(None), LedgerEntry.closed_on >= found.c.since),
    )
    return (
        select(
            found.c.child_id,
            found.c.since,
            cast(found.c.observed, String(40)).label("observed"),
            Child.county_id,
            Child.township_id,
            Child.school_id,
            Child.school_responsible_id,
            Child.township_responsible_id,
        )
        .join(Child, Child.id == found.c.child_id)
        .join(Township, Township.id == Child.township_id)
        .where(Township.go_live_on <= as_of, ~held.exists())
        .order_by(found.c.child_id)
    )


def _entry(key: int, ledger: Ledger, opening: Opening, as_of: date, row: Row[Any]) -> LedgerEntry:
    return LedgerEntry(
        id=key,
        ledger=ledger.key,
        category=opening.category,
        opened_on=as_of,
        source=opening.key,
        **row._mapping,
    )
