"""Promotions of classes at the year's turn, with the classes and children that each one moved."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.base import Audited, CountyScoped, Model, Scoped
from app.columns import UtcDateTime
from app.models.calendar import SchoolYear


class Promotion(CountyScoped, Audited, Model):
    """One promotion 升级 of all classes of a school, a township or the county."""

    __tablename__ = "promotion"

    id: Mapped[int] = mapped_column(primary_key=True)
    from_year_id: Mapped[int] = mapped_column(ForeignKey("school_year.id"))
    to_year_id: Mapped[int] = mapped_column(ForeignKey("school_year.id"))
    happened_on: Mapped[date]
    moved: Mapped[int] = mapped_column(default=0)
    graduated: Mapped[int] = mapped_column(default=0)
    left: Mapped[int] = mapped_column(default=0)
    """Children who finished the last grade of their school and go on to another one."""
    undone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    from_year: Mapped[SchoolYear] = relationship(SchoolYear, foreign_keys=[from_year_id])
    to_year: Mapped[SchoolYear] = relationship(SchoolYear, foreign_keys=[to_year_id])

    def __str__(self) -> str:
        return f"{self.from_year} → {self.to_year}"

    __repr__ = __str__


class PromotionClass(Scoped, Model):
    """A class of the old year and the one that its children moved to."""

    __tablename__ = "promotion_class"
    __table_args__ = (UniqueConstraint("promotion_id", "from_class_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    promotion_id: Mapped[int] = mapped_column(ForeignKey("promotion.id", ondelete="CASCADE"))
    from_class_id: Mapped[int] = mapped_column(ForeignKey("school_class.id"))
    to_class_id: Mapped[int | None] = mapped_column(
        ForeignKey("school_class.id", ondelete="SET NULL")
    )
    is_new: Mapped[bool] = mapped_column(default=True)
    """Whether the promotion made the class, so that taking it back removes it."""


class PromotionChild(Scoped, Model):
    """A child that a promotion moved, and what he was before."""

    __tablename__ = "promotion_child"
    __table_args__ = (UniqueConstraint("promotion_id", "child_id"),)
    is_large = True

    id: Mapped[int] = mapped_column(primary_key=True)
    promotion_id: Mapped[int] = mapped_column(ForeignKey("promotion.id", ondelete="CASCADE"))
    child_id: Mapped[int] = mapped_column(ForeignKey("child.id"), index=True)
    from_class_id: Mapped[int] = mapped_column(ForeignKey("school_class.id"))
    from_status_id: Mapped[int] = mapped_column(ForeignKey("child_status.id"))
    to_class_id: Mapped[int | None] = mapped_column(
        ForeignKey("school_class.id", ondelete="SET NULL")
    )
    to_status_id: Mapped[int] = mapped_column(ForeignKey("child_status.id"))
