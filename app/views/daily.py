"""Show what surrounds the daily check: late entries, and the checks of teaching points 教学点."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import flash, g, redirect, request, url_for
from flask_appbuilder import AppBuilder, BaseView, expose, has_access
from flask_appbuilder.security.decorators import permission_name
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from markupsafe import Markup, escape
from sqlalchemy import ColumnElement, and_, false, func, or_, select
from wtforms import SelectField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length

from app import clock
from app.base import Refused, registry
from app.crud.base import BureauModelView
from app.crud.fields import ChoiceWidget, trimmed
from app.crud.inspection_sheet import STATES, type_title, view_name
from app.crud.interface import BureauInterface
from app.crud.refusal import FieldRefused
from app.extensions import db
from app.models import (
    ClassLine,
    DailyMode,
    Inspection,
    InspectionState,
    LateEntry,
    LateState,
    School,
)
from app.security.scope import Scope
from app.workflow import late

REQUEST_STATES = {
    str(LateState.REQUESTED): _l("Waits for a decision"),
    str(LateState.APPROVED): _l("Approved"),
    str(LateState.REFUSED): _l("Not approved"),
}
APPROVE = "approve"


def _own_checks() -> list[SelectChoice]:
    """Return the inspection types in which a school checks itself."""
    kinds = [kind for kind in registry.inspection_types() if kind.self_inspection]
    return [SelectChoice(kind.key, type_title(kind.key)) for kind in kinds]


def _only_check() -> str | None:
    return next((choice.value for choice in _own_checks()), None)


def _title(key: Any) -> Markup:
    return escape(type_title(str(key)))


class DecisionForm(FlaskForm):
    """Ask why a request is approved or refused."""

    note = TextAreaField(_l("Remark of the decision"), [Length(max=200)], filters=[trimmed])


class LateEntryView(BureauModelView):
    """Ask for the approval of a check that is entered too late, and decide on it."""

    datamodel = BureauInterface(LateEntry)
    route_base = "/daily/late"
    noun = _l("Late entry")
    list_title = _l("Late entries")
    list_columns = ["day", "school", "township", "reason", "state", "requested_by", "decided_by"]
    show_columns = [
        "day", "type_key", "school", "township", "reason", "requested_by", "created_at", "state",
        "decided_by", "decided_at", "decision_note",
    ]  # fmt: skip
    add_columns = ["type_key", "school", "day", "reason"]
    edit_columns: list[str] = []
    search_columns = ["state", "day", "school", "township", "requested_by"]
    base_order = ("id", "desc")
    exclude_route_methods = {"edit", "delete"}
    show_template = "inspection/late_entry.html"
    choices_columns = {"state": REQUEST_STATES}
    formatters_columns = {"type_key": _title}
    add_form_extra_fields = {
        "type_key": SelectField(
            _l("Type of inspection"),
            choices=_own_checks,
            default=_only_check,
            widget=ChoiceWidget(),
        )
    }
    label_columns = {
        "type_key": _l("Type of inspection"),
        "day": _l("Day to enter"),
        "reason": _l("Reason for the late entry"),
        "requested_by": _l("Asked by"),
        "decided_by": _l("Decided by"),
        "decided_at": _l("Decided at"),
        "decision_note": _l("Remark of the decision"),
        "created_at": _l("Asked at"),
    }
    description_columns = {
        "day": _l("Only for days that lie too far back to be entered with a reason."),
    }

    def pre_add(self, item: LateEntry) -> None:
        """Refuse a request that is not needed, or was made already."""
        try:
            late.ask(db.session(), item)
        except Refused as refusal:
            raise FieldRefused("day", refusal.message) from None

    def shown(self, item: Any) -> None:
        """Remember the request for the template."""
        g.shown_request = item

    def render_template(self, template: str, **kwargs: Any) -> Any:
        """Add the form of the decision to the page of a request that waits for one."""
        if template == self.show_template and g.get("shown_request") is not None:
            kwargs.setdefault("decision", self._decision(g.shown_request))
            kwargs["entry"] = g.shown_request
        return super().render_template(template, **kwargs)

    def _decision(self, entry: LateEntry) -> DecisionForm | None:
        may = self.appbuilder.sm.has_access("can_decide", self.class_permission_name)
        if not may or late.refusal_of_decision(db.session(), entry) is not None:
            return None
        return DecisionForm(formdata=None)

    @expose("/decide/<pk>", methods=["POST"])
    @has_access
    @permission_name("decide")
    def decide(self, pk: str) -> Any:
        """Approve or refuse a request of somebody else."""
        entry = self.row(pk)
        form = DecisionForm()
        is_approved = request.form.get("deed") == APPROVE
        try:
            if not form.validate():
                raise Refused(str(next(iter(form.note.errors), _("Something is wrong."))))
            late.decide(db.session(), entry, is_approved=is_approved, note=form.note.data or "")
            db.session.commit()
        except Refused as refusal:
            db.session.rollback()
            flash(refusal.message, "danger")
        else:
            done = _("The late entry is approved.") if is_approved else _("The request is refused.")
            flash(done, "success")
        return redirect(url_for(f"{self.endpoint}.show", pk=pk))


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
    """Add the late entries to the menu; the home page leads to the teaching points."""
    appbuilder.add_view(
        LateEntryView,
        "LateEntryView",
        label=LateEntryView.list_title,
        icon="fa-hourglass-end",
        category="Daily work",
        category_label=_l("Daily work"),
    )
    appbuilder.add_view_no_menu(TeachingPointView)
