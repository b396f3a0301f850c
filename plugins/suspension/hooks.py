"""Offer the cases to imports, to the child's page and to the demonstration county."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

from app.kit import Entity, Panel, Session, _l, hookimpl

from .demo import fill
from .entity import CASE
from .panel import content


@hookimpl
def entities() -> Iterable[Entity]:
    """Return the cases."""
    return [CASE]


@hookimpl
def panels() -> Iterable[Panel]:
    """Return the panel of a child's cases."""
    return [
        Panel(
            "suspension.cases",
            _l("Suspensions and deferrals"),
            40,
            "SuspensionCaseView",
            content,
        )
    ]


@hookimpl
def seed(session: Session, random: Random) -> None:
    """Give the suspended and deferred children of the demonstration county their cases."""
    fill(session, random)
