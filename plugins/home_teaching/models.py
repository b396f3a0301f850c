"""The disability roster, the cases of home teaching with their papers, sessions and excuses."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.kit import Audited, Child, Encrypted, Person, Scoped, UtcDateTime, plugin_base

Base = plugin_base("home_teaching")


class Disability(Scoped, Audited, Base):  # type: ignore[valid-type,misc]  # made at start
    """A line of the disability roster 残疾儿童花名册: which disability, taught where."""

    __tablename__ = "plg_home_teaching_disability"
    __table_args__ = (UniqueConstraint("child_id", "valid_from"),)
    follows_child = True

    id: Mapped[int] = mapped_column(primary_key=True)
    child_id: Mapped[int] = mapped_column(ForeignKey("child.id"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    level: Mapped[str | None] = mapped_column(String(12))
    certificate_number: Mapped[str | None] = mapped_column(Encrypted)
    placement: Mapped[str | None] = mapped_column(String(20))
    """Where the child is taught 安置方式; empty: nowhere yet."""
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    note: Mapped[str | None] = mapped_column(String(200))
    evidence_set_id: Mapped[int | None] = mapped_column(ForeignKey("evidence_set.id"))

    child: Mapped[Child] = relationship(Child)

    def __str__(self) -> str:
        return f"{self.child or ''} {self.valid_from.isoformat()}".strip()

    __repr__ = __str__


class Case(Scoped, Audited, Base):  # type: ignore[valid-type,misc]  # made at start
    """A child who is taught at home 送教上门 from one day on; `school` sends the teachers."""

    __tablename__ = "plg_home_teaching_case"
    __table_args__ = (UniqueConstraint("child_id", "starts_on"),)
    follows_child = True

    id: Mapped[int] = mapped_column(primary_key=True)
    child_id: Mapped[int] = mapped_column(ForeignKey("child.id"), index=True)
    teacher_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    determination: Mapped[str] = mapped_column(String(20))
    determined_on: Mapped[date]
    starts_on: Mapped[date] = mapped_column(index=True)
    ends_on: Mapped[date | None]
    """The last day of the case; empty while it runs."""
    end_reason: Mapped[str | None] = mapped_column(String(20))
    note: Mapped[str | None] = mapped_column(String(200))

    child: Mapped[Child] = relationship(Child)
    teacher: Mapped[Person | None] = relationship(Person)
    papers: Mapped[list[Paper]] = relationship(
        "Paper", back_populates="case", order_by="Paper.id", viewonly=True
    )

    def __str__(self) -> str:
        return f"{self.child or ''} {self.starts_on.isoformat()}".strip()

    __repr__ = __str__


class Paper(Scoped, Audited, Base):  # type: ignore[valid-type,misc]  # made at start
    """One of the documents of a case; the forms of an appraisal bear the year of their print."""

    __tablename__ = "plg_home_teaching_paper"
    __table_args__ = (UniqueConstraint("case_id", "kind"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("plg_home_teaching_case.id"), index=True)
    kind: Mapped[str] = mapped_column(String(30))
    form_year: Mapped[int | None]
    issued_on: Mapped[date | None]
    note: Mapped[str | None] = mapped_column(String(200))
    evidence_set_id: Mapped[int | None] = mapped_column(ForeignKey("evidence_set.id"))

    case: Mapped[Case] = relationship(Case, back_populates="papers")

    def __str__(self) -> str:
        return f"{self.case or ''} {self.kind}".strip()

    __repr__ = __str__


class TeachingSession(Scoped, Audited, Base):  # type: ignore[valid-type,misc]  # made at start
    """A time in which teachers taught a child at home, as it was written down."""

    __tablename__ = "plg_home_teaching_session"
    __table_args__ = (UniqueConstraint("child_id", "taught_on", "starts_at"),)
    follows_child = True

    id: Mapped[int] = mapped_column(primary_key=True)
    child_id: Mapped[int] = mapped_column(ForeignKey("child.id"), index=True)
    taught_on: Mapped[date] = mapped_column(index=True)
    starts_at: Mapped[str] = mapped_column(String(8))
    """The time of day as ``09:00``: it orders and compares as it reads."""
    ends_at: Mapped[str] = mapped_column(String(8))
    minutes: Mapped[int]
    """From start to end; what counts is derived from the spans of the day."""
    stated_hours: Mapped[int]
    """The class hours that the teachers state."""
    plan: Mapped[str | None] = mapped_column(Text)
    record: Mapped[str | None] = mapped_column(Text)
    evidence_set_id: Mapped[int | None] = mapped_column(ForeignKey("evidence_set.id"))

    child: Mapped[Child] = relationship(Child)
    teachers: Mapped[list[SessionTeacher]] = relationship(
        "SessionTeacher",
        cascade="all, delete-orphan",
        back_populates="session",
        order_by="SessionTeacher.id",
    )

    def __str__(self) -> str:
        span = f"{self.starts_at}–{self.ends_at}"
        return f"{self.child or ''} {self.taught_on.isoformat()} {span}".strip()

    __repr__ = __str__


class SessionTeacher(Scoped, Audited, Base):  # type: ignore[valid-type,misc]  # made at start
    """A teacher of a session."""

    __tablename__ = "plg_home_teaching_session_teacher"
    __table_args__ = (UniqueConstraint("session_id", "person_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(
        ForeignKey("plg_home_teaching_session.id", ondelete="CASCADE"), index=True
    )
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)

    session: Mapped[TeachingSession] = relationship(TeachingSession, back_populates="teachers")
    person: Mapped[Person] = relationship(Person)

    def __str__(self) -> str:
        return str(self.person)

    __repr__ = __str__


class Excuse(Scoped, Audited, Base):  # type: ignore[valid-type,misc]  # made at start
    """A month in which a child could not be taught, with proof; the township approves it."""

    __tablename__ = "plg_home_teaching_excuse"
    __table_args__ = (UniqueConstraint("child_id", "month"),)
    follows_child = True

    id: Mapped[int] = mapped_column(primary_key=True)
    child_id: Mapped[int] = mapped_column(ForeignKey("child.id"), index=True)
    month: Mapped[date] = mapped_column(index=True)
    """The first day of the calendar month."""
    reason: Mapped[str] = mapped_column(String(20))
    note: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(12), default="requested")
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    evidence_set_id: Mapped[int | None] = mapped_column(ForeignKey("evidence_set.id"))

    child: Mapped[Child] = relationship(Child)
    decided_by: Mapped[Person | None] = relationship(Person)

    def __str__(self) -> str:
        return f"{self.child or ''} {self.month.isoformat()[:7]}".strip()

    __repr__ = __str__
