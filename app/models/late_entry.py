"""Late entries: requests to enter a school's own check of a day when its time has passed."""

from __future__ import annotations

from datetime import date

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.base import Audited, Model, Scoped
from app.models.organization import School
from app.models.request import Requested


class LateEntry(Scoped, Audited, Requested, Model):
    """A request 补录申请 to enter the daily check of a day, decided by the next level."""

    __tablename__ = "late_entry"

    id: Mapped[int] = mapped_column(primary_key=True)
    school_id: Mapped[int] = mapped_column(ForeignKey("school.id"), index=True)
    type_key: Mapped[str] = mapped_column(String(60))
    day: Mapped[date] = mapped_column(index=True)

    school: Mapped[School] = relationship(School, foreign_keys="LateEntry.school_id")

    def __str__(self) -> str:
        return f"{self.day.isoformat()} {self.school}"

    __repr__ = __str__
