"""Report suspensions and deferrals in the monthly bulletin: figures by township, no names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, case, cast, func, or_, select

from app.kit import Column, Section, Settings, Township, Visit, Window, _l, hookimpl, is_counted

from .kinds import KINDS, POLICY
from .models import SuspensionCase
from .spans import back_on

ACTIVE = _l("At the end of the month")
MONTH = _l("In the month")


def figures(window: Window, _settings: Settings) -> Select[Any]:
    """Select each township with its cases, and the visits to children in cases by policy."""
    cases = _cases(window).subquery()
    names = [*KINDS, "began", "returned", "visits", "overdue"]
    sums = [func.coalesce(func.sum(cases.c[name]), 0).label(name) for name in names]
    return (
        select(
            Township.id.label("township_id"),
            cast(None, Integer).label("school_id"),
            Township.name.label("township"),
            *sums,
        )
        .outerjoin(cases, cases.c.township_id == Township.id)
        .group_by(Township.id, Township.name)
    )


def _cases(window: Window) -> Select[Any]:
    """Select each approved case with what it adds to the figures."""
    approved, back = SuspensionCase.approved_on, back_on()
    still_away = or_(back.is_(None), back > window.as_of)
    active = (approved <= window.as_of) & still_away & (SuspensionCase.ends_on >= window.as_of)
    by_kind = (_one_if(active & (SuspensionCase.kind == kind)).label(kind) for kind in KINDS)
    late = still_away & (SuspensionCase.ends_on < window.as_of) & ~_renewed()
    query: Any = select(
        SuspensionCase.township_id,
        *by_kind,
        _one_if(approved.between(window.start, window.as_of)).label("began"),
        _one_if(back.between(window.start, window.as_of)).label("returned"),
        _visits(window).label("visits"),
        _one_if(late).label("overdue"),
    ).where(approved <= window.as_of)
    return query


def _visits(window: Window) -> ColumnElement[int]:
    visits = select(func.count(Visit.id)).where(
        Visit.child_id == SuspensionCase.child_id,
        Visit.visited_on > SuspensionCase.approved_on,
        Visit.visited_on <= SuspensionCase.ends_on,
        Visit.visited_on.between(window.start, window.as_of),
        SuspensionCase.kind.in_(POLICY),
        is_counted(),
    )
    return visits.correlate(SuspensionCase).scalar_subquery()


def _renewed() -> ColumnElement[bool]:
    later = SuspensionCase.__table__.alias()
    renewal = select(later.c.id).where(
        later.c.renews_id == SuspensionCase.id, later.c.approved_on.is_not(None)
    )
    return renewal.correlate(SuspensionCase).exists()


def _one_if(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return case((condition, 1), else_=0)


def columns() -> Sequence[Column]:
    """Return the columns of the sheet."""
    return (
        Column("township", _l("Township"), width=18),
        *(Column(kind, title, "count", group=ACTIVE) for kind, title in KINDS.items()),
        Column("began", _l("Approved"), "count", group=MONTH),
        Column("returned", _l("Returned to school"), "count", group=MONTH),
        Column("visits", _l("Visits by policy"), "count", group=MONTH),
        Column("overdue", _l("Expired, not back"), "count"),
    )


@hookimpl
def sections() -> Iterable[Section]:
    """Add the sheet to the monthly bulletin."""
    return [
        Section(
            "monthly_bulletin",
            "suspension.by_township",
            _l("Suspensions and deferrals"),
            60,
            figures,
            columns,
        )
    ]
