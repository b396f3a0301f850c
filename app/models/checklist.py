"""Checklists: published versions with their sections and items."""

from __future__ import annotations

from datetime import date, datetime

from flask_babel import gettext as _
from sqlalchemy import ForeignKey, Numeric, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.base import Audited, Model, Shared
from app.columns import UtcDateTime
from app.words import WORDS, words


class Checklist(Shared, Audited, Model):
    """A checklist 督导表, by the key that never changes."""

    __tablename__ = "checklist"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(60), unique=True)
    title: Mapped[str] = mapped_column(String(200), info=WORDS)
    plugin: Mapped[str | None] = mapped_column(String(60))

    versions: Mapped[list[ChecklistVersion]] = relationship(
        "ChecklistVersion", back_populates="checklist", order_by="ChecklistVersion.number"
    )

    def __str__(self) -> str:
        return words(self.title)

    __repr__ = __str__


class ChecklistVersion(Shared, Audited, Model):
    """A published version of a checklist; records keep the one they were filled with."""

    __tablename__ = "checklist_version"
    __table_args__ = (UniqueConstraint("checklist_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    checklist_id: Mapped[int] = mapped_column(ForeignKey("checklist.id"), index=True)
    number: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    published_at: Mapped[datetime] = mapped_column(UtcDateTime)

    checklist: Mapped[Checklist] = relationship(Checklist, back_populates="versions")
    sections: Mapped[list[ChecklistSection]] = relationship(
        "ChecklistSection", back_populates="version", order_by="ChecklistSection.position"
    )

    def __str__(self) -> str:
        return _("%(checklist)s, version %(number)s", checklist=self.checklist, number=self.number)

    __repr__ = __str__


class ChecklistSection(Shared, Model):
    """A section 督导项目 of a checklist version."""

    __tablename__ = "checklist_section"
    __table_args__ = (UniqueConstraint("version_id", "key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    version_id: Mapped[int] = mapped_column(ForeignKey("checklist_version.id"), index=True)
    key: Mapped[str] = mapped_column(String(60))
    title: Mapped[str] = mapped_column(String(300), info=WORDS)
    project: Mapped[int | None]
    position: Mapped[int]

    version: Mapped[ChecklistVersion] = relationship(ChecklistVersion, back_populates="sections")
    items: Mapped[list[ChecklistItem]] = relationship(
        "ChecklistItem", back_populates="section", order_by="ChecklistItem.position"
    )

    def __str__(self) -> str:
        return words(self.title)

    __repr__ = __str__


class ChecklistItem(Shared, Model):
    """An item: one check, with the printed content and standard and how it is answered."""

    __tablename__ = "checklist_item"
    __table_args__ = (UniqueConstraint("version_id", "key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    version_id: Mapped[int] = mapped_column(ForeignKey("checklist_version.id"), index=True)
    section_id: Mapped[int] = mapped_column(ForeignKey("checklist_section.id"), index=True)
    key: Mapped[str] = mapped_column(String(60), index=True)
    kind: Mapped[str] = mapped_column(String(40))
    frequency: Mapped[str] = mapped_column(String(12), default="visit")
    position: Mapped[int]
    content: Mapped[str] = mapped_column(Text, default="", info=WORDS)
    standard: Mapped[str] = mapped_column(Text, default="", info=WORDS)
    text: Mapped[str] = mapped_column(Text, info=WORDS)
    clause_key: Mapped[str | None] = mapped_column(String(40))
    is_required: Mapped[bool] = mapped_column(default=False)
    minimum: Mapped[float | None] = mapped_column(Numeric(12, 3, asdecimal=False))
    maximum: Mapped[float | None] = mapped_column(Numeric(12, 3, asdecimal=False))
    label: Mapped[str | None] = mapped_column(String(100), info=WORDS)
    label_other: Mapped[str | None] = mapped_column(String(100), info=WORDS)
    rule: Mapped[str | None] = mapped_column(String(100))
    closing: Mapped[str] = mapped_column(String(16), default="evidence")
    """How a finding closes: on ``evidence``, or only by an on-site ``return_visit``."""
    applies_to: Mapped[str] = mapped_column(String(12), default="school")
    per: Mapped[str | None] = mapped_column(String(12))
    is_urgent: Mapped[bool] = mapped_column(default=False)
    needs_pupils: Mapped[bool] = mapped_column(default=False)
    is_point_in_time: Mapped[bool] = mapped_column(default=False)

    section: Mapped[ChecklistSection] = relationship(ChecklistSection, back_populates="items")
    choices: Mapped[list[ChecklistChoice]] = relationship(
        "ChecklistChoice", order_by="ChecklistChoice.position"
    )

    def __str__(self) -> str:
        return words(self.text)

    __repr__ = __str__


class ChecklistChoice(Shared, Model):
    """One of the answers that a choice item offers."""

    __tablename__ = "checklist_choice"
    __table_args__ = (UniqueConstraint("item_id", "key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("checklist_item.id"), index=True)
    key: Mapped[str] = mapped_column(String(60))
    title: Mapped[str] = mapped_column(String(200), info=WORDS)
    position: Mapped[int] = mapped_column(default=0)

    def __str__(self) -> str:
        return words(self.title)

    __repr__ = __str__
