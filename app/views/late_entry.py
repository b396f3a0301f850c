"""Ask for the approval of daily checks that are entered too late 每日督导补录, and decide on it."""

from __future__ import annotations

from typing import Any

from flask import flash, g, redirect, request, url_for
from flask_appbuilder import AppBuilder, expose, has_access
from flask_appbuilder.security.decorators import permission_name
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from sqlalchemy.orm.exc import StaleDataError
from wtforms import HiddenField, SelectField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length

from app.base import Refused, registry
from app.crud.base import BureauModelView
from app.crud.fields import ChoiceWidget, trimmed
from app.crud.inspection_sheet import shown_title
from app.crud.interface import BureauInterface
from app.crud.once import earlier_result, give_token, keep_token
from app.crud.refusal import FieldRefused
from app.extensions import db
from app.models import LateEntry, LateState
from app.models.inspection import type_title
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


class DecisionForm(FlaskForm):
    """Ask why a request is approved or refused."""

    submit_token = HiddenField()
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
    formatters_columns = {"type_key": shown_title}
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
        form = DecisionForm(formdata=None)
        give_token(form)
        return form

    @expose("/decide/<pk>", methods=["POST"])
    @has_access
    @permission_name("decide")
    def decide(self, pk: str) -> Any:
        """Approve or refuse a request of somebody else."""
        entry = self.row(pk)
        form, shown = DecisionForm(), url_for(f"{self.endpoint}.show", pk=pk)
        done = earlier_result(form, shown)
        if done is not None:
            return done
        is_approved = request.form.get("deed") == APPROVE
        try:
            if not form.validate():
                raise Refused(str(next(iter(form.note.errors), _("Something is wrong."))))
            late.decide(db.session(), entry, is_approved=is_approved, note=form.note.data or "")
            keep_token(form, shown)
            db.session.commit()
        except (Refused, StaleDataError) as refusal:
            db.session.rollback()
            done = earlier_result(form, shown)
            if done is not None:
                return done
            faster = _("Somebody else was faster. Look at what is there now, then decide again.")
            flash(refusal.message if isinstance(refusal, Refused) else faster, "danger")
        else:
            text = _("The late entry is approved.") if is_approved else _("The request is refused.")
            flash(text, "success")
        return redirect(shown)


def add_views(appbuilder: AppBuilder) -> None:
    """Add the late entries to the daily work."""
    appbuilder.add_view(
        LateEntryView,
        "LateEntryView",
        label=LateEntryView.list_title,
        icon="fa-hourglass-end",
        category="Daily work",
        category_label=_l("Daily work"),
        category_icon="fa-briefcase",
    )
