"""Reckon the deadlines of a finding from dated parameters; without a value there is none."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from math import ceil
from types import MappingProxyType
from typing import Final

from sqlalchemy.orm import Session

from app.cadence.calendar import load_exceptions, working_days_after, working_days_between
from app.models import Finding, FindingState, School
from app.parameters.value import number_on

FEEDBACK: Final = "core.feedback_days"
OBJECTION: Final = "core.objection_days"
DECISION: Final = "core.objection_decision_days"
RECTIFICATION: Final = "core.rectification_days"
RECTIFICATION_CAP: Final = "core.rectification_days_cap"
RETURN_VISIT: Final = "core.return_visit_days"
URGENT_HOURS: Final = "core.urgent_persuasion_hours"
URGENT_REPORT: Final = "core.urgent_report_days"
HOURS_A_DAY: Final = 24
_OTHERS_TURN: Final[Mapping[str, str]] = MappingProxyType(
    {
        FindingState.OPEN: FEEDBACK,
        FindingState.OBJECTED: DECISION,
        FindingState.CLAIMED: RETURN_VISIT,
    }
)
ONE_DAY: Final = timedelta(days=1)
LONGEST_BREAK: Final = timedelta(days=100)
"""Look this far for the next school day: no vacation is longer."""


def days_from(
    session: Session, finding: Finding, key: str, start: date, *, in_term: bool = False
) -> date | None:
    """Return the last of the working days that a parameter gives, counted after a day.

    With `in_term` the clock of what needs pupils stops in vacations.
    """
    count = number_on(session, key, start)
    if count is None:
        return None
    if in_term:
        return _after(session, finding, start, count)
    return working_days_after(session, start, count, county_id=finding.county_id)


def next_due(session: Session, finding: Finding, since: date) -> date | None:
    """Return the day by which the other side must act; `since` is the day of the last step.

    That is to serve what was found, counted from the inspection, to decide an objection, to verify
    a claim.
    """
    key = None if finding.is_self_found else _OTHERS_TURN.get(finding.state)
    if key is None:
        return None
    start = finding.found_on if key == FEEDBACK else since
    return days_from(session, finding, key, start, in_term=key == RETURN_VISIT)


def next_overdue(session: Session, finding: Finding, due: date, day: date) -> int:
    """Return the working days elapsed after the day by which the other side had to act."""
    if finding.state == FindingState.CLAIMED:
        return _elapsed(session, finding, due, day)
    return working_days_between(session, due, day, county_id=finding.county_id)


def order_from(session: Session, finding: Finding) -> date | None:
    """Return the next school day after the finding, None where the calendar knows none."""
    if finding.school_id is None:
        return None
    first = finding.found_on + ONE_DAY
    last = finding.found_on + LONGEST_BREAK
    school = session.get_one(School, finding.school_id)
    return next(load_exceptions(session, school, first, last).school_days(first, last), None)


def urgent_due(session: Session, finding: Finding, start: date) -> date | None:
    """Return the day by which an urgent finding is rectified and reported; no vacation stops it."""
    return days_from(session, finding, URGENT_REPORT, start)


def persuasion_due(session: Session, finding: Finding) -> date | None:
    """Return the day by which somebody must have gone to an absent child."""
    hours = number_on(session, URGENT_HOURS, finding.found_on)
    if hours is None or not finding.is_urgent:
        return None
    return finding.found_on + timedelta(days=ceil(hours / HOURS_A_DAY))


def rectification_due(
    session: Session, finding: Finding, start: date, served_on: date | None = None
) -> date | None:
    """Return the last day of rectification, counted after the receipt or the service.

    A late receipt does not put it off without end: it stays within the cap, counted after the
    service. The clock of what needs pupils stops in vacations, an urgent one runs from the day
    of the finding.
    """
    if finding.is_urgent:
        return urgent_due(session, finding, start if finding.reopened else finding.found_on)
    days = number_on(session, RECTIFICATION, start)
    if days is None:
        return None
    cap = number_on(session, RECTIFICATION_CAP, start)
    due = _after(session, finding, start, days if cap is None else min(days, cap))
    if cap is not None and served_on is not None:
        due = min(due, _after(session, finding, served_on, cap))
    return due


def resumed_due(
    session: Session, finding: Finding, stopped_on: date, resumed_on: date
) -> date | None:
    """Return the due day moved on by the working days for which the clock stood still."""
    if finding.due_on is None:
        return None
    stopped = _elapsed(session, finding, stopped_on, resumed_on)
    return _after(session, finding, finding.due_on, stopped)


def overdue_days(session: Session, finding: Finding, day: date) -> int:
    """Return the working days elapsed after the due day of a finding in rectification."""
    if finding.due_on is None:
        return 0
    return _elapsed(session, finding, finding.due_on, day)


def _elapsed(session: Session, finding: Finding, after: date, day: date) -> int:
    in_term = finding.needs_pupils and not finding.is_urgent
    return working_days_between(session, after, day, in_term=in_term, county_id=finding.county_id)


def _after(session: Session, finding: Finding, start: date, days: int) -> date:
    in_term = finding.needs_pupils and not finding.is_urgent
    return working_days_after(session, start, days, in_term=in_term, county_id=finding.county_id)
