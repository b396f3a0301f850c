"""Hand the plugin's panel, imports, rights and demonstration rows to the product."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random
from typing import Final

from app.kit import DueKind, Entity, Grant, Panel, Session, _l, hookimpl

from .demo import seed_home_teaching
from .dues import DUES
from .imports import CASE, DISABILITY, SESSION
from .panels import home_teaching

DECIDE: Final = ("education_assistant", "township_leader", "township_clerk")
"""Those who approve for the township that a month is excused."""


@hookimpl
def panels() -> Iterable[Panel]:
    """Return the panel of a child's page."""
    return [
        Panel(
            key="home_teaching.months",
            title=_l("Home teaching"),
            order=40,
            view="HomeTeachingView",
            content=home_teaching,
        )
    ]


@hookimpl
def entities() -> Iterable[Entity]:
    """Return what can be imported and exported."""
    return [DISABILITY, CASE, SESSION]


@hookimpl
def dues() -> Iterable[DueKind]:
    """Return the visits of the month, and the children who fall behind."""
    return DUES


@hookimpl
def grants() -> Iterable[Grant]:
    """Let the township decide on excused months."""
    view = "HomeTeachingExcuseView"
    return [Grant(role, deed, view) for role in DECIDE for deed in ("approve", "refuse")]


@hookimpl
def seed(session: Session, random: Random) -> None:
    """Add home teaching to the demonstration county."""
    seed_home_teaching(session, random)
