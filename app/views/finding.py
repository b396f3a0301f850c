"""List findings, show one with what has happened, and take the steps that the role allows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import abort
from flask_appbuilder import AppBuilder, expose, has_access
from flask_appbuilder.security.decorators import permission_name
from flask_babel import format_date
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app import clock
from app.crud.badge import state_badge
from app.crud.gallery import Exhibit, exhibits_of
from app.crud.interface import BureauInterface
from app.extensions import db
from app.files.evidence import adopt
from app.models import STEP_TITLES, Finding, FindingStep
from app.security import audit
from app.views.due import Due, FindingInterface, is_running
from app.views.feedback import FeedbackView
from app.views.finding_form import FORMS, LoopForm, StepForm, form_for
from app.views.finding_history import FindingReviewView, FindingStepView, ReturnVisitView
from app.views.finding_label import CLOSING_TITLES, DUE_LABELS
from app.views.loop import LoopView
from app.workflow import deadline
from app.workflow.feedback import order_from
from app.workflow.party import SIDE_TITLES, Case, Hand
from app.workflow.state import STATE_TITLES, allowed, possible
from app.workflow.step import take, visit_again


@dataclass(frozen=True, slots=True)
class Moment:
    """Show one step of the timeline with its evidence."""

    step: FindingStep
    title: str
    files: Sequence[Exhibit]


class FindingView(LoopView):
    """List the findings, show one with its timeline, and take its steps."""

    datamodel = BureauInterface(Finding)
    route_base = "/finding"
    list_title = _l("Findings")
    noun = _l("Finding")
    list_columns = ["found_on", "township", "school", "facts", "state", "due_on"]
    show_columns = [
        "township", "school", "facts", "opinion", "state", "closing", "is_urgent",
        "is_self_found", "found_on", "found_by", "due_on", "claimed_on", "closed_on", "child",
        "item", "inspection", "feedback",
    ]  # fmt: skip
    search_columns = [
        "township", "school", "state", "is_urgent", "is_self_found", "found_on", "due_on",
        "closed_on", "facts",
    ]  # fmt: skip
    base_order = ("found_on", "desc")
    choices_columns = {"state": STATE_TITLES}
    formatters_columns = {"state": state_badge}
    show_template = "finding/show.html"

    def _take_model(self, datamodel: Any) -> None:
        self.datamodel = FindingInterface(datamodel.obj, datamodel._session, self.choices_columns)

    @expose("/show/<pk>", methods=["GET"])
    @has_access
    def show(self, pk: str) -> Any:
        """Show a finding, its timeline and what may be done next."""
        finding = self.row(pk, self.show_columns)
        if finding.child_id is not None:
            audit.record("read", table="child", row_id=finding.child_id)
        self.update_redirect()
        return self.page_of(finding)

    @expose("/step/<pk>/<key>", methods=["POST"])
    @has_access
    @permission_name("step")
    def step(self, pk: str, key: str) -> Any:
        """Take one step; a refusal brings the page back with everything that was typed."""
        row = self.row(pk, self.show_columns)
        if key not in FORMS:
            abort(404)
        form = form_for(key)

        def step(finding: Finding) -> str:
            _take(finding, form, self.hand())
            return _("Done: %(step)s.", step=str(form.title_of()))

        return self.take(row, form, step)

    def page_of(self, row: Finding, sent: LoopForm | None = None) -> Any:
        """Return the page of a finding, with the form that came back among those offered."""
        session, today = db.session(), clock.today()
        case = Case(session, row, self.hand(), today)
        own = {step.key for step in allowed(case)}
        moments = _timeline(row)
        return self.render_template(
            self.show_template,
            title=_("Finding of %(day)s", day=format_date(row.found_on, "long")),
            finding=row,
            state=state_badge(row.state),
            closing=CLOSING_TITLES.get(row.closing, row.closing),
            due=_rectification(row, today),
            next_label=DUE_LABELS.get(row.state),
            next_due=_turn_of_others(row, moments, today),
            order_from=order_from(session, [row]),
            derived=self.derived(row),
            persuasion_on=deadline.persuasion_due(session, row),
            moments=moments,
            forms=list(_forms(own, sent)),
            waiting=[
                (step.title, SIDE_TITLES[step.who])
                for step in possible(case)
                if step.key not in own
            ],
            pk=row.id,
        )


def _take(finding: Finding, form: StepForm, hand: Hand) -> None:
    session, evidence, note = db.session(), form.evidence, form.note.data
    set_id = None if evidence is None else adopt(session, finding, None, evidence.staged_id)
    if form.key != "return_visit":
        take(session, finding, form.step, hand, note=note, evidence_set_id=set_id)
        return
    visit_again(
        session,
        finding,
        hand,
        is_rectified=form.is_rectified,
        is_on_site=form.is_on_site,
        note=note,
        visited_on=form.day,
        evidence_set_id=set_id,
    )


def _forms(own: set[str], sent: LoopForm | None) -> Iterator[StepForm]:
    """Yield the forms of the steps that the reader may take, and the one that came back."""
    for key, form in FORMS.items():
        if sent is not None and sent.key == key:
            yield sent
        elif own & set(form.steps):
            yield form_for(key, blank=True)


def _timeline(finding: Finding) -> list[Moment]:
    query = (
        select(FindingStep)
        .where(FindingStep.finding_id == finding.id)
        .options(joinedload(FindingStep.person))
        .order_by(FindingStep.id)
    )
    steps = db.session.scalars(query).all()
    files = exhibits_of(step.evidence_set_id for step in steps)
    return [
        Moment(
            step,
            str(STEP_TITLES.get(step.step, step.step)),
            files.get(step.evidence_set_id, ()),
        )
        for step in steps
    ]


def _rectification(finding: Finding, today: date) -> Due | None:
    if finding.due_on is None:
        return None
    is_over = is_running(finding) and finding.due_on < today
    session = db.session()
    return Due(finding.due_on, deadline.overdue_days(session, finding, today) if is_over else 0)


def _turn_of_others(finding: Finding, moments: Sequence[Moment], today: date) -> Due | None:
    """Return by when the other side has to act, counted from the last step."""
    session = db.session()
    since = moments[-1].step.happened_on if moments else finding.found_on
    due = deadline.next_due(session, finding, since)
    if due is None:
        return None
    return Due(due, deadline.next_overdue(session, finding, due, today))


def add_views(appbuilder: AppBuilder) -> None:
    """Add the views of the findings loop to the menu."""
    category = "Findings"
    for view, label, icon in (
        (FindingView, _l("Findings"), "fa-triangle-exclamation"),
        (FeedbackView, _l("Written feedback"), "fa-file-lines"),
        (ReturnVisitView, _l("Return visits"), "fa-person-walking-arrow-loop-left"),
        (FindingReviewView, _l("Own closings looked at"), "fa-magnifying-glass"),
        (FindingStepView, _l("Steps of findings"), "fa-list-ol"),
    ):
        appbuilder.add_view(
            view,
            view.__name__,
            label=label,
            icon=icon,
            category=category,
            category_label=_l("Findings and rectification"),
            category_icon="fa-clipboard-check",
        )
