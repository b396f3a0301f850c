"""Plan the inspections of each type on its cadence, and store them with their answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from app.base import registry
from app.cli.demo.answers import Asker
from app.cli.demo.attendance import Rolls
from app.cli.demo.days import at
from app.cli.demo.plan import Campus, Hand, Room, World
from app.cli.demo.rolls import daily_lines, drawn_lines
from app.cli.demo.schedule import SCHOOL_DAY, Plan, plans_of
from app.cli.demo.visit import Found, Inspected, Line, Reply
from app.models import (
    Answer,
    AnswerChild,
    Checklist,
    ChecklistItem,
    ChecklistSection,
    ChecklistVersion,
    ClassLine,
    Inspection,
    InspectionParticipant,
    InspectionState,
    Verdict,
)

LATE, UNSIGNED, JOINT, DRAFT = 0.01, 0.04, 0.05, 0.1
CLASS_LINES, SCHOOL, TOWNSHIP = "class_lines", "school", "township"
DRAFT_DAYS = timedelta(days=10)


@dataclass(frozen=True, slots=True)
class Version:
    """A published checklist with its items."""

    id: int
    valid_from: date
    items: tuple[ChecklistItem, ...]

    @property
    def counts_classes(self) -> bool:
        """Return whether it has an item about classes."""
        return any(item.kind == CLASS_LINES for item in self.items)


def inspect(world: World, rolls: Rolls, asker: Asker) -> list[Found]:
    """Store the inspections of all types in the order of their days; return what they found."""
    random = world.random("inspections")
    maker = Maker(world, random, rolls, asker, _versions(world))
    plans = [
        plan
        for order, kind in enumerate(registry.inspection_types())
        for plan in plans_of(world, random, kind, order)
    ]
    for plan in sorted(plans, key=lambda plan: plan.place):
        maker.make(plan)
    world.store.flush()
    return maker.found


def _versions(world: World) -> dict[str, list[Version]]:
    """Return the published versions of each checklist, newest first."""
    query = (
        select(ChecklistVersion, Checklist.key)
        .join(Checklist, Checklist.id == ChecklistVersion.checklist_id)
        .options(
            selectinload(ChecklistVersion.sections)
            .selectinload(ChecklistSection.items)
            .selectinload(ChecklistItem.choices)
        )
        .order_by(ChecklistVersion.number.desc())
    )
    found: dict[str, list[Version]] = {}
    for row, key in world.store.session.execute(query):
        items = tuple(item for section in row.sections for item in section.items)
        found.setdefault(key, []).append(Version(row.id, row.valid_from, items))
    return found


@dataclass(slots=True)
class Maker:
    """Store inspections one after another."""

    world: World
    random: Random
    rolls: Rolls
    asker: Asker
    versions: dict[str, list[Version]]
    found: list[Found] = field(default_factory=list)

    def make(self, plan: Plan) -> None:
        """Store one inspection with all that belongs to it."""
        known = self.versions.get(plan.kind.checklist, ())
        version = next((v for v in known if v.valid_from <= plan.day), None)
        hands = self._hands(plan)
        if version is None or not hands:
            return
        is_recent = plan.day > self.world.days.as_of - DRAFT_DAYS
        is_outside = plan.kind.cadence.every != SCHOOL_DAY
        inspected = Inspected(
            id=self.world.store.next_id(Inspection),
            kind=plan.kind,
            version_id=version.id,
            day=plan.day,
            town=plan.town,
            campus=plan.campus,
            hands=hands,
            semester=plan.semester,
            is_draft=is_recent and is_outside and self.random.random() < DRAFT,
        )
        if version.counts_classes and plan.campus is not None:
            inspected.lines = self._lines(inspected, plan.campus, is_outside=is_outside)
        found = self._answers(inspected, version)
        self._store(inspected)
        self._store_lines(inspected)
        self.found += found

    def _hands(self, plan: Plan) -> list[Hand]:
        """Return who goes: somebody of the type's capacity, sometimes with another."""
        able = self._able(plan, plan.kind.capacity)
        if not able:
            return []
        hands = [self.random.choice(able)]
        if plan.campus is None or plan.kind.self_inspection or self.random.random() >= JOINT:
            return hands
        companion = self._able(plan, self.random.choice(("township_leader", "township_cadre")))
        return hands + [hand for hand in companion[:1] if hand.person_id != hands[0].person_id]

    def _able(self, plan: Plan, capacity: str) -> list[Hand]:
        campus = plan.campus
        if capacity == "school_leader":
            return campus.leaders if campus else []
        if capacity == "class_teacher" and campus:
            return [room.teacher for room in campus.classes if room.teacher]
        return plan.town.staff.get(capacity) or self.world.bureau.staff.get(capacity) or []

    def _lines(self, inspected: Inspected, campus: Campus, *, is_outside: bool) -> list[Line]:
        rooms: list[Room] = [
            room
            for room in campus.rooms(self.world.days.year_of(inspected.day))
            if self.rolls[room.id, inspected.day].on_roll
        ]
        if not rooms:
            return []
        count = drawn_lines if is_outside else daily_lines
        return count(self.random, self.world.words, self.rolls, inspected, rooms)

    def _answers(self, inspected: Inspected, version: Version) -> list[Found]:
        found: list[Found] = []
        place = SCHOOL if inspected.campus else TOWNSHIP
        for item in version.items:
            if item.applies_to not in {place, "both"}:
                continue
            reply = self.asker.reply(item, inspected)
            answer_id = self._store_answer(inspected, item, reply)
            found += self._found(inspected, item, reply, answer_id)
        return found

    def _store_answer(self, inspected: Inspected, item: ChecklistItem, reply: Reply) -> int:
        store = self.world.store
        fails = reply.verdict is Verdict.FAILS
        answer_id = store.add(
            Answer,
            **inspected.scope,
            inspection_id=inspected.id,
            item_id=item.id,
            verdict=str(reply.verdict),
            number=reply.number,
            number_other=reply.number_other,
            day=reply.day,
            text=reply.text,
            choice=reply.choice,
            note=reply.note,
            opinion=self._opinion(item) if fails else None,
            answered_by_id=inspected.hand.person_id,
            evidence_set_id=None,
        )
        for line in reply.children:
            store.add(
                AnswerChild,
                **inspected.scope,
                answer_id=answer_id,
                child_id=line.child_id,
                verdict=str(line.verdict),
                note=line.note,
                evidence_set_id=None,
            )
        return answer_id

    def _opinion(self, item: ChecklistItem) -> str:
        opinions = self.world.words.opinions
        if item.kind in {"roster", "document_per_child", CLASS_LINES}:
            return opinions.child
        return {"document": opinions.document, "pair": opinions.pair}.get(item.kind, opinions.other)

    def _found(
        self, inspected: Inspected, item: ChecklistItem, reply: Reply, answer_id: int
    ) -> Iterator[Found]:
        """Yield what the answer makes a finding of: each failing child, or the item."""
        if reply.verdict is not Verdict.FAILS:
            return
        opinion = self._opinion(item)
        failing = [line for line in reply.children if line.verdict is Verdict.FAILS]
        for line in failing:
            facts = "\n".join(part for part in (item.text, line.note or reply.note) if part)
            yield Found(inspected, item, answer_id, line.child_id, facts, opinion)
        if not failing:
            yield Found(inspected, item, answer_id, None, _facts(item, reply), opinion)

    def _store(self, inspected: Inspected) -> None:
        day, hand = inspected.day, inspected.hand
        kind, is_draft = inspected.kind, inspected.is_draft
        is_late = kind.self_inspection and self.random.random() < LATE
        submitted = at(day + timedelta(days=1), 8) if is_late else at(day, 16)
        signer = None if is_draft else self._signer(inspected)
        self.world.store.add(
            Inspection,
            id=inspected.id,
            **inspected.scope,
            type_key=kind.key,
            checklist_version_id=inspected.version_id,
            occurred_on=day,
            state=str(InspectionState.DRAFT if is_draft else InspectionState.SUBMITTED),
            theme=self.random.choice(self.world.words.notes.theme) if kind.theme else None,
            note=None,
            redraw_reason=None,
            submitted_at=None if is_draft else submitted,
            submitted_by_id=None if is_draft else hand.person_id,
            captured_at=at(day, 9, 30) if is_late else None,
            confirmed_at=submitted + timedelta(minutes=20) if signer else None,
            confirmed_by_id=signer,
            late_reason=self.world.words.notes.late if is_late else None,
            is_backfilled=False,
            corrected_at=None,
            correction_reason=None,
            evidence_set_id=None,
        )
        for one in inspected.hands:
            self.world.store.add(
                InspectionParticipant,
                **inspected.scope,
                inspection_id=inspected.id,
                person_id=one.person_id,
                capacity=one.template,
                arrived_at=at(day, 8, 30),
                left_at=at(day, 11, 30),
                confirmed_at=None if is_draft else submitted,
            )

    def _signer(self, inspected: Inspected) -> int | None:
        """Return who of the inspected unit signed; a parent's leader for its teaching point."""
        campus = inspected.campus
        if self.random.random() < UNSIGNED and not inspected.kind.self_inspection:
            return None
        if campus is None:
            return inspected.town.staff["township_clerk"][0].person_id
        if inspected.kind.self_inspection:
            answerable = campus.parent.leaders[0] if campus.parent else inspected.hand
            return answerable.person_id
        return campus.clerks[0].person_id

    def _store_lines(self, inspected: Inspected) -> None:
        for number, line in enumerate(inspected.lines):
            self.world.store.add(
                ClassLine,
                **inspected.scope,
                inspection_id=inspected.id,
                class_id=line.room.id,
                day=inspected.day,
                on_roll=line.on_roll,
                present=None if inspected.is_draft else line.present,
                on_leave=None if inspected.is_draft else line.on_leave,
                unexplained=None if inspected.is_draft else line.unexplained,
                desks=None if inspected.is_draft else line.desks,
                chairs=None if inspected.is_draft else line.chairs,
                is_drawn=line.is_drawn,
                is_agreed=line.is_agreed,
                checked_by_id=None if inspected.is_draft else inspected.hand.person_id,
                checked_at=None if inspected.is_draft else at(inspected.day, 9, min(number, 59)),
                note=line.note,
            )


def _facts(item: ChecklistItem, reply: Reply) -> str:
    """Return the facts of a failed item as a record tells them."""
    parts = [item.text]
    for label, number in ((item.label, reply.number), (item.label_other, reply.number_other)):
        if number is not None:
            parts.append(f"{label} {number}" if label else str(number))
    return "\n".join([*parts, *([reply.note] if reply.note else []), *reply.faults])
