"""Hold the cards of the first page, and those that count findings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy import ColumnElement, case, func, select

from app import clock
from app.extensions import db
from app.models import Finding, FindingState
from app.workflow.standing import overdue_now

SETTLED = (FindingState.CLOSED, FindingState.WITHDRAWN)


@dataclass(frozen=True, slots=True)
class Card:
    """One thing to do, with the way to it."""

    title: str
    href: str
    count: int | None = None
    text: str = ""
    icon: str = ""
    tone: str = ""


def finding_cards(*, serves: bool) -> Iterator[Card]:
    """Count in one statement what is late, waits and is open; each card leads to its list."""
    today = clock.today()
    counts = select(
        func.count(Finding.id),
        _number(overdue_now(today)),
        _number(Finding.state == FindingState.OPEN),
        _number(Finding.state == FindingState.CLAIMED),
    ).where(Finding.state.not_in(SETTLED))
    unfinished, overdue, unserved, claimed = db.session.execute(counts).one()
    if overdue:
        address = _list(_flt_3_due_on=today.isoformat())
        text = _("Their day of rectification has passed.")
        yield Card(_("Overdue findings"), address, overdue, text, "fa-clock", "danger")
    if unserved and serves:
        address = _list(_flt_0_state=FindingState.OPEN)
        text = _("Found, and not yet fed back in writing.")
        yield Card(_("Findings to feed back"), address, unserved, text, "fa-paper-plane", "warning")
    if claimed:
        address = _list(_flt_0_state=FindingState.CLAIMED)
        text = _("The school says they are rectified; visit again or close them.")
        yield Card(_("Findings to verify"), address, claimed, text, "fa-eye", "warning")
    if unfinished:
        address = _list(_flt_1_state=[*SETTLED])
        text = _("Found, and not closed yet.")
        yield Card(_("Open findings"), address, unfinished, text, "fa-list-check")


def _number(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def _list(**conditions: object) -> str:
    """Return the address of the findings under some conditions."""
    return url_for("FindingView.list", **conditions)  # type: ignore[arg-type]  # lists repeat
