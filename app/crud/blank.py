"""Draw the empty fields of a form once for each language: most of an add form is empty."""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask_babel import get_locale
from markupsafe import Markup
from wtforms import BooleanField, Field, Form, SelectField, StringField, TextAreaField

from app.crud.fields import DayField, LookupField, MaskedField, MomentField
from app.files.field import EvidenceField

ALIKE = {
    BooleanField, DayField, EvidenceField, LookupField, MaskedField, MomentField, SelectField,
    StringField, TextAreaField,
}  # fmt: skip
"""Fields whose empty input is the same for everybody; others may depend on who asks."""


def init_app(app: Flask) -> None:
    """Let templates draw the rows of a form."""
    app.jinja_env.filters["form_row"] = form_row


def form_row(form: Form, name: str, draw: Any) -> Markup:
    """Return the row of a field as the macro draws it, or as it drew it when it was empty."""
    field = form[name]
    kept: dict[tuple[str, str], Markup] | None = getattr(type(form), "blank_rows", None)
    if kept is None or not _is_blank(field):
        return draw(field)
    key = (name, str(get_locale()))
    if key not in kept:
        kept[key] = draw(field)
    return kept[key]


def _is_blank(field: Field) -> bool:
    if type(field) not in ALIKE or field.errors or field.raw_data:
        return False
    if isinstance(field, EvidenceField) and (field.is_touched or field.files):
        return False
    return field.data in {None, "", False} or (
        not callable(field.default) and field.data == field.default
    )
