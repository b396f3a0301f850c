"""Keep the days of cases and of roster lines in order, and those of one child apart."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import or_, select

from app.kit import FieldRefused, _

from .models import Case


def check_span(first: date, last: date | None, field: str) -> None:
    """Refuse an end before the beginning."""
    if last is not None and last < first:
        raise FieldRefused(field, _("The last day lies before the first."))


def overlapping(model: type[Any], child_id: int, first: date, last: date | None, item: Any) -> Any:
    """Select another row of the child that shares a day with a span."""
    names = ("starts_on", "ends_on") if model is Case else ("valid_from", "valid_to")
    begins, ends = (getattr(model, name) for name in names)
    query = select(model.id).where(model.child_id == child_id, or_(ends.is_(None), ends >= first))
    if last is not None:
        query = query.where(begins <= last)
    if item is not None:
        query = query.where(model.id != item.id)
    return query.limit(1)
