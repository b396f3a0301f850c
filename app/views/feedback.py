"""Show the written feedback of inspections, serve it, sign for it, print it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import abort, current_app, redirect, url_for
from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name
from flask_babel import force_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app.crud.badge import state_badge
from app.crud.interface import BureauInterface
from app.extensions import db
from app.models import FEEDBACK_TITLES, Feedback, Finding, FindingState
from app.security import audit
from app.views.finding_form import LoopForm, ReceiptForm, ServeForm
from app.views.loop import LoopView
from app.workflow import feedback


class FeedbackView(LoopView):
    """Show the written opinion of an inspection, serve it, sign for it, print it."""

    datamodel = BureauInterface(Feedback)
    route_base = "/feedback"
    list_title = _l("Written feedback")
    noun = _l("Written feedback")
    list_columns = ["created_at", "township", "school", "kind", "served_on", "received_on"]
    show_columns = [
        "township", "school", "kind", "opinion", "inspection", "served_on", "served_by",
        "received_on", "received_by",
    ]  # fmt: skip
    search_columns = ["township", "school", "kind", "served_on", "received_on"]
    base_order = ("created_at", "desc")
    choices_columns = {"kind": FEEDBACK_TITLES}
    show_template = "finding/feedback.html"

    @expose("/show/<pk>", methods=["GET"])
    @has_access
    def show(self, pk: str) -> Any:
        """Show the opinion, its findings, and the button that is next."""
        found = self.row(pk, self.show_columns)
        self.update_redirect()
        return self.page_of(found)

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
        """Show the paper and its receipt 送达回证 alone, ready to print and stamp."""
        found = self.row(pk, self.show_columns)
        # What is printed and stamped is in the product's own language, whatever the reader's is.
        language = current_app.config["BABEL_DEFAULT_LOCALE"]
        with force_locale(language):
            title = str(FEEDBACK_TITLES.get(found.kind, found.kind))
            paper = self.render_template(
                "finding/paper.html",
                language=language,
                feedback=found,
                title=title,
                findings=_read(found),
            )
        return self.render_template(
            "finding/feedback_print.html", title=title, paper=paper, pk=found.id
        )

    @expose("/serve/<pk>", methods=["POST"])
    @has_access
    @permission_name("serve")
    def serve(self, pk: str) -> Any:
        """Serve the feedback with the opinion as it was edited."""
        row, form = self.row(pk, self.show_columns), ServeForm()

        def serve(found: Feedback) -> str:
            feedback.serve(db.session(), found, self.hand(), opinion=form.opinion.data)
            return _("The feedback was served.")

        return self.take(row, form, serve)

    @expose("/receive/<pk>", methods=["POST"])
    @has_access
    @permission_name("receive")
    def receive(self, pk: str) -> Any:
        """Sign for the feedback 签收."""

        def receive(found: Feedback) -> str:
            feedback.receive(db.session(), found, self.hand())
            return _("The receipt was signed.")

        return self.take(self.row(pk, self.show_columns), ReceiptForm(), receive)

    def page_of(self, row: Feedback, sent: LoopForm | None = None) -> Any:
        """Return the page of a feedback, with the form that is next or came back."""
        findings, session = _read(row), db.session()
        form: LoopForm | None = sent
        if form is None and feedback.may_serve(session, findings, self.hand()):
            form = ServeForm(formdata=None, opinion=row.opinion)
        elif form is None and feedback.may_receive(session, row, findings, self.hand()):
            form = ReceiptForm(formdata=None)
        return self.render_template(
            self.show_template,
            title=FEEDBACK_TITLES.get(row.kind, row.kind),
            feedback=row,
            findings=[(finding, state_badge(finding.state)) for finding in findings],
            form=form,
            serve_by=feedback.serve_by(session, row),
            order_from=feedback.order_from(session, findings),
            pk=row.id,
        )


def _read(found: Feedback) -> Sequence[Finding]:
    """Return the findings of a feedback; that it is read is kept for each child in it."""
    query = (
        select(Finding)
        .where(Finding.feedback_id == found.id, Finding.state != FindingState.WITHDRAWN)
        .options(joinedload(Finding.item))
        .order_by(Finding.id)
    )
    findings = db.session.scalars(query).all()
    for child_id in {finding.child_id for finding in findings} - {None}:
        audit.record("read", table="child", row_id=child_id)
    return findings
