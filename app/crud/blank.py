"""Draw empty forms and the empty fields of others once for each language."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask
from flask_babel import get_locale
from flask_wtf.csrf import generate_csrf
from markupsafe import Markup
from wtforms import (
    BooleanField,
    Field,
    Form,
    HiddenField,
    IntegerField,
    SelectField,
    StringField,
    TextAreaField,
)

from app.crud.fields import DayField, LookupField, MaskedField, MomentField
from app.crud.form import BureauForm
from app.crud.lines import LinesField
from app.crud.once import new_token
from app.files.field import EvidenceField

ALIKE = {
    BooleanField, DayField, EvidenceField, IntegerField, LookupField, MaskedField, MomentField,
    SelectField, StringField, TextAreaField,
}  # fmt: skip
"""Fields whose empty input is the same for everybody; others may depend on who asks."""
SUBMIT_TOKEN, CSRF_TOKEN = "-submit-token-", "-csrf-token-"
Draw = Callable[[Form], str]


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


class BlankForm:
    """An add form as everybody gets it who brings nothing to begin with; its tokens are its own."""

    def __init__(self) -> None:
        self._kept: dict[str, Markup | None] = {}

    def widget(self, form_class: type[Form], draw: Draw) -> Callable[..., Markup] | None:
        """Return what draws the form; None where a field depends on who asks."""
        language = str(get_locale())
        if language not in self._kept:
            self._kept[language] = _form_without_tokens(form_class, draw)
        kept = self._kept[language]
        return None if kept is None else lambda **_kwargs: _with_tokens(kept)


def _form_without_tokens(form_class: type[Form], draw: Draw) -> Markup | None:
    form = form_class()
    shown = [field for field in form if not isinstance(field, HiddenField)]
    if not issubclass(form_class, BureauForm) or not all(map(_is_blank, shown)):
        return None
    form.submit_token.data = SUBMIT_TOKEN
    markup = Markup(draw(form))  # noqa: S704  # a template's
    return markup.replace(str(form.csrf_token.current_token), CSRF_TOKEN)


def _with_tokens(markup: Markup) -> Markup:
    return markup.replace(CSRF_TOKEN, generate_csrf()).replace(SUBMIT_TOKEN, new_token())


def _is_blank(field: Field) -> bool:
    if isinstance(field, LinesField):
        return not field.errors and all(map(_is_blank, field.parts()))
    if type(field) not in ALIKE or field.errors or field.raw_data:
        return False
    if isinstance(field, EvidenceField) and (field.is_touched or field.files):
        return False
    return field.data in {None, "", False} or (
        not callable(field.default) and field.data == field.default
    )
