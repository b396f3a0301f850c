"""Transfers of children from one school to another, until the receiver confirms the arrival."""

from __future__ import annotations

from datetime import date

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.base import Audited, Model, Scoped
from app.models.child import Child
from app.models.organization import School
from app.models.staff import Person


class Transfer(Scoped, Audited, Model):
    """A transfer 转学: a row of the sender, on whose list the child stays until he arrives."""

    __tablename__ = "transfer"
    follows_child = True

    id: Mapped[int] = mapped_column(primary_key=True)
    child_id: Mapped[int] = mapped_column(ForeignKey("child.id"), index=True)
    to_school_id: Mapped[int | None] = mapped_column(ForeignKey("school.id"), index=True)
    to_place: Mapped[str] = mapped_column(String(200))
    """The receiver in words; outside the county there is nothing else."""
    started_on: Mapped[date]
    basis: Mapped[str] = mapped_column(String(200))
    arrived_on: Mapped[date | None]
    confirmed_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    cancelled_on: Mapped[date | None]
    evidence_set_id: Mapped[int | None] = mapped_column(ForeignKey("evidence_set.id"))
    """The proof 就读证明 that the child attends there."""

    child: Mapped[Child] = relationship(Child)
    to_school: Mapped[School | None] = relationship(School, foreign_keys=[to_school_id])
    confirmed_by: Mapped[Person | None] = relationship(Person)

    @property
    def is_open(self) -> bool:
        """Return whether the child is still on the way."""
        return self.arrived_on is None and self.cancelled_on is None

    def __str__(self) -> str:
        return f"{self.started_on.isoformat()} → {self.to_place}"

    __repr__ = __str__
