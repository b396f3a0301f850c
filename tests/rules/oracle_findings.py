"""Judge findings by hand: FB-1, RECT-1, REV-1, RPT-1 (LP24-4-2)."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta

from tests.rules.oracle import Campus, Frame, Verdicts, speaks

ITEMS = 3
"""Items of one checklist; each exists in two versions."""
NEXT = {
    "open": ("served", "served", "served", "withdrawn"),
    "served": ("objected", "claimed", "claimed", "claimed"),
    "objected": ("served", "withdrawn"),
    "claimed": ("closed", "closed", "served"),
    "closed": ("served",),
    "withdrawn": (),
}
"""How a finding goes on."""


@dataclass(eq=False)
class Matter:
    """A finding with the states that it had from days on."""

    campus: Campus
    item: int
    version: int
    child: int | None
    visit: int
    """The inspection that it was found in."""
    found: date
    is_self_found: bool
    is_urgent: bool
    needs_pupils: bool
    steps: list[tuple[date, str]]
    due: date | None
    id: int = 0

    def on(self, day: date) -> tuple[date, str] | None:
        """The last step up to a day."""
        taken = [step for step in self.steps if step[0] <= day]
        return taken[-1] if taken else None


def made_matters(dice: random.Random, frame: Frame, campuses: list[Campus]) -> list[Matter]:
    """Make findings whose steps lie close to their terms on the judging day."""
    found = []
    for visit in range(24):
        campus = dice.choice(campuses)
        day = frame.as_of - timedelta(days=dice.choice([2, 3, 4, 5, 6, 7, 12, 30, 60, 100]))
        is_self_found = dice.random() < 0.15
        found += [
            _matter(dice, frame, campus, visit, day, is_self_found)
            for _ in range(dice.randint(1, 2))
        ]
    return found


def _matter(
    dice: random.Random, frame: Frame, campus: Campus, visit: int, day: date, own: bool
) -> Matter:
    steps = [(day, "open")]
    while NEXT[steps[-1][1]] and dice.random() < (0.35 if steps[-1][1] == "closed" else 0.75):
        later = steps[-1][0] + timedelta(days=dice.randint(0, 16))
        steps.append((later, dice.choice(NEXT[steps[-1][1]])))
    due = frame.as_of - timedelta(days=dice.randint(-3, 6))
    is_urgent = dice.random() < 0.3
    has_due = is_urgent or len(steps) > 1
    return Matter(
        campus, dice.randrange(ITEMS), dice.randrange(2), dice.choice([None, None, 0, 1]), visit,
        day, own, is_urgent, dice.random() < 0.4, steps, due if has_due else None,
    )  # fmt: skip


def judged_findings(frame: Frame, matters: list[Matter]) -> Verdicts:
    """Return what the rules say of the findings."""
    as_of, found = frame.as_of, {}
    for one in matters:
        last = one.on(as_of)
        if last is None:
            continue
        live, (since, state) = one.campus.town.live, last
        stops = one.needs_pupils and not one.is_urgent
        if state == "open" and not one.is_self_found and live <= one.found:
            most = frame.value("core.feedback_days", one.found)
            if speaks(
                "rectification.feedback_missing", frame.working_days(one.found, as_of) > most
            ):
                key = "rectification.feedback_missing", one.visit, one.found
                found[key] = (found.get(key, (0,))[0] + 1, most)
        runs = state == "served" or (state == "open" and one.is_urgent)
        is_over = one.due and frame.working_days(one.due, as_of, in_term=stops) > 0
        fires = runs and is_over and live <= one.due
        if one.due and speaks("rectification.overdue", fires):
            found["rectification.overdue", one.id, one.due] = (one.found, one.due)
        if state == "claimed" and live <= since:
            most = frame.value("core.return_visit_days", since)
            passed = frame.working_days(since, as_of, in_term=stops)
            if speaks("rectification.return_visit_missing", passed > most):
                found["rectification.return_visit_missing", one.id, since] = (since, most)
        closed = sum(_closed_before(other, one) for other in matters if other is not one)
        is_known = not one.is_self_found and state not in {"objected", "withdrawn"}
        fires = closed > 0 and is_known and live <= one.found
        if speaks("rectification.found_again", fires):
            found["rectification.found_again", one.id, one.found] = (closed, 0)
    return found


def _closed_before(other: Matter, one: Matter) -> bool:
    """Whether the same matter was closed on an earlier day."""
    same = (other.campus, other.item, other.child) == (one.campus, one.item, one.child)
    return same and any(day < one.found and state == "closed" for day, state in other.steps)
