"""Tell when a violation was last seen: it follows from the runs, and a re-run writes nothing."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.base import registry
from app.models import RuleRun, SchoolYear
from app.rules.rule import Rule
from app.security.scope import table_of

ONE_DAY: Final = timedelta(days=1)
ALL_TIME: Final = frozenset({"none", "event"})
A_WEEK: Final = timedelta(days=6)
"""A fortnight begins on a Monday: so many days before the school year at most."""


class Standing(Protocol):
    """What is asked of a violation, stored or just found."""

    @property
    def rule_key(self) -> str:
        """Return the rule."""

    @property
    def period_start(self) -> date:
        """Return the first day of its period."""

    @property
    def first_seen(self) -> date:
        """Return the judging day on which it was found first."""

    @property
    def changed_on(self) -> date | None:
        """Return the judging day on which its figures changed last."""

    @property
    def resolved_on(self) -> date | None:
        """Return the judging day on which it was found no more."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Hold the days on which each rule judged all schools without failing, and the school years."""

    runs: Mapping[str, Sequence[date]]
    years: Sequence[tuple[date, date]]
    rules: Mapping[str, Rule]

    def last(self, violation: Standing) -> date:
        """Return the last judging day on which a violation was found."""
        until = min(self._before_resolved(violation), self._judged_until(violation))
        days = self.runs.get(violation.rule_key, ())
        place = bisect_right(days, until)
        known = [violation.first_seen, violation.changed_on, days[place - 1] if place else None]
        return max(day for day in known if day is not None)

    def _before_resolved(self, violation: Standing) -> date:
        return violation.resolved_on - ONE_DAY if violation.resolved_on else date.max

    def _judged_until(self, violation: Standing) -> date:
        """Return the last day of the school year in which the period is judged."""
        rule = self.rules.get(violation.rule_key)
        if rule is None or rule.period in ALL_TIME:
            return date.max
        start = violation.period_start + (A_WEEK if rule.period == "fortnight" else timedelta())
        following = [end for first, end in self.years if first > start]
        if rule.period == "past_school_year":
            return following[0] if following else date.max
        return next((end for first, end in self.years if first <= start <= end), date.max)


def load_seen(session: Session, keys: Iterable[str]) -> Seen:
    """Read the runs of some rules and the school years, in two statements."""
    # Whether a rule has run is no secret, and the guard shows runs to county roles only.
    run = table_of(RuleRun).c
    query = (
        select(run.rule_key, run.as_of)
        .where(run.rule_key.in_(sorted(set(keys))), run.error.is_(None), run.is_partial.is_(False))
        .distinct()
        .order_by(run.rule_key, run.as_of)
    )
    runs: dict[str, list[date]] = {}
    for key, day in session.execute(query):
        runs.setdefault(key, []).append(day)
    years = session.execute(
        select(SchoolYear.starts_on, SchoolYear.ends_on).distinct().order_by(SchoolYear.starts_on)
    ).all()
    rules = {rule.key: rule for rule in registry.rules()}
    return Seen(runs, [(row[0], row[1]) for row in years], rules)
