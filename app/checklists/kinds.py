"""Field kinds: how an item is asked, how its answer is kept, and which verdict it suggests.

Every item has a verdict, a note and evidence; a kind adds values of its own. Its form fields bear
the names ``item_<key>_<part>``. Plugins add kinds; an item whose kind is gone shows what is stored.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, select
from wtforms import (
    DateField,
    Field,
    SelectField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length, Optional

from app.base import registry
from app.checklists.class_lines import ClassLines
from app.checklists.kind import (
    TEXT_LENGTH,
    FieldContext,
    FieldKind,
    Part,
    Values,
    integer,
    is_judged,
    missing_number,
    out_of_bounds,
    trimmed,
)
from app.checklists.roster import DocumentPerChild, Roster
from app.models import (
    Answer,
    ChecklistItem,
    RuleRun,
    Verdict,
    Violation,
)
from app.words import words


class Plain(FieldKind):
    """Ask for the verdict only."""


class Document(FieldKind):
    """Ask whether a paper is there, and of which day."""

    key = "document"

    def build(self, item: ChecklistItem, context: FieldContext) -> Iterator[Part]:
        """Yield the date on the paper."""
        yield Part("day", DateField(_l("Date of the document"), [Optional()]))

    def load(self, answer: Answer) -> Values:
        """Return the date."""
        return {"day": answer.day}

    def store(self, values: Values, answer: Answer, context: FieldContext) -> None:
        """Keep the date."""
        answer.day = values.get("day")


class Integer(FieldKind):
    """Ask for one whole number."""

    key = "integer"

    def build(self, item: ChecklistItem, context: FieldContext) -> Iterator[Part]:
        """Yield the number."""
        yield Part("number", integer(words(item.label) or _l("Number")))

    def load(self, answer: Answer) -> Values:
        """Return the number."""
        return {"number": answer.number}

    def store(self, values: Values, answer: Answer, context: FieldContext) -> None:
        """Keep the number."""
        answer.number = values.get("number")

    def problems(self, item: ChecklistItem, answer: Answer) -> Iterator[str]:
        """Yield a missing number and one outside the bounds."""
        yield from missing_number(item, answer, [answer.number])
        yield from out_of_bounds(item, [answer.number])


class Pair(FieldKind):
    """Ask for two whole numbers that must agree."""

    key = "pair"

    def build(self, item: ChecklistItem, context: FieldContext) -> Iterator[Part]:
        """Yield both numbers."""
        yield Part("number", integer(words(item.label) or _l("Reported")))
        yield Part("number_other", integer(words(item.label_other) or _l("Counted")))

    def load(self, answer: Answer) -> Values:
        """Return both numbers."""
        return {"number": answer.number, "number_other": answer.number_other}

    def store(self, values: Values, answer: Answer, context: FieldContext) -> None:
        """Keep both numbers."""
        answer.number = values.get("number")
        answer.number_other = values.get("number_other")

    def propose(self, answer: Answer, context: FieldContext) -> Verdict | None:
        """Return conforms where both agree and fails where they do not."""
        if answer.number is None or answer.number_other is None:
            return None
        return Verdict.CONFORMS if answer.number == answer.number_other else Verdict.FAILS

    def problems(self, item: ChecklistItem, answer: Answer) -> Iterator[str]:
        """Yield missing numbers and those outside the bounds."""
        numbers = [answer.number, answer.number_other]
        yield from missing_number(item, answer, numbers)
        yield from out_of_bounds(item, numbers)


class Day(FieldKind):
    """Ask for a date."""

    key = "date"

    def build(self, item: ChecklistItem, context: FieldContext) -> Iterator[Part]:
        """Yield the date."""
        yield Part("day", DateField(words(item.label) or _l("Date"), [Optional()]))

    def load(self, answer: Answer) -> Values:
        """Return the date."""
        return {"day": answer.day}

    def store(self, values: Values, answer: Answer, context: FieldContext) -> None:
        """Keep the date."""
        answer.day = values.get("day")

    def problems(self, item: ChecklistItem, answer: Answer) -> Iterator[str]:
        """Yield a missing date."""
        if item.is_required and is_judged(answer) and answer.day is None:
            yield _("Enter the date.")


class Text(FieldKind):
    """Ask for a text."""

    key = "text"

    def build(self, item: ChecklistItem, context: FieldContext) -> Iterator[Part]:
        """Yield the text."""
        length = Length(max=TEXT_LENGTH)
        yield Part(
            "text", TextAreaField(words(item.label) or _l("Text"), [length], filters=[trimmed])
        )

    def load(self, answer: Answer) -> Values:
        """Return the text."""
        return {"text": answer.text}

    def store(self, values: Values, answer: Answer, context: FieldContext) -> None:
        """Keep the text."""
        answer.text = values.get("text")

    def problems(self, item: ChecklistItem, answer: Answer) -> Iterator[str]:
        """Yield a missing text."""
        if item.is_required and is_judged(answer) and not answer.text:
            yield _("Enter the text.")


class Choice(FieldKind):
    """Ask for one of the answers that the checklist offers."""

    key = "choice"

    def build(self, item: ChecklistItem, context: FieldContext) -> Iterator[Part]:
        """Yield the choice."""
        offered = [
            SelectChoice("", _l("(not chosen)")),
            *(SelectChoice(choice.key, words(choice.title)) for choice in item.choices),
        ]
        yield Part(
            "choice",
            SelectField(
                words(item.label) or _l("Choice"),
                choices=offered,
                filters=[trimmed],
                validate_choice=False,
                validators=[_Offered(item)],
            ),
        )

    def load(self, answer: Answer) -> Values:
        """Return the choice."""
        return {"choice": answer.choice or ""}

    def store(self, values: Values, answer: Answer, context: FieldContext) -> None:
        """Keep the choice."""
        answer.choice = values.get("choice") or None

    def problems(self, item: ChecklistItem, answer: Answer) -> Iterator[str]:
        """Yield a missing choice."""
        if item.is_required and is_judged(answer) and not answer.choice:
            yield _("Choose an answer.")


class _Offered:
    """Refuse a choice that the item does not offer; none at all is a draft's right."""

    def __init__(self, item: ChecklistItem) -> None:
        self.keys = {choice.key for choice in item.choices}

    def __call__(self, _form: Any, asked: Field) -> None:
        """Raise where the value is not offered."""
        if asked.data and asked.data not in self.keys:
            from wtforms.validators import ValidationError

            raise ValidationError(_("Not a valid choice."))


class RuleResult(FieldKind):
    """Take the verdict from what a rule found at the school; plain until the rule exists."""

    key = "rule_result"

    def propose(self, answer: Answer, context: FieldContext) -> Verdict | None:
        """Return fails where the rule has an open violation, conforms where it ran and has none."""
        rule = answer.item.rule
        if not rule or not any(known.key == rule for known in registry.rules()):
            return None
        inspection = context.inspection
        place: ColumnElement[bool] = (
            Violation.school_id == inspection.school_id
            if inspection.school_id is not None
            else Violation.township_id == inspection.township_id
        )
        is_open = Violation.resolved_on.is_(None)
        found = select(Violation.id).where(Violation.rule_key == rule, is_open, place).limit(1)
        if context.session.scalar(found) is not None:
            return Verdict.FAILS
        # Whether a rule has run is no secret, and the guard shows runs to county roles only.
        runs = RuleRun.__table__.c
        ran = select(runs.id).where(runs.rule_key == rule, runs.error.is_(None)).limit(1)
        has_run = context.session.execute(ran).first() is not None
        return Verdict.CONFORMS if has_run else None


class Unknown(FieldKind):
    """Stand for a kind whose plugin is gone: ask for the verdict, show what is stored."""

    key = "unknown"


CORE_KINDS: tuple[type[FieldKind], ...] = (
    Plain,
    Document,
    Integer,
    Pair,
    Day,
    Text,
    Choice,
    Roster,
    DocumentPerChild,
    ClassLines,
    RuleResult,
)


def kind_of(key: str) -> FieldKind:
    """Return the kind of this key: the core's, a plugin's, or the one that only shows."""
    plugged: tuple[type[FieldKind], ...] = tuple(registry.field_kinds())
    found = (kind for kind in (*CORE_KINDS, *plugged) if kind.key == key)
    return next(found, Unknown)()
