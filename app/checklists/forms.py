"""Make the form of an inspection from the rows of its checklist version, never from the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from sqlalchemy import select
from sqlalchemy.orm import selectinload
from sqlalchemy.orm.attributes import set_committed_value
from wtforms import Field, HiddenField, RadioField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length

from app.base import actor, registry
from app.checklists.earlier import Earlier, done_this_semester
from app.checklists.kind import (
    NOTE_LENGTH,
    TEXT_LENGTH,
    FieldContext,
    FieldKind,
    Part,
    Row,
    trimmed,
)
from app.checklists.kinds import kind_of
from app.files.field import EvidenceField
from app.models import (
    Answer,
    ChecklistItem,
    ChecklistSection,
    ChecklistVersion,
    EvidenceFile,
    Inspection,
    InspectionState,
    Verdict,
)
from app.words import declare, words

VERDICT_WORDS: Mapping[str, Any] = {
    Verdict.CONFORMS: _l("Conforms"),
    Verdict.FAILS: _l("Does not conform"),
    Verdict.UNCHECKED: _l("Not checked"),
    Verdict.NOT_APPLICABLE: _l("Not applicable"),
}
declare("verdict", VERDICT_WORDS.get)


@dataclass(frozen=True, slots=True)
class Question:
    """One item as the form asks it."""

    item: ChecklistItem
    kind: FieldKind
    parts: Sequence[Part]
    rows: Sequence[Row]
    earlier: Earlier | None = None
    """Set where the item was settled this semester: then it is folded and not required."""

    def name(self, part: str) -> str:
        """Return the name of one of the item's form fields."""
        return f"item_{self.item.key}_{part}"


@dataclass(frozen=True, slots=True)
class Chapter:
    """A section of the checklist with the questions that this record is asked."""

    section: ChecklistSection
    questions: Sequence[Question]


class ChecklistForm(FlaskForm):
    """The checklist of one inspection; :func:`checklist_form` adds the fields of the items."""

    context: ClassVar[FieldContext]
    chapters: ClassVar[Sequence[Chapter]] = ()

    submit_token = HiddenField()
    row_version = HiddenField()
    theme = StringField(_l("Theme"), [Length(max=200)], filters=[trimmed])
    general_note = TextAreaField(
        _l("General remarks"), [Length(max=TEXT_LENGTH)], filters=[trimmed]
    )
    reason = StringField(
        _l("Reason for the correction"), [Length(max=NOTE_LENGTH)], filters=[trimmed]
    )
    redraw_reason = StringField(
        _l("Reason for drawing again"), [Length(max=100)], filters=[trimmed]
    )
    late_reason = StringField(_l("Reason for the late entry"), [Length(max=200)], filters=[trimmed])

    def questions(self) -> Iterator[Question]:
        """Yield all questions in printed order."""
        for chapter in self.chapters:
            yield from chapter.questions

    def part(self, question: Question, name: str) -> Field:
        """Return one of a question's fields."""
        return self[question.name(name)]

    def row_fields(self, question: Question, row: Row) -> Sequence[Field]:
        """Return the fields of one line of a question."""
        return [self.part(question, part.name) for part in question.parts if part.row == row.key]

    def own_fields(self, question: Question) -> Sequence[Field]:
        """Return the fields of a question that belong to no line."""
        return [self.part(question, part.name) for part in question.parts if part.row is None]

    def store(self) -> None:
        """Keep everything typed in the record; nothing is required yet."""
        inspection = self.context.inspection
        inspection.theme = self.theme.data
        inspection.note = self.general_note.data
        answers = {answer.item_id: answer for answer in inspection.answers}
        for question in self.questions():
            answer = answers.get(question.item.id) or new_answer(inspection, question.item)
            self._store_one(question, answer)

    def _store_one(self, question: Question, answer: Answer) -> None:
        before = (answer.verdict, answer.note, dict(question.kind.load(answer)))
        values = {part.name: self.part(question, part.name).data for part in question.parts}
        question.kind.store(values, answer, self.context)
        answer.note = self.part(question, "note").data
        answer.opinion = self.part(question, "opinion").data
        answer.verdict = self.part(question, "verdict").data or Verdict.UNCHECKED
        if answer.verdict == Verdict.UNCHECKED:
            # What was typed may speak for itself; a verdict that was chosen stays.
            answer.verdict = question.kind.propose(answer, self.context) or Verdict.UNCHECKED
        evidence = self.part(question, "evidence")
        if evidence.is_touched:
            evidence.populate_obj(answer, "evidence_set_id")
        if before != (answer.verdict, answer.note, dict(question.kind.load(answer))):
            answer.answered_by_id = actor.get().person_id

    def store_proposals(self) -> None:
        """Let figures that were taken from elsewhere speak for items not judged yet."""
        answers = {answer.item_id: answer for answer in self.context.inspection.answers}
        for question in self.questions():
            answer = answers[question.item.id]
            if answer.verdict == Verdict.UNCHECKED:
                proposed = question.kind.propose(answer, self.context)
                answer.verdict = proposed or Verdict.UNCHECKED

    def complain(self) -> bool:
        """Name at each field what keeps the record from being submitted; tell if anything does."""
        answers = {answer.item_id: answer for answer in self.context.inspection.answers}
        found = self._lacks_theme()
        for question in self.questions():
            answer = answers[question.item.id]
            for problem in self._problems(question, answer):
                held = self.part(question, "verdict")
                held.errors = [*held.errors, problem]
                found = True
        return found

    def _lacks_theme(self) -> bool:
        kind = registry.inspection_type(self.context.inspection.type_key)
        if kind is None or not kind.theme or self.theme.data:
            return False
        self.theme.errors = [*self.theme.errors, _("Enter the theme.")]
        return True

    def _problems(self, question: Question, answer: Answer) -> Iterator[str]:
        item = question.item
        if answer.verdict == Verdict.UNCHECKED and item.is_required and question.earlier is None:
            yield _("This item is required.")
        yield from question.kind.problems(item, answer)
        proposed = question.kind.propose(answer, self.context)
        if proposed == Verdict.FAILS and answer.verdict == Verdict.CONFORMS and not answer.note:
            yield _("What was found speaks against “Conforms”: write down what explains it.")


def version_rows(form_of: Inspection, context: FieldContext) -> ChecklistVersion:
    """Return the version of the record with all its rows, in a constant number of statements."""
    return context.session.scalars(
        select(ChecklistVersion)
        .where(ChecklistVersion.id == form_of.checklist_version_id)
        .options(
            selectinload(ChecklistVersion.sections)
            .selectinload(ChecklistSection.items)
            .selectinload(ChecklistItem.choices)
        )
    ).one()


def checklist_form(context: FieldContext) -> type[ChecklistForm]:
    """Return the form class of one inspection, with a field for every part of every item asked."""
    inspection = context.inspection
    version = version_rows(inspection, context)
    earlier = done_this_semester(context.session, inspection)
    chapters = list(_chapters(version, context, earlier))
    attributes: dict[str, Any] = {"context": context, "chapters": chapters}
    for chapter in chapters:
        for question in chapter.questions:
            attributes.update(_fields(question, inspection))
    return type("InspectionForm", (ChecklistForm,), attributes)


def checklist_chapters(context: FieldContext) -> list[Chapter]:
    """Return the sections and questions of a record, to be shown rather than asked."""
    version = version_rows(context.inspection, context)
    return list(_chapters(version, context, {}))


def bound_form(
    context: FieldContext,
    bases: tuple[type[Any], ...] = (),
    extra: Mapping[str, Any] | None = None,
) -> Any:
    """Return the form filled with what is stored and, in a POST, with what was typed."""
    inspection = context.inspection
    stored: dict[str, Any] = {
        "theme": inspection.theme,
        "general_note": inspection.note,
        "late_reason": inspection.late_reason,
        "row_version": str(inspection.row_version),
    }
    asked = checklist_form(context)
    cls: Any = type("InspectionForm", (asked, *bases), dict(extra or {})) if bases else asked
    answers = {answer.item_id: answer for answer in inspection.answers}
    for chapter in cls.chapters:
        for question in chapter.questions:
            answer = answers.get(question.item.id) or _blank(inspection, question.item)
            stored |= {question.name(key): v for key, v in question.kind.load(answer).items()}
            stored[question.name("verdict")] = answer.verdict
            stored[question.name("note")] = answer.note
            stored[question.name("opinion")] = answer.opinion
            stored[question.name("evidence")] = answer.evidence_set_id
    form = cls(data=stored)
    form.reason.flags.required = inspection.state != InspectionState.DRAFT
    _share_files(form)
    return form


def _blank(inspection: Inspection, item: ChecklistItem) -> Answer:
    """Return an answer that no session knows: looking at a record writes nothing."""
    blank = Answer(verdict=Verdict.UNCHECKED)
    set_committed_value(blank, "inspection", inspection)
    set_committed_value(blank, "item", item)
    return blank


def complete_answers(context: FieldContext) -> None:
    """Give the record an unchecked answer for each item that it is asked."""
    inspection = context.inspection
    answered = {answer.item_id for answer in inspection.answers}
    for section in version_rows(inspection, context).sections:
        for item in section.items:
            if item.id not in answered and is_asked(item, inspection):
                new_answer(inspection, item)
    context.session.flush()


def new_answer(inspection: Inspection, item: ChecklistItem) -> Answer:
    """Return a new answer of the record: unchecked, whatever the item is."""
    answer = Answer(
        item_id=item.id,
        item=item,
        verdict=Verdict.UNCHECKED,
        county_id=inspection.county_id,
        township_id=inspection.township_id,
        school_id=inspection.school_id,
    )
    inspection.answers.append(answer)
    return answer


def is_asked(item: ChecklistItem, inspection: Inspection) -> bool:
    """Tell whether an item applies to what is inspected: a school, or a township itself."""
    unit = "school" if inspection.school_id is not None else "township"
    return item.applies_to in (unit, "both")


def _chapters(
    version: ChecklistVersion, context: FieldContext, earlier: Mapping[str, Earlier]
) -> Iterator[Chapter]:
    for section in version.sections:
        questions = [
            _question(item, context, earlier.get(item.key))
            for item in section.items
            if is_asked(item, context.inspection)
        ]
        if questions:
            yield Chapter(section, questions)


def _question(item: ChecklistItem, context: FieldContext, earlier: Earlier | None) -> Question:
    kind = kind_of(item.kind)
    settled = earlier if item.frequency == "semester" else None
    return Question(
        item, kind, tuple(kind.build(item, context)), tuple(kind.rows(item, context)), settled
    )


def _fields(question: Question, inspection: Inspection) -> Iterator[tuple[str, Any]]:
    for part in question.parts:
        yield question.name(part.name), part.field
    offered = [SelectChoice(str(verdict), text) for verdict, text in VERDICT_WORDS.items()]
    asked = words(question.item.text)
    yield question.name("verdict"), RadioField(asked, choices=offered, default=Verdict.UNCHECKED)
    long = Length(max=TEXT_LENGTH)
    yield (
        question.name("note"),
        TextAreaField(_l("Record of what was found"), [long], filters=[trimmed]),
    )
    yield (
        question.name("opinion"),
        TextAreaField(_l("Rectification opinion"), [long], filters=[trimmed]),
    )

    keeps = inspection.state == InspectionState.SUBMITTED
    evidence = EvidenceField(_l("Evidence"), owner=lambda: inspection, keeps=keeps)
    yield question.name("evidence"), evidence


def _share_files(form: ChecklistForm) -> None:
    """Read the files of all items in one statement instead of one each."""
    fields = [form.part(question, "evidence") for question in form.questions()]
    keys = {key for field in fields for key in (field.data, field.staged_id) if key is not None}
    found: Sequence[EvidenceFile] = ()
    if keys:
        query = select(EvidenceFile).where(
            EvidenceFile.evidence_set_id.in_(keys), EvidenceFile.dropped_at.is_(None)
        )
        found = form.context.session.scalars(query.order_by(EvidenceFile.id)).all()
    for field in fields:
        wanted = {field.data, field.staged_id}
        field.files = [file for file in found if file.evidence_set_id in wanted]
