"""Field kinds: how an item is asked, how its answer is kept, and which verdict it suggests.

Every item has a verdict, a note and evidence; a kind adds values of its own. Its form fields bear
the names ``item_<key>_<part>``. Plugins add kinds; an item whose kind is gone shows what is stored.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, ClassVar

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session
from wtforms import (
    DateField,
    Field,
    IntegerField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length, NumberRange, Optional

from app import clock
from app.base import actor, registry
from app.models import (
    Absence,
    Answer,
    AnswerChild,
    ChecklistItem,
    Child,
    ChildGroup,
    ChildStatus,
    ClassLine,
    Code,
    Inspection,
    InspectionState,
    RuleRun,
    SchoolClass,
    Verdict,
    Violation,
)
from app.words import words
from app.workflow.attendance import count_absences

LARGEST = 1_000_000
NOTE_LENGTH = 500
TEXT_LENGTH = 5000
CHILDREN_SHOWN = 300
GROUP_DOMAIN = "special_group"
ABSENT = "absent"
MONITORED = "monitored"
"""Lists beside those of statuses and special groups: away on the day; watched by a ledger."""

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
    reported_classes: frozenset[int] = frozenset()
    """Classes whose teacher has reported the day: only those may be accepted as they stand."""
    lists: dict[tuple[str, ...], Sequence[Row]] = field(default_factory=dict)
    """The children of each list, read once: a dozen papers are asked of the same children."""

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


class Roster(FieldKind):
    """Ask about each child of a list whether it is present.

    The item's choices name the lists: child statuses, special groups, ``absent`` or ``monitored``.
    """

    key = "roster"
    default_lists: ClassVar[tuple[str, ...]] = (MONITORED,)
    words: ClassVar[Mapping[str, Any]] = {
        Verdict.UNCHECKED: _l("Not checked"),
        Verdict.CONFORMS: _l("Present"),
        Verdict.FAILS: _l("Absent"),
        Verdict.NOT_APPLICABLE: _l("Not applicable"),
    }

    def rows(self, item: ChecklistItem, context: FieldContext) -> Sequence[Row]:
        """Return the children of the list, and those answered before."""
        listed = children_listed(self.lists(item), context)
        keys = {row.key for row in listed}
        answers = (a for a in context.inspection.answers if a.item_id == item.id)
        earlier = (line for answer in answers for line in answer.children)
        gone = [
            Row(str(line.child_id), str(line.child))
            for line in earlier
            if str(line.child_id) not in keys
        ]
        return [*listed, *gone]

    def lists(self, item: ChecklistItem) -> tuple[str, ...]:
        """Return the keys of the lists that the item names, or the kind's own."""
        return tuple(choice.key for choice in item.choices) or self.default_lists

    def build(self, item: ChecklistItem, context: FieldContext) -> Iterator[Part]:
        """Yield a verdict and a note for each child."""
        offered = [SelectChoice(str(verdict), words) for verdict, words in self.words.items()]
        for row in self.rows(item, context):
            yield Part(
                f"child_{row.key}_verdict",
                RadioField(row.title, choices=offered, default=str(Verdict.UNCHECKED)),
                row.key,
            )
            yield Part(
                f"child_{row.key}_note",
                StringField(_l("Note"), [Length(max=NOTE_LENGTH)], filters=[trimmed]),
                row.key,
            )

    def load(self, answer: Answer) -> Values:
        """Return the verdicts and notes of the children."""
        values: dict[str, Any] = {}
        for line in answer.children:
            values[f"child_{line.child_id}_verdict"] = line.verdict
            values[f"child_{line.child_id}_note"] = line.note
        return values

    def store(self, values: Values, answer: Answer, context: FieldContext) -> None:
        """Keep the verdict on each child; a child left unchecked has no row."""
        stored = {line.child_id: line for line in answer.children}
        for name, verdict in values.items():
            if not name.endswith("_verdict") or not name.startswith("child_"):
                continue
            child_id = int(name.split("_")[1])
            note = values.get(f"child_{child_id}_note")
            line = stored.get(child_id)
            if line is None:
                if verdict == Verdict.UNCHECKED and not note:
                    continue
                line = AnswerChild(
                    child_id=child_id,
                    county_id=answer.county_id,
                    township_id=answer.township_id,
                    school_id=answer.school_id,
                )
                answer.children.append(line)
            line.verdict, line.note = verdict, note

    def propose(self, answer: Answer, context: FieldContext) -> Verdict | None:
        """Return fails where one child fails, conforms where all were seen and none does."""
        verdicts = {line.verdict for line in answer.children}
        if Verdict.FAILS in verdicts:
            return Verdict.FAILS
        listed = {int(row.key) for row in self.rows(answer.item, context)}
        seen = {c.child_id for c in answer.children if c.verdict != Verdict.UNCHECKED}
        return Verdict.CONFORMS if listed and listed <= seen else None

    def show(self, answer: Answer) -> str:
        """Return how many children were seen and how many fail."""
        seen = [line for line in answer.children if line.verdict != Verdict.UNCHECKED]
        failed = sum(line.verdict == Verdict.FAILS for line in seen)
        return _("%(seen)s checked, %(failed)s failed", seen=len(seen), failed=failed)


class DocumentPerChild(Roster):
    """Ask for each child of a list whether its paper is there."""

    key = "document_per_child"
    default_lists = (ABSENT,)
    words = {
        Verdict.UNCHECKED: _l("Not checked"),
        Verdict.CONFORMS: _l("Complete"),
        Verdict.FAILS: _l("Missing"),
        Verdict.NOT_APPLICABLE: _l("Not applicable"),
    }


class ClassLines(FieldKind):
    """Ask for the counts of each class: on roll, present, away, desks and chairs."""

    key = "class_lines"
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
        if any(_differs(line) for line in lines):
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


def _differs(line: ClassLine) -> bool:
    """Tell whether a counted class does not add up and no note says why."""
    if line.note:
        return False
    if line.present is None or line.on_roll is None:
        return bool(line.unexplained)
    away = (line.on_leave or 0) + (line.unexplained or 0)
    furniture = [number for number in (line.desks, line.chairs) if number is not None]
    unequal = any(number != line.on_roll for number in furniture)
    return bool(line.unexplained) or line.present + away != line.on_roll or unequal


def children_listed(lists: tuple[str, ...], context: FieldContext) -> Sequence[Row]:
    """Return the children of the inspected unit on any of the lists, in one statement each."""
    if lists not in context.lists:
        inspection = context.inspection
        place = (
            Child.school_id == inspection.school_id
            if inspection.school_id is not None
            else Child.township_id == inspection.township_id
        )
        query = (
            select(Child.id, Child.name, SchoolClass.name)
            .outerjoin(SchoolClass, SchoolClass.id == Child.class_id)
            .where(place, or_(*_on_lists(lists, context.day)))
            .order_by(SchoolClass.position, Child.id)
            .limit(CHILDREN_SHOWN)
        )
        context.lists[lists] = [
            Row(str(key), name, class_name or "")
            for key, name, class_name in context.session.execute(query)
        ]
    return context.lists[lists]


def _on_lists(lists: tuple[str, ...], day: date) -> Iterator[ColumnElement[bool]]:
    """Yield what puts a child on one of the lists on a day."""
    statuses = select(ChildStatus.id).where(ChildStatus.key.in_(lists))
    yield Child.status_id.in_(statuses)
    grouped = (
        select(ChildGroup.child_id)
        .join(Code, Code.id == ChildGroup.group_id)
        .where(
            Code.domain == GROUP_DOMAIN,
            Code.key.in_(lists),
            ChildGroup.valid_from <= day,
            or_(ChildGroup.valid_to.is_(None), ChildGroup.valid_to >= day),
        )
    )
    yield Child.id.in_(grouped)
    if ABSENT in lists:
        yield Child.id.in_(select(Absence.child_id).where(Absence.day == day))
    if MONITORED in lists:
        watched = select(ChildStatus.id).where(ChildStatus.is_monitored)
        yield Child.status_id.in_(watched)
