"""Obligations: the inspections that are due, whether or not anybody entered anything."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.base import Audited, Model, Scoped
from app.columns import UtcDateTime
from app.models.inspection import type_title
from app.models.organization import School
from app.models.staff import Person


class Obligation(Scoped, Audited, Model):
    """An inspection of a school that a capacity owes in a period; its status is computed."""

    __tablename__ = "obligation"
    __table_args__ = (UniqueConstraint("type_key", "capacity", "school_id", "period_start"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    type_key: Mapped[str] = mapped_column(String(60), index=True)
    capacity: Mapped[str] = mapped_column(String(40))
    school_id: Mapped[int] = mapped_column(ForeignKey("school.id"), index=True)
    period_start: Mapped[date] = mapped_column(index=True)
    period_end: Mapped[date]
    due_on: Mapped[date] = mapped_column(index=True)
    clause_key: Mapped[str | None] = mapped_column(String(40))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    excused_reason: Mapped[str | None] = mapped_column(String(200))
    excused_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    excused_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    school: Mapped[School] = relationship(School, foreign_keys="Obligation.school_id")
    person: Mapped[Person | None] = relationship(Person, foreign_keys=[person_id])
    excused_by: Mapped[Person | None] = relationship(Person, foreign_keys=[excused_by_id])

    def __str__(self) -> str:
        return f"{type_title(self.type_key)} · {self.school} · {self.due_on.isoformat()}"

    __repr__ = __str__
