"""Close ledger entries 销号 with reason and proof, and confirm them 认定 level by level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.base import Refused
from app.models import ChildStatus, Code, LedgerConfirmation, LedgerEntry, StatusEvent
from app.workflow.child import change_status
from app.workflow.ledger import LEVEL_TITLES, Level, find_ledger
from app.workflow.party import Hand

LEVEL_OF_SCOPE = {"schools": "school", "township": "township", "county": "county"}
"""The level for which somebody speaks, by the kind of scope of his appointment."""


@dataclass(frozen=True, slots=True)
class Closing:
    """Hold how an entry is closed: the reason, what was checked, the proof."""

    reason: Code
    note: str | None
    evidence_set_id: int | None


def close(session: Session, entry: LedgerEntry, hand: Hand, closing: Closing) -> None:
    """Close an entry for a reason that its proof carries."""
    if entry.closed_on is not None:
        raise Refused(_("This entry is closed already."))
    if closing.evidence_set_id is None:
        raise Refused(_("Add the proof of the closing: at least one file is needed."))
    ledger = find_ledger(entry.ledger)
    if ledger is not None and ledger.closing is not None:
        reason = ledger.closing(session, entry, closing.reason.key)
        if reason:
            raise Refused(reason)
    entry.closed_on = clock.today()
    entry.closing_reason_id = closing.reason.id
    entry.closing_note = closing.note
    entry.closed_by_id = hand.person_id
    entry.evidence_set_id = closing.evidence_set_id
    session.flush()


def next_level(entry: LedgerEntry) -> Level | None:
    """Return the level that has to confirm an entry next; None where none has."""
    ledger = find_ledger(entry.ledger)
    if ledger is None or entry.closed_on is not None:
        return None
    done = {one.level for one in entry.confirmations}
    return next((level for level in ledger.levels if level not in done), None)


def refusal_of_confirmation(entry: LedgerEntry, acting: Any | None) -> str | None:
    """Return why the acting office cannot confirm an entry now; None where it can."""
    level = next_level(entry)
    if level is None:
        return _("Nothing is to be confirmed here.")
    if acting is None or LEVEL_OF_SCOPE.get(acting.scope_kind) != level:
        return _("%(level)s confirms next.", level=str(LEVEL_TITLES[level]))
    return None


def confirm(session: Session, entry: LedgerEntry, acting: Any | None, note: str) -> None:
    """Confirm an entry for the level of the acting office; with the last one the child steps on."""
    reason = refusal_of_confirmation(entry, acting)
    level = next_level(entry)
    if reason or level is None or acting is None:
        raise Refused(reason or "")
    entry.confirmations.append(
        LedgerConfirmation(
            entry=entry,
            level=level,
            confirmed_on=clock.today(),
            person_id=acting.person_id,
            note=note,
            county_id=entry.county_id,
            township_id=entry.township_id,
            school_id=entry.school_id,
        )
    )
    session.flush()
    if next_level(entry) is None:
        _step_on(session, entry)


def _step_on(session: Session, entry: LedgerEntry) -> None:
    """Let the child take the steps that lead to the status which was confirmed."""
    ledger = find_ledger(entry.ledger)
    path = tuple(ledger.statuses) if ledger is not None else ()
    child = entry.child
    if child.status.key in path:
        path = path[path.index(child.status.key) + 1 :]
    by_key = select(ChildStatus).where(ChildStatus.key.in_(path))
    statuses = {status.key: status for status in session.scalars(by_key)}
    for key in path:
        event = StatusEvent(
            child=child,
            child_id=child.id,
            status=statuses[key],
            happened_on=clock.today(),
            basis=_("Confirmed in the ledger on all levels"),
            county_id=child.county_id,
            township_id=child.township_id,
            school_id=child.school_id,
        )
        change_status(session, child, event)
        session.add(event)
        session.flush()
