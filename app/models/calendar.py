"""School years, semesters, the county's calendar days and the exceptions of schools."""

from __future__ import annotations

from datetime import date

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.base import Audited, Model, Scoped, Shared
from app.models.organization import School, SchoolClass
from app.words import WORDS, words


class SchoolYear(Shared, Audited, Model):
    """A school year 学年, September to August."""

    __tablename__ = "school_year"
    __table_args__ = (UniqueConstraint("county_id", "starts_on"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    county_id: Mapped[int] = mapped_column(ForeignKey("county.id"), index=True)
    name: Mapped[str] = mapped_column(String(40), info=WORDS)
    starts_on: Mapped[date]
    ends_on: Mapped[date]

    semesters: Mapped[list[Semester]] = relationship(
        "Semester", back_populates="school_year", order_by="Semester.starts_on", viewonly=True
    )

    def __str__(self) -> str:
        return words(self.name)

    __repr__ = __str__


class Semester(Shared, Audited, Model):
    """A semester 学期 of a school year: from its first to its last day of school."""

    __tablename__ = "semester"
    __table_args__ = (UniqueConstraint("school_year_id", "starts_on"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    county_id: Mapped[int] = mapped_column(ForeignKey("county.id"), index=True)
    school_year_id: Mapped[int] = mapped_column(ForeignKey("school_year.id"), index=True)
    name: Mapped[str] = mapped_column(String(40), info=WORDS)
    starts_on: Mapped[date]
    ends_on: Mapped[date]

    school_year: Mapped[SchoolYear] = relationship(SchoolYear, back_populates="semesters")

    def __str__(self) -> str:
        return words(self.name)

    __repr__ = __str__


class CalendarDay(Shared, Audited, Model):
    """A day of the county: is it a working day, is it a school day, and why."""

    __tablename__ = "calendar_day"
    __table_args__ = (UniqueConstraint("county_id", "day"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    county_id: Mapped[int] = mapped_column(ForeignKey("county.id"), index=True)
    day: Mapped[date] = mapped_column(index=True)
    is_working_day: Mapped[bool]
    is_school_day: Mapped[bool]
    name: Mapped[str | None] = mapped_column(String(60), info=WORDS)
    source: Mapped[str] = mapped_column(String(20), default="entered")
    """Where the row comes from: ``holidays``, ``seed`` or ``entered``."""

    def __str__(self) -> str:
        return f"{self.day.isoformat()} {words(self.name)}".strip()

    __repr__ = __str__


def _once(whole: str, condition: str, *columns: str) -> Index:
    """Return a unique index over the rows for one kind of whole: empty columns are never equal."""
    where = text(condition)
    name = f"uq_calendar_exception_{whole}"
    return Index(name, *columns, unique=True, sqlite_where=where, postgresql_where=where)


class CalendarException(Scoped, Audited, Model):
    """A day on which a school, a grade or a class departs from the county's calendar.

    A row names a grade, a class or neither; of each whole there is one row a day.
    """

    __tablename__ = "calendar_exception"
    __table_args__ = (
        _once("school", "grade IS NULL AND class_id IS NULL", "school_id", "day"),
        _once("grade", "grade IS NOT NULL AND class_id IS NULL", "school_id", "grade", "day"),
        _once("class", "class_id IS NOT NULL", "class_id", "day"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    school_id: Mapped[int] = mapped_column(ForeignKey("school.id"), index=True)
    grade: Mapped[int | None]
    class_id: Mapped[int | None] = mapped_column(ForeignKey("school_class.id"), index=True)
    day: Mapped[date] = mapped_column(index=True)
    is_school_day: Mapped[bool]
    reason: Mapped[str] = mapped_column(String(200))
    evidence_set_id: Mapped[int | None] = mapped_column(ForeignKey("evidence_set.id"), index=True)

    school: Mapped[School] = relationship(School, foreign_keys="CalendarException.school_id")
    school_class: Mapped[SchoolClass | None] = relationship(SchoolClass)

    def __str__(self) -> str:
        return f"{self.day.isoformat()} {self.reason}"

    __repr__ = __str__
