"""Draw the schools of a campaign: every focus school, and a sample that anybody can draw again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from hashlib import sha256

from sqlalchemy import or_, select

from app.kit import FieldRefused, School, Semester, Session, _, settings_of, today

from .models import Campaign, CampaignSchool

PLUGIN = "semester_inspection"
TEACHING_POINT = "teaching_point"
"""Teaching points are inspected with their parent school."""


def prepare(session: Session, campaign: Campaign, seed: str) -> None:
    """Give a new campaign its seed and its share; a semester has one campaign only."""
    semester = campaign.semester
    # The row lock keeps two people from planning at once.
    session.execute(select(Semester.id).where(Semester.id == semester.id).with_for_update())
    taken = select(Campaign.id).where(Campaign.semester_id == semester.id)
    if session.scalar(taken.limit(1)) is not None:
        raise FieldRefused("semester", _("This semester has its campaign already."))
    if semester.ends_on < today():
        raise FieldRefused("semester", _("This semester is over."))
    campaign.drawn_on, campaign.draw_seed = today(), seed
    settings = settings_of(session, PLUGIN, max(today(), semester.starts_on))
    campaign.sample_percent = int(settings.sample_percent)


def draw(session: Session, campaign: Campaign) -> None:
    """Write down the schools of a campaign: open ones, each once."""
    day = max(campaign.drawn_on, campaign.semester.starts_on)
    schools = session.scalars(
        select(School)
        .where(
            School.county_id == campaign.county_id,
            School.kind != TEACHING_POINT,
            or_(School.opened_on.is_(None), School.opened_on <= day),
            or_(School.closed_on.is_(None), School.closed_on >= day),
        )
        .order_by(School.code)
    ).all()
    focus = [school for school in schools if school.is_focus]
    others = [school for school in schools if not school.is_focus]
    drawn = sample([school.code for school in others], campaign.draw_seed, campaign.sample_percent)
    session.add_all(
        CampaignSchool(
            campaign_id=campaign.id,
            is_focus=school.is_focus,
            county_id=school.county_id,
            township_id=school.township_id,
            school_id=school.id,
        )
        for school in (*focus, *(one for one in others if one.code in drawn))
    )


def sample(codes: Sequence[str], seed: str, percent: int) -> frozenset[str]:
    """Return that share of the codes, rounded up: those with the lowest digest of seed and code.

    A digest, and no generator of numbers: what it gives never changes from version to version.
    """
    count = -(-len(codes) * percent // 100)
    ranked = sorted(codes, key=lambda code: (sha256(f"{seed}:{code}".encode()).digest(), code))
    return frozenset(ranked[:count])


def is_over(campaign: Campaign, day: date) -> bool:
    """Tell whether the semester of a campaign is over."""
    return campaign.semester.ends_on < day
