"""Try drafts on past data: what would be found anew, what no more; nothing is written."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy.orm import Session

from app.base import registry
from app.parameters.value import Dated
from app.rules.judge import Judge, brief, judge_on, keys_of
from app.rules.record import Verdict, found_verdicts
from app.rules.rule import Rule

log = logging.getLogger(__name__)

CORE = "core."


@dataclass(frozen=True, slots=True)
class Found:
    """Hold what rules find on a day, and why some of them failed."""

    verdicts: Sequence[Verdict]
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Township:
    """Count what a draft would change in a township."""

    name: str
    new: int
    vanished: int


@dataclass(frozen=True, slots=True)
class Simulation:
    """Compare what is found as things stand with what a draft would find."""

    as_of: date
    new: Sequence[Verdict]
    vanished: Sequence[Verdict]
    affected: Sequence[Verdict]
    """Of what is new, the first of each subject that its rule does not find as things stand."""
    errors: Mapping[str, str]

    def townships(self) -> list[Township]:
        """Return the figures by township, in order of name."""
        new = Counter(one.township for one in self.new)
        vanished = Counter(one.township for one in self.vanished)
        names = sorted({*new, *vanished})
        return [Township(name, new[name], vanished[name]) for name in names]


def simulate(
    session: Session,
    as_of: date,
    drafts: Sequence[Dated],
    *,
    rules: Iterable[Rule] | None = None,
) -> Simulation:
    """Judge with draft values and without them as of a day; only selects are run."""
    chosen = registry.rules() if rules is None else rules
    touched = _touched(chosen, {draft.key for draft in drafts})
    now = found_on(judge_on(session, as_of), touched)
    then = found_on(judge_on(session, as_of, drafts=drafts), touched)
    return compare(as_of, now, then)


def found_on(judge: Judge, rules: Iterable[Rule]) -> Found:
    """Return what rules find; one that raises leaves the others their verdicts."""
    verdicts: list[Verdict] = []
    errors: dict[str, str] = {}
    for rule in rules:
        try:
            with judge.session.begin_nested():
                verdicts += found_verdicts(judge, [rule], with_evidence=False)
        except Exception as error:  # as in a run, one that fails stops no other
            log.exception("rule %s failed in a simulation", rule.key)
            errors[rule.key] = brief(error)
    return Found(verdicts, errors)


def compare(as_of: date, now: Found, then: Found) -> Simulation:
    """Tell what is new and what vanishes; rules that failed on either side are left out."""
    errors = {**now.errors, **then.errors}
    before = {_named(one): one for one in now.verdicts if one.rule_key not in errors}
    after = {_named(one): one for one in then.verdicts if one.rule_key not in errors}
    new = [one for name, one in after.items() if name not in before]
    known = {(one.rule_key, one.subject_type, one.subject_id) for one in before.values()}
    affected = {(one.rule_key, one.subject_type, one.subject_id): one for one in reversed(new)}
    return Simulation(
        as_of,
        new=new,
        vanished=[one for name, one in before.items() if name not in after],
        affected=[one for key, one in reversed(affected.items()) if key not in known],
        errors=errors,
    )


def _named(verdict: Verdict) -> tuple[str, str, int, date]:
    return (verdict.rule_key, *verdict.identity)


def _touched(rules: Iterable[Rule], drafted: set[str]) -> list[Rule]:
    """Return the rules that may find something else; what is the core's concerns all of them."""
    if any(key.startswith(CORE) for key in drafted):
        return list(rules)
    return [rule for rule in rules if drafted.intersection(keys_of(rule))]
