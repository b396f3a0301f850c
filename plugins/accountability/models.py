"""What superiors found, and the cases of accountability and interviews."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.kit import (
    Audited,
    ChecklistItem,
    Child,
    Inspection,
    Person,
    Scoped,
    Violation,
    plugin_base,
)

from .words import KINDS, OPENED, SOURCES

Base: Any = plugin_base("accountability")


class SuperiorFinding(Scoped, Audited, Base):
    """A problem 上级发现问题 that a superior's covert or central check found at a school."""

    __tablename__ = "plg_accountability_superior_finding"

    id: Mapped[int] = mapped_column(primary_key=True)
    found_on: Mapped[date] = mapped_column(index=True)
    source: Mapped[str] = mapped_column(String(16))
    issuer: Mapped[str] = mapped_column(String(100))
    number: Mapped[str | None] = mapped_column(String(60))
    item_id: Mapped[int] = mapped_column(ForeignKey("checklist_item.id"), index=True)
    child_id: Mapped[int | None] = mapped_column(ForeignKey("child.id"), index=True)
    condition_since: Mapped[date | None]
    """Since when what was found stood so; unknown, nobody can be held to have overlooked it."""
    facts: Mapped[str] = mapped_column(Text)
    evidence_set_id: Mapped[int | None] = mapped_column(ForeignKey("evidence_set.id"))

    item: Mapped[ChecklistItem] = relationship(ChecklistItem)
    child: Mapped[Child | None] = relationship(Child)

    def __str__(self) -> str:
        source = SOURCES.get(self.source, self.source)
        return f"{self.found_on or ''} {self.school or ''} {source}".strip()

    __repr__ = __str__


class AccountabilityCase(Scoped, Audited, Base):
    """A case: somebody who overlooked what a superior found, or an interview 约谈.

    What it is called names nobody: whoever may read of it in passing learns no name.
    """

    __tablename__ = "plg_accountability_case"
    __table_args__ = (UniqueConstraint("superior_finding_id", "inspection_id", "person_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(12), default=OPENED, index=True)
    opened_on: Mapped[date]
    superior_finding_id: Mapped[int | None] = mapped_column(
        ForeignKey("plg_accountability_superior_finding.id"), index=True
    )
    inspection_id: Mapped[int | None] = mapped_column(ForeignKey("inspection.id"), index=True)
    violation_id: Mapped[int | None] = mapped_column(ForeignKey("violation.id"), index=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    capacity: Mapped[str | None] = mapped_column(String(40))
    unit: Mapped[str | None] = mapped_column(String(100))
    ground: Mapped[str] = mapped_column(Text)
    statement: Mapped[str | None] = mapped_column(Text)
    stated_on: Mapped[date | None]
    recommendation: Mapped[str | None] = mapped_column(Text)
    recommended_on: Mapped[date | None]
    appeal: Mapped[str | None] = mapped_column(Text)
    appealed_on: Mapped[date | None]
    appeal_reply: Mapped[str | None] = mapped_column(Text)
    replied_on: Mapped[date | None]
    transferred_to: Mapped[str | None] = mapped_column(String(100))
    transferred_on: Mapped[date | None]
    outcome: Mapped[str | None] = mapped_column(Text)
    outcome_number: Mapped[str | None] = mapped_column(String(60))
    outcome_on: Mapped[date | None]
    dismissal: Mapped[str | None] = mapped_column(Text)
    dismissed_on: Mapped[date | None]

    superior_finding: Mapped[SuperiorFinding | None] = relationship(SuperiorFinding)
    inspection: Mapped[Inspection | None] = relationship(Inspection)
    violation: Mapped[Violation | None] = relationship(Violation)
    person: Mapped[Person | None] = relationship(Person)

    def __str__(self) -> str:
        kind = KINDS.get(self.kind, self.kind)
        return f"{self.opened_on or ''} {kind} {self.school or self.township or ''}".strip()

    __repr__ = __str__
