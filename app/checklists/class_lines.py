"""Ask for the counts of each class."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import (
    StringField,
)
from wtforms.validators import Length

from app import clock
from app.base import actor
from app.checklists.kind import (
    NOTE_LENGTH,
    FieldContext,
    FieldKind,
    Part,
    Row,
    Values,
    integer,
    out_of_bounds,
    trimmed,
)
from app.models import (
    Answer,
    ChecklistItem,
    ClassLine,
    Inspection,
    InspectionState,
    Verdict,
)
from app.workflow.attendance import count_absences
from app.workflow.class_line import CLASS_LINES, differences_of, is_explained


class ClassLines(FieldKind):
    """Ask for the counts of each class: on roll, present, away, desks and chairs."""

    key = CLASS_LINES
    counts = ("on_roll", "present", "on_leave", "unexplained", "desks", "chairs")
    labels: ClassVar[Mapping[str, Any]] = {
        "on_roll": _l("On roll"),
        "present": _l("Present"),
        "on_leave": _l("On leave"),
        "unexplained": _l("Unexplained"),
        "desks": _l("Desks"),
        "chairs": _l("Chairs"),
    }
    counted = ("present", "desks", "chairs")

    def asked(self, context: FieldContext) -> Sequence[str]:
        """Return the counts to type: a daily check takes the list and the absences from records."""
        return self.counted if context.is_self_inspection else self.counts

    def rows(self, item: ChecklistItem, context: FieldContext) -> Sequence[Row]:
        """Return the classes of the record, in the order of the school."""
        return [_class_row(line, context) for line in ordered_lines(context.inspection)]

    def build(self, item: ChecklistItem, context: FieldContext) -> Iterator[Part]:
        """Yield the counts and a note for each class."""
        for line in ordered_lines(context.inspection):
            for name in self.asked(context):
                asked = integer(self.labels[name])
                yield Part(f"class_{line.class_id}_{name}", asked, str(line.class_id))
            note = StringField(_l("Note"), [Length(max=NOTE_LENGTH)], filters=[trimmed])
            yield Part(f"class_{line.class_id}_note", note, str(line.class_id))

    def load(self, answer: Answer) -> Values:
        """Return the counts of all lines."""
        return {
            f"class_{line.class_id}_{name}": getattr(line, name)
            for line in answer.inspection.class_lines
            for name in (*self.counts, "note")
        }

    def store(self, values: Values, answer: Answer, context: FieldContext) -> None:
        """Keep the counts; a line that changes bears its own checker and time.

        A correction keeps them: the class was checked when it was checked.
        """
        is_corrected = answer.inspection.state == InspectionState.SUBMITTED
        if context.is_self_inspection:
            count_absences(context.session, [answer.inspection])
        for line in answer.inspection.class_lines:
            typed = {
                name: values.get(f"class_{line.class_id}_{name}")
                for name in (*self.asked(context), "note")
            }
            if all(getattr(line, name) == value for name, value in typed.items()):
                continue
            for name, value in typed.items():
                setattr(line, name, value)
            line.is_agreed = False
            if is_corrected and line.checked_at is not None and line.present is not None:
                continue
            line.checked_by_id = actor.get().person_id
            line.checked_at = clock.now() if line.present is not None else None

    def propose(self, answer: Answer, context: FieldContext) -> Verdict | None:
        """Return fails where a class does not add up, conforms where every class does."""
        lines = answer.inspection.class_lines
        if any(_differs(line, context) for line in lines):
            return Verdict.FAILS
        complete = bool(lines) and all(
            line.present is not None and line.on_roll is not None for line in lines
        )
        return Verdict.CONFORMS if complete else None

    def problems(self, item: ChecklistItem, answer: Answer) -> Iterator[str]:
        """Yield the classes without a count, and counts outside the bounds."""
        lines = ordered_lines(answer.inspection)
        numbers = [getattr(line, name) for line in lines for name in self.counts]
        yield from out_of_bounds(item, numbers, least=0)
        missing = [str(line.school_class) for line in lines if line.present is None]
        if item.is_required and missing and answer.inspection.class_lines:
            yield _("Not counted yet: %(classes)s", classes=_(", ").join(missing))

    def show(self, answer: Answer) -> str:
        """Return how many classes were counted."""
        lines = answer.inspection.class_lines
        counted = sum(line.present is not None for line in lines)
        return _("%(counted)s of %(total)s classes", counted=counted, total=len(lines))


def ordered_lines(inspection: Inspection) -> list[ClassLine]:
    """Return the class lines in the order of the school's classes."""
    return sorted(
        inspection.class_lines,
        key=lambda line: (line.school_class.position, line.school_class.name, line.class_id),
    )


def _class_row(line: ClassLine, context: FieldContext) -> Row:
    marks = {
        "drawn": line.is_drawn,
        "agreed": line.is_agreed,
        "hidden": line.class_id in context.hidden_classes,
        "reported": line.class_id in context.reported_classes,
        "checked": line.checked_at is not None,
    }
    held = frozenset(name for name, holds in marks.items() if holds)
    return Row(str(line.class_id), str(line.school_class), line.note or "", held)


def _differs(line: ClassLine, context: FieldContext) -> bool:
    """Tell whether a class speaks against the item: counts that differ, or pupils unexplained."""
    if line.unexplained and not is_explained(line):
        return True
    reported = context.reported.get(line.class_id)
    return any(True for _difference in differences_of(line, reported))
