"""Hold the span of time that a rule or a section is asked about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any


@dataclass(frozen=True, slots=True)
class Period:
    """Name one stretch of days; `start` identifies it for ever, `due_on` is its last day to act."""

    key: str
    start: date
    end: date
    due_on: date


@dataclass(frozen=True, slots=True)
class Window:
    """Say what to judge: the judging day, the periods (never none), the schools (None = all)."""

    as_of: date
    periods: tuple[Period, ...]
    school_ids: frozenset[int] | None = None
    months: tuple[Period, ...] = ()
    """The school months of this school year and of the one before, for rules that count them."""
    judge: Callable[[], Any] = lambda: None
    """Return what judging obligations needs, read once: an `app.cadence.judge.Judge`."""

    @property
    def start(self) -> date:
        """Return the first day of the first period."""
        return min(period.start for period in self.periods)

    @property
    def end(self) -> date:
        """Return the last day of the last period."""
        return max(period.end for period in self.periods)
