"""Inspections: participants, answers, class lines; and the class teachers' attendance reports."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    bindparam,
    case,
    event,
)
from sqlalchemy.orm import (
    Mapped,
    column_property,
    declared_attr,
    mapped_column,
    relationship,
)

from app.base import Audited, Model, Scoped, listed_by, registry
from app.columns import UtcDateTime
from app.models.checklist import ChecklistItem, ChecklistVersion
from app.models.child import Child
from app.models.organization import SchoolClass
from app.models.staff import Person
from app.words import named, words

BASE_TYPE = "inspection"
_mapped_types: set[str] = set()


def _known_types() -> Sequence[str]:
    return sorted(_mapped_types) or [""]


def _known_or_base(type_key: Mapped[str]) -> ColumnElement[str]:
    known: BindParameter[str] = bindparam("known_types", callable_=_known_types, expanding=True)
    key = cast("ColumnElement[str]", type_key)
    return case((key.in_(known), key), else_=BASE_TYPE)


class Verdict(StrEnum):
    """The verdict on an item: it starts as unchecked and never defaults to conforms."""

    CONFORMS = "conforms"
    FAILS = "fails"
    UNCHECKED = "unchecked"
    NOT_APPLICABLE = "not_applicable"


class InspectionState(StrEnum):
    """Where an inspection record stands."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    LAPSED = "lapsed"
    """A daily check whose day closed before any class was checked."""


class Inspection(Scoped, Audited, Model):
    """An inspection 督导 of a school or, where ``school`` is empty, of a township.

    Every inspection type is a single-table subclass that the plugin host makes. A row whose type
    has no class, because its plugin is gone, loads as the base class.
    """

    __tablename__ = "inspection"
    # Readers of all counties walk the days by the last one: a day holds many inspections.
    __table_args__ = (*listed_by("occurred_on"), Index(None, "occurred_on", "id"))
    is_large = True

    id: Mapped[int] = mapped_column(primary_key=True)
    type_key: Mapped[str] = mapped_column(String(60), index=True)
    # An attribute of its own: as a bare expression, a save without a net change raises KeyError.
    known_type: Mapped[str] = column_property(_known_or_base(type_key))
    checklist_version_id: Mapped[int] = mapped_column(
        ForeignKey("checklist_version.id"), index=True
    )
    occurred_on: Mapped[date]
    state: Mapped[str] = mapped_column(String(12), default=InspectionState.DRAFT, index=True)
    theme: Mapped[str | None] = mapped_column(String(200))
    note: Mapped[str | None] = mapped_column(Text)
    redraw_reason: Mapped[str | None] = mapped_column(String(200))
    submitted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    submitted_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    captured_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the device took the record, where that differs from when it arrived."""
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the school signed 到校签收 or a participant confirmed with his own login."""
    confirmed_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    late_reason: Mapped[str | None] = mapped_column(String(200))
    is_backfilled: Mapped[bool] = mapped_column(default=False)
    corrected_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    correction_reason: Mapped[str | None] = mapped_column(String(500))
    evidence_set_id: Mapped[int | None] = mapped_column(ForeignKey("evidence_set.id"), index=True)

    checklist_version: Mapped[ChecklistVersion] = relationship(ChecklistVersion)
    submitted_by: Mapped[Person | None] = relationship(Person, foreign_keys=[submitted_by_id])
    confirmed_by: Mapped[Person | None] = relationship(Person, foreign_keys=[confirmed_by_id])
    participants: Mapped[list[InspectionParticipant]] = relationship(
        "InspectionParticipant",
        cascade="all, delete-orphan",
        back_populates="inspection",
        order_by="InspectionParticipant.id",
    )
    answers: Mapped[list[Answer]] = relationship(
        "Answer", cascade="all, delete-orphan", back_populates="inspection"
    )
    class_lines: Mapped[list[ClassLine]] = relationship(
        "ClassLine", cascade="all, delete-orphan", back_populates="inspection"
    )

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:
        if cls.__name__ != "Inspection":
            key = cls.inspection_type_key  # type: ignore[attr-defined]  # the host sets it
            _mapped_types.add(key)
            return {"polymorphic_identity": key}
        return {
            "version_id_col": cls.row_version,
            "polymorphic_on": "known_type",
            "polymorphic_identity": BASE_TYPE,
        }

    def __str__(self) -> str:
        return f"{self.occurred_on.isoformat()} {self.school or self.township}"

    __repr__ = __str__


@event.listens_for(Inspection, "init", propagate=True)
def _name_type(target: Inspection, _args: Any, kwargs: dict[str, Any]) -> None:
    identity = type(target).__mapper__.polymorphic_identity
    if identity != BASE_TYPE:
        kwargs.setdefault("type_key", identity)


def type_title(key: str) -> str:
    """Return the title of an inspection type; its key where the plugin is gone."""
    kind = registry.inspection_type(key)
    return words(kind.title) if kind is not None else key


def forget_type(key: str) -> None:
    """Let the rows of a type load as the base class from now on."""
    _mapped_types.discard(key)


class InspectionParticipant(Scoped, Audited, Model):
    """A person on an inspection, under the capacity that he held on that day."""

    __tablename__ = "inspection_participant"
    __table_args__ = (UniqueConstraint("inspection_id", "person_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    inspection_id: Mapped[int] = mapped_column(
        ForeignKey("inspection.id", ondelete="CASCADE"), index=True
    )
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    capacity: Mapped[str | None] = mapped_column(String(40))
    arrived_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    left_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    inspection: Mapped[Inspection] = relationship(Inspection, back_populates="participants")
    person: Mapped[Person] = relationship(Person)

    def __str__(self) -> str:
        return str(self.person)

    __repr__ = __str__


class Answer(Scoped, Audited, Model):
    """The answer to one item of the version that the inspection was filled with."""

    __tablename__ = "answer"
    __table_args__ = (UniqueConstraint("inspection_id", "item_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    inspection_id: Mapped[int] = mapped_column(
        ForeignKey("inspection.id", ondelete="CASCADE"), index=True
    )
    item_id: Mapped[int] = mapped_column(ForeignKey("checklist_item.id"), index=True)
    verdict: Mapped[str] = mapped_column(String(16), default=Verdict.UNCHECKED)
    number: Mapped[int | None]
    number_other: Mapped[int | None]
    day: Mapped[date | None]
    text: Mapped[str | None] = mapped_column(Text)
    choice: Mapped[str | None] = mapped_column(String(60))
    note: Mapped[str | None] = mapped_column(Text)
    opinion: Mapped[str | None] = mapped_column(Text)
    """The rectification opinion that the finding of a failed item takes over."""
    answered_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    evidence_set_id: Mapped[int | None] = mapped_column(ForeignKey("evidence_set.id"), index=True)

    inspection: Mapped[Inspection] = relationship(Inspection, back_populates="answers")
    item: Mapped[ChecklistItem] = relationship(ChecklistItem)
    children: Mapped[list[AnswerChild]] = relationship(
        "AnswerChild", cascade="all, delete-orphan", back_populates="answer"
    )

    def __str__(self) -> str:
        return f"{self.item} · {named('verdict', self.verdict)}"

    __repr__ = __str__


class AnswerChild(Scoped, Audited, Model):
    """The answer to a roster or document item for one child."""

    __tablename__ = "answer_child"
    __table_args__ = (UniqueConstraint("answer_id", "child_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    answer_id: Mapped[int] = mapped_column(ForeignKey("answer.id", ondelete="CASCADE"), index=True)
    child_id: Mapped[int] = mapped_column(ForeignKey("child.id"), index=True)
    verdict: Mapped[str] = mapped_column(String(16), default=Verdict.UNCHECKED)
    note: Mapped[str | None] = mapped_column(String(500))
    evidence_set_id: Mapped[int | None] = mapped_column(ForeignKey("evidence_set.id"), index=True)

    answer: Mapped[Answer] = relationship(Answer, back_populates="children")
    child: Mapped[Child] = relationship(Child)

    def __str__(self) -> str:
        return f"{self.child} · {named('verdict', self.verdict)}"

    __repr__ = __str__


class ClassLine(Scoped, Audited, Model):
    """What an inspection found in one class: counts, desks and chairs, by whom and when."""

    __tablename__ = "class_line"
    __table_args__ = (UniqueConstraint("inspection_id", "class_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    inspection_id: Mapped[int] = mapped_column(
        ForeignKey("inspection.id", ondelete="CASCADE"), index=True
    )
    class_id: Mapped[int] = mapped_column(ForeignKey("school_class.id"), index=True)
    day: Mapped[date] = mapped_column(index=True)
    on_roll: Mapped[int | None]
    present: Mapped[int | None]
    on_leave: Mapped[int | None]
    unexplained: Mapped[int | None]
    desks: Mapped[int | None]
    chairs: Mapped[int | None]
    is_drawn: Mapped[bool] = mapped_column(default=False)
    """Whether the system drew the class: for the roll-call, or for the hidden count of the day."""
    is_agreed: Mapped[bool] = mapped_column(default=False)
    """Whether the leader accepted the class report as it stands 全部一致."""
    checked_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    checked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    note: Mapped[str | None] = mapped_column(String(500))

    inspection: Mapped[Inspection] = relationship(Inspection, back_populates="class_lines")
    school_class: Mapped[SchoolClass] = relationship(SchoolClass)
    checked_by: Mapped[Person | None] = relationship(Person)

    def __str__(self) -> str:
        return f"{self.school_class} {self.day.isoformat()}"

    __repr__ = __str__


class AttendanceReport(Scoped, Audited, Model):
    """The class teacher's report 班级考勤 of one day."""

    __tablename__ = "attendance_report"
    __table_args__ = (UniqueConstraint("class_id", "day"), *listed_by("day"))
    is_large = True

    id: Mapped[int] = mapped_column(primary_key=True)
    class_id: Mapped[int] = mapped_column(ForeignKey("school_class.id"), index=True)
    day: Mapped[date] = mapped_column(index=True)
    on_roll: Mapped[int]
    present: Mapped[int]
    reported_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    reported_at: Mapped[datetime] = mapped_column(UtcDateTime)

    school_class: Mapped[SchoolClass] = relationship(SchoolClass)
    reported_by: Mapped[Person | None] = relationship(Person)

    def __str__(self) -> str:
        return f"{self.school_class} {self.day.isoformat()}"

    __repr__ = __str__


class Absence(Scoped, Audited, Model):
    """A child's absence on one day: leave, or unexplained after contact with the guardian."""

    __tablename__ = "absence"
    __table_args__ = (UniqueConstraint("child_id", "day"), *listed_by("day"))
    is_large = True
    follows_child = True

    id: Mapped[int] = mapped_column(primary_key=True)
    class_id: Mapped[int] = mapped_column(ForeignKey("school_class.id"), index=True)
    child_id: Mapped[int] = mapped_column(ForeignKey("child.id"), index=True)
    day: Mapped[date] = mapped_column(index=True)
    kind: Mapped[str] = mapped_column(String(16))
    """``sick_leave``, ``personal_leave``, ``unexplained`` or ``pending`` (not yet contacted)."""
    contact_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    contact_note: Mapped[str | None] = mapped_column(String(200))
    evidence_set_id: Mapped[int | None] = mapped_column(ForeignKey("evidence_set.id"), index=True)

    school_class: Mapped[SchoolClass] = relationship(SchoolClass)
    child: Mapped[Child] = relationship(Child)

    def __str__(self) -> str:
        return f"{self.child or ''} {self.day.isoformat()}".strip()

    __repr__ = __str__
