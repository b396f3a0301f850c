"""Hold rows of another table that belong to a record and are typed within its form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from flask_babel import gettext as _
from markupsafe import Markup
from wtforms import Field, FieldList, Form, FormField, HiddenField

from app.crud.fields import LookupField
from app.crud.texts import FORM_TEXTS, FormTexts

MOST_LINES = 30
NEXT = "__next__"
"""Stands for the number of the line that the page's script adds."""


class LineForm(Form):
    """Ask for one line; the key tells which stored row it shows."""

    class Meta:
        """Take the texts of WTForms itself from catalogues that are read once."""

        def get_translations(self, form: Form) -> FormTexts:
            """Return the texts."""
            return FORM_TEXTS

    id = HiddenField()

    def fields(self) -> list[Field]:
        """Return the fields that people fill."""
        return [field for field in self if not isinstance(field, HiddenField)]

    @property
    def is_blank(self) -> bool:
        """Tell whether nothing was typed: such a line is no line."""
        return all(field.data in {None, "", False} for field in self.fields())

    def complain(self) -> None:
        """Compare fields with each other; note at a field what is wrong."""


class LinesWidget:
    """Draw the lines, a few blank ones, and the pattern from which the page adds more."""

    def __call__(self, field: LinesField, **kwargs: Any) -> Markup:
        """Return the markup."""
        drawn = [self._line(entry.form, number) for number, entry in enumerate(field.entries, 1)]
        return Markup(
            '<div class="lines" id="{}" role="group" aria-label="{}">{}'
            '<template>{}</template><button type="button" class="btn btn-default" data-add-line>'
            '<i class="fa fa-plus" aria-hidden="true"></i> {}</button></div>'
        ).format(
            field.id,
            field.label.text,
            Markup("").join(drawn),
            self._line(field.pattern(), NEXT),
            _("Add a line"),
        )

    def _line(self, form: LineForm, number: int | str) -> Markup:
        fields = Markup("").join(self._field(field) for field in form.fields())
        return Markup(
            '<fieldset class="line"><legend class="sr-only">{}</legend>{}{}</fieldset>'
        ).format(
            _("Line %(number)s", number=number), form["id"]() if form["id"].data else "", fields
        )

    def _field(self, field: Field) -> Markup:
        errors = Markup("").join(
            Markup('<p class="field-error">{}</p>').format(error) for error in field.errors
        )
        return Markup('<div class="field"><label for="{}">{}</label>{}{}</div>').format(
            field.id, field.label.text, field(), errors
        )


class LinesField(FieldList):
    """The lines of a record; ``line`` asks for one, ``model`` is the row that keeps it."""

    widget = LinesWidget()

    def __init__(
        self,
        label: Any = None,
        validators: Sequence[Any] | None = None,
        *,
        line: type[LineForm],
        model: type[Any],
        blank: int = 2,
        **kwargs: Any,
    ) -> None:
        super().__init__(FormField(line), label, validators, max_entries=MOST_LINES, **kwargs)
        self.line = line
        self.model = model
        self.blank = blank

    def process(self, formdata: Any, data: Any = None, extra_filters: Any = None) -> None:
        """Take the lines from the record or the request, and leave room for more."""
        super().process(formdata, data or (), extra_filters)
        room = self.blank if formdata is None else self.blank - len(self._blank_entries())
        for _number in range(min(room, MOST_LINES - len(self.entries))):
            self._add_entry(None, index=self._next_index())

    def pattern(self) -> LineForm:
        """Return a blank line whose number the page puts in."""
        return self.line(prefix=f"{self.name}-{NEXT}-")

    def filled(self) -> list[LineForm]:
        """Return the lines in which something was typed."""
        return [entry.form for entry in self.entries if not entry.form.is_blank]

    def parts(self) -> Iterator[Field]:
        """Yield the fields of all lines."""
        return chain.from_iterable(entry.form.fields() for entry in self.entries)

    def validate(self, form: Form, extra_validators: Sequence[Any] = ()) -> bool:
        """Judge the lines in which something was typed, and name each fault with its field."""
        self.errors: list[str] = []
        for line in self.filled():
            line.validate()
            line.complain()
            for field in line.fields():
                words = {"field": field.label.text, "error": " ".join(map(str, field.errors))}
                if field.errors:
                    self.errors = [*self.errors, _("%(field)s: %(error)s", **words)]
        self._run_validation_chain(form, chain(self.validators, extra_validators))
        return not self.errors

    def populate_obj(self, obj: Any, name: str) -> None:
        """Change the stored rows to what was typed, add new ones and drop those left out."""
        held = {str(row.id): row for row in getattr(obj, name)}
        rows = []
        for line in self.filled():
            row = held.pop(str(line["id"].data), None) or self.model()
            for field in line.fields():
                _put(row, field)
            rows.append(row)
        setattr(obj, name, rows)

    def _blank_entries(self) -> list[Any]:
        return [entry for entry in self.entries if entry.form.is_blank]

    def _next_index(self) -> int:
        return self.last_index + 1


def _put(row: Any, field: Field) -> None:
    """Give a row the value of a field; keys besides relations, since the guard judges by keys."""
    name = field.short_name
    field.populate_obj(row, name)
    relations: Mapping[str, Any] = row.__mapper__.relationships
    if isinstance(field, LookupField) and name in relations:
        column = next(iter(relations[name].local_columns))
        key = row.__mapper__.get_property_by_column(column).key
        setattr(row, key, None if field.data is None else field.data.id)
