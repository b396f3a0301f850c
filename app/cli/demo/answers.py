"""Answer the items of any checklist by their field kind, so that any plugin's can be filled."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from types import MappingProxyType
from typing import Final

from app.cli.demo.attendance import Rolls
from app.cli.demo.plan import Pupil
from app.cli.demo.visit import ChildLine, Inspected, Reply
from app.cli.demo.words import Words
from app.models import ChecklistItem, Verdict

FAILS_EACH_VISIT, FAILS_EACH_SEMESTER, FAILS_PER_CHILD = 0.012, 0.05, 0.015
ABSENT = "absent"
LARGEST = 100
SEMESTER = "semester"


@dataclass(slots=True)
class Lists:
    """Know the children whom rosters ask about, by school or township."""

    monitored: dict[int, list[Pupil]] = field(default_factory=dict)
    by_key: dict[tuple[int, str], list[Pupil]] = field(default_factory=dict)

    def of(self, place: int, key: str) -> list[Pupil]:
        """Return the children of a status or special group."""
        return self.by_key.get((place, key), [])


@dataclass(slots=True)
class Asker:
    """Answer items one after another; what is done once a semester is not done again."""

    random: Random
    words: Words
    rolls: Rolls
    schools: Lists
    townships: Lists
    done: set[tuple[bool, int, int | None, int]] = field(default_factory=set)

    def reply(self, item: ChecklistItem, inspected: Inspected) -> Reply:
        """Return the answer to an item."""
        if inspected.is_draft or self._is_done(item, inspected):
            return Reply(Verdict.UNCHECKED)
        kind = _KINDS.get(item.kind, Asker.plain)
        reply = kind(self, item, inspected)
        if reply.verdict is Verdict.FAILS and not reply.note and not reply.faults:
            reply.note = self.random.choice(self.words.failures.of(item.kind))
        return reply

    def plain(self, item: ChecklistItem, inspected: Inspected) -> Reply:
        """Answer with a verdict only."""
        return Reply(self._verdict(item, inspected))

    def document(self, item: ChecklistItem, inspected: Inspected) -> Reply:
        """Answer with the date of the paper."""
        reply = self.plain(item, inspected)
        if reply.verdict is Verdict.CONFORMS:
            reply.day = self._earlier(inspected.day)
        return reply

    def integer(self, item: ChecklistItem, inspected: Inspected) -> Reply:
        """Answer with a number within the bounds."""
        low, high = _bounds(item)
        reply = self.plain(item, inspected)
        reply.number = self.random.randint(low, high)
        return reply

    def pair(self, item: ChecklistItem, inspected: Inspected) -> Reply:
        """Answer with the same number twice, or with two."""
        low, high = _bounds(item)
        pupils = sum(
            roll.on_roll
            for room in (inspected.campus.classes if inspected.campus else ())
            if (roll := self.rolls.get((room.id, inspected.day)))
        )
        number = max(low, pupils) if item.maximum is None else min(max(low, pupils), high)
        reply = self.plain(item, inspected)
        reply.number = reply.number_other = number
        if reply.verdict is Verdict.FAILS:
            reply.number_other = number - 1 if number > low else number + 1
        return reply

    def day(self, item: ChecklistItem, inspected: Inspected) -> Reply:
        """Answer with a day."""
        reply = self.plain(item, inspected)
        reply.day = self._earlier(inspected.day)
        return reply

    def text(self, item: ChecklistItem, inspected: Inspected) -> Reply:
        """Answer with a sentence."""
        reply = self.plain(item, inspected)
        reply.text = self.words.notes.text
        return reply

    def choice(self, item: ChecklistItem, inspected: Inspected) -> Reply:
        """Answer with one of the choices."""
        reply = self.plain(item, inspected)
        reply.choice = self.random.choice(item.choices).key if item.choices else None
        return reply

    def roster(self, item: ChecklistItem, inspected: Inspected) -> Reply:
        """Answer for each child of the list whether he is there."""
        if item.choices:
            return self._each_child(item, inspected, self._listed(item, inspected))
        lists, place = self._place(inspected)
        lines = [self._sighted(pupil, inspected) for pupil in lists.monitored.get(place, [])]
        return _of_children(lines)

    def document_per_child(self, item: ChecklistItem, inspected: Inspected) -> Reply:
        """Answer for each child whether the paper is there."""
        listed = self._listed(item, inspected) if item.choices else self._absent(inspected)
        return self._each_child(item, inspected, listed)

    def class_lines(self, item: ChecklistItem, inspected: Inspected) -> Reply:
        """Answer from the counts of the classes: a difference or a new absence fails."""
        if not inspected.lines:
            return Reply(Verdict.NOT_APPLICABLE)
        faults = [line.fault for line in inspected.lines if line.fault]
        is_new = inspected.kind.self_inspection and any(
            self.rolls[line.room.id, inspected.day].new_unexplained for line in inspected.lines
        )
        if faults or is_new:
            note = self.words.notes.absent if is_new else None
            return Reply(Verdict.FAILS, note=note, faults=faults)
        return Reply(Verdict.CONFORMS)

    def rule_result(self, item: ChecklistItem, inspected: Inspected) -> Reply:
        """Answer as far as there are children whom the rule may concern."""
        lists, place = self._place(inspected)
        concerned = lists.monitored.get(place)
        return Reply(Verdict.CONFORMS if concerned else Verdict.NOT_APPLICABLE)

    def _verdict(self, item: ChecklistItem, inspected: Inspected) -> Verdict:
        chance = FAILS_EACH_SEMESTER if item.frequency == SEMESTER else FAILS_EACH_VISIT
        fails = self.random.random() < chance * inspected.care
        return Verdict.FAILS if fails else Verdict.CONFORMS

    def _is_done(self, item: ChecklistItem, inspected: Inspected) -> bool:
        """Tell whether the item was checked this semester, and note that it is now."""
        if item.frequency != SEMESTER:
            return False
        is_school = inspected.campus is not None
        place = inspected.campus.id if inspected.campus else inspected.town.row.id
        key = (is_school, place, inspected.semester, item.id)
        if key in self.done:
            return True
        self.done.add(key)
        return False

    def _earlier(self, day: date) -> date:
        return day - timedelta(days=self.random.randint(1, 40))

    def _place(self, inspected: Inspected) -> tuple[Lists, int]:
        if inspected.campus is not None:
            return self.schools, inspected.campus.id
        return self.townships, inspected.town.row.id

    def _listed(self, item: ChecklistItem, inspected: Inspected) -> list[int]:
        lists, place = self._place(inspected)
        keys = [choice.key for choice in item.choices]
        found = {pupil.id for key in keys for pupil in lists.of(place, key)}
        if ABSENT in keys:
            found.update(self._absent(inspected))
        return sorted(found)

    def _absent(self, inspected: Inspected) -> list[int]:
        """Return the children away on the day, in the classes that were counted."""
        rooms = inspected.campus.classes if inspected.campus else ()
        rolls = (self.rolls.get((room.id, inspected.day)) for room in rooms)
        return sorted(child for roll in rolls if roll for child in roll.absent)

    def _each_child(self, item: ChecklistItem, inspected: Inspected, children: list[int]) -> Reply:
        lines = []
        for child_id in children:
            if self.random.random() < FAILS_PER_CHILD * inspected.care:
                note = self.words.notes.paper_missing
                if item.choices:
                    note = self.random.choice(self.words.failures.of(item.kind))
                lines.append(ChildLine(child_id, Verdict.FAILS, note))
            else:
                lines.append(ChildLine(child_id, Verdict.CONFORMS))
        return _of_children(lines)

    def _sighted(self, pupil: Pupil, inspected: Inspected) -> ChildLine:
        """Return whether a monitored child is there; one long away is in the ledger already."""
        room, day = pupil.room, inspected.day
        roll = self.rolls.get((room.id, day)) if room else None
        ledger = self.words.notes.ledger
        if roll is None or (pupil.seated_to is not None and day > pupil.seated_to):
            return ChildLine(pupil.id, Verdict.NOT_APPLICABLE, ledger)
        if pupil.id not in roll.absent:
            return ChildLine(pupil.id, Verdict.CONFORMS)
        if pupil.id in roll.new_unexplained:
            return ChildLine(pupil.id, Verdict.FAILS, self.words.notes.absent)
        return ChildLine(pupil.id, Verdict.NOT_APPLICABLE, ledger)


def _of_children(lines: list[ChildLine]) -> Reply:
    """Return the answer that the children's lines make together."""
    verdicts = {line.verdict for line in lines}
    for verdict in (Verdict.FAILS, Verdict.CONFORMS):
        if verdict in verdicts:
            return Reply(verdict, children=lines)
    return Reply(Verdict.NOT_APPLICABLE, children=lines)


def _bounds(item: ChecklistItem) -> tuple[int, int]:
    low = int(item.minimum) if item.minimum is not None else 0
    high = int(item.maximum) if item.maximum is not None else max(low, 0) + LARGEST
    return low, max(low, high)


def lists_of(pupils: list[Pupil], monitored: set[str]) -> tuple[Lists, Lists]:
    """Return the children of rosters by school and by township."""
    schools, townships = Lists(), Lists()
    for pupil in pupils:
        places = [(townships, pupil.town.row.id)]
        if pupil.campus is not None and pupil.room is not None:
            places.append((schools, pupil.campus.id))
        for lists, place in places:
            if pupil.status in monitored:
                lists.monitored.setdefault(place, []).append(pupil)
            lists.by_key.setdefault((place, pupil.status), []).append(pupil)
    return schools, townships


_KINDS: Final[Mapping[str, Callable[[Asker, ChecklistItem, Inspected], Reply]]] = MappingProxyType(
    {
        "plain": Asker.plain,
        "document": Asker.document,
        "integer": Asker.integer,
        "pair": Asker.pair,
        "date": Asker.day,
        "text": Asker.text,
        "choice": Asker.choice,
        "roster": Asker.roster,
        "document_per_child": Asker.document_per_child,
        "class_lines": Asker.class_lines,
        "rule_result": Asker.rule_result,
    }
)
