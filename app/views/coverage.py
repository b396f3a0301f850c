"""Show which inspections of a month are done, late, pending or missed, and which are left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from flask import request
from flask_appbuilder import AppBuilder, BaseView, expose, has_access
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from app import clock
from app.cadence.coverage import Coverage, Share, coverage
from app.cadence.fulfilment import Fulfilment
from app.extensions import db
from app.models import Township
from app.models.inspection import type_title
from app.security.roles import CAPACITIES

SHOWN = 200
STATUSES = {
    Fulfilment.MET: (_l("Done in time"), "success"),
    Fulfilment.LATE: (_l("Done, entered late"), "warning"),
    Fulfilment.PENDING: (_l("Pending"), "info"),
    Fulfilment.MISSED: (_l("Missed"), "danger"),
    Fulfilment.EXCUSED: (_l("Excused duty"), ""),
}


@dataclass(frozen=True, slots=True)
class Line:
    """An inspection type or a township with its figures."""

    title: str
    share: Share


class CoverageView(BaseView):
    """Show how the inspections due in a month stand (LP24-3-1), as of today."""

    route_base = "/coverage"
    default_view = "list"

    @expose("/")
    @has_access
    def list(self) -> str:
        """Show the month that was asked for; this one where none was, or none that is."""
        today = clock.today()
        first = min(_month(request.args.get("month", "")) or today.replace(day=1), today)
        found = coverage(db.session(), today, first, _last_day(first), SHOWN)
        return self.render_template(
            "coverage.html",
            title=_("Inspections due in a month"),
            month=first.isoformat()[:7],
            latest=today.isoformat()[:7],
            types=_types(found),
            townships=_townships(found),
            coverage=found,
            statuses=STATUSES,
            capacities=CAPACITIES,
            type_title=type_title,
        )


def _month(text: str) -> date | None:
    """Return the first day of a month that is written as 2026-03."""
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        return None


def _last_day(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def _types(found: Coverage) -> Sequence[Line]:
    keys = sorted({key for key, _township in found.shares})
    return [Line(type_title(key), found.of_type(key)) for key in keys]


def _townships(found: Coverage) -> Sequence[Line]:
    """Return the townships, the lowest rate first; none for who sees only one."""
    ids = {township_id for _key, township_id in found.shares}
    if len(ids) < 2:
        return []
    named = select(Township.id, Township.name).where(Township.id.in_(sorted(ids)))
    lines = [Line(name, found.of_township(key)) for key, name in db.session.execute(named)]
    return sorted(lines, key=_worst_first)


def _worst_first(line: Line) -> tuple[int, str]:
    rate = line.share.rate
    return (101 if rate is None else rate, line.title)


def add_views(appbuilder: AppBuilder) -> None:
    """Add the page to the menu."""
    appbuilder.add_view(
        CoverageView,
        "CoverageView",
        label=_l("Inspections due in a month"),
        icon="fa-chart-simple",
        category="Results",
    )
