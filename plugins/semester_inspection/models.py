"""The campaign of a semester, and the schools that it covers."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.kit import Audited, CountyScoped, Scoped, Semester, plugin_base

Base: Any = plugin_base("semester_inspection")


class Campaign(CountyScoped, Audited, Base):
    """A campaign 专项督导安排 of one semester: the focus schools, and a sample of the others."""

    __tablename__ = "plg_semester_inspection_campaign"

    id: Mapped[int] = mapped_column(primary_key=True)
    semester_id: Mapped[int] = mapped_column(ForeignKey("semester.id"), index=True)
    drawn_on: Mapped[date]
    draw_seed: Mapped[str] = mapped_column(String(40))
    """From it and the codes of the schools anybody draws the same sample again."""
    sample_percent: Mapped[int]
    note: Mapped[str | None] = mapped_column(Text)

    semester: Mapped[Semester] = relationship(Semester)

    def __str__(self) -> str:
        return str(self.semester or "")

    __repr__ = __str__


class CampaignSchool(Scoped, Audited, Base):
    """A school of a campaign: a focus school, or one that was drawn."""

    __tablename__ = "plg_semester_inspection_school"
    __table_args__ = (UniqueConstraint("campaign_id", "school_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(
        ForeignKey("plg_semester_inspection_campaign.id"), index=True
    )
    is_focus: Mapped[bool] = mapped_column(default=False)

    campaign: Mapped[Campaign] = relationship(Campaign)

    def __str__(self) -> str:
        return str(self.school or "")

    __repr__ = __str__
