"""Offer the cases to imports, to the child's page and to the demonstration county."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

from app.kit import DueKind, Entity, Opening, Panel, Session, _l, hookimpl

from .demo import fill
from .dues import DUES
from .entity import CASE
from .expiry import not_back
from .panel import content

SUSPECTED, ABSENT = "roll_and_attendance.suspected", "A"
"""The ledger and the category of another plugin, by their keys; idle where it is gone."""


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
def openings() -> Iterable[Opening]:
    """Put children whose case expired into category A of the ledger of suspected dropouts."""
    return [
        Opening(
            SUSPECTED,
            "suspension.expired",
            not_back,
            _l("the suspension or deferral ended; neither back nor renewed since %(since)s"),
            ABSENT,
        )
    ]


@hookimpl
def dues() -> Iterable[DueKind]:
    """Return the visits and the end that are due."""
    return DUES


@hookimpl
def seed(session: Session, random: Random) -> None:
    """Give the suspended and deferred children of the demonstration county their cases."""
    fill(session, random)
