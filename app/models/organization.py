"""County, townships, schools, classes and the people who link school and township."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import InstrumentedAttribute, Mapped, mapped_column, relationship

from app.base import Audited, Model, Named, Scoped, Shared, TownshipScoped

if TYPE_CHECKING:
    from app.models.calendar import SchoolYear
    from app.models.staff import Person


GRADES: Final = range(1, 10)
"""The grades 年级 of compulsory education."""


class SchoolKind(StrEnum):
    """What a school is."""

    PRIMARY = "primary"
    JUNIOR_HIGH = "junior_high"
    NINE_YEAR = "nine_year"
    TEACHING_POINT = "teaching_point"


class DailyMode(StrEnum):
    """Who answers for the daily check of a teaching point 教学点."""

    OWN = "own"
    WITH_PARENT = "with_parent"


class County(Shared, Audited, Named, Model):
    """A county 县 (县级市): the top of every scope."""

    __tablename__ = "county"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(12), unique=True)


class Township(Shared, Audited, Named, Model):
    """A township 乡镇 of the county."""

    __tablename__ = "township"
    __table_args__ = (UniqueConstraint("county_id", "code"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    county_id: Mapped[int] = mapped_column(ForeignKey("county.id"), index=True)
    code: Mapped[str] = mapped_column(String(12))
    alias: Mapped[str | None] = mapped_column(String(100))
    position: Mapped[int] = mapped_column(default=0)
    go_live_on: Mapped[date | None]

    county: Mapped[County] = relationship(County)
    schools: Mapped[list[School]] = relationship("School", back_populates="township", viewonly=True)


class School(TownshipScoped, Audited, Named, Model):
    """A school 学校 or teaching point 教学点 of compulsory education."""

    __tablename__ = "school"
    __table_args__ = (UniqueConstraint("county_id", "code"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(20))
    kind: Mapped[str] = mapped_column(String(20))
    is_focus: Mapped[bool] = mapped_column(default=False)
    is_boarding: Mapped[bool] = mapped_column(default=False)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("school.id"), index=True)
    daily_mode: Mapped[str] = mapped_column(String(12), default=DailyMode.OWN)
    address: Mapped[str | None] = mapped_column(String(200))
    phone: Mapped[str | None] = mapped_column(String(40))
    opened_on: Mapped[date | None]
    closed_on: Mapped[date | None]

    township: Mapped[Township] = relationship(
        Township, foreign_keys="School.township_id", back_populates="schools"
    )
    parent: Mapped[School | None] = relationship("School", remote_side=[id])
    classes: Mapped[list[SchoolClass]] = relationship(
        "SchoolClass", back_populates="school", viewonly=True
    )

    @classmethod
    def scope_school(cls) -> InstrumentedAttribute[int | None]:
        """Return the school's own key: a school row belongs to itself."""
        return cls.id


class SchoolClass(Scoped, Audited, Model):
    """A class 班级 of one school year; a multigrade class 复式班 has several grades."""

    __tablename__ = "school_class"
    text_column = "name"
    __table_args__ = (UniqueConstraint("school_id", "school_year_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    school_id: Mapped[int] = mapped_column(ForeignKey("school.id"), index=True)
    school_year_id: Mapped[int] = mapped_column(ForeignKey("school_year.id"), index=True)
    name: Mapped[str] = mapped_column(String(60))
    position: Mapped[int] = mapped_column(default=0)
    teacher_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    is_active: Mapped[bool] = mapped_column(default=True)

    school: Mapped[School] = relationship(
        School, foreign_keys="SchoolClass.school_id", back_populates="classes"
    )
    school_year: Mapped[SchoolYear] = relationship("SchoolYear")
    teacher: Mapped[Person | None] = relationship("Person", foreign_keys=[teacher_id])
    grades: Mapped[list[ClassGrade]] = relationship(
        "ClassGrade", cascade="all, delete-orphan", order_by="ClassGrade.grade"
    )

    def __str__(self) -> str:
        return self.name

    __repr__ = __str__


class ClassGrade(Scoped, Model):
    """One of the grades that sit in a class."""

    __tablename__ = "class_grade"
    __table_args__ = (UniqueConstraint("class_id", "grade"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    class_id: Mapped[int] = mapped_column(ForeignKey("school_class.id", ondelete="CASCADE"))
    grade: Mapped[int]

    def __str__(self) -> str:
        return str(self.grade)

    __repr__ = __str__


class LiaisonContact(Scoped, Audited, Model):
    """Who links a school with its township government 校镇联系人, and since when."""

    __tablename__ = "liaison_contact"

    id: Mapped[int] = mapped_column(primary_key=True)
    school_person: Mapped[str] = mapped_column(String(60))
    school_phone: Mapped[str | None] = mapped_column(String(40))
    township_person: Mapped[str] = mapped_column(String(60))
    township_phone: Mapped[str | None] = mapped_column(String(40))
    duties: Mapped[str | None] = mapped_column(String(500))
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    evidence_set_id: Mapped[int | None] = mapped_column(ForeignKey("evidence_set.id"), index=True)

    def __str__(self) -> str:
        return f"{self.school_person} – {self.township_person}"

    __repr__ = __str__
