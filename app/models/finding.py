"""Findings, the written feedback that covers them, and every step until they close."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.base import Audited, Model, Scoped
from app.columns import UtcDateTime
from app.models.checklist import ChecklistItem
from app.models.child import Child
from app.models.inspection import Answer, Inspection
from app.models.staff import Person


class FindingState(StrEnum):
    """Where a finding stands; reopened means served again."""

    OPEN = "open"
    SERVED = "served"
    OBJECTED = "objected"
    CLAIMED = "claimed"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


LONGEST_TITLE: Final = 60
FEEDBACK_TITLES: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "written_feedback": _l("Inspection feedback"),
        "rectification_order": _l("Rectification order"),
        "inspection_opinion": _l("Inspection opinion"),
    }
)
STEP_TITLES: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "find": _l("Found"),
        "amend": _l("Facts corrected"),
        "serve": _l("Serve"),
        "receive": _l("Sign the receipt"),
        "object": _l("Object"),
        "uphold": _l("Uphold the objection"),
        "dismiss": _l("Dismiss the objection"),
        "claim": _l("Claim the rectification"),
        "verify": _l("Return visit: rectified"),
        "reopen": _l("Return visit: not rectified"),
        "accept": _l("Accept the evidence"),
        "close": _l("Close what the school found itself"),
        "confirm": _l("Looked at by an outside visit: holds"),
        "recall": _l("Looked at by an outside visit: does not hold"),
        "withdraw": _l("Withdraw"),
    }
)


class Feedback(Scoped, Audited, Model):
    """Written feedback 书面反馈 of one inspection: it covers the inspection's findings."""

    __tablename__ = "feedback"

    id: Mapped[int] = mapped_column(primary_key=True)
    inspection_id: Mapped[int] = mapped_column(ForeignKey("inspection.id"), unique=True)
    kind: Mapped[str] = mapped_column(String(24))
    """``written_feedback``, ``rectification_order`` or ``inspection_opinion``."""
    opinion: Mapped[str] = mapped_column(Text)
    served_on: Mapped[date | None]
    served_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    received_on: Mapped[date | None]
    received_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))

    inspection: Mapped[Inspection] = relationship(Inspection)
    served_by: Mapped[Person | None] = relationship(Person, foreign_keys=[served_by_id])
    received_by: Mapped[Person | None] = relationship(Person, foreign_keys=[received_by_id])
    findings: Mapped[list[Finding]] = relationship("Finding", back_populates="feedback")

    def __str__(self) -> str:
        title = FEEDBACK_TITLES.get(self.kind, self.kind)
        return f"{title} {self.served_on or ''}".strip()

    __repr__ = __str__


class Finding(Scoped, Audited, Model):
    """A finding 问题: a failed check with facts, followed until it closes."""

    __tablename__ = "finding"

    id: Mapped[int] = mapped_column(primary_key=True)
    inspection_id: Mapped[int] = mapped_column(ForeignKey("inspection.id"), index=True)
    answer_id: Mapped[int | None] = mapped_column(
        ForeignKey("answer.id", ondelete="SET NULL"), index=True
    )
    item_id: Mapped[int | None] = mapped_column(ForeignKey("checklist_item.id"), index=True)
    child_id: Mapped[int | None] = mapped_column(ForeignKey("child.id"), index=True)
    feedback_id: Mapped[int | None] = mapped_column(ForeignKey("feedback.id"), index=True)
    clause_key: Mapped[str | None] = mapped_column(String(40))
    facts: Mapped[str] = mapped_column(Text)
    opinion: Mapped[str | None] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(12), default=FindingState.OPEN, index=True)
    closing: Mapped[str] = mapped_column(String(16), default="evidence")
    is_urgent: Mapped[bool] = mapped_column(default=False)
    needs_pupils: Mapped[bool] = mapped_column(default=False)
    is_self_found: Mapped[bool] = mapped_column(default=False)
    found_on: Mapped[date] = mapped_column(index=True)
    found_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    due_on: Mapped[date | None] = mapped_column(index=True)
    """Last day of rectification; stopped while an objection is undecided."""
    claimed_on: Mapped[date | None]
    closed_on: Mapped[date | None] = mapped_column(index=True)
    reopened: Mapped[int] = mapped_column(default=0)

    inspection: Mapped[Inspection] = relationship(Inspection)
    answer: Mapped[Answer | None] = relationship(Answer)
    item: Mapped[ChecklistItem | None] = relationship(ChecklistItem)
    child: Mapped[Child | None] = relationship(Child)
    found_by: Mapped[Person | None] = relationship(Person, foreign_keys=[found_by_id])
    feedback: Mapped[Feedback | None] = relationship(Feedback, back_populates="findings")
    steps: Mapped[list[FindingStep]] = relationship(
        "FindingStep", back_populates="finding", order_by="FindingStep.id"
    )
    return_visits: Mapped[list[ReturnVisit]] = relationship(
        "ReturnVisit", back_populates="finding", order_by="ReturnVisit.visited_on"
    )

    def __str__(self) -> str:
        return self.facts.partition("\n")[0][:LONGEST_TITLE]

    __repr__ = __str__


class FindingStep(Scoped, Audited, Model):
    """A step that a finding took: by whom, when, from which state to which, and why."""

    __tablename__ = "finding_step"

    id: Mapped[int] = mapped_column(primary_key=True)
    finding_id: Mapped[int] = mapped_column(ForeignKey("finding.id"), index=True)
    step: Mapped[str] = mapped_column(String(24))
    from_state: Mapped[str] = mapped_column(String(12))
    to_state: Mapped[str] = mapped_column(String(12))
    happened_on: Mapped[date]
    happened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    appointment_id: Mapped[int | None] = mapped_column(ForeignKey("appointment.id"))
    note: Mapped[str | None] = mapped_column(Text)
    due_on: Mapped[date | None]
    evidence_set_id: Mapped[int | None] = mapped_column(ForeignKey("evidence_set.id"), index=True)

    finding: Mapped[Finding] = relationship(Finding, back_populates="steps")
    person: Mapped[Person | None] = relationship(Person)

    def __str__(self) -> str:
        return f"{self.happened_on.isoformat()} {STEP_TITLES.get(self.step, self.step)}"

    __repr__ = __str__


class ReturnVisit(Scoped, Audited, Model):
    """A return visit 回访督导 that verifies a rectification, on its own or within an inspection."""

    __tablename__ = "return_visit"

    id: Mapped[int] = mapped_column(primary_key=True)
    finding_id: Mapped[int] = mapped_column(ForeignKey("finding.id"), index=True)
    inspection_id: Mapped[int | None] = mapped_column(ForeignKey("inspection.id"), index=True)
    visited_on: Mapped[date]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    is_on_site: Mapped[bool] = mapped_column(default=True)
    is_rectified: Mapped[bool]
    note: Mapped[str | None] = mapped_column(Text)
    evidence_set_id: Mapped[int | None] = mapped_column(ForeignKey("evidence_set.id"), index=True)

    finding: Mapped[Finding] = relationship(Finding, back_populates="return_visits")
    person: Mapped[Person | None] = relationship(Person)

    def __str__(self) -> str:
        return self.visited_on.isoformat()

    __repr__ = __str__


class ReviewOutcome(StrEnum):
    """What an outside visit says of a closing: it holds, or the finding opens again."""

    HOLDS = "holds"
    FAILS = "fails"


class FindingReview(Scoped, Audited, Model):
    """A finding that a school closed by itself, drawn for an outside visit to look at 抽查."""

    __tablename__ = "finding_review"
    __table_args__ = (UniqueConstraint("inspection_id", "finding_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    inspection_id: Mapped[int] = mapped_column(
        ForeignKey("inspection.id", ondelete="CASCADE"), index=True
    )
    finding_id: Mapped[int] = mapped_column(ForeignKey("finding.id"), index=True)
    outcome: Mapped[str | None] = mapped_column(String(12))
    note: Mapped[str | None] = mapped_column(Text)
    reviewed_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    step_id: Mapped[int | None] = mapped_column(ForeignKey("finding_step.id"))
    """The step that the outcome led to when the record was submitted."""

    inspection: Mapped[Inspection] = relationship(Inspection)
    finding: Mapped[Finding] = relationship(Finding)
    reviewed_by: Mapped[Person | None] = relationship(Person)
    step: Mapped[FindingStep | None] = relationship(FindingStep)

    def __str__(self) -> str:
        return str(self.finding)

    __repr__ = __str__
