"""Ask for a whole month's sessions of a child in one form: a line for each, and some to add."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from flask import request
from flask_wtf import FlaskForm
from wtforms import BooleanField, Field, HiddenField, IntegerField, TextAreaField
from wtforms.validators import Length, NumberRange, Optional
from wtforms.widgets import NumberInput, TextArea

from app.kit import (
    DayField,
    EvidenceField,
    LookupManyField,
    Person,
    PlainText,
    _l,
    trimmed,
)

from .clash import Booking
from .clock import ClockField
from .models import Case, TeachingSession

SPARE = 3
LEAST_LINES = 6
MOST_LINES = 62
LONGEST = 4000
MOST_HOURS = 24
NAMES = (
    "key", "version", "day", "start", "end", "hours", "teachers", "plan", "record", "files", "drop",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """The fields of one session."""

    number: int
    key: Field
    version: Field
    day: Field
    start: Field
    end: Field
    hours: Field
    teachers: Field
    plan: Field
    record: Field
    files: Field
    drop: Field

    @property
    def is_stored(self) -> bool:
        """Tell whether the line shows a stored session."""
        return bool(self.key.data)

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing was typed, so that the line stands for no session."""
        typed = (self.day, self.start, self.end, self.hours, self.plan, self.record, self.teachers)
        raw = any("".join(map(str, field.raw_data or ())).strip() for field in typed)
        return not raw and not self.files.is_touched

    def fields(self) -> Iterator[Field]:
        """Yield the fields."""
        return (getattr(self, name) for name in NAMES)

    @property
    def errors(self) -> list[str]:
        """Return what is wrong with the line."""
        return [str(error) for field in self.fields() for error in field.errors]

    def booking(self, child_id: int) -> Booking:
        """Return the time that the session takes of its teachers."""
        people = frozenset(person.id for person in self.teachers.data)
        key = int(self.key.data) if self.is_stored else None
        return Booking(child_id, self.day.data, self.start.data, self.end.data, people, key)


class MonthForm(FlaskForm):
    """Ask for the sessions of a month; :func:`month_form` adds the lines."""

    count: ClassVar[int] = LEAST_LINES
    submit_token = HiddenField()

    def lines(self) -> Iterator[Line]:
        """Yield the lines."""
        for number in range(1, self.count + 1):
            yield Line(number, *(self[f"{name}_{number}"] for name in NAMES))

    def fill(self, stored: Sequence[TeachingSession]) -> None:
        """Show what is stored."""
        for line, row in zip(self.lines(), stored, strict=False):
            line.key.data, line.version.data = str(row.id), str(row.row_version)
            line.day.data, line.start.data, line.end.data = (
                row.taught_on,
                row.starts_at,
                row.ends_at,
            )
            line.hours.data, line.plan.data, line.record.data = (
                row.stated_hours,
                row.plan,
                row.record,
            )
            line.teachers.data = [teacher.person for teacher in row.teachers]
            line.files.data = row.evidence_set_id


def month_form(case: Case, stored: int) -> type[MonthForm]:
    """Return the form of a month: a line for each stored session and some to add."""
    sent = sum(name.startswith("day_") for name in request.form)
    count = min(max(LEAST_LINES, stored + SPARE, sent), max(MOST_LINES, stored))
    fields: dict[str, Any] = {"count": count}
    for number in range(1, count + 1):
        made = _line(case)
        fields.update({f"{name}_{number}": made[name] for name in NAMES})
    return type("CaseMonthForm", (MonthForm,), fields)


def _line(case: Case) -> Mapping[str, Any]:
    """Return the fields of one line; what must be filled is asked for by :func:`complain`."""
    number = {"class": "form-control", "min": 1, "max": MOST_HOURS, "inputmode": "numeric"}
    hours = [Optional(), NumberRange(1, MOST_HOURS)]
    return {
        "key": HiddenField(),
        "version": HiddenField(),
        "day": DayField(_l("Taught on"), [Optional()]),
        "start": ClockField(_l("Starts at"), [Optional()]),
        "end": ClockField(_l("Ends at"), [Optional()]),
        "hours": IntegerField(
            _l("Stated class hours"), hours, widget=NumberInput(), render_kw=number
        ),
        "teachers": LookupManyField(_l("Teachers"), [Optional()], model=Person),
        "plan": _text(_l("Lesson plan")),
        "record": _text(_l("Record of the session")),
        "files": EvidenceField(_l("Lesson plan, record, pictures"), owner=lambda: case),
        "drop": BooleanField(_l("Delete this session")),
    }


def _text(label: Any) -> Field:
    return TextAreaField(
        label,
        [PlainText(lines=True), Length(max=LONGEST)],
        filters=[trimmed],
        widget=TextArea(),
        render_kw={"class": "form-control", "rows": 2},
    )
