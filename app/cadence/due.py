"""Select how the inspections due in a window stand, for the sections and rules of plugins."""

from __future__ import annotations

from datetime import date
from types import MappingProxyType
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.cadence.calendar import Calendar
from app.cadence.coverage import LONGEST
from app.cadence.fulfilment import judged
from app.cadence.judge import Judge, load_judge
from app.parameters.value import Parameters
from app.parameters.window import Window


def judge_of(session: Session, as_of: date, first: date, last: date) -> Judge:
    """Read what judges the obligations that are due between two days."""
    return load_judge(session, as_of, first - LONGEST, last)


def obligations_due(window: Window) -> Select[Any]:
    """Select what is due in a window, with how each stands: met, late, missed, pending, excused.

    Columns: `id`, `type_key`, `capacity`, `township_id`, `school_id`, `period_start`,
    `period_end`, `due_on`, `person_id`, `status`, `done_on`, `is_joint`.
    """
    due = judged(window.judge() or _untold(window)).subquery("judged")
    return select(due).where(due.c.due_on.between(window.start, window.end))


def _untold(window: Window) -> Judge:
    """Return what judges by weekdays alone: a select that is only tried asks no database."""
    nothing = Parameters(MappingProxyType({}))
    return Judge(window.as_of, window.start, window.end, Calendar(), nothing, {})
