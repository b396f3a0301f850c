"""Home and persuasion visits, and who took part in them."""

from __future__ import annotations

from datetime import date

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.base import Audited, Model, Scoped, listed_by
from app.models.child import Child, Code
from app.models.staff import Person


class Visit(Scoped, Audited, Model):
    """A home visit 家访 or persuasion visit 劝返 to one child."""

    __tablename__ = "visit"
    __table_args__ = listed_by("visited_on")
    is_large = True
    follows_child = True

    id: Mapped[int] = mapped_column(primary_key=True)
    child_id: Mapped[int] = mapped_column(ForeignKey("child.id"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    """``home`` or ``persuasion``."""
    visited_on: Mapped[date] = mapped_column(index=True)
    method_id: Mapped[int | None] = mapped_column(ForeignKey("code.id"))
    is_remote: Mapped[bool] = mapped_column(default=False)
    met_child: Mapped[bool] = mapped_column(default=False)
    met_guardian: Mapped[bool] = mapped_column(default=False)
    reason_id: Mapped[int | None] = mapped_column(ForeignKey("code.id"))
    outcome_id: Mapped[int | None] = mapped_column(ForeignKey("code.id"))
    countermeasure: Mapped[str | None] = mapped_column(Text)
    next_step: Mapped[str | None] = mapped_column(Text)
    next_on: Mapped[date | None]
    evidence_set_id: Mapped[int | None] = mapped_column(ForeignKey("evidence_set.id"), index=True)
    is_backfilled: Mapped[bool] = mapped_column(default=False)

    child: Mapped[Child] = relationship(Child)
    method: Mapped[Code | None] = relationship(Code, foreign_keys=[method_id])
    reason: Mapped[Code | None] = relationship(Code, foreign_keys=[reason_id])
    outcome: Mapped[Code | None] = relationship(Code, foreign_keys=[outcome_id])
    participants: Mapped[list[VisitParticipant]] = relationship(
        "VisitParticipant", cascade="all, delete-orphan", back_populates="visit"
    )

    def __str__(self) -> str:
        return f"{self.visited_on.isoformat()} {self.child or ''}".strip()

    __repr__ = __str__


class VisitParticipant(Scoped, Audited, Model):
    """A person on a visit, and the kind of organisation for which he came."""

    __tablename__ = "visit_participant"

    id: Mapped[int] = mapped_column(primary_key=True)
    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id", ondelete="CASCADE"), index=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    name: Mapped[str] = mapped_column(String(60))
    organisation_kind_id: Mapped[int] = mapped_column(ForeignKey("code.id"))

    visit: Mapped[Visit] = relationship(Visit, back_populates="participants")
    person: Mapped[Person | None] = relationship(Person)
    organisation_kind: Mapped[Code] = relationship(Code)

    def __str__(self) -> str:
        return self.name

    __repr__ = __str__
