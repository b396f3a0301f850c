"""Children, with or without enrolment: who they are, where they sit, and what becomes of them."""

from __future__ import annotations

from datetime import date

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.base import Audited, Model, Named, Scoped, Shared, listed_by
from app.columns import BlindIndex, Encrypted
from app.models.organization import SchoolClass
from app.models.staff import Person
from app.words import WORDS, words


class ChildStatus(Shared, Audited, Model):
    """A status 学生状态 that a child can have; seeded, plugins add theirs."""

    __tablename__ = "child_status"
    text_column = "name"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(60), info=WORDS)
    position: Mapped[int] = mapped_column(default=0)
    is_monitored: Mapped[bool] = mapped_column(default=False)
    is_enrolled: Mapped[bool] = mapped_column(default=True)
    plugin: Mapped[str | None] = mapped_column(String(60))

    steps: Mapped[list[ChildStatusStep]] = relationship(
        "ChildStatusStep",
        foreign_keys="ChildStatusStep.from_id",
        cascade="all, delete-orphan",
        back_populates="from_status",
    )

    def __str__(self) -> str:
        return words(self.name)

    __repr__ = __str__


class ChildStatusStep(Shared, Model):
    """An allowed step from one status to another."""

    __tablename__ = "child_status_step"
    __table_args__ = (UniqueConstraint("from_id", "to_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    from_id: Mapped[int] = mapped_column(ForeignKey("child_status.id", ondelete="CASCADE"))
    to_id: Mapped[int] = mapped_column(ForeignKey("child_status.id", ondelete="CASCADE"))

    from_status: Mapped[ChildStatus] = relationship(
        ChildStatus, foreign_keys=[from_id], back_populates="steps"
    )
    to_status: Mapped[ChildStatus] = relationship(ChildStatus, foreign_keys=[to_id])

    def __str__(self) -> str:
        return f"{self.from_status} → {self.to_status}"

    __repr__ = __str__


class Code(Shared, Audited, Model):
    """A coded answer of a domain: reasons, methods, outcomes, kinds of organisation, groups."""

    __tablename__ = "code"
    text_column = "name"
    __table_args__ = (UniqueConstraint("domain", "key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    domain: Mapped[str] = mapped_column(String(40), index=True)
    key: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(100), info=WORDS)
    position: Mapped[int] = mapped_column(default=0)
    valid_to: Mapped[date | None]
    is_counted: Mapped[bool] = mapped_column(default=False)
    """Whether it counts where something is derived: this kind of organisation makes a visit joint,
    children of this group may be met from afar.
    """

    def __str__(self) -> str:
        return words(self.name)

    __repr__ = __str__


class Child(Scoped, Audited, Named, Model):
    """A school-age child 适龄儿童少年; ``school`` is the present school, where there is one."""

    __tablename__ = "child"
    __table_args__ = (
        # Two schools may report one number, see EnrolmentProblem; one school has it once.
        UniqueConstraint("county_id", "id_number_index", "school_id"),
        Index(
            "uq_child_number_without_school",
            "county_id",
            "id_number_index",
            unique=True,
            sqlite_where=text("school_id IS NULL"),
            postgresql_where=text("school_id IS NULL"),
        ),
        *listed_by(),
    )
    is_large = True

    id: Mapped[int] = mapped_column(primary_key=True)
    sex: Mapped[str | None] = mapped_column(String(8))
    born_on: Mapped[date | None]
    id_kind: Mapped[str] = mapped_column(String(16), default="resident")
    """``resident``, ``other`` or ``none``."""
    id_number: Mapped[str | None] = mapped_column(Encrypted)
    id_number_index: Mapped[str | None] = mapped_column(BlindIndex)
    enrolment_number: Mapped[str | None] = mapped_column(Encrypted)
    enrolment_number_index: Mapped[str | None] = mapped_column(BlindIndex, index=True)
    status_id: Mapped[int] = mapped_column(ForeignKey("child_status.id"), index=True)
    class_id: Mapped[int | None] = mapped_column(ForeignKey("school_class.id"), index=True)
    grade: Mapped[int | None]
    """The child's own grade in a multigrade class 复式班; in any other the class tells it."""
    is_boarding: Mapped[bool] = mapped_column(default=False)
    household_place: Mapped[str | None] = mapped_column(String(200))
    residence_place: Mapped[str | None] = mapped_column(String(200))
    village: Mapped[str | None] = mapped_column(String(100))
    school_responsible_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    township_responsible_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))

    status: Mapped[ChildStatus] = relationship(ChildStatus)
    school_class: Mapped[SchoolClass | None] = relationship(SchoolClass)
    school_responsible: Mapped[Person | None] = relationship(
        Person, foreign_keys=[school_responsible_id]
    )
    township_responsible: Mapped[Person | None] = relationship(
        Person, foreign_keys=[township_responsible_id]
    )
    guardians: Mapped[list[Guardian]] = relationship(
        "Guardian", back_populates="child", viewonly=True
    )
    groups: Mapped[list[ChildGroup]] = relationship(
        "ChildGroup", back_populates="child", viewonly=True
    )

    @property
    def is_enrolled(self) -> bool:
        """Return whether the status counts the child as one of a school."""
        return self.status.is_enrolled


class Enrolment(Scoped, Audited, Model):
    """A child's place in a school and class from one day to another 学籍与班级经历."""

    __tablename__ = "enrolment"
    __table_args__ = listed_by("valid_from")
    is_large = True
    follows_child = True

    id: Mapped[int] = mapped_column(primary_key=True)
    child_id: Mapped[int] = mapped_column(ForeignKey("child.id"), index=True)
    class_id: Mapped[int | None] = mapped_column(ForeignKey("school_class.id"), index=True)
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    is_registered: Mapped[bool] = mapped_column(default=True)
    """Whether the school holds the official enrolment record 学籍."""

    child: Mapped[Child] = relationship(Child)
    school_class: Mapped[SchoolClass | None] = relationship(SchoolClass)

    def __str__(self) -> str:
        return f"{self.child or ''} {self.valid_from.isoformat()}".strip()

    __repr__ = __str__


class StatusEvent(Scoped, Audited, Model):
    """A change of a child's status, with date, basis and evidence; never edited."""

    __tablename__ = "status_event"
    __table_args__ = listed_by("happened_on")
    is_large = True
    follows_child = True

    id: Mapped[int] = mapped_column(primary_key=True)
    child_id: Mapped[int] = mapped_column(ForeignKey("child.id"), index=True)
    status_id: Mapped[int] = mapped_column(ForeignKey("child_status.id"))
    happened_on: Mapped[date] = mapped_column(index=True)
    basis: Mapped[str] = mapped_column(String(200))
    note: Mapped[str | None] = mapped_column(String(1000))
    evidence_set_id: Mapped[int | None] = mapped_column(ForeignKey("evidence_set.id"), index=True)

    child: Mapped[Child] = relationship(Child)
    status: Mapped[ChildStatus] = relationship(ChildStatus)

    def __str__(self) -> str:
        return f"{self.happened_on.isoformat()} {self.status}"

    __repr__ = __str__


class Guardian(Scoped, Audited, Model):
    """A guardian 监护人 of a child."""

    __tablename__ = "guardian"
    __table_args__ = listed_by("name")
    is_large = True
    follows_child = True

    id: Mapped[int] = mapped_column(primary_key=True)
    child_id: Mapped[int] = mapped_column(ForeignKey("child.id"), index=True)
    name: Mapped[str] = mapped_column(String(60))
    relation_id: Mapped[int | None] = mapped_column(ForeignKey("code.id"))
    phone: Mapped[str | None] = mapped_column(Encrypted)
    is_primary: Mapped[bool] = mapped_column(default=True)

    child: Mapped[Child] = relationship(Child, back_populates="guardians")
    relation: Mapped[Code | None] = relationship(Code)

    def __str__(self) -> str:
        return self.name

    __repr__ = __str__


class ChildGroup(Scoped, Audited, Model):
    """A special group 特殊群体 that a child belongs to, from one day to another."""

    __tablename__ = "child_group"
    __table_args__ = listed_by("valid_from")
    is_large = True
    follows_child = True

    id: Mapped[int] = mapped_column(primary_key=True)
    child_id: Mapped[int] = mapped_column(ForeignKey("child.id"), index=True)
    group_id: Mapped[int] = mapped_column(ForeignKey("code.id"))
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]

    child: Mapped[Child] = relationship(Child, back_populates="groups")
    group: Mapped[Code] = relationship(Code)

    def __str__(self) -> str:
        return str(self.group)

    __repr__ = __str__
