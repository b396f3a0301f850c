"""Describe an inspection in the making, and what it found."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from app.cli.demo.plan import Campus, Hand, Room, Town
from app.cli.demo.store import Row
from app.models import ChecklistItem, Verdict


@dataclass(slots=True)
class Line:
    """The counts of one class."""

    room: Room
    on_roll: int
    present: int
    on_leave: int
    unexplained: int
    is_drawn: bool = False
    is_agreed: bool = False
    desks: int | None = None
    chairs: int | None = None
    note: str | None = None
    fault: str | None = None
    """The difference in words, where nobody explains it."""


@dataclass(slots=True)
class Inspected:
    """One inspection: of a school, or of a township where there is no school."""

    id: int
    kind: Any
    """The inspection type, as the registry describes it."""
    version_id: int
    day: date
    town: Town
    campus: Campus | None
    hands: list[Hand]
    semester: int | None
    is_draft: bool = False
    lines: list[Line] = field(default_factory=list)

    @property
    def hand(self) -> Hand:
        """Return who leads it."""
        return self.hands[0]

    @property
    def scope(self) -> Row:
        """Return the scope columns of its rows."""
        return self.campus.scope if self.campus else self.town.scope

    @property
    def care(self) -> float:
        """Return how much worse than others the unit keeps its papers."""
        return self.campus.care if self.campus else 1.0


@dataclass(slots=True)
class ChildLine:
    """What was found about one child of an item."""

    child_id: int
    verdict: Verdict
    note: str | None = None


@dataclass(slots=True)
class Reply:
    """The answer to one item."""

    verdict: Verdict
    number: int | None = None
    number_other: int | None = None
    day: date | None = None
    text: str | None = None
    choice: str | None = None
    note: str | None = None
    children: list[ChildLine] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    """Differences between classes, in words."""


@dataclass(slots=True)
class Found:
    """What a finding is made of."""

    inspected: Inspected
    item: ChecklistItem
    answer_id: int
    child_id: int | None
    facts: str
    opinion: str

    @property
    def is_urgent(self) -> bool:
        """Return whether the clock runs at once."""
        return self.item.is_urgent

    @property
    def is_self_found(self) -> bool:
        """Return whether the school found it itself."""
        return bool(self.inspected.kind.self_inspection)
