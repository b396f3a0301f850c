"""Take note of violations, explain them, or waive them until a day; only a rule resolves them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any, Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from app import clock
from app.base import Refused
from app.models import Violation, ViolationState, ViolationStep
from app.workflow.party import Hand

STATES: Final[Mapping[str, Any]] = MappingProxyType(
    {
        str(ViolationState.OPEN): _l("Nobody has dealt with it"),
        str(ViolationState.ACKNOWLEDGED): _l("Noted"),
        str(ViolationState.EXPLAINED): _l("Explained"),
        str(ViolationState.WAIVED): _l("Waived"),
        str(ViolationState.RESOLVED): _l("Resolved"),
    }
)
TAKEN: Final[Mapping[str, Any]] = MappingProxyType(
    {**STATES, str(ViolationState.OPEN): _l("Stands again")}
)
"""What a step did, in words."""
NOTED: Final = frozenset({ViolationState.EXPLAINED, ViolationState.WAIVED})
"""States that need a reason."""
LONGEST_WAIVER: Final = timedelta(days=366)


def refusal_of(violation: Violation, state: ViolationState) -> str | None:
    """Return why a violation cannot take a state now; None where it can."""
    if violation.resolved_on is not None:
        return _("It is resolved already; nothing is to be done.")
    if state is ViolationState.ACKNOWLEDGED and violation.state != ViolationState.OPEN:
        return _("Somebody has taken note of it already.")
    if state is ViolationState.EXPLAINED and violation.state == ViolationState.WAIVED:
        return _("It is waived; no explanation is needed.")
    return None


def may_waive(violation: Violation, hand: Hand) -> bool:
    """Tell whether somebody may waive it: nobody waives what he himself has explained."""
    explained = (step for step in violation.steps if step.state == ViolationState.EXPLAINED)
    return all(step.person_id != hand.person_id for step in explained)


def take(
    session: Session,
    violation: Violation,
    state: ViolationState,
    hand: Hand,
    *,
    note: str | None = None,
    until: date | None = None,
) -> None:
    """Let a violation take a state, with who did it, why, and until when."""
    reason = refusal_of(violation, state) or _refusal_of_words(state, note, until)
    if state is ViolationState.WAIVED and not may_waive(violation, hand):
        reason = _("Who has explained it does not waive it himself.")
    if reason:
        raise Refused(reason)
    violation.state = state
    violation.waived_until = until if state is ViolationState.WAIVED else None
    session.add(
        ViolationStep(
            violation=violation,
            state=state,
            note=note,
            until=violation.waived_until,
            person_id=hand.person_id,
            appointment_id=hand.appointment_id,
            happened_at=clock.now(),
            county_id=violation.county_id,
            township_id=violation.township_id,
            school_id=violation.school_id,
        )
    )
    session.flush()


def _refusal_of_words(state: ViolationState, note: str | None, until: date | None) -> str | None:
    if state in NOTED and not note:
        return _("Say why.")
    if state is not ViolationState.WAIVED:
        return None
    today = clock.today()
    if until is None or until < today:
        return _("A waiver ends on a day that is not over: choose its last day.")
    if until > today + LONGEST_WAIVER:
        return _("A waiver lasts one year at most: choose an earlier day.")
    return None
