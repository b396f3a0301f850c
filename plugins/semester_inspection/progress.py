"""Count how far a campaign has come: which of its schools were inspected, and when."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import func, select

from app.kit import (
    Head,
    Inspection,
    InspectionState,
    School,
    Session,
    Sheet,
    SheetColumn,
    Township,
    _,
    took_place,
)

from .drawing import PLUGIN
from .models import Campaign, CampaignSchool


@dataclass(frozen=True, slots=True)
class Covered:
    """A school of a campaign with the day of its inspection; none while it is to come."""

    school_id: int
    township: str
    school: str
    is_focus: bool
    inspected_on: date | None


@dataclass(frozen=True, slots=True)
class Tally:
    """How many of some schools are inspected."""

    title: str
    done: int
    all: int

    def __str__(self) -> str:
        return _("%(title)s: %(done)s of %(all)s", title=self.title, done=self.done, all=self.all)


def schools_of(session: Session, campaign: Campaign) -> Sequence[Covered]:
    """Return the schools of a campaign that the reader may see, in one statement."""
    semester = campaign.semester
    inspected = (
        select(func.min(Inspection.occurred_on))
        .where(
            Inspection.type_key == PLUGIN,
            Inspection.school_id == CampaignSchool.school_id,
            Inspection.state == InspectionState.SUBMITTED,
            Inspection.occurred_on.between(semester.starts_on, semester.ends_on),
            took_place(),
        )
        .correlate(CampaignSchool)
        .scalar_subquery()
    )
    rows: Any = session.execute(
        select(
            CampaignSchool.school_id, Township.name, School.name, CampaignSchool.is_focus, inspected
        )
        .join(School, School.id == CampaignSchool.school_id)
        .join(Township, Township.id == CampaignSchool.township_id)
        .where(CampaignSchool.campaign_id == campaign.id)
        .order_by(Township.position, Township.name, School.name)
    )
    return [Covered(*row) for row in rows]


def tallies(schools: Iterable[Covered]) -> Sequence[Tally]:
    """Count the focus schools, the drawn ones, and those of each township."""
    listed = list(schools)
    kinds = [
        tally(_("Focus schools"), [one for one in listed if one.is_focus]),
        tally(_("Drawn schools"), [one for one in listed if not one.is_focus]),
    ]
    towns = [tally(town, list(some)) for town, some in groupby(listed, attrgetter("township"))]
    return [*kinds, *towns]


def tally(title: str, schools: Sequence[Covered]) -> Tally:
    """Count some schools."""
    return Tally(title, sum(1 for one in schools if one.inspected_on), len(schools))


def sheet_of(campaign: Campaign, schools: Sequence[Covered]) -> Sheet:
    """Return the schools of a campaign with their days, to be printed."""
    whole = tally(_("Schools inspected"), schools)
    return Sheet(
        _("Campaign"),
        Head(_("Campaign of the special inspection, %(semester)s", semester=campaign), str(whole)),
        [
            SheetColumn(_("Township"), width=16),
            SheetColumn(_("School"), width=30),
            SheetColumn(_("Why it is inspected"), width=14),
            SheetColumn(_("Inspected on"), "date", width=14),
        ],
        [(one.township, one.school, reason(one), one.inspected_on) for one in schools],
        note=_(
            "Drawn on %(day)s: %(percent)s%% of the other schools; seed %(seed)s.",
            day=campaign.drawn_on.isoformat(),
            percent=campaign.sample_percent,
            seed=campaign.draw_seed,
        ),
        frozen_columns=2,
    )


def reason(school: Covered) -> str:
    """Say why a school is in the campaign."""
    return _("Focus school") if school.is_focus else _("Drawn")
