"""Say what an approval rests on: one select, which the rules and the gate read alike."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, case, distinct, exists, func, literal, or_, select

from app.kit import EvidenceFile, Session, Settings, Visit, _, is_joint

from .kinds import CONSENT, FORMS, HOSPITAL, MEDICAL, NUMBERED, PAPERS, PROOFS, RULING
from .models import SuspensionCase, SuspensionPaper

# Read from the tables: whoever sees the case sees what it rests on.
_PAPER = SuspensionPaper.__table__
_FILE = EvidenceFile.__table__


def grounds(day: Any, settings: Settings) -> Select[Any]:
    """Select each case with the joint visits before a day, those asked for, and its papers."""
    papers = (has_paper(kind, day).label(kind) for kind in PAPERS)
    return select(
        SuspensionCase.id.label("case_id"),
        SuspensionCase.child_id,
        SuspensionCase.school_id,
        SuspensionCase.township_id,
        SuspensionCase.approved_on,
        joint_visits(day).label("joint_visits"),
        case(
            (SuspensionCase.renews_id.is_not(None), literal(settings.renewal_joint_visits)),
            else_=literal(settings.joint_visits),
        ).label("joint_visits_required"),
        *papers,
    )


def joint_visits(day: Any) -> ColumnElement[int]:
    """Count the days of joint visits from the first that counts to the one before a day."""
    visits = select(func.count(distinct(Visit.visited_on))).where(in_time(Visit, day), is_joint())
    return visits.correlate(SuspensionCase).scalar_subquery()


def in_time(visit: type[Visit], day: Any) -> ColumnElement[bool]:
    """Tell whether a visit lies in the time whose joint visits an approval on a day rests on."""
    return (
        (visit.child_id == SuspensionCase.child_id)
        & (visit.visited_on >= SuspensionCase.counted_from)
        & (visit.visited_on < day)
    )


def has_paper(kind: str, day: Any) -> ColumnElement[bool]:
    """Tell whether a paper lies in the file; one from outside has its number and came in time."""
    held = (
        exists()
        .where(
            _PAPER.c.case_id == SuspensionCase.id,
            _PAPER.c.kind == kind,
            _FILE.c.evidence_set_id == _PAPER.c.evidence_set_id,
            _FILE.c.dropped_at.is_(None),
        )
        .correlate(SuspensionCase)
    )
    if kind in NUMBERED:
        held = held.where(_PAPER.c.number.is_not(None), _PAPER.c.dated_on <= day)
    return case((held, True), else_=False)


def missing(
    session: Session, record: SuspensionCase, day: date, settings: Settings
) -> Sequence[str]:
    """Return in words what an approval of a case on a day lacks; nothing where all holds."""
    query = grounds(literal(day), settings).where(SuspensionCase.id == record.id)
    found = session.execute(query).one()._mapping
    if record.kind in MEDICAL:
        return _papers_missing(found, (HOSPITAL,))
    lacking = _papers_missing(found, (*FORMS, *PROOFS, CONSENT))
    if found["joint_visits"] < found["joint_visits_required"] and not found[RULING]:
        visits = _(
            "Joint visits before the approval: %(observed)s of %(required)s, and no ruling "
            "of a court",
            observed=found["joint_visits"],
            required=found["joint_visits_required"],
        )
        return [*lacking, visits]
    return lacking


def _papers_missing(found: Any, kinds: Sequence[str]) -> list[str]:
    return [_("Paper missing: %(paper)s", paper=PAPERS[kind]) for kind in kinds if not found[kind]]


def lacks_route(rows: Any) -> ColumnElement[bool]:
    """Tell whether neither enough joint visits nor a ruling carry the approval."""
    return (rows.joint_visits < rows.joint_visits_required) & ~rows[RULING]


def held_among(rows: Any, kinds: Sequence[str]) -> ColumnElement[int]:
    """Count the papers among some kinds that lie in the file."""
    ones = (case((rows[kind], 1), else_=0) for kind in kinds)
    return sum(ones, start=literal(0))


def lacks_any(rows: Any, kinds: Sequence[str]) -> ColumnElement[bool]:
    """Tell whether one of some kinds of papers is missing."""
    return or_(*(~rows[kind] for kind in kinds))
