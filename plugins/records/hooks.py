"""Import activities, count them in the bulletin, take indicators each month, seed records."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from random import Random

import click
from sqlalchemy import Select, func, select

from app.kit import (
    AttendanceReport,
    Column,
    Entity,
    School,
    Section,
    Session,
    Settings,
    Township,
    Window,
    _l,
    hookimpl,
    interface,
    today,
)

from .imports import ACTIVITY, MONTHLY_REPORT, REVIEW
from .indicators import last_day, month_before, take
from .models import Activity
from .views import ACTIVITY_KINDS

TOPICS = ("义务教育法宣传", "控辍保学政策宣讲", "资助政策进家庭", "防溺水与返校教育")


@hookimpl
def entities() -> Iterable[Entity]:
    """Return what can be imported: reports, reviews, activities."""
    return [MONTHLY_REPORT, REVIEW, ACTIVITY]


def activities(window: Window, _settings: Settings) -> Select:
    """Select the publicity activities of the month, by school and township."""
    return (
        select(
            Activity.township_id,
            Activity.school_id,
            Township.name.label("township"),
            func.count(Activity.id).label("activities"),
            func.sum(Activity.audience).label("audience"),
        )
        .join(Township, Township.id == Activity.township_id)
        .where(Activity.held_on.between(window.start, window.end))
        .group_by(Activity.township_id, Activity.school_id, Township.name)
    )


@hookimpl
def sections() -> Iterable[Section]:
    """Return the sheet of the monthly bulletin."""
    return [
        Section(
            bulletin="monthly_bulletin",
            key="records.activities",
            title=_l("Publicity activities"),
            order=60,
            select=activities,
            columns=(
                Column("township", _l("Township"), width=18),
                Column("activities", _l("Activities"), "count"),
                Column("audience", _l("People reached"), "count"),
            ),
            by_township=True,
        )
    ]


@hookimpl
def nightly(session: Session, day: date) -> None:
    """Take the indicators of the month before, once it is over."""
    take(session, month_before(day), day)


@hookimpl
def commands(group: click.Group) -> None:
    """Add `flask records snapshot`."""

    @group.command()
    @click.option("--month", type=click.DateTime(["%Y-%m"]), required=True, help="As 2026-03.")
    def snapshot(month: datetime) -> None:
        """Take the indicators of a month that is over; those that are there stay."""
        first = month.date()
        if last_day(first) >= today():
            raise click.BadParameter("the month is not over yet", param_hint="--month")
        session = interface(Activity).session()
        count = take(session, first, today())
        session.commit()
        click.echo(f"{count} figures")


@hookimpl
def seed(session: Session, random: Random) -> None:
    """Give the demonstration the indicators of last month, and each school an activity."""
    as_of = session.scalar(select(func.max(AttendanceReport.day)))
    if as_of is None:
        return
    take(session, month_before(as_of), as_of)
    kinds = sorted(ACTIVITY_KINDS)
    for school in session.scalars(select(School).order_by(School.id)).all():
        session.add(
            Activity(
                held_on=as_of - timedelta(days=random.randint(3, 60)),
                kind=random.choice(kinds),
                topic=random.choice(TOPICS),
                audience=random.randint(40, 600),
                county_id=school.county_id,
                township_id=school.township_id,
                school_id=school.id,
            )
        )
