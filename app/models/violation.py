"""Runs of the rules and the violations that they opened, changed and resolved."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.base import Model, Restricted, Scoped
from app.columns import UtcDateTime


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
    parameter_key: Mapped[str | None] = mapped_column(String(100))
    parameter_value: Mapped[str | None] = mapped_column(String(100))
    effective_from: Mapped[date | None]
    first_seen: Mapped[date]
    changed_on: Mapped[date | None]
    resolved_on: Mapped[date | None] = mapped_column(index=True)
    opened_run_id: Mapped[int | None] = mapped_column(ForeignKey("rule_run.id"))

    def __str__(self) -> str:
        return f"{self.code} {self.period_start.isoformat()}"

    __repr__ = __str__
