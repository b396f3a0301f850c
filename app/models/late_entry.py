"""Late entries: requests to enter a school's own check of a day when its time has passed."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.base import Audited, Model, Scoped
from app.columns import UtcDateTime
from app.models.organization import School
from app.models.staff import Person


class LateState(StrEnum):
    """Where a request stands."""

    REQUESTED = "requested"
    APPROVED = "approved"
    REFUSED = "refused"


class LateEntry(Scoped, Audited, Model):
    """A request 补录申请 to enter the daily check of a day, decided by the next level."""

    __tablename__ = "late_entry"

    id: Mapped[int] = mapped_column(primary_key=True)
    school_id: Mapped[int] = mapped_column(ForeignKey("school.id"), index=True)
    type_key: Mapped[str] = mapped_column(String(60))
    day: Mapped[date] = mapped_column(index=True)
    reason: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(12), default=LateState.REQUESTED, index=True)
    requested_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decision_note: Mapped[str | None] = mapped_column(String(200))

    school: Mapped[School] = relationship(School, foreign_keys="LateEntry.school_id")
    requested_by: Mapped[Person | None] = relationship(Person, foreign_keys=[requested_by_id])
    decided_by: Mapped[Person | None] = relationship(Person, foreign_keys=[decided_by_id])

    def __str__(self) -> str:
        return f"{self.day.isoformat()} {self.school}"

    __repr__ = __str__
