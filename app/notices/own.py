"""Select what the core knows to be due: inspections, steps of findings, visits, leave papers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final, Literal

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select, true
from sqlalchemy.orm import aliased

from app.cadence.coverage import LONGEST
from app.cadence.fulfilment import Fulfilment, judged
from app.cadence.judge import load_judge
from app.extensions import db
from app.models import (
    Appointment,
    Child,
    ChildStatus,
    Finding,
    FindingState,
    FindingStep,
    InspectionParticipant,
    Leave,
    Obligation,
    SchoolClass,
    Visit,
)
from app.notices.due import DueKind, due_columns
from app.parameters.settings import Settings
from app.parameters.value import value_at
from app.parameters.window import Window
from app.workflow.deadline import DECISION, FEEDBACK, RETURN_VISIT
from app.workflow.leave import PAPER_DAYS

SCHOOL, TOWNSHIP, OUTSIDE_SCHOOL = "school_leader", "township_leader", "township_cadre"
"""Who answers for what a school, a township, and a child without a school have to do."""
STALE: Final = timedelta(days=60)
"""What can no longer be made good is followed for so long after its day."""


def inspections(window: Window, _settings: Settings) -> Select[Any]:
    """Select the inspections that nobody has made; those of each school day only once missed."""
    judge = load_judge(db.session(), window.as_of, window.as_of - LONGEST, window.as_of)
    one = judged(judge).subquery("judged")
    still_open = and_(
        one.c.status == Fulfilment.PENDING,
        one.c.done_on.is_(None),
        one.c.due_on >= window.as_of,
        one.c.due_on > one.c.period_start,
    )
    missed = and_(one.c.status == Fulfilment.MISSED, one.c.due_on >= window.as_of - STALE)
    columns = due_columns(
        (Obligation.__tablename__, one.c.id),
        one.c,
        one.c.due_on,
        role=one.c.capacity,
        person=one.c.person_id,
        topic=one.c.type_key,
    )
    return select(*columns).where(or_(still_open, missed))


def feedback(_window: Window, _settings: Settings) -> Select[Any]:
    """Select what inspectors found and have not fed back in writing."""
    return _of_finders(FindingState.OPEN, Finding.found_on, FEEDBACK)


def return_visit(_window: Window, _settings: Settings) -> Select[Any]:
    """Select what a school says it rectified and nobody has verified."""
    return _of_finders(FindingState.CLAIMED, Finding.claimed_on, RETURN_VISIT)


def decision(_window: Window, _settings: Settings) -> Select[Any]:
    """Select objections that are not decided; the finder does not decide on his own."""
    objected_on = (
        select(func.max(FindingStep.happened_on))
        .where(FindingStep.finding_id == Finding.id, FindingStep.step == "object")
        .correlate(Finding)
        .scalar_subquery()
    )
    return _of_finders(FindingState.OBJECTED, objected_on, DECISION, is_finder=False)


def rectification(_window: Window, _settings: Settings) -> Select[Any]:
    """Select what is served, or urgent, and not rectified; an objection stops the clock."""
    running = or_(
        Finding.state == FindingState.SERVED,
        and_(Finding.state == FindingState.OPEN, Finding.is_urgent),
    )
    columns = due_columns(
        (Finding.__tablename__, Finding.id),
        Finding,
        Finding.due_on,
        role=case((Finding.school_id.is_(None), TOWNSHIP), else_=SCHOOL),
        in_term=and_(Finding.needs_pupils, ~Finding.is_urgent),
    )
    return select(*columns).where(running, Finding.due_on.is_not(None))


def _of_finders(
    state: FindingState, since: Any, parameter: str, *, is_finder: bool = True
) -> Select[Any]:
    columns = due_columns(
        (Finding.__tablename__, Finding.id),
        Finding,
        since,
        days=value_at(parameter, since),
        role=_finder_role(),
        person=Finding.found_by_id if is_finder else None,
    )
    return select(*columns).where(Finding.state == state, ~Finding.is_self_found)


def _finder_role() -> ColumnElement[str]:
    """Return the capacity in which the finder inspected, else the office under which he wrote."""
    part, step = InspectionParticipant, FindingStep
    capacity = (
        select(func.min(part.capacity))
        .where(part.inspection_id == Finding.inspection_id, part.person_id == Finding.found_by_id)
        .correlate(Finding)
        .scalar_subquery()
    )
    office = (
        select(func.min(Appointment.template))
        .join(step, step.appointment_id == Appointment.id)
        .where(step.finding_id == Finding.id, step.step == "find")
        .correlate(Finding)
        .scalar_subquery()
    )
    return func.coalesce(capacity, office, TOWNSHIP)


def visits(_window: Window, _settings: Settings) -> Select[Any]:
    """Select children who are watched and whose newest visit names the day of the next one."""
    later = aliased(Visit)
    newer = (
        select(later.id)
        .where(
            later.child_id == Visit.child_id,
            or_(
                later.visited_on > Visit.visited_on,
                and_(later.visited_on == Visit.visited_on, later.id > Visit.id),
            ),
        )
        .correlate(Visit)
        .exists()
    )
    columns = due_columns(
        (Child.__tablename__, Child.id),
        Child,
        Visit.next_on,
        role=case((Child.school_id.is_(None), OUTSIDE_SCHOOL), else_=SCHOOL),
        person=func.coalesce(Child.school_responsible_id, Child.township_responsible_id),
    )
    return (
        select(*columns)
        .join(Visit, Visit.child_id == Child.id)
        .join(ChildStatus, ChildStatus.id == Child.status_id)
        .where(Visit.next_on.is_not(None), ChildStatus.is_monitored == true(), ~newer)
    )


def leave_papers(window: Window, _settings: Settings) -> Select[Any]:
    """Select leaves that neither a paper nor a call carries, until long after the return.

    The day of return is the first school day after the leave, unless it is noted.
    """
    days = value_at(PAPER_DAYS, Leave.starts_on)
    columns = due_columns(
        (Leave.__tablename__, Leave.id),
        Leave,
        func.coalesce(Leave.returned_on, Leave.ends_on),
        days=case((Leave.returned_on.is_(None), days + 1), else_=days),
        role=SCHOOL,
        person=SchoolClass.teacher_id,
    )
    return (
        select(*columns)
        .join(Child, Child.id == Leave.child_id)
        .outerjoin(SchoolClass, SchoolClass.id == Child.class_id)
        .where(
            Leave.evidence_set_id.is_(None),
            Leave.called_on.is_(None),
            Leave.ends_on >= window.as_of - STALE,
        )
    )


def _kind(
    name: str,
    title: Any,
    view: str,
    query: Callable[..., Select[Any]],
    clock: Literal["working_day", "school_day"] = "working_day",
) -> DueKind:
    return DueKind(f"core.{name}", title, view, query, clock)


OWN: Final = (
    _kind("inspection", _l("Inspection to make"), "ObligationView", inspections),
    _kind("feedback", _l("Written feedback to serve"), "FindingView", feedback),
    _kind("objection", _l("Objection to decide"), "FindingView", decision),
    _kind("rectification", _l("Rectification"), "FindingView", rectification),
    _kind("return_visit", _l("Return visit to make"), "FindingView", return_visit),
    _kind("visit", _l("Next visit to a child"), "ChildView", visits),
    _kind("leave_paper", _l("Leave paper to bring"), "LeaveView", leave_papers, "school_day"),
)
"""The core's own kinds, in the order of lists."""
