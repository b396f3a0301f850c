"""Let a parent school follow and confirm the daily checks of its teaching points 教学点."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import g, url_for
from flask_appbuilder import AppBuilder, BaseView, expose, has_access
from flask_babel import gettext as _
from sqlalchemy import ColumnElement, and_, false, func, or_, select

from app import clock
from app.base import registry
from app.crud.inspection_sheet import STATES, view_name
from app.extensions import db
from app.models import (
    ClassLine,
    DailyMode,
    Inspection,
    InspectionState,
    School,
)
from app.models.inspection import type_title
from app.security.scope import Scope


@dataclass(frozen=True, slots=True)
class PointCheck:
    """A teaching point's check of the day, as its parent school sees it."""

    name: str
    title: str = ""
    state: str = ""
    checked: int = 0
    total: int = 0
    confirmed_at: datetime | None = None
    href: str = ""
    confirm: str = ""
    """Where the confirmation is posted; empty where there is nothing to confirm."""


class TeachingPointView(BaseView):
    """Let a parent school 中心校 follow and confirm the checks of its teaching points."""

    route_base = "/daily/points"
    default_view = "list"

    @expose("/")
    @has_access
    def list(self) -> str:
        """List the teaching points with their check of today, in one statement."""
        rows = db.session.execute(_checks_of_points(g.scope)).all()
        return self.render_template(
            "inspection/points.html",
            title=_("Daily checks of teaching points"),
            checks=[_check(row) for row in rows],
            today=clock.today(),
        )


def points_to_confirm(scope: Scope) -> int:
    """Return how many of today's checks wait for the parent school's word."""
    waiting = (
        select(func.count(Inspection.id))
        .join(School, School.id == Inspection.school_id)
        .where(
            _is_point_of(scope),
            Inspection.type_key.in_(_keys()),
            Inspection.occurred_on == clock.today(),
            Inspection.state == InspectionState.SUBMITTED,
            Inspection.confirmed_at.is_(None),
        )
    )
    return db.session.scalar(waiting) or 0


def _keys() -> Sequence[str]:
    return [kind.key for kind in registry.inspection_types() if kind.self_inspection]


def _is_point_of(scope: Scope) -> ColumnElement[bool]:
    if not scope.point_ids:
        return false()
    return and_(School.daily_mode == DailyMode.WITH_PARENT, School.id.in_(sorted(scope.point_ids)))


def _checks_of_points(scope: Scope) -> Any:
    own = and_(
        Inspection.school_id == School.id,
        Inspection.type_key.in_(_keys()),
        Inspection.occurred_on == clock.today(),
    )
    return (
        select(
            School.name,
            Inspection.id,
            Inspection.type_key,
            Inspection.state,
            Inspection.confirmed_at,
            func.count(ClassLine.checked_at).label("checked"),
            func.count(ClassLine.id).label("total"),
        )
        .outerjoin(Inspection, own)
        .outerjoin(ClassLine, ClassLine.inspection_id == Inspection.id)
        .where(
            _is_point_of(scope),
            or_(School.closed_on.is_(None), School.closed_on >= clock.today()),
        )
        .group_by(
            School.id, School.name, Inspection.id, Inspection.type_key, Inspection.state,
            Inspection.confirmed_at,
        )
        .order_by(School.name, School.id)
    )  # fmt: skip


def _check(row: Any) -> PointCheck:
    if row.id is None:
        return PointCheck(row.name)
    endpoint = view_name(row.type_key)
    waits = row.state == InspectionState.SUBMITTED and row.confirmed_at is None
    return PointCheck(
        row.name,
        type_title(row.type_key),
        str(STATES.get(row.state, row.state)),
        row.checked,
        row.total,
        row.confirmed_at,
        url_for(f"{endpoint}.show", pk=row.id),
        url_for(f"{endpoint}.confirm", pk=row.id) if waits else "",
    )


def add_views(appbuilder: AppBuilder) -> None:
    """Add the page; the first page of those who need it leads there."""
    appbuilder.add_view_no_menu(TeachingPointView)
