"""Monthly reports 月报, quarterly reviews 季度核查, publicity 宣传, indicators of each month."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.kit import Audited, ChildStatus, CountyScoped, Person, Scoped, UtcDateTime, plugin_base

Base: Any = plugin_base("records")


class MonthlyReport(Scoped, Audited, Base):
    """A school's report of a month; a nil report 零报告 says that there is nothing.

    Its figures are those of the ledgers on the day of filing, and stay.
    """

    __tablename__ = "plg_records_monthly_report"
    __table_args__ = (UniqueConstraint("school_id", "month"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    month: Mapped[date] = mapped_column(index=True)
    """The first day of the month."""
    is_nil: Mapped[bool] = mapped_column(default=False)
    at_risk: Mapped[int] = mapped_column(default=0)
    suspected: Mapped[int] = mapped_column(default=0)
    """Category A alone."""
    dropped_out: Mapped[int] = mapped_column(default=0)
    returned: Mapped[int] = mapped_column(default=0)
    note: Mapped[str | None] = mapped_column(Text)
    filed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    filed_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    evidence_set_id: Mapped[int | None] = mapped_column(ForeignKey("evidence_set.id"))

    filed_by: Mapped[Person | None] = relationship(Person)

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {self.school}"

    __repr__ = __str__


class Review(CountyScoped, Audited, Base):
    """The county's review of a quarter, of one township or of all."""

    __tablename__ = "plg_records_review"

    id: Mapped[int] = mapped_column(primary_key=True)
    quarter: Mapped[date] = mapped_column(index=True)
    """The first day of the quarter."""
    reviewed_on: Mapped[date]
    schools: Mapped[int] = mapped_column(default=0)
    households: Mapped[int] = mapped_column(default=0)
    conclusion: Mapped[str] = mapped_column(Text)
    measures: Mapped[str | None] = mapped_column(Text)
    reviewed_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    evidence_set_id: Mapped[int | None] = mapped_column(ForeignKey("evidence_set.id"))

    reviewed_by: Mapped[Person | None] = relationship(Person)

    def __str__(self) -> str:
        return f"{self.quarter.year}-Q{(self.quarter.month + 2) // 3}"

    __repr__ = __str__


class Activity(Scoped, Audited, Base):
    """A publicity activity 宣传活动 of a school or a township."""

    __tablename__ = "plg_records_activity"

    id: Mapped[int] = mapped_column(primary_key=True)
    held_on: Mapped[date] = mapped_column(index=True)
    kind: Mapped[str] = mapped_column(String(20))
    topic: Mapped[str] = mapped_column(String(200))
    audience: Mapped[int] = mapped_column(default=0)
    organiser: Mapped[str | None] = mapped_column(String(100))
    note: Mapped[str | None] = mapped_column(Text)
    evidence_set_id: Mapped[int | None] = mapped_column(ForeignKey("evidence_set.id"))

    def __str__(self) -> str:
        return f"{self.held_on.isoformat()} {self.topic}"

    __repr__ = __str__


class Indicator(Scoped, Base):
    """One figure of a school or a township at the end of a month; taken once, never again."""

    __tablename__ = "plg_records_indicator"
    __table_args__ = (
        UniqueConstraint("township_id", "school_id", "month", "indicator", "status_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    month: Mapped[date] = mapped_column(index=True)
    indicator: Mapped[str] = mapped_column(String(40))
    """``on_roll``, ``at_school``, or ``status``: children of one status."""
    status_id: Mapped[int | None] = mapped_column(ForeignKey("child_status.id"))
    value: Mapped[int]
    taken_on: Mapped[date]

    status: Mapped[ChildStatus | None] = relationship(ChildStatus)

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {self.indicator}"

    __repr__ = __str__
