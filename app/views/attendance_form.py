"""Ask who of a class is away: one line for a child, with the kind and the word of the guardian."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from flask import request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import Field, HiddenField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length, Optional

from app.crud.fields import ChoiceWidget, LookupField, trimmed
from app.files.field import EvidenceField
from app.models import Absence, Child, SchoolClass
from app.workflow.attendance import Away, refusal_of
from app.workflow.leave import Expected

ROWS = 12
KIND_WORDS = {
    "sick_leave": _l("Sick leave"),
    "personal_leave": _l("Personal leave"),
    "pending": _l("Not yet contacted"),
    "unexplained": _l("Unexplained"),
}


class AttendanceForm(FlaskForm):
    """Ask for the children who are away; :func:`attendance_form` adds the lines."""

    count: ClassVar[int] = ROWS
    submit_token = HiddenField()
    row_version = HiddenField()
    """Which report of the day the page showed: nothing where there was none."""

    def lines(self) -> Iterator[tuple[Field, Field, Field, Field]]:
        """Yield child, kind, contact note and evidence of each line."""
        for number in range(1, self.count + 1):
            names = ("child", "kind", "contact", "evidence")
            yield tuple(self[f"{name}_{number}"] for name in names)

    def named(self) -> list[tuple[Away, Field]]:
        """Return the absences that were typed, each with its field for evidence."""
        return [
            (Away(child.data.id, kind.data or "", contact.data), evidence)
            for child, kind, contact, evidence in self.lines()
            if child.data is not None
        ]

    def complain(self) -> bool:
        """Name at each line what is wrong; tell if anything is."""
        seen: set[int] = set()
        for child, kind, contact, _evidence in self.lines():
            if child.data is None:
                if contact.data:
                    child.errors = [*child.errors, _("Choose the child.")]
                continue
            reason = refusal_of(Away(child.data.id, kind.data or "", contact.data))
            if reason:
                wrong = contact if kind.data else kind
                wrong.errors = [*wrong.errors, reason]
            if child.data.id in seen:
                child.errors = [*child.errors, _("A child is named twice.")]
            seen.add(child.data.id)
        return any(field.errors for field in self)

    def fill(self, absences: Sequence[Absence | Expected]) -> None:
        """Show what is stored, or who is on leave."""
        for fields, absence in zip(self.lines(), absences, strict=False):
            child, kind, contact, evidence = fields
            child.data, kind.data = absence.child, absence.kind
            contact.data, evidence.data = absence.contact_note, absence.evidence_set_id


def attendance_form(school_class: SchoolClass, stored: int) -> type[AttendanceForm]:
    """Return the form of one class: its own children only, a few lines more than are stored."""
    kinds = [SelectChoice("", _l("(not chosen)"))]
    kinds += [SelectChoice(key, words) for key, words in KIND_WORDS.items()]
    sent = sum(name.startswith("child_") for name in request.form)
    count = max(ROWS, stored + ROWS // 2, sent)
    fields: dict[str, Any] = {"count": count}
    for number in range(1, count + 1):
        fields[f"child_{number}"] = LookupField(
            _l("Pupil"),
            [Optional()],
            model=Child,
            narrow={"class_id": school_class.id, "is_enrolled": 1},
        )
        fields[f"kind_{number}"] = SelectField(
            _l("Kind of absence"), choices=kinds, default="", widget=ChoiceWidget()
        )
        fields[f"contact_{number}"] = StringField(
            _l("Contact with the guardian"),
            [Length(max=200)],
            filters=[trimmed],
            render_kw={"class": "form-control"},
        )
        fields[f"evidence_{number}"] = EvidenceField(_l("Leave paper"), owner=lambda: school_class)
    return type("ClassAttendanceForm", (AttendanceForm,), fields)
