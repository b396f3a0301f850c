"""Name what superiors found after clean inspections, and the candidates for interviews."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, String, cast, func, literal, null, select

from app.kit import Rule, Settings, Window, _l, hookimpl

from . import candidates
from .matching import matches
from .words import CANDIDATE, HELD, PLUGIN

CLAUSE: Final = "LP24-4-4"
OBLIGED: Final = ("liaison_department", "liaison_leader", "township_leader")
"""The capacities whose unit in a township owes the inspections of its schools."""


def overlooked(window: Window, settings: Settings) -> Select[Any]:
    """Select what superiors found after somebody had found the same item in order."""
    found = matches(settings).subquery()
    query = (
        select(
            literal("superior_finding").label("subject_type"),
            found.c.finding_id.label("subject_id"),
            found.c.school_id,
            found.c.township_id,
            found.c.found_on.label("period_start"),
            func.count(found.c.person_id.distinct()).label("observed"),
            literal(0).label("required"),
        )
        .where(found.c.result == HELD, found.c.found_on.between(window.start, window.end))
        .group_by(found.c.finding_id, found.c.school_id, found.c.township_id, found.c.found_on)
    )
    return query if window.school_ids is None else query.where(_of(found.c.school_id, window))


def inspections(window: Window, settings: Settings) -> Select[Any]:
    """Select the clean inspections behind what a superior found."""
    found = matches(settings).subquery()
    return (
        select(
            literal("superior_finding").label("subject_type"),
            found.c.finding_id.label("subject_id"),
            found.c.found_on.label("period_start"),
            literal("inspection").label("record_type"),
            found.c.inspection_id.label("record_id"),
            found.c.occurred_on.label("day"),
            cast(null(), String).label("detail"),
        )
        .where(found.c.result == HELD, found.c.found_on.between(window.start, window.end))
        .distinct()
    )


def _of(school_id: ColumnElement[int], window: Window) -> ColumnElement[bool]:
    return school_id.in_(window.school_ids or ())


def _interview(name: str, subject: str, period: Any, ask: Any, message: Any) -> Rule:
    return Rule(
        key=f"{PLUGIN}.{name}",
        code=CANDIDATE,
        clause=CLAUSE,
        subject=subject,
        period=period,
        severity="warning",
        absent="skip",
        select=ask,
        message=message,
    )


@hookimpl
def rules() -> Iterable[Rule]:
    """Return the rule on clean inspections, and those that name candidates for interviews."""
    rate = _l("%(observed)s%% of what was due is done, below %(required)s%% in two bulletins")
    return [
        Rule(
            key=f"{PLUGIN}.clean_inspection",
            code="ACC-1",
            clause=CLAUSE,
            subject="superior_finding",
            period="event",
            severity="violation",
            absent="unknown",
            select=overlooked,
            evidence=inspections,
            message=_l("%(observed)s of the county's inspectors had found this item in order"),
        ),
        *(
            _interview(
                f"low_rate_of_{capacity}",
                "township",
                "month",
                partial(candidates.low_rate, capacity=capacity),
                rate,
            )
            for capacity in OBLIGED
        ),
        _interview("low_rate_of_school", "school", "month", candidates.low_rate_of_school, rate),
        _interview(
            "recurrence",
            "school",
            "school_year",
            candidates.recurrence,
            _l("%(observed)s problems came back after they were closed; %(required)s are enough"),
        ),
        _interview(
            "unreported_dropout",
            "school",
            "school_year",
            candidates.unreported,
            _l("%(observed)s children were found away whom no ledger held"),
        ),
        _interview(
            "false_record",
            "inspection",
            "school_year",
            candidates.false_record,
            _l("The inspection was recorded, but nobody came"),
        ),
    ]
