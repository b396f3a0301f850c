"""Judge obligations as of a day: met, late, missed, pending or excused (督导任务完成情况)."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import ColumnElement, Select, case, func, or_, select

from app.cadence.judge import Judge, judged_days
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
        (Obligation.excused_by_id.is_not(None), Fulfilment.EXCUSED),
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
