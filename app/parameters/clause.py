"""Read the wording of a clause 条款 that was in force on a day."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Clause


def clause_on(session: Session, key: str | None, day: date) -> Clause | None:
    """Return the wording of a day; the first one where none was in force yet."""
    return clauses_on(session, [key], day).get(key or "")


def clauses_on(session: Session, keys: Iterable[str | None], day: date) -> dict[str, Clause]:
    """Return the wordings of clauses by key, in one statement."""
    wanted = sorted({key for key in keys if key})
    if not wanted:
        return {}
    query = select(Clause).where(Clause.key.in_(wanted)).order_by(Clause.valid_from)
    found: dict[str, Clause] = {}
    for clause in session.scalars(query):
        if clause.key not in found or clause.valid_from <= day:
            found[clause.key] = clause
    return found
