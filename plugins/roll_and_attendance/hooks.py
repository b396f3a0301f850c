"""Bring the ledgers 重点监测, 疑似辍学, 辍学, and what opens entries in them."""

from __future__ import annotations

from collections.abc import Iterable

from app.kit import DueKind, Ledger, Opening, Panel, _l, hookimpl

from . import absences, panel, statuses, transfers
from .closing import ABSENT, NOT_BACK, RETURNED, refusal
from .dues import DUES
from .ledgers import DROPPED_OUT, MONITORED, SUSPECTED


@hookimpl
def ledgers() -> Iterable[Ledger]:
    """Return the three ledgers."""
    return [
        Ledger(MONITORED, _l("Ledger of priority monitoring"), 10),
        Ledger(
            SUSPECTED,
            _l("Ledger of suspected dropouts"),
            20,
            categories={
                ABSENT: _l("A: absent without explanation"),
                NOT_BACK: _l("B: suspended or deferred by policy, not back"),
                RETURNED: _l("C: returned, still watched"),
            },
            closing=refusal,
        ),
        Ledger(
            DROPPED_OUT,
            _l("Ledger of dropouts"),
            30,
            levels=("school", "township", "county"),
            statuses=("suspected", "pending_determination", "dropped_out"),
            advice=_l(
                "Before confirming, check for transfer, illness, going abroad, death and detention."
            ),
        ),
    ]


@hookimpl
def panels() -> Iterable[Panel]:
    """Return the part of a child's page."""
    title = _l("Ledgers of the child")
    return [Panel("roll_and_attendance.ledgers", title, 15, "LedgerEntryView", panel.content)]


@hookimpl
def dues() -> Iterable[DueKind]:
    """Return what is due of transfers."""
    return DUES


@hookimpl
def openings() -> Iterable[Opening]:
    """Return what opens entries: absences by the dated limits, and statuses."""
    return [
        Opening(
            MONITORED,
            "roll_and_attendance.often_away",
            absences.often_away,
            _l("%(observed)s unexplained absences among the last school days, since %(since)s"),
        ),
        Opening(
            MONITORED,
            "roll_and_attendance.long_personal_leave",
            absences.long_personal_leave,
            _l("on personal leave for %(observed)s school days in a row, since %(since)s"),
        ),
        Opening(
            MONITORED,
            "roll_and_attendance.long_sick_leave",
            absences.long_sick_leave,
            _l(
                "on sick leave without a hospital's paper for %(observed)s school days in a row, "
                "since %(since)s"
            ),
        ),
        Opening(
            SUSPECTED,
            "roll_and_attendance.absent",
            absences.suspected,
            _l("absent without explanation for %(observed)s school days in a row, since %(since)s"),
            ABSENT,
        ),
        Opening(
            MONITORED,
            "roll_and_attendance.transfer_at_risk",
            transfers.at_risk,
            _l("transfer not confirmed for %(observed)s working days, since %(since)s"),
        ),
        Opening(
            SUSPECTED,
            "roll_and_attendance.transfer_suspected",
            transfers.suspected,
            _l("transfer without proof for %(observed)s school days, since %(since)s"),
            ABSENT,
        ),
        Opening(
            SUSPECTED,
            "roll_and_attendance.not_back",
            statuses.not_back,
            _l("suspended or deferred by policy since %(since)s, not back yet"),
            NOT_BACK,
        ),
        Opening(
            SUSPECTED,
            "roll_and_attendance.returned",
            statuses.returned,
            _l("returned on %(since)s, watched to the end of the first full semester"),
            RETURNED,
        ),
        Opening(
            DROPPED_OUT,
            "roll_and_attendance.to_determine",
            absences.to_determine,
            _l(
                "absent without explanation for %(observed)s school days in a row, since "
                "%(since)s: to be determined"
            ),
        ),
        Opening(
            DROPPED_OUT,
            "roll_and_attendance.dropped_out",
            statuses.dropped_out,
            _l("dropped out since %(since)s"),
        ),
    ]
