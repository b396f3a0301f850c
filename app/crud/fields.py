"""Hold the fields of the product's forms: lookups by id, native days and moments, plain texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlencode

from flask_babel import gettext as _
from markupsafe import Markup, escape
from wtforms import DateField, Field, Form, StringField
from wtforms.validators import StopValidation, ValidationError
from wtforms.widgets import DateInput, DateTimeLocalInput, Select, html_params

from app import clock
from app.crud.interface import find
from app.crud.lookups import lookup_of
from app.crud.masking import masked
from app.crud.refusal import log_refused_key
from app.extensions import db

FIRST_YEAR, LAST_YEAR = 1900, 2199
MOMENT = "%Y-%m-%dT%H:%M"


class Required:
    """Ask for a value, with one text for every kind of field."""

    field_flags = {"required": True}

    def __call__(self, form: Form, field: Field) -> None:
        """Refuse an empty field."""
        if field.data is None or field.data == "":
            if field.errors:
                raise StopValidation  # what was typed could not be read: that is said already
            raise StopValidation(_("This field is required."))


class PlainText:
    """Refuse characters that no keyboard types and that databases or documents choke on."""

    def __init__(self, *, lines: bool = False) -> None:
        self.lines = lines

    def __call__(self, form: Form, field: Field) -> None:
        """Refuse control characters; line breaks only where the text has lines."""
        allowed = "\n\r\t" if self.lines else ""
        for character in field.data or "":
            if character not in allowed and is_control(character):
                raise StopValidation(_("The text contains a control character. Type it anew."))


def is_control(character: str) -> bool:
    """Tell whether a character is a control character or half of a surrogate pair."""
    code = ord(character)
    return code < 32 or 127 <= code < 160 or 0xD800 <= code < 0xE000 or code in {0xFFFE, 0xFFFF}


def trimmed(value: Any) -> Any:
    """Return a text without blanks around it, and nothing instead of an empty one."""
    return (value.strip() or None) if isinstance(value, str) else value


def absent(value: Any) -> Any:
    """Return nothing instead of an empty choice."""
    return None if value in {None, ""} else str(value)


class MaskedField(StringField):
    """A personal number: shown in part, and unchanged unless it is typed anew."""

    def __init__(self, label: Any = None, validators: Any = None, **kwargs: Any) -> None:
        kwargs.setdefault("render_kw", {"class": "form-control", "autocomplete": "off"})
        super().__init__(label, validators, **kwargs)

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        """Keep the stored number where its masked form came back."""
        typed = valuelist[0].strip() if valuelist else ""
        if not self.object_data or typed != masked(self.object_data):
            self.data = typed or None

    def _value(self) -> str:
        return str(self.raw_data[0]) if self.raw_data else masked(self.data)


class ChoiceWidget(Select):
    """Draw a short list of choices."""

    def __call__(self, field: Field, **kwargs: Any) -> Markup:
        """Return the markup."""
        kwargs.setdefault("class", "form-control")
        return super().__call__(field, **kwargs)


class DayField(DateField):
    """A day, typed into the browser's own date input."""

    widget = DateInput()

    def __init__(self, label: Any = None, validators: Any = None, **kwargs: Any) -> None:
        kwargs.setdefault("render_kw", {"class": "form-control"})
        super().__init__(label, validators, **kwargs)

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        """Read an ISO day within the years that people and schools have."""
        typed = valuelist[0].strip() if valuelist else ""
        self.data: date | None = None
        if not typed:
            return
        try:
            self.data = date.fromisoformat(typed)
        except ValueError:
            raise ValueError(_("This is not a day. Write it as 2026-03-05.")) from None
        if not FIRST_YEAR <= self.data.year <= LAST_YEAR:
            self.data = None
            raise ValueError(_("The year must lie between 1900 and 2199."))

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return self.data.isoformat() if self.data else ""


class MomentField(Field):
    """An instant, typed as the clock on the wall shows it, kept in UTC."""

    widget = DateTimeLocalInput()

    def __init__(self, label: Any = None, validators: Any = None, **kwargs: Any) -> None:
        kwargs.setdefault("render_kw", {"class": "form-control"})
        super().__init__(label, validators, **kwargs)

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        """Read a local moment."""
        typed = valuelist[0].strip() if valuelist else ""
        self.data: datetime | None = None
        if not typed:
            return
        try:
            local = datetime.fromisoformat(typed)
        except ValueError:
            raise ValueError(_("This is not a time. Write it as 2026-03-05 07:50.")) from None
        if not FIRST_YEAR <= local.year <= LAST_YEAR:
            raise ValueError(_("The year must lie between 1900 and 2199."))
        aware = local if local.tzinfo else local.replace(tzinfo=clock.zone())
        self.data = aware.astimezone(UTC)

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return clock.local(self.data).strftime(MOMENT) if self.data else ""


@dataclass(frozen=True, slots=True)
class Beside:
    """Name the field of the same form whose choice narrows a lookup."""

    field: str


class LookupWidget:
    """Draw a select that holds only the chosen row; the others come by typing."""

    def __call__(self, field: LookupField, **kwargs: Any) -> Markup:
        """Return the markup that the page's script turns into a search box."""
        kwargs.setdefault("id", field.id)
        kwargs["class"] = "bureau-lookup form-control"
        kwargs["data-endpoint"] = field.endpoint
        if field.beside:
            kwargs["data-beside"] = urlencode(field.beside)
        kwargs["data-placeholder"] = _("Type a name, pinyin or initials")
        if field.flags.required:
            kwargs["required"] = True
        if field.is_multiple:
            kwargs["multiple"] = True
        options = [
            Markup('<option value="{}" selected>{}</option>').format(row.id, escape(text))
            for row, text in field.chosen()
        ]
        blank = Markup("") if field.is_multiple else Markup('<option value=""></option>')
        params = html_params(name=field.name, **kwargs)
        inner = blank + Markup("").join(options)
        return Markup("<select {}>{}</select>").format(Markup(params), inner)  # noqa: S704  # escaped


class LookupField(Field):
    """A relation by id: at most the chosen row is read, on GET and on POST.

    ``narrow`` keeps the choice to rows with certain values, such as the codes of one domain; where
    a value is ``Beside("school")``, the page offers what fits the choice in that field.
    """

    widget = LookupWidget()
    is_multiple = False

    def __init__(
        self,
        label: Any = None,
        validators: Any = None,
        *,
        model: type[Any],
        narrow: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(label, validators, **kwargs)
        self.model = model
        given = dict(narrow or {})
        self.beside = {key: one.field for key, one in given.items() if isinstance(one, Beside)}
        self.narrow = {key: one for key, one in given.items() if key not in self.beside}
        self.typed: list[str] = []

    @property
    def endpoint(self) -> str:
        """Return the address that answers what is typed."""
        query = f"?{urlencode(self.narrow)}" if self.narrow else ""
        return f"/lookup/{self.model.__tablename__}{query}"

    def chosen(self) -> list[tuple[Any, str]]:
        """Return the chosen rows with their texts."""
        rows = self.data if isinstance(self.data, list) else [self.data]
        text = lookup_of(self.model).text
        return [(row, text(row)) for row in rows if row is not None]

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        """Read the row that the id names, through a statement that the guard narrows."""
        self.typed = [value.strip() for value in valuelist if value.strip()]
        self.data = self.row_of(self.typed[0]) if self.typed else None

    def row_of(self, key: str) -> Any | None:
        """Return the row of a key, or None where it is not open to the reader or does not fit."""
        with db.session.no_autoflush:
            row = find(db.session, self.model, key)
        if row is None or any(getattr(row, name) != value for name, value in self.narrow.items()):
            log_refused_key(self.model, key)
            return None
        return row

    def pre_validate(self, form: Form) -> None:
        """Refuse an id that names no row, and one that names a row of others, in the same words."""
        if self.typed and not self.data:
            raise StopValidation(_("There is no such record. Please choose one from the list."))


class LookupManyField(LookupField):
    """Several rows by id."""

    is_multiple = True

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        """Read the rows that the ids name."""
        self.typed = list(dict.fromkeys(value.strip() for value in valuelist if value.strip()))
        self.data = [row for row in map(self.row_of, self.typed) if row is not None]

    def pre_validate(self, form: Form) -> None:
        """Refuse the whole choice where one id names no open row."""
        if len(self.data or []) != len(self.typed):
            raise ValidationError(_("There is no such record. Please choose one from the list."))
