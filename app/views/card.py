"""Hold the cards of the first page, those that count findings, and what waits for a word."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import g, url_for
from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Select, case, exists, func, or_, select

from app import clock
from app.base import actor, registry
from app.extensions import db
from app.models import (
    Finding,
    FindingState,
    Inspection,
    InspectionParticipant,
    InspectionState,
    School,
    VisitCheck,
)
from app.workflow.party import SCHOOL_SIDE
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


def unconfirmed() -> Select[Any]:
    """Select what the acting person should confirm, the latest first: as participant, or school.

    Columns: the key, the type, the day, the school's name. What the school says nobody came to
    waits for the bureau.
    """
    own = Inspection.id.in_(
        select(InspectionParticipant.inspection_id).where(
            InspectionParticipant.person_id == actor.get().person_id
        )
    )
    asked: ColumnElement[bool] = own
    if g.appointment.template in SCHOOL_SIDE:
        asked = or_(own, Inspection.school_id.in_(g.scope.school_ids))
    own_checks = [kind.key for kind in registry.inspection_types() if kind.self_inspection]
    query: Any = (
        select(Inspection.id, Inspection.type_key, Inspection.occurred_on, School.name)
        .outerjoin(School, School.id == Inspection.school_id)
        .where(
            Inspection.state == InspectionState.SUBMITTED,
            Inspection.confirmed_at.is_(None),
            Inspection.type_key.not_in(own_checks),
            asked,
            ~exists().where(VisitCheck.inspection_id == Inspection.id),
        )
        .order_by(Inspection.occurred_on.desc(), Inspection.id.desc())
        .limit(3)
    )
    return query


def _number(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def _list(**conditions: object) -> str:
    """Return the address of the findings under some conditions."""
    return url_for("FindingView.list", **conditions)  # type: ignore[arg-type]  # lists repeat
