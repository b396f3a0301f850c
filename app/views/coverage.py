"""Show which inspections of a month are done, late, pending or missed, and which are left."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from flask import request
from flask_appbuilder import AppBuilder, BaseView, expose, has_access
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app import clock
from app.cadence.acting import acting_shares
from app.cadence.coverage import DIMENSIONS, Line, capacity_title, coverage
from app.extensions import db
from app.models.inspection import type_title
from app.views.obligation import STATUSES

SHOWN = 200
FIRST = "township"


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
        by = DIMENSIONS.get(request.args.get("by", FIRST), DIMENSIONS[FIRST])
        last = _last_day(first)
        found = coverage(db.session(), today, first, last, by, SHOWN)
        limit, acting = acting_shares(db.session(), first, min(last, today))
        return self.render_template(
            "coverage.html",
            title=_("Inspections due in a month"),
            month=first.isoformat()[:7],
            latest=today.isoformat()[:7],
            by=by,
            dimensions=DIMENSIONS.values(),
            lines=_worst_first(found.lines) if by.key != "period" else found.lines,
            coverage=found,
            acting=acting,
            acting_limit=limit,
            statuses=STATUSES,
            capacity_title=capacity_title,
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


def _worst_first(lines: Sequence[Line]) -> Sequence[Line]:
    """Put the lowest rate first, and last what had nothing to be done by now."""
    return sorted(lines, key=lambda line: 101 if line.share.rate is None else line.share.rate)


def add_views(appbuilder: AppBuilder) -> None:
    """Add the page to the menu."""
    appbuilder.add_view(
        CoverageView,
        "CoverageView",
        label=_l("Inspections due in a month"),
        icon="fa-chart-simple",
        category="Results",
    )
