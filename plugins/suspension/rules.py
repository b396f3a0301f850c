"""Judge suspensions and deferrals by policy: SUS-1 to SUS-6, and what warns before them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import Select, Subquery, distinct, func, literal, select
from sqlalchemy.orm import aliased

from app.kit import DaysAfter, Rule, Settings, Township, Visit, Window, _l, hookimpl, is_joint

from .conditions import grounds, held_among, in_time, lacks_any, lacks_route
from .evidence import (
    CHILD,
    Windows,
    cases_of,
    joint_visits_of,
    keys,
    papers_of,
    visits_before,
    visits_of,
    visits_so_far,
)
from .expiry import expired_cases
from .kinds import CONSENT, FORMS, POLICY, PROOFS
from .models import SuspensionCase
from .spans import counted
from .windows import semesters, stretches, years, years_so_far


def too_few_joint_visits(window: Window, settings: Settings) -> Select[Any]:
    """Select approvals with too few joint visits before them and no ruling of a court."""
    rows = _approvals(settings)
    found = _verdict(rows, rows.c.approved_on, rows.c.joint_visits, rows.c.joint_visits_required)
    return _within(found, rows, window, rows.c.approved_on).where(lacks_route(rows.c))


def crowded_visits(window: Window, settings: Settings) -> Select[Any]:
    """Select approvals whose joint visits were crowded into a few days."""
    first, other = aliased(Visit), aliased(Visit)
    day = SuspensionCase.approved_on
    crowd = (
        select(func.count(distinct(other.visited_on)))
        .where(
            in_time(other, day),
            other.visited_on >= first.visited_on,
            other.visited_on < DaysAfter(first.visited_on, settings.crowded_days),
            is_joint(other),
        )
        .correlate(SuspensionCase, first)
        .scalar_subquery()
    )
    most = (
        select(func.max(crowd))
        .where(in_time(first, day), is_joint(first))
        .correlate(SuspensionCase)
        .scalar_subquery()
    )
    rows = _judged(grounds(day, settings).add_columns(most.label("most"))).subquery()
    found = _verdict(rows, rows.c.approved_on, rows.c.most, literal(settings.crowded_days))
    return _within(found, rows, window, rows.c.approved_on).where(
        rows.c.most >= settings.crowded_visits
    )


def unproven(window: Window, settings: Settings) -> Select[Any]:
    """Select approvals without the group's consent or one of the two proofs."""
    return _lacking(window, settings, (CONSENT, *PROOFS))


def forms_missing(window: Window, settings: Settings) -> Select[Any]:
    """Select approvals in whose file one of the school's forms is missing."""
    return _lacking(window, settings, FORMS)


def unvisited(window: Window, settings: Settings) -> Select[Any]:
    """Select the stretches in which nobody came for too long."""
    rows = stretches(settings).subquery("rows")
    found = _verdict(rows, rows.c.period_start, rows.c.last, rows.c.required)
    return _within(found, rows, window, rows.c.judged_on).where(rows.c.judged_on < window.as_of)


def too_few(windows: Windows) -> Callable[[Window, Settings], Select[Any]]:
    """Return the select of the windows that are over and had too few visits."""

    def found(window: Window, settings: Settings) -> Select[Any]:
        rows = _visited(windows(settings))
        verdicts = _verdict(rows, rows.c.period_start, rows.c.observed, rows.c.required)
        return _within(verdicts, rows, window, rows.c.judged_on).where(
            rows.c.judged_on < window.as_of, rows.c.observed < rows.c.required
        )

    return found


def behind(window: Window, settings: Settings) -> Select[Any]:
    """Select running years that have had fewer visits than their full months ask for."""
    rows = _visited(years_so_far(settings, window.as_of))
    found = _verdict(rows, rows.c.period_start, rows.c.observed, rows.c.required)
    return _within(found, rows, window, rows.c.judged_on).where(rows.c.observed < rows.c.required)


def expired(window: Window, settings: Settings) -> Select[Any]:
    """Select cases that ended without a return or a new approval up to the next school day."""
    rows = expired_cases(window.as_of, settings).subquery("expired")
    found = _verdict(rows, rows.c.expires_on, rows.c.day, rows.c.expires_on)
    return _within(found, rows, window, rows.c.day)


def _lacking(window: Window, settings: Settings, kinds: tuple[str, ...]) -> Select[Any]:
    rows = _approvals(settings)
    found = _verdict(rows, rows.c.approved_on, held_among(rows.c, kinds), literal(len(kinds)))
    return _within(found, rows, window, rows.c.approved_on).where(lacks_any(rows.c, kinds))


def _approvals(settings: Settings) -> Subquery:
    """Return the approvals by policy since the go-live with what they rest on."""
    return _judged(grounds(SuspensionCase.approved_on, settings)).subquery("rows")


def _judged(query: Select[Any]) -> Select[Any]:
    """Keep approvals by policy that are not older than the township's go-live 历史遗留."""
    return query.join(Township, Township.id == SuspensionCase.township_id).where(
        SuspensionCase.kind.in_(POLICY), SuspensionCase.approved_on >= Township.go_live_on
    )


def _visited(windows: Select[Any]) -> Subquery:
    """Count the visits of each window."""
    rows = windows.subquery("windows")
    observed = counted(rows, rows.c.period_start, rows.c.last)
    return select(rows, observed.label("observed")).subquery("rows")


def _verdict(rows: Subquery, start: Any, observed: Any, required: Any) -> Select[Any]:
    kind, subject, period_start = keys(rows.c, start)
    return select(
        kind,
        subject,
        rows.c.school_id,
        rows.c.township_id,
        period_start,
        observed.label("observed"),
        required.label("required"),
    )


def _within(found: Select[Any], rows: Subquery, window: Window, day: Any) -> Select[Any]:
    """Keep what falls into the window, by the day that decides, and belongs to its schools."""
    kept = found.where(day >= window.start, day <= window.end)
    if window.school_ids is None:
        return kept
    return kept.where(rows.c.school_id.in_(window.school_ids))


def _rule(key: str, code: str, clause: str, select: Any, message: Any, **more: Any) -> Rule:
    facts = {"severity": "violation", "absent": "violation", **more}
    return Rule(
        key=f"suspension.{key}",
        code=code,
        clause=clause,
        subject=CHILD,
        period="event",
        select=select,
        message=message,
        **facts,
    )


@hookimpl
def rules() -> Iterable[Rule]:
    """Return the rules of suspensions and deferrals."""
    return [
        _rule(
            "joint_visits_before",
            "SUS-1",
            "LP24-A1-3-2e",
            too_few_joint_visits,
            _l("%(observed)s joint visits before the approval; %(required)s are asked for"),
            bound="≥",
            unit=_l("visits"),
            evidence=joint_visits_of,
        ),
        _rule(
            "visit_each_quarter",
            "SUS-2",
            "LP24-A1-3-2f",
            unvisited,
            _l("No visit up to %(observed)s, %(required)s months after the one before"),
            evidence=visits_before,
        ),
        _rule(
            "visits_each_semester",
            "SUS-3",
            "LP24-A1-3-2f",
            too_few(semesters),
            _l("%(observed)s visits in the semester; %(required)s are asked for"),
            bound="≥",
            unit=_l("visits"),
            evidence=visits_of(semesters),
        ),
        _rule(
            "visits_each_year",
            "SUS-4",
            "LP24-A1-3-2f",
            too_few(years),
            _l("%(observed)s visits in the year of the case; %(required)s are asked for"),
            bound="≥",
            unit=_l("visits"),
            evidence=visits_of(years),
        ),
        _rule(
            "consent_and_proofs",
            "SUS-5",
            "LP24-A1-3-2g",
            unproven,
            _l("Approved with %(observed)s of %(required)s papers: consent and two proofs"),
            bound="≥",
            unit=_l("papers"),
            evidence=papers_of,
        ),
        _rule(
            "expired",
            "SUS-6",
            "LP24-A1-3-2",
            expired,
            _l("Ended on %(required)s; no return and no new approval up to %(observed)s"),
            evidence=cases_of,
            absent="skip",
        ),
        _rule(
            "forms",
            "DOC-SUS",
            "LP24-A1-3-2",
            forms_missing,
            _l("%(observed)s of %(required)s forms in the file of the case"),
            bound="≥",
            unit=_l("papers"),
            evidence=papers_of,
        ),
        _rule(
            "crowded_visits",
            "SUS-NEAR",
            "LP24-A1-3-2e",
            crowded_visits,
            _l("%(observed)s joint visits within %(required)s days"),
            evidence=joint_visits_of,
            severity="warning",
            absent="skip",
        ),
        _rule(
            "pace",
            "SUS-PACE",
            "LP24-A1-3-2f",
            behind,
            _l("%(observed)s visits so far; the full months of the year ask for %(required)s"),
            bound="≥",
            unit=_l("visits"),
            evidence=visits_so_far,
            severity="warning",
            absent="skip",
        ),
    ]
