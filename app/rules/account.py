"""Give a full account of one stored violation: how it comes about and what it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.base import registry
from app.models import Violation
from app.rules.evidence import NOTHING, Evidence, Record, evidence_of
from app.rules.judge import judge_on
from app.rules.record import parameters_of
from app.rules.rule import Rule
from app.rules.seen import Seen, load_seen
from app.rules.sentence import arithmetic, message_of


@dataclass(frozen=True, slots=True)
class Account:
    """Say how a violation comes about; `rule` is missing where its plugin is gone."""

    rule: Rule | None
    message: str
    arithmetic: str
    parameters: Mapping[str, str]
    last_seen: date
    records: tuple[Record, ...] = ()
    error: str | None = None
    """Why the evidence cannot be read."""


@dataclass(frozen=True, slots=True)
class _Held:
    """Stand for a violation as if it were not resolved."""

    rule_key: str
    period_start: date
    first_seen: date
    changed_on: date | None
    resolved_on: date | None = None


def account_of(session: Session, violation: Violation) -> Account:
    """Return the account of a violation, its evidence as known now: a few statements."""
    rules = {rule.key: rule for rule in registry.rules()}
    rule = rules.get(violation.rule_key)
    seen = load_seen(session, [violation.rule_key])
    account = Account(
        rule,
        message=violation.message or "",
        arithmetic=violation.message or "",
        parameters=parameters_of(violation.parameter_key, violation.parameter_value),
        last_seen=seen.last(violation),
    )
    if rule is None:
        return account
    evidence = _evidence(session, violation, rule, seen)
    start = violation.period_start
    records = evidence.of((violation.subject_type, violation.subject_id, start))
    days = sorted({record.day for record in records if record.day is not None})
    return replace(
        account,
        message=message_of(rule, violation.observed, violation.required),
        arithmetic=arithmetic(rule, violation.observed, violation.required, days),
        records=records,
        error=evidence.error,
    )


def _evidence(session: Session, violation: Violation, rule: Rule, seen: Seen) -> Evidence:
    """Ask as of the last day on which a verdict of its period was judged, resolved or not."""
    if rule.evidence is None:
        return NOTHING
    held = _Held(
        violation.rule_key, violation.period_start, violation.first_seen, violation.changed_on
    )
    school_id = violation.school_id
    schools = None if school_id is None else frozenset({school_id})
    judge = judge_on(session, seen.last(held), school_ids=schools)
    wanted = select(Violation.subject_type, Violation.subject_id, Violation.period_start).where(
        Violation.id == violation.id
    )
    return evidence_of(judge, rule, wanted.subquery())
