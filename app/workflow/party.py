"""Say who acts on a finding, and which party that makes him: finder's unit, inspected, other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Protocol

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.base import actor
from app.models import Appointment, Finding, FindingStep, InspectionParticipant

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
    VISIT = "visit"
    """Nobody by hand: only the record of an outside visit that drew the finding."""


BY_RECORD: Final = frozenset({Side.RECORD, Side.VISIT})
"""Sides whose steps follow from a record; nobody takes them."""
SIDE_TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        Side.INSPECTOR: _l("the finder's unit or one above it"),
        Side.INSPECTED: _l("the inspected school or township"),
        Side.OTHER: _l("somebody of the finder's unit or above, other than the finder"),
        Side.LEADER: _l("a leader of the school"),
        Side.RECORD: _l("nobody by hand, only a correction of the inspection record"),
        Side.VISIT: _l("nobody by hand, only the record of an outside visit"),
    }
)


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


def recording_hand() -> Hand:
    """Return whoever is acting now, for steps that follow from a record, whatever his role."""
    return Hand(actor.get().person_id, actor.get().appointment_id, "")


@dataclass(frozen=True, slots=True)
class Case:
    """Hold all that a rule of the table looks at."""

    session: Session
    finding: Finding
    hand: Hand
    day: date
    note: str | None = None
    evidence_set_id: int | None = None


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
    if hand.person_id is None or side in BY_RECORD:
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


def _inspected_it(case: Case) -> bool:
    finding = case.finding
    return not finding.is_self_found and case.hand.person_id == finding.found_by_id
