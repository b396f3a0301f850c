"""Write down which inspections are due, whether or not anybody entered anything (LP24-3-1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    and_,
    delete,
    exists,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import Insert, Update

from app import clock
from app.base import actor, registry
from app.cadence.expected import EXPECTED, TEMPORARY, expect, fill_periods
from app.cadence.period import WEEK, load_terms
from app.columns import UtcDateTime
from app.models import Obligation
from app.security.scope import table_of

IDENTITY: Final = ("type_key", "capacity", "school_id", "period_start")
FACTS: Final = ("period_end", "due_on", "clause_key", "person_id")
_OBLIGATION: Final = table_of(Obligation)


@dataclass(frozen=True, slots=True)
class Settled:
    """Count the obligations that a run added, changed and took back."""

    added: int
    changed: int
    removed: int


def settle(session: Session, as_of: date, county_id: int | None = None) -> Settled:
    """Bring the obligations of the school year in step with calendar, cadences and assignments.

    Those are written whose period has begun by the day. One that is excused stays, even if it is
    due no more. A constant number of statements for each inspection type; the caller commits.
    """
    terms = load_terms(session, as_of, county_id=county_id)
    if terms.year is None:
        return Settled(0, 0, 0)
    connection = session.connection()
    TEMPORARY.create_all(connection, checkfirst=False)
    try:
        fill_periods(connection, terms, as_of)
        for kind in registry.inspection_types():
            expect(connection, kind, terms, as_of, county_id)
        return _compare(connection, terms.year[0], as_of, county_id)
    finally:
        TEMPORARY.drop_all(connection, checkfirst=False)


def _compare(connection: Connection, first: date, as_of: date, county_id: int | None) -> Settled:
    """Take back what is due no more, change what differs, add what is new."""
    same = and_(*(_OBLIGATION.c[name] == EXPECTED.c[name] for name in IDENTITY))
    known_types = [kind.key for kind in registry.inspection_types()]
    judged: list[ColumnElement[bool]] = [
        # The first fortnight begins on the Monday of its week, before the school year does.
        _OBLIGATION.c.period_start.between(first - WEEK, as_of),
        _OBLIGATION.c.type_key.in_(known_types),
        _OBLIGATION.c.excused_at.is_(None),
    ]
    if county_id is not None:
        judged.append(_OBLIGATION.c.county_id == county_id)
    removed = connection.execute(delete(_OBLIGATION).where(*judged, ~exists().where(same))).rowcount
    changed = connection.execute(_change(same)).rowcount
    added = connection.execute(_add(same), execution_options={"preserve_rowcount": True}).rowcount
    return Settled(added, changed, removed)


def _change(same: ColumnElement[bool]) -> Update:
    differs = or_(*(_OBLIGATION.c[name].is_distinct_from(EXPECTED.c[name]) for name in FACTS))
    values = {
        **{name: EXPECTED.c[name] for name in FACTS},
        "row_version": _OBLIGATION.c.row_version + 1,
        "changed_at": clock.now(),
        "changed_by_id": actor.get().user_id,
    }
    return update(_OBLIGATION).where(same, differs).values(values)


def _add(same: ColumnElement[bool]) -> Insert:
    known = exists().where(same).correlate(EXPECTED)
    now, user = literal(clock.now(), UtcDateTime), literal(actor.get().user_id, Integer)
    names = [column.name for column in EXPECTED.columns]
    stamps = {
        "created_at": now, "created_by_id": user, "changed_at": now, "changed_by_id": user,
        "row_version": literal(1),
    }  # fmt: skip
    order = (EXPECTED.c.type_key, EXPECTED.c.period_start, EXPECTED.c.school_id)
    rows = select(*EXPECTED.columns, *stamps.values()).where(~known).order_by(*order)
    return insert(_OBLIGATION).from_select([*names, *stamps], rows, include_defaults=False)
