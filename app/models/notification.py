"""What somebody has to do by a day, who was told of it, and the e-mails that sum it up."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.base import Audited, Model, Restricted, Scoped
from app.columns import UtcDateTime
from app.models.staff import Appointment, Person
from app.words import named


class DueItem(Scoped, Model):
    """A thing to do 待办事项, as the work of the night found it; it is never deleted.

    Not audited: each row follows from records that are.
    """

    __tablename__ = "due_item"
    __table_args__ = (UniqueConstraint("kind_key", "subject_type", "subject_id", "due_on"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind_key: Mapped[str] = mapped_column(String(100))
    """The key of the :class:`~app.notices.due.DueKind` that found it."""
    topic: Mapped[str | None] = mapped_column(String(60))
    subject_type: Mapped[str] = mapped_column(String(60))
    subject_id: Mapped[int] = mapped_column(Integer)
    due_on: Mapped[date] = mapped_column(index=True)
    in_term: Mapped[bool] = mapped_column(default=False)
    """Whether the clock stands still in vacations."""
    role: Mapped[str] = mapped_column(String(40))
    """The role that answers for it."""
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    needed: Mapped[int | None]
    """The fewest acts, visits say, that it still takes."""
    first_seen: Mapped[date]
    ended_on: Mapped[date | None] = mapped_column(index=True)
    """The day from which on it was no longer asked for: done, excused or too old."""

    person: Mapped[Person | None] = relationship(Person)

    def __str__(self) -> str:
        return f"{named('due', self.kind_key)} {self.due_on.isoformat()}"

    __repr__ = __str__


class Reminder(Scoped, Audited, Model):
    """A reminder 催办: who asked the unit that answers to do an overdue thing, and when."""

    __tablename__ = "reminder"

    id: Mapped[int] = mapped_column(primary_key=True)
    due_item_id: Mapped[int] = mapped_column(ForeignKey("due_item.id"), index=True)
    reminded_on: Mapped[date] = mapped_column(index=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    appointment_id: Mapped[int | None] = mapped_column(ForeignKey("appointment.id"))
    note: Mapped[str | None] = mapped_column(String(200))

    due_item: Mapped[DueItem] = relationship(DueItem)
    person: Mapped[Person | None] = relationship(Person)

    def __str__(self) -> str:
        return f"{self.reminded_on.isoformat()} {self.due_item or ''}".strip()

    __repr__ = __str__


class Notification(Scoped, Model):
    """A word to one office 提醒 about a thing to do: each step of it is told once.

    Not audited: what it says follows from the thing, and a reminder is audited itself.
    """

    __tablename__ = "notification"
    __table_args__ = (
        UniqueConstraint("due_item_id", "step", "appointment_id"),
        Index(None, "appointment_id", "read_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    due_item_id: Mapped[int] = mapped_column(ForeignKey("due_item.id"))
    appointment_id: Mapped[int] = mapped_column(ForeignKey("appointment.id", ondelete="CASCADE"))
    step: Mapped[str] = mapped_column(String(100))
    """``soon``, ``overdue``, ``reminder:<key>``, or the keys of a ladder and its rung."""
    reminder_id: Mapped[int | None] = mapped_column(ForeignKey("reminder.id"))
    made_on: Mapped[date] = mapped_column(index=True)
    read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    due_item: Mapped[DueItem] = relationship(DueItem)
    appointment: Mapped[Appointment] = relationship(Appointment)
    reminder: Mapped[Reminder | None] = relationship(Reminder)

    def __str__(self) -> str:
        return f"{self.made_on.isoformat()} {self.due_item or ''}".strip()

    __repr__ = __str__


class DigestState(StrEnum):
    """How the e-mail of a day stands."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"


class Digest(Restricted, Model):
    """The e-mail 每日提醒邮件 that sums up to one person what one day brought."""

    __tablename__ = "digest"
    __table_args__ = (UniqueConstraint("person_id", "day"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    day: Mapped[date] = mapped_column(index=True)
    count: Mapped[int]
    state: Mapped[str] = mapped_column(String(12), default=DigestState.WAITING, index=True)
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(String(200))
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    person: Mapped[Person] = relationship(Person)

    def __str__(self) -> str:
        return f"{self.day.isoformat()} {self.person or ''}".strip()

    __repr__ = __str__
