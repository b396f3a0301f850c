"""Ask about each child of a list: is it present, is its paper there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, ClassVar

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, or_, select
from wtforms import (
    RadioField,
    StringField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length

from app.checklists.kind import (
    NOTE_LENGTH,
    FieldContext,
    FieldKind,
    Part,
    Row,
    Values,
    trimmed,
)
from app.models import (
    Absence,
    Answer,
    AnswerChild,
    ChecklistItem,
    Child,
    ChildGroup,
    ChildStatus,
    Code,
    SchoolClass,
    Verdict,
)

CHILDREN_SHOWN = 300
GROUP_DOMAIN = "special_group"
ABSENT = "absent"
MONITORED = "monitored"
"""Lists beside those of statuses and special groups: away on the day; watched by a ledger."""


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

    def remark(self, item: ChecklistItem, context: FieldContext) -> str:
        """Say that more children are on the list than are shown."""
        children_listed(self.lists(item), context)
        if self.lists(item) not in context.cut:
            return ""
        return _(
            "More than %(count)s children are on this list; only the first are shown here. "
            "Check the others on paper and judge the item yourself.",
            count=CHILDREN_SHOWN,
        )

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
        """Return fails where one child fails, conforms where all were seen and none does.

        All were seen only where all were shown.
        """
        verdicts = {line.verdict for line in answer.children}
        if Verdict.FAILS in verdicts:
            return Verdict.FAILS
        listed = {int(row.key) for row in self.rows(answer.item, context)}
        if self.lists(answer.item) in context.cut:
            return None
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
            .limit(CHILDREN_SHOWN + 1)
        )
        found = context.session.execute(query).all()
        if len(found) > CHILDREN_SHOWN:
            context.cut.add(lists)
        context.lists[lists] = [
            Row(str(key), name, class_name or "")
            for key, name, class_name in found[:CHILDREN_SHOWN]
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
