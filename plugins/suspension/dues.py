"""Say what is due of suspensions and deferrals: the next visits, how many, and the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import Select, Subquery, and_, case, exists, func, literal, select
from sqlalchemy.orm import aliased

from app.kit import Child, DueKind, Settings, Visit, Window, _l, due_columns, earlier, is_counted

from .kinds import APPROVED
from .models import SuspensionCase
from .spans import counted, spans
from .windows import semesters, stretches, years

Windows = Callable[[Settings], Select[Any]]
DueSelect = Callable[[Window, Settings], Select[Any]]


def next_visit(_window: Window, settings: Settings) -> Select[Any]:
    """Select the running stretches since the approval or the last visit: their due day is next."""
    row, later = stretches(settings).subquery("row"), aliased(Visit)
    came = exists().where(
        later.child_id == row.c.child_id,
        later.visited_on > row.c.period_start,
        is_counted(later),
    )
    return _of_cases(row, row.c.last, literal(1)).where(~came)


def too_few_visits(windows: Windows) -> DueSelect:
    """Return the select of the running windows that have fewer visits than they ask for."""

    def found(window: Window, settings: Settings) -> Select[Any]:
        rows = windows(settings).subquery("windows")
        seen = counted(rows, rows.c.period_start, rows.c.last)
        row = select(rows, seen.label("seen")).subquery("row")
        due_on = earlier(row.c.judged_on, row.c.last_on)  # after the case no visit counts
        return _of_cases(row, due_on, row.c.required - row.c.seen).where(
            row.c.period_start <= window.as_of,
            due_on >= window.as_of,
            row.c.seen < row.c.required,
        )

    return found


def end(_window: Window, settings: Settings) -> Select[Any]:
    """Select the running cases whose end comes: the child returns, or the case is renewed."""
    row = spans(settings).subquery("row")
    return _of_cases(row, row.c.expires_on, None).where(row.c.back_on.is_(None))


def _of_cases(row: Subquery, due_on: Any, needed: Any) -> Select[Any]:
    """Select each running case with who answers: the school, or the township without one."""
    columns = due_columns(
        (SuspensionCase.__tablename__, SuspensionCase.id),
        SuspensionCase,
        due_on,
        role=case((SuspensionCase.school_id.is_(None), "township_cadre"), else_="school_leader"),
        person=func.coalesce(Child.school_responsible_id, Child.township_responsible_id),
        needed=needed,
    )
    same = (
        SuspensionCase.child_id == row.c.child_id,
        SuspensionCase.approved_on == row.c.approved_on,
    )
    return (
        select(*columns)
        .select_from(row)
        .join(SuspensionCase, and_(*same))
        .join(Child, Child.id == SuspensionCase.child_id)
        .where(SuspensionCase.state == APPROVED)
    )


def _kind(name: str, title: Any, query: DueSelect) -> DueKind:
    return DueKind(f"suspension.{name}", title, "SuspensionCaseView", query)


DUES: Final = (
    _kind("next_visit", _l("Persuasion visit during the suspension or deferral"), next_visit),
    _kind(
        "semester_visits",
        _l("Persuasion visits that the semester still asks for"),
        too_few_visits(semesters),
    ),
    _kind(
        "year_visits", _l("Persuasion visits that the year still asks for"), too_few_visits(years)
    ),
    _kind("end", _l("Return to school, or renewal of the case"), end),
)
