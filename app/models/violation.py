"""Runs of the rules and the violations that they opened, changed and resolved."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.base import Audited, Model, Restricted, Scoped
from app.columns import UtcDateTime
from app.models.staff import Person

LONGEST_PARAMETERS: Final = 500


class ViolationState(StrEnum):
    """Where people stand with a violation; only its rule resolves it, or finds it again."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    EXPLAINED = "explained"
    WAIVED = "waived"
    RESOLVED = "resolved"


class RuleRun(Restricted, Model):
    """One run of one rule: what it judged, what it changed, or why it failed."""

    __tablename__ = "rule_run"

    id: Mapped[int] = mapped_column(primary_key=True)
    rule_key: Mapped[str] = mapped_column(String(100), index=True)
    as_of: Mapped[date] = mapped_column(index=True)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    opened: Mapped[int] = mapped_column(default=0)
    changed: Mapped[int] = mapped_column(default=0)
    resolved: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(String(500))
    is_partial: Mapped[bool] = mapped_column(default=False)
    """Whether it judged some schools only."""

    def __str__(self) -> str:
        return f"{self.rule_key} {self.as_of.isoformat()}"

    __repr__ = __str__


class Violation(Scoped, Model):
    """What a rule found: one row for a rule, a subject and a period, never doubled or deleted."""

    __tablename__ = "violation"
    __table_args__ = (
        Index(
            "uq_violation_identity",
            "rule_key",
            "subject_type",
            "subject_id",
            "period_start",
            unique=True,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    rule_key: Mapped[str] = mapped_column(String(100), index=True)
    code: Mapped[str] = mapped_column(String(20))
    clause_key: Mapped[str | None] = mapped_column(String(40))
    severity: Mapped[str] = mapped_column(String(12))
    subject_type: Mapped[str] = mapped_column(String(40))
    subject_id: Mapped[int] = mapped_column(Integer, index=True)
    period_start: Mapped[date]
    observed: Mapped[str | None] = mapped_column(String(100))
    required: Mapped[str | None] = mapped_column(String(100))
    message: Mapped[str | None] = mapped_column(Text)
    parameter_key: Mapped[str | None] = mapped_column(String(LONGEST_PARAMETERS))
    parameter_value: Mapped[str | None] = mapped_column(String(LONGEST_PARAMETERS))
    effective_from: Mapped[date | None]
    first_seen: Mapped[date]
    changed_on: Mapped[date | None]
    resolved_on: Mapped[date | None] = mapped_column(index=True)
    opened_run_id: Mapped[int | None] = mapped_column(ForeignKey("rule_run.id"))
    state: Mapped[str] = mapped_column(String(12), default=ViolationState.OPEN, index=True)
    waived_until: Mapped[date | None]

    steps: Mapped[list[ViolationStep]] = relationship(
        "ViolationStep", back_populates="violation", order_by="ViolationStep.id"
    )

    def __str__(self) -> str:
        return f"{self.code} {self.period_start.isoformat()}"

    __repr__ = __str__


class ViolationStep(Scoped, Audited, Model):
    """What somebody did about a violation: took note of it, explained it, waived it until a day."""

    __tablename__ = "violation_step"

    id: Mapped[int] = mapped_column(primary_key=True)
    violation_id: Mapped[int] = mapped_column(ForeignKey("violation.id"), index=True)
    state: Mapped[str] = mapped_column(String(12))
    note: Mapped[str | None] = mapped_column(Text)
    until: Mapped[date | None]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    """Nobody where a waiver ended by its date."""
    appointment_id: Mapped[int | None] = mapped_column(ForeignKey("appointment.id"))
    happened_at: Mapped[datetime] = mapped_column(UtcDateTime)

    violation: Mapped[Violation] = relationship(Violation, back_populates="steps")
    person: Mapped[Person | None] = relationship(Person)

    def __str__(self) -> str:
        return f"{self.violation} {self.state}"

    __repr__ = __str__
