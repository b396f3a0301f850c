"""Select the rows behind a verdict on a case: visits that count, papers, the case itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, literal, null, select

from app.kit import Settings, Visit, Window, is_joint

from .conditions import in_time
from .expiry import expired_cases
from .kinds import POLICY
from .models import SuspensionCase, SuspensionPaper
from .spans import within
from .windows import stretches, years_so_far

CHILD: Final = "child"
Windows = Callable[[Settings], Select[Any]]


def keys(rows: Any, start: Any) -> list[ColumnElement[Any]]:
    """Return the columns that tell which verdict a row belongs to."""
    return [
        literal(CHILD).label("subject_type"),
        rows.child_id.label("subject_id"),
        start.label("period_start"),
    ]


def _record(model: Any, day: Any, detail: Any) -> list[ColumnElement[Any]]:
    """Name a row as the record that a verdict rests on."""
    return [
        literal(model.__tablename__).label("record_type"),
        model.id.label("record_id"),
        day.label("day"),
        detail.label("detail"),
    ]


def _visit() -> list[ColumnElement[Any]]:
    return _record(Visit, Visit.visited_on, null())


def joint_visits_of(_window: Window, _settings: Settings) -> Select[Any]:
    """Select the joint visits that the approvals rest on."""
    query: Select[Any] = select(*keys(SuspensionCase, SuspensionCase.approved_on), *_visit())
    rests_on = in_time(Visit, SuspensionCase.approved_on) & is_joint()
    return query.join(Visit, rests_on).where(SuspensionCase.kind.in_(POLICY))


def visits_of(windows: Windows) -> Callable[[Window, Settings], Select[Any]]:
    """Return the select of the visits that count in the windows."""

    def found(_window: Window, settings: Settings) -> Select[Any]:
        return _visits(windows(settings))

    return found


def visits_before(_window: Window, settings: Settings) -> Select[Any]:
    """Select the visit with which a stretch without another one begins."""
    return _visits(stretches(settings))


def visits_so_far(window: Window, settings: Settings) -> Select[Any]:
    """Select the visits that count in the years that run."""
    return _visits(years_so_far(settings, window.as_of))


def _visits(windows: Select[Any]) -> Select[Any]:
    rows = windows.subquery("rows")
    counts = within(rows, Visit, rows.c.period_start, rows.c.last)
    query: Select[Any] = select(*keys(rows.c, rows.c.period_start), *_visit())
    return query.join(Visit, counts)


def papers_of(_window: Window, _settings: Settings) -> Select[Any]:
    """Select the papers in the files of the approvals."""
    columns: list[Any] = [
        *keys(SuspensionCase, SuspensionCase.approved_on),
        *_record(SuspensionPaper, SuspensionPaper.dated_on, SuspensionPaper.number),
    ]
    query: Select[Any] = select(*columns)
    return query.join(SuspensionPaper, SuspensionPaper.case_id == SuspensionCase.id).where(
        SuspensionCase.kind.in_(POLICY), SuspensionCase.approved_on.is_not(None)
    )


def cases_of(window: Window, settings: Settings) -> Select[Any]:
    """Select the cases that expired, with the day up to which a return would have counted."""
    rows = expired_cases(window.as_of, settings).subquery("expired")
    return select(
        *keys(rows.c, rows.c.expires_on),
        literal(SuspensionCase.__tablename__).label("record_type"),
        rows.c.case_id.label("record_id"),
        rows.c.expires_on.label("day"),
        null().label("detail"),
    )
