"""Run rules: each in its own savepoint, so that one that raises leaves the others their results."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app import clock
from app.base import registry
from app.cadence.period import Terms, load_years, months_of_years, periods_of, spans_of
from app.models import RuleRun
from app.parameters.settings import NoValue, Settings, settings_on
from app.parameters.value import Dated, Parameters, load_parameters
from app.parameters.window import Period, Window
from app.rules import stage
from app.rules.rule import COLUMNS, Rule

log = logging.getLogger(__name__)


class WrongColumns(ValueError):
    """Report a select that does not return the columns of a rule."""


@dataclass(frozen=True, slots=True)
class RuleResult:
    """Say what the run of one rule did, or why it failed."""

    rule: str
    code: str
    found: int = 0
    opened: int = 0
    changed: int = 0
    resolved: int = 0
    error: str | None = None


@dataclass(frozen=True, slots=True)
class RuleReport:
    """Say what a run did; `is_stored` is false for an earlier day and for a simulation."""

    as_of: date
    is_stored: bool
    results: tuple[RuleResult, ...]


def run_rules(
    session: Session,
    as_of: date,
    *,
    rules: Iterable[Rule] | None = None,
    school_ids: frozenset[int] | None = None,
    drafts: Sequence[Dated] = (),
) -> RuleReport:
    """Judge the records as they are known now, as of a day, and store what changed.

    Only a run with the newest `as_of` writes; an earlier one, and one with draft values, counts
    what it would change and writes nothing. The caller commits.
    """
    chosen = tuple(registry.rules() if rules is None else rules)
    parameters = load_parameters(session).with_draft(drafts)
    is_stored = not drafts and not _has_later_run(session, chosen, as_of)
    terms = load_years(session, as_of, parameters=parameters)
    run = _Run(session, as_of, parameters, terms, school_ids, is_stored)
    results = run.all(chosen)
    report = RuleReport(as_of, is_stored, results)
    if is_stored:
        registry.rules_finished(report)
    return report


@dataclass(frozen=True, slots=True)
class _Run:
    """Hold what all rules of one run share."""

    session: Session
    as_of: date
    parameters: Parameters
    terms: Terms
    school_ids: frozenset[int] | None
    is_stored: bool

    def all(self, rules: Sequence[Rule]) -> tuple[RuleResult, ...]:
        """Run the rules one after another."""
        connection = self.session.connection()
        stage.create(connection)
        try:
            return tuple(self.one(rule) for rule in rules)
        finally:
            stage.drop(connection)

    def one(self, rule: Rule) -> RuleResult:
        """Run one rule; what it raises becomes its result."""
        row = RuleRun(rule_key=rule.key, as_of=self.as_of, started_at=clock.now())
        if self.is_stored:
            self.session.add(row)
            self.session.flush()
        try:
            with self.session.begin_nested():
                result = self._judge(rule, row)
        except Exception as error:  # the rule engine is where it must be caught
            log.exception("rule %s failed", rule.key)
            result = RuleResult(rule.key, rule.code, error=brief(error))
        if self.is_stored:
            row.opened, row.changed, row.resolved = result.opened, result.changed, result.resolved
            row.error, row.finished_at = result.error, clock.now()
            self.session.flush()
        return result

    def _judge(self, rule: Rule, row: RuleRun) -> RuleResult:
        """Ask the rule and compare its answer with what is stored."""
        periods = self._periods(rule)
        result = RuleResult(rule.key, rule.code)
        if not periods:
            return result
        window = Window(self.as_of, periods, self.school_ids, months_of_years(self.terms))
        connection = self.session.connection()
        found = stage.fill(connection, self._asked(rule, window))
        if not self.is_stored:
            would = stage.preview(connection, rule, window)
        else:
            resolved = stage.close(connection, rule, window)
            would = replace(stage.store(connection, rule, self.as_of, row.id), resolved=resolved)
        return replace(
            result,
            found=found,
            opened=would.opened,
            changed=would.changed,
            resolved=would.resolved,
        )

    def _periods(self, rule: Rule) -> tuple[Period, ...]:
        """Return what the rule has to judge: periods of the school year, or all time."""
        if rule.period != "event":
            return periods_of(rule.period, self.terms, self.as_of)
        keys = [f"{rule.plugin}.{name}" for name in registry.parameter_names(rule.plugin)]
        return spans_of(self.parameters.changes(keys), self.as_of)

    def _asked(self, rule: Rule, window: Window) -> list[tuple[Select, Settings]]:
        """Return a select for each stretch of periods over which the settings are constant."""
        asked = []
        for settings, periods in self._stretches(rule, window.periods):
            try:
                query = rule.select(replace(window, periods=periods), settings)
            except NoValue:
                continue  # a parameter has no value on these days: the rule does not apply
            names = tuple(column.name for column in query.selected_columns)
            if names != COLUMNS:
                raise WrongColumns(", ".join(names))
            asked.append((query, settings))
        return asked

    def _stretches(
        self, rule: Rule, periods: Sequence[Period]
    ) -> list[tuple[Settings, tuple[Period, ...]]]:
        """Group consecutive periods whose last days have the same values."""
        names = registry.parameter_names(rule.plugin)
        stretches: list[tuple[Settings, tuple[Period, ...]]] = []
        for period in periods:
            settings = settings_on(self.parameters, rule.plugin, names, period.end)
            if stretches and stretches[-1][0] == settings:
                stretches[-1] = (stretches[-1][0], (*stretches[-1][1], period))
            else:
                stretches.append((settings, (period,)))
        return stretches


def _has_later_run(session: Session, rules: Sequence[Rule], as_of: date) -> bool:
    """Tell whether one of these rules was already judged as of a later day."""
    keys = [rule.key for rule in rules]
    newest = session.scalar(select(func.max(RuleRun.as_of)).where(RuleRun.rule_key.in_(keys)))
    return newest is not None and newest > as_of


def brief(error: BaseException) -> str:
    """Say in one line what went wrong; the database's own values are left out."""
    original = getattr(error, "orig", None) or error
    lines = str(original).strip().splitlines()
    text = f"{type(original).__name__}: {lines[0]}" if lines else type(original).__name__
    return text[:500]
