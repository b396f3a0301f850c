"""Select children whose transfer nobody has confirmed for too long."""

from __future__ import annotations

from typing import Literal

from sqlalchemy import Select, func, select

from app.kit import Settings, Window, transfers_overdue


def at_risk(window: Window, settings: Settings) -> Select:
    """Select children who have not arrived for too many working days."""
    return _children(window, int(settings.transfer_at_risk_days), "working_day")


def suspected(window: Window, settings: Settings) -> Select:
    """Select children without proof of attendance for too many school days."""
    return _children(window, int(settings.transfer_suspected_days), "school_day")


def _children(window: Window, days: int, count: Literal["working_day", "school_day"]) -> Select:
    found = transfers_overdue(window.as_of, days, count).subquery()
    return select(
        found.c.subject_id.label("child_id"),
        func.min(found.c.period_start).label("since"),
        func.max(found.c.observed).label("observed"),
    ).group_by(found.c.subject_id)
