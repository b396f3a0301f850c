"""Show the written feedback of inspections, serve it, sign for it, print it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import abort, flash, g, redirect, url_for
from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app import clock
from app.base import Refused
from app.crud.badge import state_badge
from app.crud.base import ReadOnlyView
from app.crud.interface import BureauInterface
from app.extensions import db
from app.models import Feedback, Finding, FindingState
from app.views.finding_form import ServeForm
from app.views.finding_label import FEEDBACK_TITLES, LABELS
from app.workflow import feedback
from app.workflow.state import Case, Hand, Side, hand_of, is_of_side


class FeedbackView(ReadOnlyView):
    """Show the written opinion of an inspection, serve it, sign for it, print it."""

    datamodel = BureauInterface(Feedback)
    route_base = "/feedback"
    list_title = _l("Written feedback")
    noun = _l("Written feedback")
    list_columns = [
        "created_at", "township", "school", "kind", "served_on", "received_on",
    ]  # fmt: skip
    show_columns = [
        "township", "school", "kind", "opinion", "inspection", "served_on", "served_by",
        "received_on", "received_by",
    ]  # fmt: skip
    search_columns = [
        "township", "school", "kind", "served_on", "received_on",
    ]  # fmt: skip
    base_order = ("created_at", "desc")
    label_columns = LABELS
    choices_columns = {"kind": FEEDBACK_TITLES}
    show_template = "finding/feedback.html"

    @expose("/show/<pk>", methods=["GET"])
    @has_access
    def show(self, pk: str) -> Any:
        """Show the opinion, its findings, and the button that is next."""
        found = self.row(pk, self.show_columns)
        self.update_redirect()
        return self._page_of(found)

    @expose("/of/<int:inspection_id>", methods=["GET"])
    @has_access
    @permission_name("show")
    def of(self, inspection_id: int) -> Any:
        """Lead from an inspection to its feedback."""
        query = select(Feedback.id).where(Feedback.inspection_id == inspection_id)
        found = db.session.scalars(query).first()
        if found is None:
            abort(404)
        return redirect(url_for(f"{self.endpoint}.show", pk=found))

    @expose("/print/<pk>", methods=["GET"])
    @has_access
    @permission_name("print")
    def print(self, pk: str) -> Any:
        """Show the paper alone, ready to print and stamp."""
        found = self.row(pk, self.show_columns)
        return self.render_template(
            "finding/feedback_print.html",
            feedback=found,
            title=FEEDBACK_TITLES.get(found.kind, found.kind),
            findings=_findings_of(found),
        )

    @expose("/serve/<pk>", methods=["POST"])
    @has_access
    @permission_name("serve")
    def serve(self, pk: str) -> Any:
        """Serve the feedback with the opinion as it was edited."""
        found = self.row(pk, self.show_columns)
        form = ServeForm()
        if form.validate():
            try:
                feedback.serve(db.session(), found, self._hand(), opinion=form.opinion.data)
                db.session.commit()
            except Refused as refused:
                db.session.rollback()
                form.form_errors.append(refused.message)
                found = self.row(pk, self.show_columns)
            else:
                flash(_("The feedback was served."), "success")
                return redirect(url_for(f"{self.endpoint}.show", pk=found.id))
        return self._page_of(found, form)

    @expose("/receive/<pk>", methods=["POST"])
    @has_access
    @permission_name("receive")
    def receive(self, pk: str) -> Any:
        """Sign for the feedback 签收."""
        found = self.row(pk, self.show_columns)
        try:
            feedback.receive(db.session(), found, self._hand())
            db.session.commit()
        except Refused as refused:
            db.session.rollback()
            flash(refused.message, "danger")
        else:
            flash(_("The receipt was signed."), "success")
        return redirect(url_for(f"{self.endpoint}.show", pk=pk))

    def _hand(self) -> Hand:
        return hand_of(g.get("appointment"))

    def _page_of(self, found: Feedback, sent: ServeForm | None = None) -> Any:
        findings = _findings_of(found)
        hand = self._hand()
        may_serve = sent is not None or feedback.may_serve(db.session(), findings, hand)
        form = None
        if may_serve:
            form = sent if sent is not None else ServeForm(formdata=None, opinion=found.opinion)
        return self.render_template(
            self.show_template,
            title=FEEDBACK_TITLES.get(found.kind, found.kind),
            feedback=found,
            findings=[(finding, state_badge(finding.state)) for finding in findings],
            form=form,
            may_receive=self._may_receive(found, findings),
            serve_by=feedback.serve_by(db.session(), found),
            pk=found.id,
        )

    def _may_receive(self, found: Feedback, findings: Sequence[Finding]) -> bool:
        if found.served_on is None or found.received_on is not None or not findings:
            return False
        case = Case(db.session(), findings[0], self._hand(), clock.today())
        return is_of_side(case, Side.INSPECTED)


def _findings_of(found: Feedback) -> Sequence[Finding]:
    query = (
        select(Finding)
        .where(Finding.feedback_id == found.id, Finding.state != FindingState.WITHDRAWN)
        .options(joinedload(Finding.item))
        .order_by(Finding.id)
    )
    return db.session.scalars(query).all()
