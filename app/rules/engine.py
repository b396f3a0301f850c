"""Run rules: each in its own savepoint, so that one that raises leaves the others their results."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import clock
from app.base import registry
from app.models import RuleRun
from app.parameters.value import Dated
from app.rules import stage
from app.rules.judge import Judge, brief, judge_on
from app.rules.rule import Rule

log = logging.getLogger(__name__)


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
    is_stored = not drafts and not _has_later_run(session, chosen, as_of)
    judge = judge_on(session, as_of, school_ids=school_ids, drafts=drafts)
    run = _Run(session, judge, is_stored)
    results = run.all(chosen)
    report = RuleReport(as_of, is_stored, results)
    if is_stored:
        registry.rules_finished(report)
    return report


@dataclass(frozen=True, slots=True)
class _Run:
    """Hold what all rules of one run share."""

    session: Session
    judge: Judge
    is_stored: bool

    def all(self, rules: Sequence[Rule]) -> tuple[RuleResult, ...]:
        """Run the rules one after another."""
        connection = self.session.connection()
        if self.is_stored:
            stage.end_waivers(connection, self.judge.as_of)
        stage.create(connection)
        try:
            return tuple(self.one(rule) for rule in rules)
        finally:
            stage.drop(connection)

    def one(self, rule: Rule) -> RuleResult:
        """Run one rule; what it raises becomes its result."""
        row = RuleRun(
            rule_key=rule.key,
            as_of=self.judge.as_of,
            started_at=clock.now(),
            is_partial=self.judge.school_ids is not None,
        )
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
        window = self.judge.window(rule)
        result = RuleResult(rule.key, rule.code)
        if window is None:
            return result
        connection = self.session.connection()
        asked = self.judge.asked(rule, window, rule.select)
        found = stage.fill(connection, asked, self.judge.elsewhere())
        if not self.is_stored:
            would = stage.preview(connection, rule, window)
        else:
            resolved = stage.close(connection, rule, window)
            stored = stage.store(connection, rule, window.as_of, row.id)
            would = replace(stored, resolved=resolved)
        return replace(
            result,
            found=found,
            opened=would.opened,
            changed=would.changed,
            resolved=would.resolved,
        )


def _has_later_run(session: Session, rules: Sequence[Rule], as_of: date) -> bool:
    """Tell whether one of these rules was already judged as of a later day."""
    keys = [rule.key for rule in rules]
    newest = session.scalar(select(func.max(RuleRun.as_of)).where(RuleRun.rule_key.in_(keys)))
    return newest is not None and newest > as_of
