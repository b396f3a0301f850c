"""Requests that the next level decides on: who asked, why, who decided, and what."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, declared_attr, mapped_column, relationship

from app.columns import UtcDateTime
from app.models.staff import Person


class RequestState(StrEnum):
    """Where a request stands."""

    REQUESTED = "requested"
    APPROVED = "approved"
    REFUSED = "refused"


class Requested:
    """Bring the columns of a request and of the decision on it."""

    reason: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(12), default=RequestState.REQUESTED, index=True)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decision_note: Mapped[str | None] = mapped_column(String(200))

    @declared_attr
    def requested_by_id(cls) -> Mapped[int | None]:
        return mapped_column(ForeignKey("person.id"))

    @declared_attr
    def decided_by_id(cls) -> Mapped[int | None]:
        return mapped_column(ForeignKey("person.id"))

    @declared_attr
    def requested_by(cls) -> Mapped[Person | None]:
        return relationship(Person, foreign_keys=[cls.requested_by_id])  # type: ignore[list-item]  # a column

    @declared_attr
    def decided_by(cls) -> Mapped[Person | None]:
        return relationship(Person, foreign_keys=[cls.decided_by_id])  # type: ignore[list-item]  # a column
