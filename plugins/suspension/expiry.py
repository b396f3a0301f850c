"""Find the cases that ended without a return or a renewal: SUS-6, and category A of the ledger."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import Select, func, literal, or_, select
from sqlalchemy.orm import aliased

from app.kit import Settings, Window

from .models import SuspensionCase
from .spans import next_school_day, spans


def expired_cases(as_of: date, settings: Settings) -> Select[Any]:
    """Select the cases whose child neither came back nor had a new approval in time.

    ``day`` is the first school day after the end: up to it, a return or an approval clears the
    case; what comes later leaves it on record.
    """
    span = spans(settings).subquery("span")
    day = next_school_day(span).label("day")
    rows = select(span, day).where(span.c.ends_on == span.c.expires_on).subquery("rows")
    renewal = aliased(SuspensionCase)
    renewed = (
        select(renewal.id)
        .where(
            renewal.child_id == rows.c.child_id,
            renewal.approved_on > rows.c.approved_on,
            renewal.approved_on <= rows.c.day,
        )
        .correlate(rows)
        .exists()
    )
    return select(rows).where(
        rows.c.expires_on >= rows.c.starts_on,
        rows.c.day < as_of,
        or_(rows.c.back_on.is_(None), rows.c.back_on > rows.c.day),
        ~renewed,
    )


def not_back(window: Window, settings: Settings) -> Select[Any]:
    """Select the children whose case expired and who have not come back since."""
    rows = expired_cases(window.as_of, settings).subquery("expired")
    return (
        select(
            rows.c.child_id,
            func.max(rows.c.day).label("since"),
            literal(1).label("observed"),
        )
        .where(or_(rows.c.back_on.is_(None), rows.c.back_on > window.as_of))
        .group_by(rows.c.child_id)
    )
