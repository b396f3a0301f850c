"""Judge obligations as of a day: met, late, missed, pending or excused (督导任务完成情况)."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from sqlalchemy import ColumnElement, Select, case, func, or_, select
from sqlalchemy.orm import Session

from app.cadence.judge import Judge, end_of, judged_days, load_judge
from app.cadence.serving import LATE, MET, NOTHING, WAITING, best_visits
from app.cadence.vacancy import is_vacant
from app.models import Obligation


class Fulfilment(StrEnum):
    """How an obligation stands on the judging day."""

    MET = "met"
    LATE = "late"
    PENDING = "pending"
    MISSED = "missed"
    EXCUSED = "excused"


def judged(judge: Judge, *among: ColumnElement[bool]) -> Select:
    """Select the obligations between the two days with how each stands, in one statement.

    `among` narrows them by conditions on Obligation.
    Columns: those of Obligation's key and scope, `due_on`, `person_id`, `status`, `done_on` (the
    day of the best visit) and `is_joint` (another capacity took part in it). The best visit wins;
    one that is typed in by another counts once a participant or the school confirmed it.
    """
    days = judged_days(judge)
    best = best_visits(judge, days, *among).subquery("best")
    rank = func.coalesce(best.c.rank, NOTHING)
    status = case(
        (rank == MET, Fulfilment.MET),
        (rank == LATE, Fulfilment.LATE),
        (Obligation.excused_at < end_of(judge.as_of), Fulfilment.EXCUSED),
        (or_(rank == WAITING, Obligation.due_on >= judge.as_of), Fulfilment.PENDING),
        (is_vacant(judge, days), Fulfilment.EXCUSED),
        else_=Fulfilment.MISSED,
    )
    return (
        select(
            Obligation.id,
            Obligation.type_key,
            Obligation.capacity,
            Obligation.township_id,
            Obligation.school_id,
            Obligation.period_start,
            Obligation.period_end,
            Obligation.due_on,
            Obligation.person_id,
            status.label("status"),
            case((rank < NOTHING, best.c.done_on)).label("done_on"),
            case((rank < NOTHING, best.c.is_joint)).label("is_joint"),
        )
        .outerjoin(best, best.c.obligation_id == Obligation.id)
        .where(
            Obligation.period_start.between(judge.first, judge.last),
            Obligation.period_start <= judge.as_of,
            *among,
        )
    )


def status_of(session: Session, obligation: Obligation, as_of: date) -> Fulfilment:
    """Return how one obligation stands on a day; before its period it is pending."""
    first = obligation.period_start
    judge = load_judge(session, as_of, first, max(first, obligation.period_end))
    one = judged(judge).where(Obligation.id == obligation.id).subquery()
    return Fulfilment(session.scalars(select(one.c.status)).first() or Fulfilment.PENDING)
