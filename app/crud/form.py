"""Make forms from models: lookups instead of drop-downs of tables, native inputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flask_appbuilder.fieldwidgets import BS3TextAreaFieldWidget, BS3TextFieldWidget
from flask_appbuilder.forms import DynamicForm
from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    DecimalField,
    Field,
    Form,
    HiddenField,
    IntegerField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms import validators as wtforms_validators
from wtforms.fields.choices import SelectChoice
from wtforms.widgets import NumberInput

from app.base import Scoped
from app.crud.fields import (
    ChoiceWidget,
    DayField,
    LookupField,
    MaskedField,
    MomentField,
    PlainText,
    Required,
    absent,
    trimmed,
)
from app.crud.filters import LARGEST_NUMBER, NO, YES
from app.crud.interface import BureauInterface
from app.crud.placement import place_of_reader
from app.crud.texts import FORM_TEXTS, FormTexts
from app.files.field import EvidenceField

LONGEST_TEXT = 20_000
LONGEST_SECRET = 200
BLANK = ""

Choices = Mapping[str, Any]
"""Keys of a column with their labels."""


class BureauForm(DynamicForm):
    """A form with a token against double submits and the version of the row it was made from."""

    class Meta:
        """Take the texts of WTForms itself from catalogues that are read once."""

        def get_translations(self, form: Form) -> FormTexts:
            """Return the texts."""
            return FORM_TEXTS

    submit_token = HiddenField()
    row_version = HiddenField()


class FormFactory:
    """Make the add, edit and search forms of a view from its model and its declarations."""

    def __init__(
        self,
        datamodel: BureauInterface,
        labels: Mapping[str, Any],
        descriptions: Mapping[str, Any] | None = None,
        validators: Mapping[str, Iterable[Any]] | None = None,
        lookups: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        self.datamodel = datamodel
        self.labels = labels
        self.descriptions = descriptions or {}
        self.validators = validators or {}
        self.lookups = lookups or {}

    def form(self, columns: Iterable[str], extra: Mapping[str, Any] | None = None) -> type[Form]:
        """Return the form class that edits some columns."""
        given = extra or {}
        fields = {name: given.get(name) or self.field(name) for name in columns}
        return type("RowForm", (BureauForm,), {**fields, "blank_rows": {}})

    def search_form(
        self, columns: Iterable[str], extra: Mapping[str, Any] | None = None
    ) -> type[Form]:
        """Return the form class from which the conditions of a search are drawn."""
        given = extra or {}
        fields = {name: given.get(name) or self.search_field(name) for name in columns}
        return type("SearchForm", (DynamicForm,), fields)

    def field(self, column: str) -> Field:
        """Return the field that edits a column or a relation."""
        model = self.datamodel
        common: dict[str, Any] = {
            "description": self.descriptions.get(column, ""),
            "validators": [*self._presence(column), *self.validators.get(column, ())],
        }
        label = self.labels.get(column, column)
        if column == "evidence_set_id":
            return EvidenceField(label, owner=place_of_reader, description=common["description"])
        if model.is_relation_many_to_one(column):
            target = model.get_related_model(column)
            return LookupField(label, model=target, narrow=self.lookups.get(column), **common)
        if model.is_choice(column):
            return self._choice(column, label, common)
        return self._typed(column, label, common)

    def _presence(self, column: str) -> list[Any]:
        """Return the validator that asks for a value, or the one that allows none."""
        if self.datamodel.is_boolean(column) or column == "evidence_set_id":
            return []
        follows_school = column == "township" and issubclass(self.datamodel.obj, Scoped)
        if self.datamodel.is_nullable(column) or follows_school:
            return [wtforms_validators.Optional()]
        return [Required()]

    def _choice(self, column: str, label: Any, common: dict[str, Any]) -> Field:
        choices = choices_of(self.datamodel.choices[column])
        default = self.datamodel.get_col_default(column)
        if self.datamodel.is_nullable(column) or default is None:
            choices.insert(0, SelectChoice(BLANK, ""))
        return SelectField(
            label,
            choices=choices,
            coerce=absent,
            default=default,
            widget=ChoiceWidget(),
            **common,
        )

    def _typed(self, column: str, label: Any, common: dict[str, Any]) -> Field:
        model = self.datamodel
        default = model.get_col_default(column)
        validators = common["validators"]
        if model.is_encrypted(column):
            validators.extend([PlainText(), wtforms_validators.Length(max=LONGEST_SECRET)])
            return MaskedField(label, **common)
        if model.is_boolean(column):
            return BooleanField(label, default=default, **common)
        if model.is_datetime(column):
            return MomentField(label, **common)
        if model.is_date(column):
            return DayField(label, **common)
        if model.is_integer(column) or model.is_numeric(column) or model.is_float(column):
            return self._number(column, label, default, common)
        if model.is_text(column):
            validators.extend([PlainText(lines=True), wtforms_validators.Length(max=LONGEST_TEXT)])
            return TextAreaField(
                label, widget=BS3TextAreaFieldWidget(), filters=[trimmed], default=default, **common
            )
        validators.append(PlainText())
        longest = model.get_max_length(column)
        if longest > 0:
            validators.append(wtforms_validators.Length(max=longest))
        return StringField(
            label, widget=BS3TextFieldWidget(), filters=[trimmed], default=default, **common
        )

    def _number(self, column: str, label: Any, default: Any, common: dict[str, Any]) -> Field:
        kind = self.datamodel.list_columns[column].type
        places = getattr(kind, "scale", None)
        largest = LARGEST_NUMBER
        if places is not None and kind.precision is not None:
            largest = min(largest, 10 ** (kind.precision - places) - 1)
        bounds = wtforms_validators.NumberRange(min=-largest, max=largest)
        common["validators"].append(bounds)
        made = IntegerField if self.datamodel.is_integer(column) else DecimalField
        step = None if made is IntegerField else "any"
        return made(
            label,
            widget=NumberInput(step=step),
            render_kw={"class": "form-control"},
            default=default,
            **common,
        )

    def search_field(self, column: str) -> Field:
        """Return the input for a value to search for; it never reads a row."""
        model = self.datamodel
        label = self.labels.get(column, column)
        if model.is_relation_many_to_one(column):
            target = model.get_related_model(column)
            return LookupField(label, model=target, narrow=self.lookups.get(column))
        if model.is_choice(column):
            choices = choices_of(model.choices[column])
            return SelectField(label, choices=choices, widget=ChoiceWidget())
        if model.is_boolean(column):
            choices = choices_of({YES: _l("Yes"), NO: _l("No")})
            return SelectField(label, choices=choices, widget=ChoiceWidget())
        if model.is_date(column) or model.is_datetime(column):
            return DayField(label)
        return StringField(label, widget=BS3TextFieldWidget())


def choices_of(labels: Choices) -> list[SelectChoice]:
    """Return keys and labels as WTForms wants them."""
    return [SelectChoice(key, label) for key, label in labels.items()]
