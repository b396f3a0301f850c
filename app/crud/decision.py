"""Decide on requests of somebody else: the form on the request's page, and its step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from flask import flash, g, redirect, request, url_for
from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from sqlalchemy.orm.exc import StaleDataError
from wtforms import HiddenField, TextAreaField
from wtforms.validators import Length

from app.base import Refused
from app.crud.fab import Mixin
from app.crud.fields import trimmed
from app.crud.once import earlier_result, give_token, keep_token
from app.extensions import db
from app.models import RequestState

REQUEST_STATES = {
    str(RequestState.REQUESTED): _l("Waits for a decision"),
    str(RequestState.APPROVED): _l("Approved"),
    str(RequestState.REFUSED): _l("Not approved"),
}
DECISION_LABELS = {
    "requested_by": _l("Asked by"),
    "created_at": _l("Asked at"),
    "decided_by": _l("Decided by"),
    "decided_at": _l("Decided at"),
    "decision_note": _l("Remark of the decision"),
}


class DecisionForm(FlaskForm):
    """Ask why a request is decided so."""

    submit_token = HiddenField()
    note = TextAreaField(_l("Remark of the decision"), [Length(max=200)], filters=[trimmed])


class DecisionMixin(Mixin):
    """Show the form of the decision to whom it is due, and take the decision.

    A view names the buttons in ``deeds`` by key, each with what is told afterwards.
    """

    show_template = "request/show.html"
    deeds: ClassVar[dict[str, tuple[Any, Any]]]
    decision_title: Any = _l("Decide on the request")
    appbuilder: Any
    class_permission_name: str
    endpoint: str
    row: Callable[..., Any]

    def refusal_of_decision(self, item: Any) -> str | None:
        """Return why the acting person cannot decide; None where he can."""
        raise NotImplementedError

    def take(self, item: Any, deed: str, note: str) -> None:
        """Take the decision, or raise Refused."""
        raise NotImplementedError

    def shown(self, item: Any) -> None:
        """Remember the request for the template."""
        g.shown_request = item

    def render_template(self, template: str, **kwargs: Any) -> Any:
        """Add the form of the decision to the page of a request that waits for one."""
        if template == self.show_template and g.get("shown_request") is not None:
            kwargs.setdefault("decision", self._decision(g.shown_request))
            kwargs["entry"], kwargs["view"] = g.shown_request, self
        return super().render_template(template, **kwargs)

    def _decision(self, entry: Any) -> DecisionForm | None:
        may = self.appbuilder.sm.has_access("can_decide", self.class_permission_name)
        if not may or self.refusal_of_decision(entry) is not None:
            return None
        form = DecisionForm(formdata=None)
        give_token(form)
        return form

    @expose("/decide/<pk>", methods=["POST"])
    @has_access
    @permission_name("decide")
    def decide(self, pk: str) -> Any:
        """Decide on a request of somebody else."""
        entry = self.row(pk)
        form, shown = DecisionForm(), url_for(f"{self.endpoint}.show", pk=pk)
        done = earlier_result(form, shown)
        if done is not None:
            return done
        deed = request.form.get("deed", "")
        try:
            if deed not in self.deeds:
                raise Refused(_("Press one of the buttons of the decision."))
            if not form.validate():
                raise Refused(str(next(iter(form.note.errors), _("Something is wrong."))))
            self.take(entry, deed, form.note.data or "")
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
            flash(str(self.deeds[deed][1]), "success")
        return redirect(shown)
