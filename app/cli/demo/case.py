"""Let one finding take its steps, day after day, as the state table allows them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from app.cli.demo.days import Days
from app.cli.demo.plan import Hand
from app.cli.demo.visit import Found
from app.models import FindingState
from app.parameters.value import Parameters
from app.workflow import deadline
from app.workflow.state import STEP


@dataclass(frozen=True, slots=True)
class Taken:
    """A step that was taken."""

    key: str
    from_state: str
    to_state: str
    day: date
    hand: Hand
    note: str | None
    due_on: date | None
    evidence_set_id: int | None


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Reckon due days as the product does, without asking the database each time."""

    days: Days
    parameters: Parameters

    def rectification(
        self, found: Found, start: date, served_on: date | None = None, *, is_again: bool = False
    ) -> date | None:
        """Return the last day of rectification, counted after the receipt or the service."""
        if found.is_urgent:
            return self.urgent(start if is_again else found.inspected.day)
        count = self._number(deadline.RECTIFICATION, start)
        if count is None:
            return None
        cap = self._number(deadline.RECTIFICATION_CAP, start)
        in_term = found.item.needs_pupils
        due = self.days.after(start, count if cap is None else min(count, cap), in_term=in_term)
        if cap is not None and served_on is not None:
            due = min(due, self.days.after(served_on, cap, in_term=in_term))
        return due

    def urgent(self, start: date) -> date | None:
        """Return the day by which an urgent finding is rectified and reported."""
        count = self._number(deadline.URGENT_REPORT, start)
        return None if count is None else self.days.after(start, count)

    def resumed(self, found: Found, due_on: date, stopped_on: date, day: date) -> date:
        """Return the due day moved on by the days for which the clock stood still."""
        in_term = found.item.needs_pupils and not found.is_urgent
        stopped = self.days.elapsed(stopped_on, day, in_term=in_term)
        return self.days.after(due_on, stopped, in_term=in_term)

    def _number(self, key: str, day: date) -> int | None:
        value = self.parameters.on(key, day)
        return None if value is None else int(value)


@dataclass(slots=True)
class Case:
    """A finding with its history so far."""

    found: Found
    deadlines: Deadlines
    state: str = str(FindingState.OPEN)
    due_on: date | None = None
    claimed_on: date | None = None
    closed_on: date | None = None
    reopened: int = 0
    steps: list[Taken] = field(default_factory=list)
    visits: list[Taken] = field(default_factory=list)

    def begin(self) -> None:
        """Write the finding down."""
        inspected = self.found.inspected
        if self.found.is_urgent:
            self.due_on = self.deadlines.urgent(inspected.day)
        self._record("find", self.state, inspected.day, inspected.hand, None, None)

    @property
    def today(self) -> date:
        """Return the day on which the demonstration stands."""
        return self.deadlines.days.as_of

    def take(
        self, key: str, day: date, hand: Hand, note: str | None = None, evidence: int | None = None
    ) -> bool:
        """Take a step unless its day has not come yet; tell whether it was taken."""
        if day > self.today:
            return False
        step = STEP[key]
        if self.state not in step.from_states:
            raise ValueError(f"{key} from {self.state}")
        self._follow(key, day)
        self._record(key, str(step.to_state), day, hand, note, evidence)
        if key in {"verify", "reopen"}:
            self.visits.append(self.steps[-1])
        return True

    def day_of(self, key: str) -> date:
        """Return the day of the last step of a kind."""
        return next(step.day for step in reversed(self.steps) if step.key == key)

    def _follow(self, key: str, day: date) -> None:
        deadlines = self.deadlines
        if key == "serve":
            self.due_on = deadlines.rectification(self.found, day)
        elif key == "receive":
            self.due_on = deadlines.rectification(self.found, day, self.day_of("serve"))
        elif key == "dismiss" and self.due_on is not None:
            stopped = self.day_of("object")
            self.due_on = deadlines.resumed(self.found, self.due_on, stopped, day)
        elif key == "claim":
            self.claimed_on = day
        elif key in {"reopen", "recall"}:
            self.reopened += 1
            self.claimed_on = self.closed_on = None
            self.due_on = deadlines.rectification(self.found, day, is_again=True)
        elif key in {"verify", "accept", "close"}:
            self.closed_on = day

    def _record(
        self, key: str, to_state: str, day: date, hand: Hand, note: str | None, evidence: int | None
    ) -> None:
        taken = Taken(key, self.state, to_state, day, hand, note, self.due_on, evidence)
        self.steps.append(taken)
        self.state = to_state
