"""Describe ladders 逐级提醒: who is told next when a thing stays undone, after how many days."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from app.base import registry
from app.parameters.value import Parameters

OVERDUE: Final = "overdue"
"""The first step: those who answer for the thing are told."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of a ladder: the offices that are told, and the working days before it.

    `title` says in the inbox that it was told; the first rung needs neither title nor days.
    `days` is the short name of the plugin's parameter: so many working days the step below has.
    `is_named` narrows the rung to the person whom the thing itself names. `office` is a pattern
    that the title of the office must contain: of two offices under one role it tells one.
    """

    key: str
    roles: tuple[str, ...]
    title: Any = ""
    days: str = ""
    is_named: bool = False
    office: str = ""

    def is_held_by(self, role: str, title: str | None) -> bool:
        """Tell whether an office stands on this rung."""
        return role in self.roles and re.search(self.office, title or "") is not None


@dataclass(frozen=True, slots=True)
class Ladder:
    """The steps that a thing climbs whose role is one of `of`, from the lowest rung up."""

    key: str
    of: tuple[str, ...]
    rungs: tuple[Rung, ...]

    @property
    def plugin(self) -> str:
        """Return the name of the plugin that brings the ladder."""
        return self.key.partition(".")[0]

    def above(self, role: str, *, is_named: bool) -> Sequence[Rung]:
        """Return the rungs from the first one on that the role stands on.

        The rung of the named person is left out where nobody is named. A role that stands on
        none comes first, below them all.
        """
        rungs = [rung for rung in self.rungs if is_named or not rung.is_named]
        first = next((n for n, rung in enumerate(rungs) if role in rung.roles), None)
        return (Rung(OVERDUE, (role,)), *rungs) if first is None else rungs[first:]

    def reached(
        self, rungs: Sequence[Rung], parameters: Parameters, due_on: date, overdue: int
    ) -> Iterator[int]:
        """Yield the places of the rungs that are told by now; `overdue` counts working days.

        The first is told on the first working day after the due day. A rung whose parameter had
        no value on the due day is left out, and its days with it.
        """
        after = 1
        for place, rung in enumerate(rungs):
            if place:
                days = parameters.on(f"{self.plugin}.{rung.days}", due_on)
                if days is None:
                    continue
                after += int(days)
            if after > overdue:
                return
            yield place

    def step(self, rungs: Sequence[Rung], place: int) -> str:
        """Return the key under which a rung is told."""
        return f"{self.key}.{rungs[place].key}" if place else OVERDUE


def ladder_of(role: str) -> Ladder:
    """Return the ladder of a role; one of a single step where no plugin brings one."""
    found = (ladder for ladder in registry.ladders() if role in ladder.of)
    return next(found, Ladder("", (role,), ()))


def step_title(step: str) -> Any:
    """Return what a rung's step is called; nothing where its plugin is gone."""
    for ladder in registry.ladders():
        for rung in ladder.rungs:
            if step == f"{ladder.key}.{rung.key}":
                return rung.title
    return None
