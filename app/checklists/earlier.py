"""Find what was checked already this semester, so that it need not be asked at each visit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import (
    Answer,
    ChecklistItem,
    ChecklistVersion,
    Finding,
    FindingState,
    Inspection,
    InspectionParticipant,
    InspectionState,
    Person,
    Semester,
    Verdict,
)

ENDED = (FindingState.CLOSED, FindingState.WITHDRAWN)


@dataclass(frozen=True, slots=True)
class Earlier:
    """An item's answer of this semester: the day, the inspectors and the verdict."""

    inspection_id: int
    day: date
    people: str
    verdict: str


def semester_start(session: Session, county_id: int, day: date) -> date | None:
    """Return the first day of the semester that a day belongs to; vacations belong to the last."""
    return session.scalar(
        select(Semester.starts_on)
        .where(Semester.county_id == county_id, Semester.starts_on <= day)
        .order_by(Semester.starts_on.desc())
        .limit(1)
    )


def done_this_semester(session: Session, inspection: Inspection) -> Mapping[str, Earlier]:
    """Return by item key what an earlier inspection of the unit settled in this semester.

    An item is settled where it conformed, or where it failed and its finding has ended; while a
    finding on it is open the item returns.
    """
    since = semester_start(session, inspection.county_id, inspection.occurred_on)
    if since is None:
        return {}
    latest = _latest_answers(session, inspection, since)
    if not latest:
        return {}
    states = _finding_states(session, inspection, since)
    settled = {
        key: row
        for key, row in latest.items()
        if not states.get(key, set()) - set(ENDED)
        and (row[0] == Verdict.CONFORMS or states.get(key))
    }
    people = _inspectors(session, {row[1] for row in settled.values()})
    return {
        key: Earlier(inspection_id, day, people.get(inspection_id, ""), verdict)
        for key, (verdict, inspection_id, day) in settled.items()
    }


def _latest_answers(
    session: Session, inspection: Inspection, since: date
) -> dict[str, tuple[str, int, date]]:
    query = (
        select(ChecklistItem.key, Answer.verdict, Inspection.id, Inspection.occurred_on)
        .join(Answer, Answer.item_id == ChecklistItem.id)
        .join(Inspection, Inspection.id == Answer.inspection_id)
        .join(ChecklistVersion, ChecklistVersion.id == ChecklistItem.version_id)
        .where(
            ChecklistVersion.checklist_id == inspection.checklist_version.checklist_id,
            ChecklistItem.frequency == "semester",
            Inspection.school_id == inspection.school_id
            if inspection.school_id is not None
            else Inspection.school_id.is_(None),
            Inspection.township_id == inspection.township_id,
            Inspection.state == InspectionState.SUBMITTED,
            Inspection.id != inspection.id,
            Inspection.occurred_on.between(since, inspection.occurred_on),
            Answer.verdict.in_((Verdict.CONFORMS, Verdict.FAILS)),
        )
        .order_by(Inspection.occurred_on, Inspection.id)
    )
    return {key: (verdict, number, day) for key, verdict, number, day in session.execute(query)}


def _finding_states(
    session: Session, inspection: Inspection, since: date
) -> Mapping[str, set[str]]:
    """Return the states of this semester's findings, and of older ones that are still open."""
    query = (
        select(ChecklistItem.key, Finding.state, Finding.found_on)
        .join(Finding, Finding.item_id == ChecklistItem.id)
        .join(ChecklistVersion, ChecklistVersion.id == ChecklistItem.version_id)
        .where(
            ChecklistVersion.checklist_id == inspection.checklist_version.checklist_id,
            Finding.township_id == inspection.township_id,
            Finding.school_id == inspection.school_id
            if inspection.school_id is not None
            else Finding.school_id.is_(None),
            Finding.inspection_id != inspection.id,
        )
    )
    states: dict[str, set[str]] = {}
    for key, state, found_on in session.execute(query):
        if found_on >= since or state not in ENDED:
            states.setdefault(key, set()).add(state)
    return states


def _inspectors(session: Session, inspection_ids: Iterable[int]) -> Mapping[int, str]:
    query = (
        select(InspectionParticipant.inspection_id, Person.name)
        .join(Person, Person.id == InspectionParticipant.person_id)
        .where(InspectionParticipant.inspection_id.in_(list(inspection_ids)))
        .order_by(InspectionParticipant.id)
    )
    names: dict[int, list[str]] = {}
    for inspection_id, name in session.execute(query):
        names.setdefault(inspection_id, []).append(name)
    return {inspection_id: _(", ").join(people) for inspection_id, people in names.items()}
