"""Rank the inspections that serve obligations: in time, late, waiting to be confirmed, or not."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Select,
    SQLColumnExpression,
    Subquery,
    and_,
    case,
    exists,
    func,
    or_,
    select,
)
from sqlalchemy.orm import aliased
from sqlalchemy.sql.selectable import CTE

from app import clock
from app.base import registry
from app.cadence.judge import Judge, end_of
from app.models import (
    Inspection,
    InspectionParticipant,
    InspectionState,
    LateEntry,
    Obligation,
    RequestState,
    VisitCheck,
)

DAILY = "school_day"
MET, LATE, WAITING, NOTHING = range(4)


def best_visits(judge: Judge, days: CTE, *among: ColumnElement[bool]) -> Select:
    """Select for each obligation its best visit: its rank, its day, whether it was joint."""
    served = serving_visits(judge, days, *among)
    place = func.row_number().over(
        partition_by=served.c.obligation_id, order_by=(served.c.rank, served.c.done_on)
    )
    placed = select(served, place.label("place")).subquery()
    return select(placed).where(placed.c.place == 1)


def serving_visits(judge: Judge, days: CTE, *among: ColumnElement[bool]) -> Subquery:
    """Return each visit that falls into an obligation's period and serves it, with its rank.

    `among` narrows the obligations.
    """
    visit = _visits(judge, days)
    kinds = registry.inspection_types()
    own = [kind.key for kind in kinds if kind.cadence.match == "own_type"]
    counting = [kind.key for kind in kinds if kind.counts]
    serves = case(
        (Obligation.type_key.in_(own), visit.c.type_key == Obligation.type_key),
        else_=and_(visit.c.type_key.in_(counting), visit.c.capacity == Obligation.capacity),
    )
    return (
        select(
            Obligation.id.label("obligation_id"),
            visit.c.rank,
            visit.c.occurred_on.label("done_on"),
            visit.c.is_joint,
            visit.c.inspection_id,
        )
        .join(
            visit,
            and_(
                visit.c.school_id == Obligation.school_id,
                visit.c.occurred_on.between(Obligation.period_start, Obligation.period_end),
                serves,
            ),
        )
        .where(Obligation.period_start.between(judge.first, judge.last), *among)
        .subquery("served")
    )


def _visits(judge: Judge, days: CTE) -> CTE:
    """Return each submitted inspection of a school with its capacities and its rank."""
    end = end_of(judge.as_of)
    part, other = InspectionParticipant, aliased(InspectionParticipant)
    is_joint = exists().where(other.inspection_id == Inspection.id, other.capacity != part.capacity)
    confirmed = _earlier(part.confirmed_at, Inspection.confirmed_at)
    confirm_rank = case(
        (and_(confirmed < end, confirmed < days.c.confirmed_by), MET),
        (confirmed < end, LATE),
        (days.c.confirmed_by >= end, WAITING),
        else_=NOTHING,
    )
    ranked = case(
        (Inspection.type_key.in_(_daily_types()), _daily_rank(days, confirm_rank)),
        else_=confirm_rank,
    )
    return (
        select(
            Inspection.id.label("inspection_id"),
            Inspection.school_id,
            Inspection.type_key,
            Inspection.occurred_on,
            part.capacity,
            is_joint.label("is_joint"),
            _forgiven(judge, ranked).label("rank"),
        )
        .join(part, part.inspection_id == Inspection.id)
        .join(days, days.c.day == Inspection.occurred_on)
        .where(
            Inspection.state == InspectionState.SUBMITTED,
            Inspection.school_id.is_not(None),
            Inspection.occurred_on <= judge.as_of,
            Inspection.submitted_at < end,
            took_place(end),
        )
        .cte("visit")
    )


def took_place(by: datetime | None = None) -> ColumnElement[bool]:
    """Return, for use in a select on Inspection, whether nobody found by then that nobody came."""
    found = exists().where(
        VisitCheck.inspection_id == Inspection.id,
        VisitCheck.state == RequestState.APPROVED,
        VisitCheck.decided_at < (by or clock.now()),
    )
    return ~found.correlate_except(VisitCheck)


def _daily_types() -> list[str]:
    return [kind.key for kind in registry.inspection_types() if kind.cadence.every == DAILY]


def _daily_rank(days: CTE, confirm_rank: ColumnElement[int]) -> ColumnElement[int]:
    """Return the rank of a daily check: captured on the day, or late, or only by approval."""
    captured = func.coalesce(Inspection.captured_at, Inspection.submitted_at)
    in_time = and_(captured < days.c.ends, Inspection.submitted_at < days.c.synced_by)
    approved = exists().where(
        LateEntry.type_key == Inspection.type_key,
        LateEntry.school_id == Inspection.school_id,
        LateEntry.day == Inspection.occurred_on,
        LateEntry.state == RequestState.APPROVED,
    )
    return case(
        (in_time, confirm_rank),
        (~or_(Inspection.submitted_at < days.c.late_by, approved), NOTHING),
        (confirm_rank == MET, LATE),
        else_=confirm_rank,
    )


def _forgiven(judge: Judge, rank: ColumnElement[int]) -> ColumnElement[int]:
    """Return the rank, where what was entered for the time before the product is not late."""
    if not judge.grace:
        return rank
    until = case(judge.grace, value=Inspection.township_id)
    entered = and_(Inspection.is_backfilled, Inspection.created_at < until)
    return case((and_(rank == LATE, entered), MET), else_=rank)


def _earlier(
    one: SQLColumnExpression[datetime | None], other: SQLColumnExpression[datetime | None]
) -> ColumnElement[datetime | None]:
    return case((or_(other.is_(None), one < other), one), else_=other)
