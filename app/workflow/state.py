"""Hold the state table of findings as data: which step, from where, by whom, with what."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Final

from flask_babel import format_date
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.base import Refused
from app.cadence.calendar import working_days_between
from app.models import STEP_TITLES, EvidenceFile, Finding, FindingState, FindingStep
from app.parameters.value import number_on
from app.workflow import deadline
from app.workflow.party import BY_RECORD, SIDE_TITLES, Case, Side, is_of_side

Rule = Callable[[Case], str | None]
"""Return why the step is refused; None where it is allowed."""


@dataclass(frozen=True, slots=True)
class Step:
    """Describe one line of the table."""

    key: str
    from_states: frozenset[str]
    to_state: str
    who: Side
    needs: frozenset[str] = frozenset()
    """What must come with it: ``note``, ``evidence``."""
    rules: tuple[Rule, ...] = ()

    @property
    def title(self) -> str:
        """Return what the step is called."""
        return str(STEP_TITLES[self.key])


STATE_TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        FindingState.OPEN: _l("Not served yet"),
        FindingState.SERVED: _l("In rectification"),
        FindingState.OBJECTED: _l("Objected"),
        FindingState.CLAIMED: _l("Claimed as rectified"),
        FindingState.CLOSED: _l("Closed"),
        FindingState.WITHDRAWN: _l("Withdrawn"),
    }
)
NEED_TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {"note": _l("a note"), "evidence": _l("evidence")}
)


def received_on(session: Session, finding: Finding) -> date | None:
    """Return the day on which the receipt was signed, since the finding was last served."""
    query = (
        select(FindingStep.step, FindingStep.happened_on)
        .where(FindingStep.finding_id == finding.id, FindingStep.step.in_(("serve", "receive")))
        .order_by(FindingStep.id.desc())
        .limit(1)
    )
    last = session.execute(query).first()
    return last.happened_on if last and last.step == "receive" else None


def _order_is_due(case: Case) -> str | None:
    if not case.finding.is_self_found:
        return None
    first = deadline.order_from(case.session, case.finding)
    if first is not None and case.day < first:
        return _(
            "What the school found itself is ordered in writing only if it is still open on the"
            " next school day, %(day)s.",
            day=format_date(first),
        )
    return None


def _is_found_by_others(case: Case) -> str | None:
    if case.finding.is_self_found:
        return _("What the school found itself is closed by a leader of the school, with evidence.")
    return None


def _is_served(case: Case) -> str | None:
    feedback = case.finding.feedback
    if feedback is None or feedback.served_on is None:
        return _("The feedback is not served yet.")
    return None


def _is_not_signed(case: Case) -> str | None:
    if received_on(case.session, case.finding) is not None:
        return _("The receipt is signed already.")
    return None


def _in_objection_days(case: Case) -> str | None:
    received = received_on(case.session, case.finding)
    if received is None:
        return _("Sign the receipt first: the days for an objection count from it.")
    days = number_on(case.session, deadline.OBJECTION, received)
    if days is None:
        return None
    finding = case.finding
    elapsed = working_days_between(case.session, received, case.day, county_id=finding.county_id)
    if elapsed > days:
        return _(
            "An objection is possible within %(days)s working days of the receipt on %(day)s;"
            " %(elapsed)s have passed.",
            days=days,
            day=format_date(received),
            elapsed=elapsed,
        )
    return None


def _closes_on_evidence(case: Case) -> str | None:
    finding = case.finding
    if finding.closing == "return_visit" and not finding.is_self_found:
        return _("This finding closes only by an on-site return visit.")
    return None


def _was_never_objected(case: Case) -> str | None:
    query = select(FindingStep.id).where(
        FindingStep.finding_id == case.finding.id, FindingStep.step == "dismiss"
    )
    if case.session.scalars(query.limit(1)).first() is not None:
        return _("An objection to this finding was decided already.")
    return None


def _states(*states: FindingState) -> frozenset[str]:
    return frozenset(str(state) for state in states)


_OPEN, _SERVED = _states(FindingState.OPEN), _states(FindingState.SERVED)
_OBJECTED, _CLAIMED = _states(FindingState.OBJECTED), _states(FindingState.CLAIMED)
_CLOSED = _states(FindingState.CLOSED)
_NOTE, _EVIDENCE = frozenset({"note"}), frozenset({"evidence"})

STEPS: Final[Sequence[Step]] = (
    Step("serve", _OPEN, FindingState.SERVED, Side.INSPECTOR, rules=(_order_is_due,)),
    Step(
        "receive", _SERVED, FindingState.SERVED, Side.INSPECTED, rules=(_is_served, _is_not_signed)
    ),
    Step(
        "object",
        _SERVED,
        FindingState.OBJECTED,
        Side.INSPECTED,
        _NOTE,
        (_is_found_by_others, _was_never_objected, _in_objection_days),
    ),
    Step("uphold", _OBJECTED, FindingState.WITHDRAWN, Side.OTHER, _NOTE),
    Step("dismiss", _OBJECTED, FindingState.SERVED, Side.OTHER, _NOTE),
    Step(
        "claim",
        _SERVED,
        FindingState.CLAIMED,
        Side.INSPECTED,
        _EVIDENCE,
        (_is_found_by_others,),
    ),
    Step("verify", _CLAIMED, FindingState.CLOSED, Side.INSPECTOR, _NOTE),
    Step("reopen", _CLAIMED, FindingState.SERVED, Side.INSPECTOR, _NOTE),
    Step("accept", _CLAIMED, FindingState.CLOSED, Side.OTHER, rules=(_closes_on_evidence,)),
    Step("close", _OPEN | _SERVED, FindingState.CLOSED, Side.LEADER, _EVIDENCE),
    Step("confirm", _CLOSED, FindingState.CLOSED, Side.VISIT),
    Step("recall", _CLOSED, FindingState.SERVED, Side.VISIT, _NOTE),
    Step("withdraw", _OPEN, FindingState.WITHDRAWN, Side.RECORD),
)
STEP: Final[Mapping[str, Step]] = MappingProxyType({step.key: step for step in STEPS})
RETURN_VISIT: Final = frozenset({"verify", "reopen"})


def refusal(step: Step, case: Case, *, complete: bool = True) -> str | None:
    """Return in words why the step is not allowed; None where it is.

    Without `complete`, what has to be typed in (note, evidence) is not asked for yet.
    """
    if case.finding.state not in step.from_states:
        return _not_from_here(step, case)
    if not is_of_side(case, step.who):
        return _("“%(step)s” is for %(who)s.", step=step.title, who=str(SIDE_TITLES[step.who]))
    for rule in step.rules:
        reason = rule(case)
        if reason is not None:
            return reason
    return _lacking(step, case) if complete else None


def possible(case: Case) -> list[Step]:
    """Return the steps that somebody, though not everybody, may take by hand now."""
    return [step for step in STEPS if _is_possible(step, case)]


def _is_possible(step: Step, case: Case) -> bool:
    if case.finding.state not in step.from_states or step.who in BY_RECORD:
        return False
    is_for_us = step.who is not Side.LEADER or case.finding.is_self_found
    return is_for_us and not any(rule(case) for rule in step.rules)


def allowed(case: Case) -> list[Step]:
    """Return the steps that the hand may take now."""
    return [step for step in STEPS if refusal(step, case, complete=False) is None]


def require(step: Step, case: Case) -> None:
    """Refuse the step with the reason where it is not allowed."""
    reason = refusal(step, case)
    if reason is not None:
        raise Refused(reason)


def _not_from_here(step: Step, case: Case) -> str:
    state = case.finding.state
    others = [
        _("%(step)s (%(who)s)", step=other.title, who=str(SIDE_TITLES[other.who]))
        for other in possible(case)
    ]
    if not others:
        return _(
            "“%(step)s” is not possible: the finding is %(state)s, and nothing can follow.",
            step=step.title,
            state=str(STATE_TITLES.get(state, state)),
        )
    return _(
        "“%(step)s” is not possible: the finding is %(state)s. Possible now: %(possible)s.",
        step=step.title,
        state=str(STATE_TITLES.get(state, state)),
        possible=_("; ").join(others),
    )


def _lacking(step: Step, case: Case) -> str | None:
    given = {
        "note": bool(case.note and case.note.strip()),
        "evidence": _has_files(case),
    }
    lacking = [str(NEED_TITLES[need]) for need in sorted(step.needs) if not given[need]]
    if lacking:
        return _("“%(step)s” needs %(needs)s.", step=step.title, needs=_(", ").join(lacking))
    return None


def _has_files(case: Case) -> bool:
    query = select(EvidenceFile.id).where(EvidenceFile.evidence_set_id == case.evidence_set_id)
    return (
        case.evidence_set_id is not None
        and case.session.scalars(query.limit(1)).first() is not None
    )
