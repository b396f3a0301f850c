"""Hold the state table of findings as data: which step, from where, by whom, with what."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Protocol

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.base import Refused
from app.cadence.calendar import working_days_between
from app.models import (
    Appointment,
    EvidenceFile,
    Finding,
    FindingState,
    FindingStep,
    InspectionParticipant,
)
from app.parameters.value import number_on

SELF = 1
TOWNSHIP = 2
INSPECTORS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "township_cadre": TOWNSHIP,
        "education_assistant": TOWNSHIP,
        "township_leader": TOWNSHIP,
        "liaison_department": 3,
        "liaison_leader": 4,
        "supervision_office": 5,
        "task_group": 6,
    }
)
"""The roles that inspect, each with the rank of its unit: the same rank is the same unit."""
SCHOOL_SIDE: Final = frozenset({"school_leader", "school_clerk"})
TOWNSHIP_SIDE: Final = frozenset({"township_leader", "township_clerk"})
SELF_INSPECTION_ORDER: Final = "rectification_order"


class Side(StrEnum):
    """Who may take a step: which party, and how far from the finding."""

    INSPECTOR = "inspector"
    """The finder's unit or one above; the school's leaders where they found it themselves."""
    INSPECTED = "inspected"
    """The inspected school or township."""
    OTHER = "other"
    """The finder's unit or one above, but not the finder."""
    LEADER = "leader"
    """A school leader, for what the school found itself."""
    RECORD = "record"
    """Nobody by hand: only a correction of the inspection record."""


@dataclass(frozen=True, slots=True)
class Hand:
    """Name who takes a step: the person, and the appointment under which he acts."""

    person_id: int | None
    appointment_id: int | None
    template: str

    @property
    def rank(self) -> int:
        """Return the rank of the unit he inspects for; 0 where he does not inspect."""
        return INSPECTORS.get(self.template, 0)


class Acting(Protocol):
    """An appointment, as a row or as the request holds it."""

    @property
    def id(self) -> int:
        """Return its key."""

    @property
    def person_id(self) -> int:
        """Return who holds it."""

    @property
    def template(self) -> str:
        """Return its role."""


def hand_of(appointment: Acting | None) -> Hand:
    """Return the hand of an appointment; nobody's where there is none."""
    if appointment is None:
        return Hand(None, None, "")
    return Hand(appointment.person_id, appointment.id, appointment.template)


@dataclass(frozen=True, slots=True)
class Case:
    """Hold all that a rule of the table looks at."""

    session: Session
    finding: Finding
    hand: Hand
    day: date
    note: str | None = None
    evidence_set_id: int | None = None


Rule = Callable[[Case], str | None]
"""Return why the step is refused; None where it is allowed."""


@dataclass(frozen=True, slots=True)
class Step:
    """Describe one line of the table."""

    key: str
    title: str
    from_states: frozenset[str]
    to_state: str
    who: Side
    needs: frozenset[str] = frozenset()
    """What must come with it: ``note``, ``evidence``."""
    rules: tuple[Rule, ...] = ()


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
SIDE_TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        Side.INSPECTOR: _l("the finder's unit or one above it"),
        Side.INSPECTED: _l("the inspected school or township"),
        Side.OTHER: _l("somebody of the finder's unit or above, other than the finder"),
        Side.LEADER: _l("a leader of the school"),
        Side.RECORD: _l("nobody by hand, only a correction of the inspection record"),
    }
)
NEED_TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {"note": _l("a note"), "evidence": _l("evidence")}
)


def finder_rank(session: Session, finding: Finding) -> int:
    """Return the rank of the unit that found it: by capacity, else by the finder's appointment."""
    if finding.is_self_found:
        return SELF
    capacity = session.scalars(
        select(InspectionParticipant.capacity).where(
            InspectionParticipant.inspection_id == finding.inspection_id,
            InspectionParticipant.person_id == finding.found_by_id,
        )
    ).first()
    if capacity is None:
        capacity = session.scalars(
            select(Appointment.template)
            .join(FindingStep, FindingStep.appointment_id == Appointment.id)
            .where(FindingStep.finding_id == finding.id)
            .order_by(FindingStep.id)
            .limit(1)
        ).first()
    return INSPECTORS.get(capacity or "", TOWNSHIP)


def is_of_side(case: Case, side: Side) -> bool:
    """Tell whether the hand belongs to the side that may take the step."""
    finding, hand = case.finding, case.hand
    if hand.person_id is None or side is Side.RECORD:
        return False
    if side is Side.INSPECTED:
        inspected = SCHOOL_SIDE if finding.school_id else TOWNSHIP_SIDE
        return hand.template in inspected and not _inspected_it(case)
    if side is Side.LEADER:
        return hand.template == "school_leader" and finding.is_self_found
    if finding.is_self_found and hand.template in SCHOOL_SIDE:
        return side is Side.INSPECTOR
    if hand.rank < finder_rank(case.session, finding):
        return False
    return side is Side.INSPECTOR or hand.person_id != finding.found_by_id


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


def _inspected_it(case: Case) -> bool:
    finding = case.finding
    return not finding.is_self_found and case.hand.person_id == finding.found_by_id


def _order_is_due(case: Case) -> str | None:
    if case.finding.is_self_found and case.day <= case.finding.found_on:
        return _(
            "What the school found itself is ordered in writing only if it stays open overnight."
        )
    return None


def _is_found_by_others(case: Case) -> str | None:
    if case.finding.is_self_found:
        return _("What the school found itself is closed by a leader of the school, with evidence.")
    return None


def _is_not_signed(case: Case) -> str | None:
    if received_on(case.session, case.finding) is not None:
        return _("The receipt is signed already.")
    return None


def _in_objection_days(case: Case) -> str | None:
    received = received_on(case.session, case.finding)
    if received is None:
        return _("Sign the receipt first: the days for an objection count from it.")
    days = number_on(case.session, "core.objection_days", received)
    if days is None:
        return None
    finding = case.finding
    elapsed = working_days_between(case.session, received, case.day, county_id=finding.county_id)
    if elapsed > days:
        return _(
            "An objection is possible within %(days)s working days of the receipt on %(day)s;"
            " %(elapsed)s have passed.",
            days=days,
            day=received.isoformat(),
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
_NOTE, _EVIDENCE = frozenset({"note"}), frozenset({"evidence"})

STEPS: Final[Sequence[Step]] = (
    Step("serve", _l("Serve"), _OPEN, FindingState.SERVED, Side.INSPECTOR, rules=(_order_is_due,)),
    Step(
        "receive",
        _l("Sign the receipt"),
        _SERVED,
        FindingState.SERVED,
        Side.INSPECTED,
        rules=(_is_not_signed,),
    ),
    Step(
        "object",
        _l("Object"),
        _SERVED,
        FindingState.OBJECTED,
        Side.INSPECTED,
        _NOTE,
        (_is_found_by_others, _was_never_objected, _in_objection_days),
    ),
    Step(
        "uphold", _l("Uphold the objection"), _OBJECTED, FindingState.WITHDRAWN, Side.OTHER, _NOTE
    ),
    Step("dismiss", _l("Dismiss the objection"), _OBJECTED, FindingState.SERVED, Side.OTHER, _NOTE),
    Step(
        "claim",
        _l("Claim the rectification"),
        _SERVED,
        FindingState.CLAIMED,
        Side.INSPECTED,
        _EVIDENCE,
        (_is_found_by_others,),
    ),
    Step(
        "verify",
        _l("Return visit: rectified"),
        _CLAIMED,
        FindingState.CLOSED,
        Side.INSPECTOR,
        _NOTE,
    ),
    Step(
        "reopen",
        _l("Return visit: not rectified"),
        _CLAIMED,
        FindingState.SERVED,
        Side.INSPECTOR,
        _NOTE,
    ),
    Step(
        "accept",
        _l("Accept the evidence"),
        _CLAIMED,
        FindingState.CLOSED,
        Side.OTHER,
        rules=(_closes_on_evidence,),
    ),
    Step(
        "close",
        _l("Close what the school found itself"),
        _OPEN | _SERVED | _CLAIMED,
        FindingState.CLOSED,
        Side.LEADER,
        _EVIDENCE,
    ),
    Step("withdraw", _l("Withdraw"), _OPEN, FindingState.WITHDRAWN, Side.RECORD),
)
STEP: Final[Mapping[str, Step]] = MappingProxyType({step.key: step for step in STEPS})
RETURN_VISIT: Final = frozenset({"verify", "reopen"})
STEP_TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {"find": _l("Found"), "amend": _l("Facts corrected")} | {step.key: step.title for step in STEPS}
)


def refusal(step: Step, case: Case, *, complete: bool = True) -> str | None:
    """Return in words why the step is not allowed; None where it is.

    Without `complete`, what has to be typed in (note, evidence) is not asked for yet.
    """
    if case.finding.state not in step.from_states:
        return _not_from_here(step, case)
    if not is_of_side(case, step.who):
        return _("“%(step)s” is for %(who)s.", step=str(step.title), who=str(SIDE_TITLES[step.who]))
    for rule in step.rules:
        reason = rule(case)
        if reason is not None:
            return reason
    return _lacking(step, case) if complete else None


def possible(state: str) -> list[Step]:
    """Return the steps that somebody may take from a state."""
    return [step for step in STEPS if state in step.from_states and step.who is not Side.RECORD]


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
        _("%(step)s (%(who)s)", step=str(other.title), who=str(SIDE_TITLES[other.who]))
        for other in possible(state)
    ]
    if not others:
        return _(
            "“%(step)s” is not possible: the finding is %(state)s, and nothing can follow.",
            step=str(step.title),
            state=str(STATE_TITLES.get(state, state)),
        )
    return _(
        "“%(step)s” is not possible: the finding is %(state)s. Possible now: %(possible)s.",
        step=str(step.title),
        state=str(STATE_TITLES.get(state, state)),
        possible="; ".join(others),
    )


def _lacking(step: Step, case: Case) -> str | None:
    given = {
        "note": bool(case.note and case.note.strip()),
        "evidence": _has_files(case),
    }
    lacking = [str(NEED_TITLES[need]) for need in sorted(step.needs) if not given[need]]
    if lacking:
        return _("“%(step)s” needs %(needs)s.", step=str(step.title), needs=", ".join(lacking))
    return None


def _has_files(case: Case) -> bool:
    query = select(EvidenceFile.id).where(EvidenceFile.evidence_set_id == case.evidence_set_id)
    return (
        case.evidence_set_id is not None
        and case.session.scalars(query.limit(1)).first() is not None
    )
