"""Judge whether an entry may be closed: a child is stable, or was watched long enough."""

from __future__ import annotations

from datetime import date
from typing import Final

from sqlalchemy import func, select

from app.kit import (
    Absence,
    Child,
    LedgerEntry,
    SchoolClass,
    Semester,
    Session,
    _,
    class_days,
    today,
    value_on,
)

from .absences import LOOKBACK, UNEXPLAINED

ABSENT, NOT_BACK, RETURNED = "A", "B", "C"
STABLE_DAYS: Final = "roll_and_attendance.return_stable_days"
BACK, WATCHED = "returned", "monitored_to_end"


def refusal(session: Session, entry: LedgerEntry, reason: str) -> str | None:
    """Return why an entry of the suspected dropouts cannot be closed for a reason."""
    if entry.category == RETURNED and reason in {BACK, WATCHED}:
        return _not_watched_long_enough(session, entry)
    if entry.category == ABSENT and reason == BACK:
        return _not_stable(session, entry)
    return None


def watched_until(session: Session, entry: LedgerEntry) -> date | None:
    """Return the end of the first full semester after a return; None where none is known."""
    return session.scalar(
        select(func.min(Semester.ends_on)).where(
            Semester.county_id == entry.county_id, Semester.starts_on >= entry.since
        )
    )


def _not_watched_long_enough(session: Session, entry: LedgerEntry) -> str | None:
    until = watched_until(session, entry)
    if until is None:
        return _("The child is watched to the end of the next semester, which is not set up yet.")
    if today() <= until:
        return _("The child is watched to the end of the first full semester: %(day)s.", day=until)
    return None


def _not_stable(session: Session, entry: LedgerEntry) -> str | None:
    limit = value_on(session, STABLE_DAYS, today())
    if limit is None:
        return None
    days = _days_without_absence(session, entry)
    if days >= int(limit):
        return None
    return _(
        "Returning counts after %(limit)s school days without unexplained absence; so far there "
        "are %(days)s.",
        limit=limit,
        days=days,
    )


def _days_without_absence(session: Session, entry: LedgerEntry) -> int:
    """Count the school days of the child's class since the last unexplained absence."""
    last = session.scalar(
        select(func.max(Absence.day)).where(Absence.child_id == entry.child_id, UNEXPLAINED)
    )
    own = select(Child.class_id).where(Child.id == entry.child_id).scalar_subquery()
    days = class_days(today() - LOOKBACK, today(), SchoolClass.id == own)
    since = last or entry.since
    return session.scalar(select(func.count()).where(days.c.day > since)) or 0
