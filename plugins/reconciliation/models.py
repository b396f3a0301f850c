"""The comparisons of lists, and the lines that do not agree."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.kit import (
    Audited,
    Child,
    CountyScoped,
    Encrypted,
    Person,
    Scoped,
    UtcDateTime,
    plugin_base,
)

from .catalogue import FROM_FILE, methods, titles

Base = plugin_base("reconciliation")


class Comparison(CountyScoped, Audited, Base):  # type: ignore[valid-type,misc]  # made at start
    """A comparison 比对 of two lists on a day; everybody reads it, each sees the lines in scope."""

    __tablename__ = "plg_reconciliation_comparison"

    id: Mapped[int] = mapped_column(primary_key=True)
    method: Mapped[str] = mapped_column(String(60))
    compared_on: Mapped[date]
    left_source: Mapped[str] = mapped_column(String(60), default=FROM_FILE)
    right_source: Mapped[str] = mapped_column(String(60), default=FROM_FILE)
    left_file: Mapped[str | None] = mapped_column(String(200))
    right_file: Mapped[str | None] = mapped_column(String(200))
    left_count: Mapped[int] = mapped_column(default=0)
    right_count: Mapped[int] = mapped_column(default=0)
    agreeing: Mapped[int] = mapped_column(default=0)
    note: Mapped[str | None] = mapped_column(String(500))

    def __str__(self) -> str:
        title = titles(methods()).get(self.method, self.method)
        return f"{title} {self.compared_on.isoformat()}"

    __repr__ = __str__


class Residual(Scoped, Audited, Base):  # type: ignore[valid-type,misc]  # made at start
    """A line 余项 that does not agree, until it is closed 销号 with a reason and its proof.

    A line whose school nobody knows yet is the county's to place.
    """

    __tablename__ = "plg_reconciliation_residual"
    unplaced_rows = True

    id: Mapped[int] = mapped_column(primary_key=True)
    comparison_id: Mapped[int] = mapped_column(
        ForeignKey("plg_reconciliation_comparison.id"), index=True
    )
    kind: Mapped[str] = mapped_column(String(16), index=True)
    likeness: Mapped[str | None] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(100))
    left_name: Mapped[str | None] = mapped_column(String(100))
    left_number: Mapped[str | None] = mapped_column(Encrypted)
    left_born_on: Mapped[date | None]
    left_row: Mapped[int | None]
    left_child_id: Mapped[int | None] = mapped_column(ForeignKey("child.id"), index=True)
    right_name: Mapped[str | None] = mapped_column(String(100))
    right_number: Mapped[str | None] = mapped_column(Encrypted)
    right_born_on: Mapped[date | None]
    right_row: Mapped[int | None]
    right_child_id: Mapped[int | None] = mapped_column(ForeignKey("child.id"), index=True)
    remark: Mapped[str | None] = mapped_column(String(500))
    is_sound: Mapped[bool] = mapped_column(default=True)
    """Whether the id numbers of the line have the right form and check digit."""
    closure: Mapped[str | None] = mapped_column(String(40))
    closure_note: Mapped[str | None] = mapped_column(String(500))
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    evidence_set_id: Mapped[int | None] = mapped_column(ForeignKey("evidence_set.id"))

    comparison: Mapped[Comparison] = relationship(Comparison)
    left_child: Mapped[Child | None] = relationship(Child, foreign_keys=[left_child_id])
    right_child: Mapped[Child | None] = relationship(Child, foreign_keys=[right_child_id])
    closed_by: Mapped[Person | None] = relationship(Person)

    def __str__(self) -> str:
        return self.name

    __repr__ = __str__
