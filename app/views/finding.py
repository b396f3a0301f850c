"""Show findings and written feedback, and take the steps that the reader's role allows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import abort, flash, g, redirect, url_for
from flask_appbuilder import AppBuilder, expose, has_access
from flask_appbuilder.security.decorators import permission_name
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup, escape
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app import clock
from app.base import Refused
from app.cadence.calendar import Calendar, load_calendar
from app.crud.badge import state_badge
from app.crud.base import ReadOnlyView
from app.crud.interface import BureauInterface
from app.extensions import db
from app.files.evidence import adopt
from app.models import EvidenceFile, Finding, FindingState, FindingStep, ReturnVisit
from app.security import audit
from app.views.feedback import FeedbackView
from app.views.finding_form import FORMS, StepForm, form_for
from app.views.finding_label import CLOSING_TITLES, LABELS, short
from app.workflow import deadline
from app.workflow.state import (
    SIDE_TITLES,
    STATE_TITLES,
    STEP_TITLES,
    Case,
    Side,
    allowed,
    hand_of,
    possible,
)
from app.workflow.step import take, visit_again


@dataclass(frozen=True, slots=True)
class Due:
    """Show a due day, with the working days that have passed since."""

    day: date
    overdue: int

    def __html__(self) -> str:
        """Return the day, and a badge where it is over."""
        shown = escape(self.day.isoformat())
        if not self.overdue:
            return shown
        text = _("%(days)s working days overdue", days=self.overdue)
        return shown + Markup(' <span class="badge-soft tone-danger">{}</span>').format(text)

    def __str__(self) -> str:
        return str(self.__html__())


class FindingInterface(BureauInterface):
    """Show due days with what is overdue; one calendar serves the whole page of rows."""

    def get_values(self, lst: Sequence[Any], list_columns: list[str]) -> Iterator[dict[str, Any]]:
        """Yield the values of the list's columns."""
        today = clock.today()
        calendar = _calendar_of(lst, today)
        values = super().get_values(lst, list_columns)
        for finding, shown in zip(lst, values, strict=True):
            if shown.get("due_on") is not None:
                shown["due_on"] = Due(finding.due_on, _overdue(finding, today, calendar))
            yield shown


def _is_running(finding: Finding) -> bool:
    return finding.state == FindingState.SERVED or (
        finding.state == FindingState.OPEN and finding.is_urgent
    )


def _calendar_of(findings: Sequence[Finding], today: date) -> Calendar | None:
    late = [f.due_on for f in findings if f.due_on and f.due_on < today and _is_running(f)]
    return load_calendar(db.session(), min(late), today) if late else None


def _overdue(finding: Finding, today: date, calendar: Calendar | None) -> int:
    if calendar is None or finding.due_on is None or not _is_running(finding):
        return 0
    in_term = finding.needs_pupils and not finding.is_urgent
    return calendar.elapsed(finding.due_on, today, in_term=in_term)


@dataclass(frozen=True, slots=True)
class Moment:
    """Show one step of the timeline with its evidence."""

    step: FindingStep
    title: str
    files: Sequence[EvidenceFile]


class FindingView(ReadOnlyView):
    """List the findings, show one with its timeline, and take its steps."""

    datamodel = BureauInterface(Finding)
    route_base = "/finding"
    list_title = _l("Findings")
    noun = _l("Finding")
    list_columns = [
        "found_on", "township", "school", "facts", "state", "due_on", "is_urgent",
    ]  # fmt: skip
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
    label_columns = LABELS
    choices_columns = {"state": STATE_TITLES}
    formatters_columns = {"state": state_badge, "facts": short}
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
        return self._page_of(finding)

    @expose("/step/<pk>/<key>", methods=["POST"])
    @has_access
    @permission_name("step")
    def step(self, pk: str, key: str) -> Any:
        """Take one step; a refusal brings the page back with everything that was typed."""
        finding = self.row(pk, self.show_columns)
        if key not in FORMS:
            abort(404)
        form = form_for(key)
        if form.validate():
            try:
                _take(finding, key, form)
                db.session.commit()
            except Refused as refused:
                db.session.rollback()
                form.form_errors.append(refused.message)
                finding = self.row(pk, self.show_columns)
            else:
                flash(_("Done: %(step)s.", step=str(form.title_of())), "success")
                return redirect(url_for(f"{self.endpoint}.show", pk=finding.id))
        return self._page_of(finding, form)

    def _page_of(self, finding: Finding, sent: StepForm | None = None) -> Any:
        hand = hand_of(g.get("appointment"))
        session = db.session()
        now = clock.today()
        case = Case(session, finding, hand, now)
        steps = {step.key for step in allowed(case)}
        forms = [
            sent if sent is not None and sent.key == key else form_for(key, blank=True)
            for key, form in FORMS.items()
            if steps & set(form.steps) or (sent is not None and sent.key == key)
        ]
        return self.render_template(
            self.show_template,
            title=_("Finding of %(day)s", day=finding.found_on.isoformat()),
            finding=finding,
            state=state_badge(finding.state),
            closing=CLOSING_TITLES.get(finding.closing, finding.closing),
            overdue=deadline.overdue_days(session, finding, now) if _is_running(finding) else 0,
            persuasion_on=deadline.persuasion_due(session, finding),
            moments=_timeline(finding),
            forms=forms,
            waiting=_waiting(case, steps),
            pk=finding.id,
        )


def _take(finding: Finding, key: str, form: StepForm) -> None:
    session, hand = db.session(), hand_of(g.get("appointment"))
    evidence = form.evidence
    set_id = None if evidence is None else adopt(session, finding, None, evidence.staged_id)
    note = form.note.data
    if key == "return_visit":
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
        return
    take(session, finding, form.step, hand, note=note, evidence_set_id=set_id)


def _timeline(finding: Finding) -> list[Moment]:
    session = db.session()
    query = (
        select(FindingStep)
        .where(FindingStep.finding_id == finding.id)
        .options(joinedload(FindingStep.person))
        .order_by(FindingStep.id)
    )
    steps = session.scalars(query).all()
    keys = [step.evidence_set_id for step in steps if step.evidence_set_id is not None]
    files: dict[int, list[EvidenceFile]] = {}
    if keys:
        found = select(EvidenceFile).where(EvidenceFile.evidence_set_id.in_(keys))
        for file in session.scalars(found.order_by(EvidenceFile.id)):
            files.setdefault(file.evidence_set_id, []).append(file)
    return [
        Moment(
            step,
            str(STEP_TITLES.get(step.step, step.step)),
            files.get(step.evidence_set_id or 0, ()),
        )
        for step in steps
    ]


def _waiting(case: Case, own: set[str]) -> list[tuple[str, str]]:
    """Return what others may do next, and who."""
    return [
        (str(step.title), str(SIDE_TITLES[step.who]))
        for step in possible(case.finding.state)
        if step.key not in own
        and (step.who is not Side.LEADER or case.finding.is_self_found)
        and not any(rule(case) for rule in step.rules)
    ]


class FindingStepView(ReadOnlyView):
    """List the steps that findings took."""

    datamodel = BureauInterface(FindingStep)
    route_base = "/findingstep"
    list_title = _l("Steps of findings")
    noun = _l("Step of a finding")
    list_columns = [
        "happened_on", "township", "school", "finding", "step", "person", "note",
    ]  # fmt: skip
    show_columns = [
        "happened_on", "happened_at", "township", "school", "finding", "step", "from_state",
        "to_state", "person", "note", "due_on",
    ]  # fmt: skip
    search_columns = ["township", "school", "step", "happened_on"]
    base_order = ("happened_at", "desc")
    label_columns = {**LABELS, "happened_at": _l("Recorded at")}
    choices_columns = {
        "step": STEP_TITLES,
        "from_state": STATE_TITLES,
        "to_state": STATE_TITLES,
    }


class ReturnVisitView(ReadOnlyView):
    """List the return visits."""

    datamodel = BureauInterface(ReturnVisit)
    route_base = "/returnvisit"
    list_title = _l("Return visits")
    noun = _l("Return visit")
    list_columns = [
        "visited_on", "township", "school", "finding", "is_rectified", "person",
    ]  # fmt: skip
    show_columns = [
        "visited_on", "township", "school", "finding", "is_on_site", "is_rectified", "person",
        "note",
    ]  # fmt: skip
    search_columns = ["township", "school", "visited_on", "is_rectified"]
    base_order = ("visited_on", "desc")
    label_columns = LABELS


def add_views(appbuilder: AppBuilder) -> None:
    """Add the views of the findings loop to the menu."""
    category = "Findings"
    for view, label, icon in (
        (FindingView, _l("Findings"), "fa-triangle-exclamation"),
        (FeedbackView, _l("Written feedback"), "fa-file-lines"),
        (ReturnVisitView, _l("Return visits"), "fa-person-walking-arrow-loop-left"),
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
