"""Count the ledgers at the end of a month, by township; reports upward hold category A alone."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select

from app.kit import Column, LedgerEntry, Section, Settings, Township, Window, _l, hookimpl

from .closing import ABSENT, NOT_BACK, RETURNED
from .ledgers import DROPPED_OUT, MONITORED, SUSPECTED

SUSPECTS = _l("Suspected dropouts")


def _count(ledger: str, category: str = "") -> ColumnElement[int]:
    is_it = and_(LedgerEntry.ledger == ledger, LedgerEntry.category == category)
    return func.sum(case((is_it, 1), else_=0))


def figures(window: Window, _settings: Settings) -> Select:
    """Select how many children stood in each ledger at the end of the month."""
    return (
        select(
            LedgerEntry.township_id,
            LedgerEntry.school_id,
            Township.name.label("township"),
            _count(MONITORED).label("at_risk"),
            _count(SUSPECTED, ABSENT).label("absent"),
            _count(SUSPECTED, NOT_BACK).label("not_back"),
            _count(SUSPECTED, RETURNED).label("returned"),
            _count(DROPPED_OUT).label("dropped_out"),
        )
        .join(Township, Township.id == LedgerEntry.township_id)
        .where(
            LedgerEntry.opened_on <= window.end,
            or_(LedgerEntry.closed_on.is_(None), LedgerEntry.closed_on > window.end),
        )
        .group_by(LedgerEntry.township_id, LedgerEntry.school_id, Township.name)
    )


@hookimpl
def sections() -> Iterable[Section]:
    """Return the sheet of the monthly bulletin."""
    return [
        Section(
            bulletin="monthly_bulletin",
            key="roll_and_attendance.ledgers",
            title=_l("Ledgers of children"),
            order=50,
            select=figures,
            columns=(
                Column("township", _l("Township"), width=18),
                Column("at_risk", _l("Priority monitoring"), "count"),
                Column("absent", _l("A (reported upward)"), "count", group=SUSPECTS),
                Column("not_back", _l("B (suspended, deferred)"), "count", group=SUSPECTS),
                Column("returned", _l("C (returned)"), "count", group=SUSPECTS),
                Column("dropped_out", _l("To be determined or dropped out"), "count"),
            ),
            by_township=True,
        )
    ]
