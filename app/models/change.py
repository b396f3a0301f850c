"""The audit trail: every change, refusal, login, reading of a child's record and export."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.base import Model, Restricted
from app.columns import UtcDateTime
from app.words import named


class Change(Restricted, Model):
    """One entry of the audit trail 审计记录; never edited, never deleted."""

    __tablename__ = "change"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    user_id: Mapped[int | None] = mapped_column(Integer, index=True)
    person_id: Mapped[int | None] = mapped_column(Integer)
    appointment_id: Mapped[int | None] = mapped_column(Integer)
    address: Mapped[str | None] = mapped_column(String(45))
    action: Mapped[str] = mapped_column(String(20), index=True)
    """``insert``, ``update``, ``delete``, ``refuse``, ``login``, ``read``, ``export`` …"""
    table_name: Mapped[str | None] = mapped_column(String(60), index=True)
    row_id: Mapped[int | None] = mapped_column(Integer, index=True)
    before: Mapped[str | None] = mapped_column(Text)
    after: Mapped[str | None] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(String(500))
    chain: Mapped[str | None] = mapped_column(String(64))
    """Hash over this entry and the one before it, added later in id order."""

    def __str__(self) -> str:
        said = (named("action", self.action), named("table", self.table_name), self.row_id)
        return " ".join(str(part) for part in said if part)

    __repr__ = __str__
