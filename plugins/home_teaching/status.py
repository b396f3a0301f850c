"""Let a child's status follow a case that begins, or tell why it cannot."""

from __future__ import annotations

from typing import Final

from flask import flash
from sqlalchemy import select

from app.kit import ChildStatus, Refused, Session, StatusEvent, _, change_status, today

from .models import Case

TAUGHT: Final = "home_taught"


def follow(session: Session, case: Case) -> None:
    """Take the step to the status of home-taught children; a step that is not allowed is told."""
    child = case.child
    if case.starts_on > today() or case.ends_on is not None or child.status.key == TAUGHT:
        return
    status = session.scalars(select(ChildStatus).filter_by(key=TAUGHT)).first()
    if status is None:
        return
    event = StatusEvent(
        child_id=child.id,
        status=status,
        status_id=status.id,
        happened_on=today(),
        basis=_("Home teaching from %(day)s", day=case.starts_on.isoformat()),
        county_id=case.county_id,
        township_id=case.township_id,
        school_id=case.school_id,
    )
    try:
        change_status(session, child, event)
    except Refused as refusal:
        flash(refusal.message, "warning")
        return
    session.add(event)
    session.flush()
