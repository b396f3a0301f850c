"""Excuses: requests to be excused from an inspection that is due."""

from __future__ import annotations

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.base import Audited, Model, Scoped
from app.models.obligation import Obligation
from app.models.request import Requested


class Excuse(Scoped, Audited, Requested, Model):
    """A request 免责申请 of who answers for an inspection due, decided by the next level."""

    __tablename__ = "excuse"

    id: Mapped[int] = mapped_column(primary_key=True)
    # What is due no more needs no decision: the request goes with it.
    obligation_id: Mapped[int] = mapped_column(
        ForeignKey("obligation.id", ondelete="CASCADE"), index=True
    )

    obligation: Mapped[Obligation] = relationship(Obligation)

    def __str__(self) -> str:
        return str(self.obligation or "")

    __repr__ = __str__
