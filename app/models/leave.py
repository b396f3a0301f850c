"""Leave 请假 of children: from which day to which, who asked for it, and the paper."""

from __future__ import annotations

from datetime import date

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.base import Audited, Model, Scoped, listed_by
from app.models.child import Child


class Leave(Scoped, Audited, Model):
    """A leave of one child, from its first to its last day; a call or a paper carries it."""

    __tablename__ = "leave_request"
    __table_args__ = listed_by("starts_on")
    is_large = True
    follows_child = True

    id: Mapped[int] = mapped_column(primary_key=True)
    child_id: Mapped[int] = mapped_column(ForeignKey("child.id"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    """``sick_leave`` or ``personal_leave``."""
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    reason: Mapped[str] = mapped_column(String(200))
    asked_by: Mapped[str] = mapped_column(String(60))
    """The guardian who asked for it."""
    called_on: Mapped[date | None]
    """The day on which the guardian was spoken to by telephone 电话核实."""
    call_note: Mapped[str | None] = mapped_column(String(200))
    returned_on: Mapped[date | None]
    """The day on which the child was back 销假."""
    evidence_set_id: Mapped[int | None] = mapped_column(ForeignKey("evidence_set.id"))

    child: Mapped[Child] = relationship(Child)

    def __str__(self) -> str:
        return f"{self.starts_on.isoformat()} {self.child or ''}".strip()

    __repr__ = __str__
