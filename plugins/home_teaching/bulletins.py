"""Report home teaching in the monthly bulletin: figures by township, no names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Integer, Select, and_, cast, func, literal, select, union_all

from app.kit import Column, Section, Settings, Township, Window, _l, hookimpl

from .hours import added_up, cases, visits
from .models import Case, Excuse
from .words import APPROVED

MONTH = _l("In the month")
FIGURES = ("children", "visits", "hours", "excused")


def figures(window: Window, settings: Settings) -> Select[Any]:
    """Select each township with its home-taught children, their visits and their class hours."""
    made = visits(cases(), settings, window.start, window.as_of)
    of_case = and_(Case.child_id == made.c.child_id, Case.starts_on == made.c.starts_on)
    ended_earlier = and_(Case.ends_on.is_not(None), Case.ends_on < window.start)
    nothing = literal(0)
    facts = union_all(
        select(
            Case.township_id,
            func.count(Case.child_id.distinct()).label("children"),
            nothing.label("visits"),
            nothing.label("hours"),
            nothing.label("excused"),
        )
        .where(Case.starts_on <= window.as_of, ~ended_earlier)
        .group_by(Case.township_id),
        select(
            Case.township_id,
            nothing,
            added_up(made.c.qualifies),
            added_up(made.c.hours),
            nothing,
        )
        .select_from(made)
        .join(Case, of_case)
        .group_by(Case.township_id),
        select(Excuse.township_id, nothing, nothing, nothing, func.count(Excuse.id))
        .where(Excuse.state == APPROVED, Excuse.month.between(window.start, window.as_of))
        .group_by(Excuse.township_id),
    ).subquery("fact")
    sums = [func.coalesce(added_up(facts.c[name]), 0).label(name) for name in FIGURES]
    rows: Any = (
        select(
            Township.id.label("township_id"),
            cast(None, Integer).label("school_id"),
            Township.name.label("township"),
            *sums,
        )
        .outerjoin(facts, facts.c.township_id == Township.id)
        .group_by(Township.id, Township.name)
    )
    return rows


@hookimpl
def sections() -> Iterable[Section]:
    """Add the sheet to the monthly bulletin."""
    return [
        Section(
            bulletin="monthly_bulletin",
            key="home_teaching.by_township",
            title=_l("Home teaching"),
            order=65,
            select=figures,
            columns=(
                Column("township", _l("Township"), width=18),
                Column("children", _l("Children taught at home"), "count", group=MONTH),
                Column("visits", _l("Teaching visits"), "count", group=MONTH),
                Column("hours", _l("Class hours"), "count", group=MONTH),
                Column("excused", _l("Excused children"), "count", group=MONTH),
            ),
        )
    ]
