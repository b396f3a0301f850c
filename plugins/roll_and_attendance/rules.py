"""Judge absence and leave, transfers and the counts of classes: ABS, LV, TRF, ROLL, CLS."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Select,
    Subquery,
    and_,
    literal,
    null,
    or_,
    select,
    union_all,
)

from app.kit import (
    Absence,
    Child,
    LedgerEntry,
    Rule,
    Settings,
    Township,
    Transfer,
    Window,
    _l,
    hookimpl,
    transfers_overdue,
)

from . import absences, counts, doubles, leaves
from .closing import ABSENT
from .ledgers import DROPPED_OUT, MONITORED, SUSPECTED

CHILD: Final = "child"
SelectOf = Callable[[Window, Settings], Select[Any]]
Held = tuple[tuple[str, str], ...]
DROPPED: Final[Held] = ((DROPPED_OUT, ""),)
SUSPECTS: Final[Held] = ((SUSPECTED, ABSENT), *DROPPED)
WATCHED: Final[Held] = ((MONITORED, ""), *SUSPECTS)
"""Ledgers with their category: whoever is in a graver one is not missing in a lighter one."""


def not_in_ledger(found: SelectOf, limit: str, held: Held) -> SelectOf:
    """Return the select of the children that an opening finds and that no such ledger holds.

    As for the opening, what began before an entry was closed is settled with it.
    """

    def unlisted(window: Window, settings: Settings) -> Select[Any]:
        rows = found(window, settings).subquery("found")
        entry = select(LedgerEntry.id).where(
            LedgerEntry.child_id == rows.c.child_id,
            LedgerEntry.opened_on <= window.as_of,
            or_(LedgerEntry.closed_on.is_(None), LedgerEntry.closed_on >= rows.c.since),
            or_(
                *(
                    and_(LedgerEntry.ledger == ledger, LedgerEntry.category == category)
                    for ledger, category in held
                )
            ),
        )
        required = literal(getattr(settings, limit))
        return _of_children(rows, required, window).where(~entry.exists())

    return unlisted


def hidden_dropouts(window: Window, settings: Settings) -> Select[Any]:
    """Select the children who are on leave for too long, by the selects of the openings."""
    rows = _long_leave(window, settings).subquery("found")
    return _of_children(rows, rows.c.required, window)


def unpapered(window: Window, settings: Settings) -> Select[Any]:
    """Select the leave whose papers did not come in time."""
    rows = leaves.without_paper(window, settings).subquery("found")
    query = select(
        literal(CHILD).label("subject_type"),
        rows.c.child_id.label("subject_id"),
        rows.c.school_id,
        rows.c.township_id,
        rows.c.since.label("period_start"),
        rows.c.observed,
        rows.c.required,
    )
    return _in_schools(query, rows.c.school_id, window)


def unconfirmed(window: Window, settings: Settings) -> Select[Any]:
    """Select the children whose arrival at another school nobody has confirmed, at the sender."""
    days = int(settings.transfer_at_risk_days)
    rows = transfers_overdue(window.as_of, days, "working_day").subquery("overdue")
    live = (
        select(rows)
        .join(Township, Township.id == rows.c.township_id)
        .where(Township.go_live_on <= window.as_of)
    )
    return _in_schools(live, rows.c.school_id, window)


def away_in(found: SelectOf, *kinds: str) -> SelectOf:
    """Return the select of the absences behind what an opening finds."""

    def evidence(window: Window, settings: Settings) -> Select[Any]:
        rows = found(window, settings).subquery("found")
        return _absences(rows, rows.c.since, literal(window.as_of), Absence.kind.in_(kinds))

    return evidence


def leave_behind(window: Window, settings: Settings) -> Select[Any]:
    """Select the days of leave behind a hidden dropout."""
    rows = _long_leave(window, settings).subquery("found")
    return _absences(rows, rows.c.since, literal(window.as_of), leaves.ON_LEAVE)


def days_without_paper(window: Window, settings: Settings) -> Select[Any]:
    """Select the days of leave that have neither paper nor call."""
    rows = leaves.without_paper(window, settings).subquery("found")
    return _absences(rows, rows.c.since, rows.c.until, leaves.is_bare())


def open_transfers(window: Window, settings: Settings) -> Select[Any]:
    """Select the transfers that wait, with where they lead; of leavers there is none."""
    rows = unconfirmed(window, settings).subquery("found")
    return select(
        rows.c.subject_type,
        rows.c.subject_id,
        rows.c.period_start,
        literal(Transfer.__tablename__).label("record_type"),
        Transfer.id.label("record_id"),
        Transfer.started_on.label("day"),
        Transfer.to_place.label("detail"),
    ).join(
        Transfer,
        and_(
            Transfer.child_id == rows.c.subject_id,
            Transfer.started_on == rows.c.period_start,
            Transfer.cancelled_on.is_(None),
        ),
    )


def _long_leave(window: Window, settings: Settings) -> Any:
    limits = (
        (absences.long_personal_leave, settings.personal_leave_days),
        (absences.long_sick_leave, settings.sick_leave_days),
    )
    parts = []
    for found, limit in limits:
        rows = found(window, settings).subquery()
        parts.append(select(rows, literal(limit).label("required")))
    return union_all(*parts)


def _of_children(rows: Subquery, required: ColumnElement[Any], window: Window) -> Select[Any]:
    """Turn the rows of an opening into verdicts on children of townships that are live."""
    query = (
        select(
            literal(CHILD).label("subject_type"),
            rows.c.child_id.label("subject_id"),
            Child.school_id,
            Child.township_id,
            rows.c.since.label("period_start"),
            rows.c.observed,
            required.label("required"),
        )
        .join(Child, Child.id == rows.c.child_id)
        .join(Township, Township.id == Child.township_id)
        .where(Township.go_live_on <= window.as_of)
    )
    return _in_schools(query, Child.school_id, window)


def _absences(rows: Subquery, first: Any, last: Any, kept: ColumnElement[bool]) -> Select[Any]:
    return select(
        literal(CHILD).label("subject_type"),
        rows.c.child_id.label("subject_id"),
        rows.c.since.label("period_start"),
        literal(Absence.__tablename__).label("record_type"),
        Absence.id.label("record_id"),
        Absence.day.label("day"),
        null().label("detail"),
    ).join(
        Absence,
        and_(Absence.child_id == rows.c.child_id, Absence.day.between(first, last), kept),
    )


def _in_schools(query: Select[Any], school: Any, window: Window) -> Select[Any]:
    if window.school_ids is None:
        return query
    return query.where(school.in_(window.school_ids))


def _rule(key: str, code: str, clause: str, select: SelectOf, message: Any, **more: Any) -> Rule:
    facts = {
        "subject": CHILD, "period": "none", "severity": "violation", "absent": "skip", **more,
    }  # fmt: skip
    return Rule(
        key=f"roll_and_attendance.{key}",
        code=code,
        clause=clause,
        select=select,
        message=message,
        **facts,
    )


def _of_classes(key: str, code: str, clause: str, select: SelectOf, message: Any) -> Rule:
    facts = {"subject": counts.CLASS, "period": "school_year", "evidence": counts.lines_of}
    return _rule(key, code, clause, select, message, **facts)


@hookimpl
def rules() -> Iterable[Rule]:
    """Return the rules of roll and attendance; the head-count identity has its own plugin."""
    return [
        _rule(
            "absence_not_in_ledger",
            "ABS-1",
            "LP24-1-1",
            not_in_ledger(absences.suspected, "suspected_absence_days", SUSPECTS),
            _l(
                "Unexplained on %(observed)s school days in a row, from %(required)s on suspected, "
                "and not in the ledger"
            ),
            evidence=away_in(absences.suspected, "unexplained"),
        ),
        _rule(
            "frequent_absence_not_in_ledger",
            "ABS-1",
            "LP24-1-1",
            not_in_ledger(absences.often_away, "at_risk_absences", WATCHED),
            _l(
                "%(observed)s unexplained absences among the last school days, from %(required)s "
                "on at risk, and not in the ledger"
            ),
            evidence=away_in(absences.often_away, "unexplained"),
        ),
        _rule(
            "determination_not_in_ledger",
            "ABS-1",
            "LP24-1-1",
            not_in_ledger(absences.to_determine, "determination_days", DROPPED),
            _l(
                "Unexplained on %(observed)s school days in a row, from %(required)s on to be "
                "determined, and not in the ledger"
            ),
            evidence=away_in(absences.to_determine, "unexplained"),
        ),
        _rule(
            "leave_without_paper",
            "ABS-2",
            "LP24-A1-2-2d",
            unpapered,
            _l(
                "%(observed)s days of leave without paper or call; they are valid until school "
                "day %(required)s after the return"
            ),
            period="school_year",
            evidence=days_without_paper,
        ),
        _rule(
            "hidden_dropout",
            "LV-1",
            "LP24-A1-2-2d",
            hidden_dropouts,
            _l(
                "On leave for %(observed)s school days in a row; above %(required)s a hidden "
                "dropout is possible"
            ),
            severity="warning",
            evidence=leave_behind,
        ),
        _rule(
            "transfer_not_confirmed",
            "TRF-1",
            "LP24-1-1",
            unconfirmed,
            _l("Transfer not confirmed for %(observed)s working days; %(required)s are allowed"),
            absent="violation",
            evidence=open_transfers,
        ),
        _of_classes(
            "count_differs",
            "ROLL-2",
            "LP24-A1-2-2b",
            counts.other_than_reported,
            _l("The leader counted %(observed)s; the class teacher reported %(required)s"),
        ),
        _of_classes(
            "desks_and_chairs",
            "ROLL-3",
            "LP24-A1-2-2c",
            counts.other_than_listed,
            _l("Desks and chairs: %(observed)s; pupils on the class list: %(required)s"),
        ),
        _of_classes(
            "class_not_checked",
            "CLS-COV",
            "LP24-3-1-1",
            counts.skipped,
            _l("Counted %(observed)s times in the daily check; every active class is checked once"),
        ),
        *doubles.rules(),
    ]
