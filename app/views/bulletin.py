"""Offer the bulletins of the plugins: choose a month, get the workbook within one's scope."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from typing import Any

from flask import abort, g, request, send_file
from flask_appbuilder import AppBuilder, BaseView, expose, has_access
from flask_appbuilder.security.decorators import permission_name
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app import clock
from app.base import registry
from app.documents import bulletin as documents
from app.extensions import db
from app.parameters.window import Period
from app.security import audit
from app.security.scope import NOTHING

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class BulletinView(BaseView):
    """List the bulletins and make them."""

    route_base = "/bulletin"
    default_view = "list"

    @expose("/")
    @has_access
    def list(self) -> Any:
        """Show the bulletins, each with a choice of the month."""
        last_month = clock.today().replace(day=1) - timedelta(days=1)
        return self._page(documents.month_of(last_month).key)

    @expose("/download/<key>")
    @has_access
    @permission_name("export")
    def download(self, key: str) -> Any:
        """Make the workbook of one month and record the export."""
        found = documents.find_bulletin(key)
        if found is None:
            abort(404)
        typed = request.args.get("month", "")[:20]
        month = documents.parse_month(typed)
        if month is None:
            return self._page(typed, _("Write the month as 2026-03."))
        if month.start > clock.today():
            return self._page(typed, _("This month has not begun yet."))
        return self._workbook(found, month)

    def _workbook(self, found: documents.Bulletin, month: Period) -> Any:
        body = documents.render(db.session(), found, month, g.get("scope") or NOTHING)
        audit.record("export", note=f"bulletin {found.key} {month.key}")
        name = f"{documents.heading_of(found, month)}.xlsx"
        return send_file(BytesIO(body), XLSX, as_attachment=True, download_name=name)

    def _page(self, month: str, error: str = "") -> Any:
        return self.render_template(
            "bulletin/list.html",
            title=_("Bulletins"),
            bulletins=registry.bulletins(),
            month=month,
            error=error,
            latest=documents.month_of(clock.today()).key,
            scope=documents.scope_title(db.session(), g.get("scope") or NOTHING),
        )


def add_views(appbuilder: AppBuilder) -> None:
    """Add the page to the menu."""
    appbuilder.add_view(
        BulletinView,
        "BulletinView",
        label=_l("Bulletins"),
        icon="fa-bullhorn",
        category="Reports",
        category_label=_l("Reports"),
        category_icon="fa-chart-column",
    )
