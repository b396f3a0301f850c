"""Checks whether an inspection took place: raised by the school that saw nobody."""

from __future__ import annotations

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.base import Audited, Model, Scoped
from app.models.inspection import Inspection
from app.models.request import Requested


class VisitCheck(Scoped, Audited, Requested, Model):
    """A school's word 未到校 that nobody came; approved, the inspection counts for nothing."""

    __tablename__ = "visit_check"

    id: Mapped[int] = mapped_column(primary_key=True)
    inspection_id: Mapped[int] = mapped_column(ForeignKey("inspection.id"), index=True)

    inspection: Mapped[Inspection] = relationship(Inspection)

    def __str__(self) -> str:
        return str(self.inspection or "")

    __repr__ = __str__
