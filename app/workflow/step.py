"""Take the steps of the state table, one at a time, and write each down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from types import MappingProxyType
from typing import Final

from flask_babel import format_date
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.base import Refused
from app.models import Finding, FindingState, FindingStep, ReturnVisit
from app.workflow import deadline, paper
from app.workflow.party import Case, Hand, recording_hand
from app.workflow.state import RETURN_VISIT, STEP, require


def take(
    session: Session,
    finding: Finding,
    key: str,
    hand: Hand,
    *,
    note: str | None = None,
    evidence_set_id: int | None = None,
    day: date | None = None,
) -> FindingStep:
    """Take one step of the state table, or refuse it with the reason.

    The step is written down with the state before and after and the due day that then holds.
    """
    if key in RETURN_VISIT:
        raise ValueError(key)
    day = day or clock.today()
    return _take(key, Case(session, finding, hand, day, note, evidence_set_id))


def visit_again(
    session: Session,
    finding: Finding,
    hand: Hand,
    *,
    is_rectified: bool,
    note: str,
    is_on_site: bool = True,
    visited_on: date | None = None,
    inspection_id: int | None = None,
    evidence_set_id: int | None = None,
) -> ReturnVisit:
    """Record a return visit 回访督导: it closes the finding, or opens the rectification again."""
    day = visited_on or clock.today()
    if not is_on_site:
        _refuse_from_afar(finding, is_rectified=is_rectified)
    visit = ReturnVisit(
        finding_id=finding.id,
        inspection_id=inspection_id,
        visited_on=day,
        person_id=hand.person_id,
        is_on_site=is_on_site,
        is_rectified=is_rectified,
        note=note,
        evidence_set_id=evidence_set_id,
        **place(finding),
    )
    key = "verify" if is_rectified else "reopen"
    _take(key, Case(session, finding, hand, day, note, evidence_set_id))
    session.add(visit)
    session.flush()
    return visit


def follow_record(
    session: Session, finding: Finding, key: str, note: str | None = None
) -> FindingStep:
    """Take a step that only the record of an inspection leads to; the record is its authority."""
    if finding.state not in STEP[key].from_states:
        raise ValueError(f"{key} from {finding.state}")
    return _follow(key, Case(session, finding, recording_hand(), clock.today(), note))


def record(key: str, case: Case, to_state: str) -> FindingStep:
    """Write a step down and put the finding into its new state."""
    finding = case.finding
    step = FindingStep(
        finding_id=finding.id,
        step=key,
        from_state=finding.state,
        to_state=to_state,
        happened_on=case.day,
        happened_at=clock.now(),
        person_id=case.hand.person_id,
        appointment_id=case.hand.appointment_id,
        note=case.note or None,
        due_on=finding.due_on,
        evidence_set_id=case.evidence_set_id,
        **place(finding),
    )
    finding.state = to_state
    case.session.add(step)
    case.session.flush()
    return step


def _take(key: str, case: Case) -> FindingStep:
    _refuse_impossible_day(case)
    require(STEP[key], case)
    return _follow(key, case)


def _follow(key: str, case: Case) -> FindingStep:
    """Let the finding take a step that is allowed, with what follows from it."""
    follow = _FOLLOW.get(key)
    if follow is not None:
        follow(case.session, case.finding, case.day)
    return record(key, case, STEP[key].to_state)


def _refuse_from_afar(finding: Finding, *, is_rectified: bool) -> None:
    """Refuse to verify on paper: that is to accept the evidence, which the finder may not."""
    if finding.closing == "return_visit":
        raise Refused(_("This finding closes only by an on-site return visit."))
    if is_rectified:
        raise Refused(
            _(
                "Nobody was on site. Evidence on paper is accepted by somebody other than the"
                " finder: “%(step)s”.",
                step=STEP["accept"].title,
            )
        )


def _refuse_impossible_day(case: Case) -> None:
    if case.day > clock.today():
        raise Refused(_("The day lies in the future."))
    earliest = _last_step_on(case.session, case.finding) or case.finding.found_on
    if case.day < earliest:
        raise Refused(_("The day lies before %(day)s.", day=format_date(earliest)))


def _on_serve(session: Session, finding: Finding, day: date) -> None:
    finding.due_on = deadline.rectification_due(session, finding, day)


def _on_receive(session: Session, finding: Finding, day: date) -> None:
    if finding.reopened:  # its term counts from the day on which it was opened again
        return
    served_on = _last_step_on(session, finding, "serve")
    finding.due_on = deadline.rectification_due(session, finding, day, served_on)


def _on_dismiss(session: Session, finding: Finding, day: date) -> None:
    stopped_on = _last_step_on(session, finding, "object") or day
    finding.due_on = deadline.resumed_due(session, finding, stopped_on, day)


def _on_claim(_session: Session, finding: Finding, day: date) -> None:
    finding.claimed_on = day


def _on_close(session: Session, finding: Finding, day: date) -> None:
    finding.closed_on = day
    if finding.state == FindingState.OPEN:
        paper.release(session, finding)


def _on_reopen(session: Session, finding: Finding, day: date) -> None:
    finding.reopened += 1
    finding.claimed_on = None
    finding.closed_on = None
    finding.due_on = deadline.rectification_due(session, finding, day)


_FOLLOW: Final[Mapping[str, Callable[[Session, Finding, date], None]]] = MappingProxyType(
    {
        "serve": _on_serve,
        "receive": _on_receive,
        "dismiss": _on_dismiss,
        "claim": _on_claim,
        "verify": _on_close,
        "accept": _on_close,
        "close": _on_close,
        "reopen": _on_reopen,
        "recall": _on_reopen,
    }
)


def _last_step_on(session: Session, finding: Finding, key: str | None = None) -> date | None:
    query = select(FindingStep.happened_on).where(FindingStep.finding_id == finding.id)
    if key is not None:
        query = query.where(FindingStep.step == key)
    return session.scalars(query.order_by(FindingStep.id.desc()).limit(1)).first()


def place(row: Finding) -> dict[str, int | None]:
    """Return the scope columns that rows about a finding copy from it."""
    return {
        "county_id": row.county_id,
        "township_id": row.township_id,
        "school_id": row.school_id,
    }
