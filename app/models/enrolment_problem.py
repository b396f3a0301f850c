"""Problem enrolments 问题学籍: one id number that several schools report."""

from __future__ import annotations

from datetime import date
from typing import Final

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.base import Audited, Model, Scoped
from app.columns import BlindIndex
from app.models.child import Child
from app.models.staff import Person

OPEN: Final = "open"
KEPT: Final = "kept"
ENDED: Final = "ended"
CORRECTED: Final = "corrected"
WITHDRAWN: Final = "withdrawn"


class EnrolmentProblem(Scoped, Audited, Model):
    """One school's side of an id number that several schools report: its task, and how it ended.

    Each school keeps a child record of its own, with class, roll-calls and absences, so that
    nothing is lost and nobody sees another school's rows; one such row for each record ties them
    together by the number alone. That needs no second kind of enrolment, and the usual scope makes
    each school see its own side. Settling lets one record keep the number and ends the others.
    """

    __tablename__ = "enrolment_problem"
    __table_args__ = (
        Index(
            "uq_enrolment_problem_open",
            "child_id",
            "number_index",
            unique=True,
            sqlite_where=text("settled_on IS NULL"),
            postgresql_where=text("settled_on IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    child_id: Mapped[int] = mapped_column(ForeignKey("child.id"), index=True)
    number_index: Mapped[str] = mapped_column(BlindIndex, index=True)
    """The blind index of the number, which an ended record no longer bears."""
    opened_on: Mapped[date]
    settled_on: Mapped[date | None] = mapped_column(index=True)
    state: Mapped[str] = mapped_column(String(12), default=OPEN)
    """``open``, ``kept``, ``ended``, ``corrected`` (another number now) or ``withdrawn`` (no other
    school reports it any more).
    """
    note: Mapped[str | None] = mapped_column(String(500))
    settled_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    evidence_set_id: Mapped[int | None] = mapped_column(ForeignKey("evidence_set.id"))

    child: Mapped[Child] = relationship(Child)
    settled_by: Mapped[Person | None] = relationship(Person)

    def __str__(self) -> str:
        return f"{self.opened_on.isoformat()} {self.child or ''}".strip()

    __repr__ = __str__
