"""Ledgers 台账: children who are watched, since when and why, until an entry is closed 销号."""

from __future__ import annotations

from datetime import date

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.base import Audited, Model, Scoped, listed_by
from app.models.child import Child, Code
from app.models.staff import Person

_OPEN = text("closed_on IS NULL")


class LedgerEntry(Scoped, Audited, Model):
    """A child's entry in a ledger; of each category there is one open entry of a child."""

    __tablename__ = "ledger_entry"
    __table_args__ = (
        Index(
            "uq_ledger_entry_open",
            "child_id",
            "ledger",
            "category",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        *listed_by("opened_on"),
    )
    is_large = True
    follows_child = True

    id: Mapped[int] = mapped_column(primary_key=True)
    child_id: Mapped[int] = mapped_column(ForeignKey("child.id"), index=True)
    ledger: Mapped[str] = mapped_column(String(60), index=True)
    """The key of the ledger, ``<plugin>.<name>``."""
    category: Mapped[str] = mapped_column(String(20), default="")
    opened_on: Mapped[date]
    since: Mapped[date]
    """The first day of what the entry rests on."""
    source: Mapped[str | None] = mapped_column(String(80))
    """The key of what opened it, ``<plugin>.<name>``; nothing where a person did."""
    observed: Mapped[str | None] = mapped_column(String(40))
    opened_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    reason_id: Mapped[int | None] = mapped_column(ForeignKey("code.id"))
    next_action: Mapped[str | None] = mapped_column(String(500))
    next_on: Mapped[date | None] = mapped_column(index=True)
    school_responsible_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    township_responsible_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    note: Mapped[str | None] = mapped_column(Text)
    closed_on: Mapped[date | None]
    closing_reason_id: Mapped[int | None] = mapped_column(ForeignKey("code.id"))
    closing_note: Mapped[str | None] = mapped_column(String(500))
    closed_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    evidence_set_id: Mapped[int | None] = mapped_column(ForeignKey("evidence_set.id"))
    """The proof of the closing."""

    child: Mapped[Child] = relationship(Child)
    opened_by: Mapped[Person | None] = relationship(Person, foreign_keys=[opened_by_id])
    reason: Mapped[Code | None] = relationship(Code, foreign_keys=[reason_id])
    school_responsible: Mapped[Person | None] = relationship(
        Person, foreign_keys=[school_responsible_id]
    )
    township_responsible: Mapped[Person | None] = relationship(
        Person, foreign_keys=[township_responsible_id]
    )
    closing_reason: Mapped[Code | None] = relationship(Code, foreign_keys=[closing_reason_id])
    closed_by: Mapped[Person | None] = relationship(Person, foreign_keys=[closed_by_id])
    confirmations: Mapped[list[LedgerConfirmation]] = relationship(
        "LedgerConfirmation", back_populates="entry", order_by="LedgerConfirmation.id"
    )

    def __str__(self) -> str:
        return f"{self.opened_on.isoformat()} {self.child or ''}".strip()

    __repr__ = __str__


class LedgerConfirmation(Scoped, Audited, Model):
    """A level's confirmation 认定 of an entry: by whom, on which day, after which checks."""

    __tablename__ = "ledger_confirmation"
    __table_args__ = (UniqueConstraint("entry_id", "level"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[int] = mapped_column(
        ForeignKey("ledger_entry.id", ondelete="CASCADE"), index=True
    )
    level: Mapped[str] = mapped_column(String(12))
    """``school``, ``township`` or ``county``."""
    confirmed_on: Mapped[date]
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    note: Mapped[str] = mapped_column(String(500))

    entry: Mapped[LedgerEntry] = relationship(LedgerEntry, back_populates="confirmations")
    person: Mapped[Person] = relationship(Person)

    def __str__(self) -> str:
        return f"{self.confirmed_on.isoformat()} {self.person}"

    __repr__ = __str__
