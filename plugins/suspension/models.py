"""Cases of suspension and deferral, and the papers in their files."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.kit import Audited, Child, Scoped, plugin_base

from .kinds import APPLIED, KINDS, PAPERS

Base: Any = plugin_base("suspension")


class SuspensionCase(Scoped, Audited, Base):
    """A suspension 休学 or deferral 缓学 of one child, from the application to the return."""

    __tablename__ = "plg_suspension_case"
    __table_args__ = (UniqueConstraint("child_id", "approved_on"),)
    follows_child = True

    id: Mapped[int] = mapped_column(primary_key=True)
    child_id: Mapped[int] = mapped_column(ForeignKey("child.id"), index=True)
    kind: Mapped[str] = mapped_column(String(24))
    state: Mapped[str] = mapped_column(String(12), default=APPLIED)
    applied_on: Mapped[date]
    absent_from: Mapped[date | None]
    counted_from: Mapped[date]
    """From this day on joint visits count; it follows from the absence, the age or the renewal."""
    renews_id: Mapped[int | None] = mapped_column(ForeignKey("plg_suspension_case.id"), index=True)
    note: Mapped[str | None] = mapped_column(String(1000))
    confirmed_on: Mapped[date | None]
    confirmation_note: Mapped[str | None] = mapped_column(String(500))
    approved_on: Mapped[date | None] = mapped_column(index=True)
    ends_on: Mapped[date | None]
    decision_note: Mapped[str | None] = mapped_column(String(500))
    returned_on: Mapped[date | None]
    return_note: Mapped[str | None] = mapped_column(String(500))
    is_backfilled: Mapped[bool] = mapped_column(default=False)

    child: Mapped[Child] = relationship(Child)
    renews: Mapped[SuspensionCase | None] = relationship(
        "SuspensionCase", remote_side="SuspensionCase.id"
    )

    def __str__(self) -> str:
        return (
            f"{self.child or ''} {KINDS.get(self.kind, self.kind)} {self.applied_on or ''}".strip()
        )

    __repr__ = __str__


class SuspensionPaper(Scoped, Audited, Base):
    """A paper 材料 in the file of a case."""

    __tablename__ = "plg_suspension_paper"
    __table_args__ = (UniqueConstraint("case_id", "kind"),)
    follows_child = True

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("plg_suspension_case.id"), index=True)
    child_id: Mapped[int] = mapped_column(ForeignKey("child.id"), index=True)
    kind: Mapped[str] = mapped_column(String(24))
    number: Mapped[str | None] = mapped_column(String(60))
    dated_on: Mapped[date | None]
    issued_by: Mapped[str | None] = mapped_column(String(100))
    note: Mapped[str | None] = mapped_column(String(500))
    evidence_set_id: Mapped[int | None] = mapped_column(ForeignKey("evidence_set.id"))

    case: Mapped[SuspensionCase] = relationship(SuspensionCase)
    child: Mapped[Child] = relationship(Child)

    def __str__(self) -> str:
        return str(PAPERS.get(self.kind, self.kind))

    __repr__ = __str__
