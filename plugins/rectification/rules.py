"""Judge what follows a finding: feedback, rectification, return visit, and no second time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, Subquery, func, literal, null, select

from app.kit import (
    Finding,
    Rule,
    Settings,
    Township,
    Window,
    _l,
    failed_again,
    hookimpl,
    overdue,
    unserved,
    unverified,
)

CLAUSE: Final = "LP24-4-2"
FINDING: Final = "finding"
INSPECTION: Final = "inspection"
RuleSelect = Callable[[Window, Settings], Select[Any]]


def feedback_missing(window: Window, settings: Settings) -> Select[Any]:
    """Select the inspections whose findings nobody served in time; `observed` counts these."""
    rows = unserved(window.as_of, int(settings.feedback_days)).subquery("rows")
    keys = (rows.c.inspection_id, rows.c.school_id, rows.c.township_id, rows.c.found_on)
    found = select(*keys, func.count().label("findings")).group_by(*keys).subquery("inspections")
    required = literal(settings.feedback_days)
    return _verdict(
        window, found, INSPECTION, found.c.inspection_id, found.c.found_on, found.c.findings,
        required,
    )  # fmt: skip


def rectification_missing(window: Window, _settings: Settings) -> Select[Any]:
    """Select the findings whose rectification is overdue, as the screens show it."""
    rows = overdue(window.as_of).subquery("rows")
    return _verdict(
        window, rows, FINDING, rows.c.finding_id, rows.c.due_on, rows.c.found_on, rows.c.due_on
    )


def return_visit_missing(window: Window, settings: Settings) -> Select[Any]:
    """Select the findings that are claimed as rectified and that nobody came to see in time."""
    rows = unverified(window.as_of, int(settings.return_visit_days)).subquery("rows")
    required = literal(settings.return_visit_days)
    return _verdict(window, rows, FINDING, rows.c.finding_id, rows.c.since, rows.c.since, required)


def found_again(window: Window, _settings: Settings) -> Select[Any]:
    """Select the findings on what was closed before; `observed` counts those closings."""
    rows = failed_again(window.as_of).subquery("rows")
    return _verdict(
        window, rows, FINDING, rows.c.finding_id, rows.c.found_on, rows.c.closed, literal(0)
    )


def findings_of(window: Window, settings: Settings) -> Select[Any]:
    """Select the findings that wait for their feedback, inspection by inspection."""
    waiting = unserved(window.as_of, int(settings.feedback_days)).subquery("waiting")
    return _record(
        INSPECTION, waiting.c.inspection_id, waiting.c.found_on, waiting.c.finding_id
    ).select_from(waiting)


def the_finding(judged: RuleSelect) -> RuleSelect:
    """Return the select of the finding itself: its page shows every step."""

    def found(window: Window, settings: Settings) -> Select[Any]:
        rows = judged(window, settings).subquery("rows")
        return (
            _record(FINDING, rows.c.subject_id, rows.c.period_start, Finding.id)
            .select_from(rows)
            .join(Finding, Finding.id == rows.c.subject_id)
        )

    return found


def _record(subject: str, key: Any, start: Any, finding: Any) -> Select[Any]:
    return select(
        literal(subject).label("subject_type"),
        key.label("subject_id"),
        start.label("period_start"),
        literal(FINDING).label("record_type"),
        finding.label("record_id"),
        null().label("day"),
        null().label("detail"),
    )


def _verdict(
    window: Window,
    rows: Subquery,
    subject: str,
    key: ColumnElement[Any],
    day: ColumnElement[Any],
    observed: ColumnElement[Any],
    required: ColumnElement[Any],
) -> Select[Any]:
    """Keep what happened in the window, since the township went live, at the window's schools."""
    found = (
        select(
            literal(subject).label("subject_type"),
            key.label("subject_id"),
            rows.c.school_id,
            rows.c.township_id,
            day.label("period_start"),
            observed.label("observed"),
            required.label("required"),
        )
        .join(Township, Township.id == rows.c.township_id)
        .where(day.between(window.start, window.end), Township.go_live_on <= day)
    )
    if window.school_ids is None:
        return found
    return found.where(rows.c.school_id.in_(window.school_ids))


def _rule(key: str, code: str, subject: str, found: RuleSelect, message: str, **more: Any) -> Rule:
    facts = {"absent": "skip", "evidence": the_finding(found), **more}
    return Rule(
        key=f"rectification.{key}",
        code=code,
        clause=CLAUSE,
        subject=subject,
        period="event",
        severity="violation",
        select=found,
        message=message,
        **facts,
    )


@hookimpl
def rules() -> Iterable[Rule]:
    """Return the rules on findings."""
    return [
        _rule(
            "feedback_missing",
            "FB-1",
            INSPECTION,
            feedback_missing,
            _l(
                "%(observed)s findings of the inspection are not served; the written feedback is "
                "due within %(required)s working days"
            ),
            absent="violation",
            evidence=findings_of,
            reads=("core.feedback_days",),
        ),
        _rule(
            "overdue",
            "RECT-1",
            FINDING,
            rectification_missing,
            _l("Found on %(observed)s and not rectified; due on %(required)s"),
        ),
        _rule(
            "return_visit_missing",
            "REV-1",
            FINDING,
            return_visit_missing,
            _l(
                "Claimed as rectified on %(observed)s; the return visit is due within "
                "%(required)s working days"
            ),
            absent="violation",
            reads=("core.return_visit_days",),
        ),
        _rule(
            "found_again",
            "RPT-1",
            FINDING,
            found_again,
            _l("The same matter failed again; it was closed %(observed)s times before"),
        ),
    ]
