"""Show the record of an inspection as a sheet: its checklist with what was answered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from flask import g
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from app.base import registry
from app.checklists.forms import VERDICT_WORDS, Chapter, Question, checklist_chapters
from app.checklists.kinds import FieldContext, ordered_lines
from app.crud.inspection_form import capacity_words
from app.extensions import db
from app.models import (
    Answer,
    AnswerChild,
    ClassLine,
    EvidenceFile,
    Inspection,
    InspectionParticipant,
    InspectionState,
)
from app.workflow import inspection as flow

STATES = {
    str(InspectionState.DRAFT): _l("Draft"),
    str(InspectionState.SUBMITTED): _l("Submitted"),
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


def type_title(key: str) -> str:
    """Return the title of an inspection type; its key where the plugin is gone."""
    kind = registry.inspection_type(key)
    return _(kind.title) if kind is not None else key


@dataclass(frozen=True, slots=True)
class Line:
    """One answered item as the record shows it."""

    question: Question
    answer: Answer | None
    words: str
    value: str
    files: Sequence[EvidenceFile]


class SheetMixin:
    """Show a record as a sheet: the checklist's own rows with what was answered."""

    show_template = "inspection/show.html"

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
        return {
            "inspection": inspection,
            "kind": kind,
            "kind_title": type_title(inspection.type_key),
            "sheet": list(_sheet(chapters, inspection)),
            "class_lines": _visible_lines(inspection, context),
            "coverage": flow.coverage(db.session(), inspection)
            if kind is not None and kind.self_inspection
            else None,
            "may_confirm": may_confirm(inspection) and kind is not None,
            "may_edit": kind is not None and self._may_edit(kind),
            "view_name": view_name(inspection.type_key),
            "capacity_title": lambda key: capacity_words().get(key, key),
        }

    def _may_edit(self, kind: Any) -> bool:
        return bool(self.appbuilder.sm.has_access("can_edit", kind.model.__name__))  # type: ignore[attr-defined]


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
    reported: frozenset[int] = frozenset()
    hidden: frozenset[int] = frozenset()
    if is_self:
        reported = frozenset(flow.reports_of(db.session(), inspection))
        hidden = frozenset(
            line.class_id
            for line in inspection.class_lines
            if line.is_drawn and line.checked_at is None
        )
    return FieldContext(db.session(), inspection, is_self, hidden, reported)


def may_confirm(inspection: Inspection) -> bool:
    """Tell whether the acting person has something to confirm."""
    if inspection.state != InspectionState.SUBMITTED:
        return False
    own = flow.own_participation(inspection)
    if own is not None:
        return own.confirmed_at is None
    return inspection.confirmed_at is None and flow.may_sign(db.session(), inspection)


def _sheet(chapters: Iterable[Chapter], inspection: Inspection) -> Iterable[tuple[Any, list[Line]]]:
    answers = {answer.item_id: answer for answer in inspection.answers}
    keys = {answer.evidence_set_id for answer in inspection.answers if answer.evidence_set_id}
    found: Sequence[EvidenceFile] = ()
    if keys:
        query = select(EvidenceFile).where(EvidenceFile.evidence_set_id.in_(keys))
        found = db.session.scalars(query.order_by(EvidenceFile.id)).all()
    for chapter in chapters:
        lines = []
        for question in chapter.questions:
            answer = answers.get(question.item.id)
            verdict = answer.verdict if answer is not None else "unchecked"
            files = [f for f in found if answer and f.evidence_set_id == answer.evidence_set_id]
            value = question.kind.show(answer) if answer is not None else ""
            lines.append(Line(question, answer, str(VERDICT_WORDS[verdict]), value, files))
        yield chapter.section, lines


def _visible_lines(inspection: Inspection, context: FieldContext) -> list[ClassLine]:
    return [
        line for line in ordered_lines(inspection) if line.class_id not in context.hidden_classes
    ]
