"""Hold what every field kind is made of: its context, its form fields and its answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, ClassVar

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session
from wtforms import (
    Field,
    IntegerField,
)
from wtforms.validators import NumberRange, Optional

from app.models import (
    Answer,
    ChecklistItem,
    Inspection,
    Verdict,
)
from app.words import words

LARGEST = 1_000_000
NOTE_LENGTH = 500
TEXT_LENGTH = 5000

Values = Mapping[str, Any]
"""What was typed into the parts of one item, by the name of the part."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of an item with several: a child or a class, with words about it."""

    key: str
    title: str
    hint: str = ""
    marks: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class FieldContext:
    """Where an item is asked: the record, and the session to read what it needs."""

    session: Session
    inspection: Inspection
    is_self_inspection: bool = False
    hidden_classes: frozenset[int] = frozenset()
    """Drawn classes not counted yet: their expected numbers stay hidden."""
    reported: Mapping[int, int] = field(default_factory=dict)
    """How many pupils were present in each class whose teacher has reported the day."""
    lists: dict[tuple[str, ...], Sequence[Row]] = field(default_factory=dict)
    """The children of each list, read once: a dozen papers are asked of the same children."""
    cut: set[tuple[str, ...]] = field(default_factory=set)
    """The lists with more children than a form shows."""

    @property
    def reported_classes(self) -> frozenset[int]:
        """Return the classes with a report: only those may be accepted as they stand."""
        return frozenset(self.reported)

    @property
    def day(self) -> date:
        """Return the day of the inspection."""
        return self.inspection.occurred_on


@dataclass(frozen=True, slots=True)
class Part:
    """One form field of an item: the end of its name, the field, and the row it belongs to."""

    name: str
    field: Any
    row: str | None = None
    """A class or a child where the item has several rows."""


def trimmed(value: Any) -> Any:
    """Return a text without the characters that databases refuse, None where nothing is left."""
    if not isinstance(value, str):
        return value
    return value.replace("\x00", "").strip() or None


def integer(label: str, **kwargs: Any) -> Field:
    """Return a field for a whole number that any database holds."""
    within = NumberRange(-LARGEST, LARGEST, message=_l("Enter a whole number below one million."))
    return IntegerField(label, [Optional(), within], render_kw={"inputmode": "numeric"}, **kwargs)


class FieldKind:
    """Ask for nothing but the verdict; the base of every other kind."""

    key: ClassVar[str] = "plain"

    def build(self, item: ChecklistItem, context: FieldContext) -> Iterator[Part]:
        """Yield the form fields of an item, beside verdict, note and evidence."""
        yield from ()

    def rows(self, item: ChecklistItem, context: FieldContext) -> Sequence[Row]:
        """Return the lines of the item, where it asks about several children or classes."""
        return ()

    def remark(self, item: ChecklistItem, context: FieldContext) -> str:
        """Return what must be known about the lines, to be shown above them."""
        return ""

    def load(self, answer: Answer) -> Values:
        """Return the stored values by the names of the parts."""
        return {}

    def store(self, values: Values, answer: Answer, context: FieldContext) -> None:
        """Keep what was typed in the answer."""

    def propose(self, answer: Answer, context: FieldContext) -> Verdict | None:
        """Return the verdict that the values speak for, None where they are silent."""
        return None

    def problems(self, item: ChecklistItem, answer: Answer) -> Iterator[str]:
        """Yield what is missing or out of bounds when the record is submitted."""
        yield from ()

    def show(self, answer: Answer) -> str:
        """Return the stored values in words, for show pages and documents."""
        return stored_words(answer)


def stored_words(answer: Answer) -> str:
    """Return whatever values an answer holds; old answers of unknown kinds are shown with it."""
    numbers = [str(n) for n in (answer.number, answer.number_other) if n is not None]
    values = [" / ".join(numbers), answer.day and answer.day.isoformat(), answer.text]
    titles = {choice.key: words(choice.title) for choice in answer.item.choices}
    chosen = titles.get(answer.choice or "", answer.choice)
    return _("; ").join(str(value) for value in (*values, chosen) if value)


def is_judged(answer: Answer) -> bool:
    """Tell whether the item was looked at and applies."""
    return answer.verdict in (Verdict.CONFORMS, Verdict.FAILS)


def missing_number(
    item: ChecklistItem, answer: Answer, numbers: Sequence[int | None]
) -> Iterator[str]:
    """Yield a complaint where a judged, required item lacks a number."""
    if item.is_required and is_judged(answer) and None in numbers:
        yield _("Enter the number.")


def out_of_bounds(
    item: ChecklistItem, numbers: Sequence[int | None], least: float | None = None
) -> Iterator[str]:
    """Yield a complaint for each bound that a number breaks."""
    given = [number for number in numbers if number is not None]
    low = item.minimum if item.minimum is not None else least
    if low is not None and any(number < low for number in given):
        yield _("Not less than %(minimum)s.", minimum=f"{low:g}")
    if item.maximum is not None and any(number > item.maximum for number in given):
        yield _("Not more than %(maximum)s.", maximum=f"{item.maximum:g}")
