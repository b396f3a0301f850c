"""Show the record of an inspection as a sheet: its checklist with what was answered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from flask import g
from flask_babel import lazy_gettext as _l
from markupsafe import Markup, escape
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from app.base import registry
from app.checklists.class_lines import ordered_lines
from app.checklists.forms import VERDICT_WORDS, Chapter, Question, checklist_chapters
from app.checklists.kind import FieldContext
from app.crud.badge import state_badge
from app.crud.gallery import Exhibit, exhibits_of
from app.extensions import db
from app.models import (
    Answer,
    AnswerChild,
    ClassLine,
    Feedback,
    Finding,
    Inspection,
    InspectionParticipant,
    InspectionState,
    VisitCheck,
)
from app.models.inspection import type_title
from app.security.roles import CAPACITIES
from app.workflow import closing, feedback, visit_check
from app.workflow import inspection as flow
from app.workflow.attendance import reports_of
from app.workflow.party import hand_of
from app.workflow.review import drawn_for

STATES = {
    str(InspectionState.DRAFT): _l("Draft"),
    str(InspectionState.SUBMITTED): _l("Submitted"),
    str(InspectionState.LAPSED): _l("Closed without a check"),
}
SHOW_COLUMNS = [
    "occurred_on", "township", "school", "theme", "state", "checklist_version", "submitted_by",
    "submitted_at", "confirmed_by", "confirmed_at", "redraw_reason", "late_reason", "note",
    "corrected_at", "correction_reason",
]  # fmt: skip
LABELS = {
    "occurred_on": _l("Date of the inspection"),
    "theme": _l("Theme"),
    "type_key": _l("Type of inspection"),
    "checklist_version": _l("Checklist"),
    "submitted_by": _l("Submitted by"),
    "submitted_at": _l("Submitted at"),
    "confirmed_by": _l("Confirmed by"),
    "confirmed_at": _l("Confirmed at"),
    "redraw_reason": _l("Reason for drawing again"),
    "late_reason": _l("Reason for the late entry"),
    "note": _l("General remarks"),
    "corrected_at": _l("Corrected at"),
    "correction_reason": _l("Reason for the correction"),
}


def view_name(type_key: str) -> str:
    """Return the name of the view class of an inspection type."""
    return "".join(part.capitalize() for part in type_key.split("_")) + "View"


def shown_title(key: Any) -> Markup:
    """Return the title of an inspection type as lists show it."""
    return escape(type_title(str(key)))


@dataclass(frozen=True, slots=True)
class Line:
    """One answered item as the record shows it."""

    question: Question
    answer: Answer | None
    words: str
    value: str
    files: Sequence[Exhibit]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a record: its findings with their states, and the feedback on them."""

    findings: Sequence[tuple[Finding, Markup]] = ()
    feedback: Feedback | None = None
    may_serve: bool = False


class SheetMixin:
    """Show a record as a sheet: the checklist's own rows with what was answered."""

    show_template = "inspection/show.html"
    appbuilder: Any
    show_columns: Any
    label_columns: Any
    formatters_columns: Any

    def render_template(self, template: str, **kwargs: Any) -> Any:
        """Add the answered sheet to the page of a record."""
        if template == self.show_template and g.get("shown_inspection") is not None:
            kwargs.update(self.sheet(g.shown_inspection))
        return super().render_template(template, **kwargs)  # type: ignore[misc]  # a mixin

    def shown(self, item: Any) -> None:
        """Remember the record for the template."""
        g.shown_inspection = item

    def sheet(self, inspection: Inspection) -> dict[str, Any]:
        """Return what the template of a record needs, in a constant number of statements."""
        kind = registry.inspection_type(inspection.type_key)
        load_answers(inspection)
        context = context_of(inspection, kind)
        chapters = checklist_chapters(context)
        title = type_title(inspection.type_key)
        return {
            "title": f"{title} · {inspection.school or inspection.township}",
            "inspection": inspection,
            "facts": list(self._facts(inspection)),
            "outcome": self._outcome(inspection),
            "drawn": drawn_for(db.session(), inspection),
            "sheet": list(_sheet(chapters, inspection)),
            "class_lines": _visible_lines(inspection, context),
            "coverage": closing.coverage(db.session(), inspection)
            if kind is not None and kind.self_inspection
            else None,
            "may_confirm": may_confirm(inspection) and kind is not None,
            "may_deny": self._may("can_add", "VisitCheckView")
            and visit_check.refusal_of_denial(db.session(), inspection) is None,
            "check": _check_of(inspection),
            "may_discard": flow.refusal_of_discard(inspection) is None,
            "may_edit": kind is not None and self._may("can_edit", kind.model.__name__),
            "view_name": view_name(inspection.type_key),
            "capacity_title": lambda key: CAPACITIES.get(key, key),
        }

    def _facts(self, inspection: Inspection) -> Iterable[tuple[Any, Any]]:
        """Yield what is known of a record, with its label; what is empty is left out."""
        for name in self.show_columns:
            value = getattr(inspection, name)
            if value is not None and value != "":
                formatter = self.formatters_columns.get(name)
                yield self.label_columns[name], formatter(value) if formatter else value

    def _outcome(self, inspection: Inspection) -> Outcome:
        """Return what the reader may see of the findings and the feedback, in two statements."""
        if not self._may("can_show", "FindingView"):
            return Outcome()
        session = db.session()
        query = select(Finding).where(Finding.inspection_id == inspection.id).order_by(Finding.id)
        findings = session.scalars(query).all()
        badges = [(finding, state_badge(finding.state)) for finding in findings]
        if not findings or not self._may("can_show", "FeedbackView"):
            return Outcome(badges)
        on_it = select(Feedback).where(Feedback.inspection_id == inspection.id)
        found = session.scalars(on_it).first()
        covered = [one for one in findings if found and one.feedback_id == found.id]
        may_serve = self._may("can_serve", "FeedbackView") and feedback.may_serve(
            session, covered, hand_of(g.get("appointment"))
        )
        return Outcome(badges, found, may_serve)

    def _may(self, permission: str, view: str) -> bool:
        return bool(self.appbuilder.sm.has_access(permission, view))


def load_answers(inspection: Inspection) -> None:
    """Read everything that a record holds, a few statements whatever their number."""
    db.session.scalars(
        select(type(inspection))
        .where(type(inspection).id == inspection.id)
        .options(
            selectinload(Inspection.answers).selectinload(Answer.item),
            selectinload(Inspection.answers)
            .selectinload(Answer.children)
            .selectinload(AnswerChild.child),
            selectinload(Inspection.class_lines).selectinload(ClassLine.school_class),
            selectinload(Inspection.participants).selectinload(InspectionParticipant.person),
        )
        .execution_options(populate_existing=True)
    ).one()


def context_of(inspection: Inspection, kind: Any | None) -> FieldContext:
    """Return where the items of a record are asked."""
    is_self = bool(kind is not None and kind.self_inspection)
    reported: dict[int, int] = {}
    hidden: frozenset[int] = frozenset()
    if inspection.class_lines:
        reports = reports_of(db.session(), inspection)
        reported = {class_id: report.present for class_id, report in reports.items()}
    if is_self:
        hidden = frozenset(
            line.class_id
            for line in inspection.class_lines
            if line.is_drawn and line.checked_at is None
        )
    return FieldContext(db.session(), inspection, is_self, hidden, reported)


def may_confirm(inspection: Inspection) -> bool:
    """Tell whether the acting person has something to confirm."""
    return flow.refusal_of_confirmation(db.session(), inspection) is None


def _sheet(chapters: Iterable[Chapter], inspection: Inspection) -> Iterable[tuple[Any, list[Line]]]:
    answers = {answer.item_id: answer for answer in inspection.answers}
    keys = {answer.evidence_set_id for answer in inspection.answers if answer.evidence_set_id}
    found = exhibits_of(keys)
    for chapter in chapters:
        lines = []
        for question in chapter.questions:
            answer = answers.get(question.item.id)
            verdict = answer.verdict if answer is not None else "unchecked"
            files = found.get(answer.evidence_set_id, ()) if answer is not None else ()
            value = question.kind.show(answer) if answer is not None else ""
            lines.append(Line(question, answer, str(VERDICT_WORDS[verdict]), value, files))
        yield chapter.section, lines


def _check_of(inspection: Inspection) -> VisitCheck | None:
    """Return what the school says against the inspection, if anything."""
    said = select(VisitCheck).where(VisitCheck.inspection_id == inspection.id).limit(1)
    return db.session.scalars(said).first()


def _visible_lines(inspection: Inspection, context: FieldContext) -> list[ClassLine]:
    return [
        line for line in ordered_lines(inspection) if line.class_id not in context.hidden_classes
    ]
