"""Publish checklists: definitions become version rows, which records refer to for ever."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from app import clock
from app.checklists.definition import ChecklistDefinition, ItemDefinition, SectionDefinition
from app.models import (
    Checklist,
    ChecklistChoice,
    ChecklistItem,
    ChecklistSection,
    ChecklistVersion,
    Inspection,
)


class ChangedVersion(Exception):
    """Report that a published version was edited although records were filled with it."""

    def __init__(self, key: str, version: int, next_version: int) -> None:
        super().__init__(key, version)
        self.key, self.version, self.next_version = key, version, next_version


class ChangedKind(Exception):
    """Report that an item's key came back with another kind."""

    def __init__(self, item: str, before: str, after: str) -> None:
        super().__init__(item, before, after)
        self.item, self.before, self.after = item, before, after


def publish(
    session: Session,
    definition: ChecklistDefinition,
    *,
    title: str = "",
    plugin: str | None = None,
) -> ChecklistVersion:
    """Store a definition as a version; the same one again changes nothing.

    Raises ChangedVersion when the number is taken by other words and records exist, and
    ChangedKind when an item's key had another kind in any version.
    """
    checklist = _checklist(session, definition, title, plugin)
    stored = _stored(session, checklist, definition.version)
    if stored is not None and stored.digest == definition.digest:
        return stored
    _refuse_changed_kinds(session, checklist, definition)
    if stored is not None:
        _take_back(session, checklist, stored)
    version = ChecklistVersion(
        checklist_id=checklist.id,
        number=definition.version,
        digest=definition.digest,
        valid_from=definition.valid_from,
        published_at=clock.now(),
    )
    session.add(version)
    session.flush()
    for position, section in enumerate(definition.section, start=1):
        _add_section(session, version, section, position)
    _close_earlier(session, checklist)
    session.flush()
    return version


def _checklist(
    session: Session, definition: ChecklistDefinition, title: str, plugin: str | None
) -> Checklist:
    """Return the checklist of this key, made when it is new."""
    checklist = session.scalar(select(Checklist).where(Checklist.key == definition.key))
    if checklist is None:
        checklist = Checklist(key=definition.key)
        session.add(checklist)
    checklist.title = definition.title or title or definition.key
    checklist.plugin = plugin
    session.flush()
    return checklist


def _stored(session: Session, checklist: Checklist, number: int) -> ChecklistVersion | None:
    """Return the version of this number, if it was published."""
    return session.scalar(
        select(ChecklistVersion).where(
            ChecklistVersion.checklist_id == checklist.id, ChecklistVersion.number == number
        )
    )


def _take_back(session: Session, checklist: Checklist, stored: ChecklistVersion) -> None:
    """Delete a version that nobody has used, so that its number can be published anew."""
    used = select(exists().where(Inspection.checklist_version_id == stored.id))
    if session.scalar(used):
        newest = select(ChecklistVersion.number).where(
            ChecklistVersion.checklist_id == checklist.id
        )
        raise ChangedVersion(checklist.key, stored.number, max(session.scalars(newest)) + 1)
    for section in stored.sections:
        for item in section.items:
            for choice in item.choices:
                session.delete(choice)
            session.flush()
            session.delete(item)
        session.flush()
        session.delete(section)
    session.flush()
    session.delete(stored)
    session.flush()


def _refuse_changed_kinds(
    session: Session, checklist: Checklist, definition: ChecklistDefinition
) -> None:
    """Raise when a key returns with another kind: statistics join on it."""
    rows = session.execute(
        select(ChecklistItem.key, ChecklistItem.kind)
        .join(ChecklistVersion, ChecklistVersion.id == ChecklistItem.version_id)
        .where(
            ChecklistVersion.checklist_id == checklist.id,
            ChecklistVersion.number != definition.version,
        )
    )
    kinds = {row.key: row.kind for row in rows}
    for item in definition.items():
        before = kinds.get(item.key, item.kind)
        if before != item.kind:
            raise ChangedKind(item.key, before, item.kind)


def _add_section(
    session: Session, version: ChecklistVersion, section: SectionDefinition, position: int
) -> None:
    """Add one section with its items."""
    row = ChecklistSection(
        version_id=version.id,
        key=section.key or f"section_{position}",
        title=section.title,
        project=section.project,
        position=position,
    )
    session.add(row)
    session.flush()
    for number, item in enumerate(section.item, start=1):
        stored = _item(item)
        stored.version_id, stored.section_id = version.id, row.id
        stored.position = position * 1000 + number
        stored.choices = list(_choices(item))
        session.add(stored)


def _item(item: ItemDefinition) -> ChecklistItem:
    """Return the row of one item."""
    first, other = (*item.labels, None, None)[:2]
    return ChecklistItem(
        key=item.key,
        kind=item.kind,
        frequency=item.frequency,
        content=item.content,
        standard=item.standard,
        text=item.text,
        clause_key=item.clause or None,
        is_required=item.required,
        minimum=None if item.minimum is None else float(item.minimum),
        maximum=None if item.maximum is None else float(item.maximum),
        label=first,
        label_other=other,
        rule=item.rule,
        closing=item.closing,
        applies_to=item.applies_to,
        per=item.per,
        is_urgent=item.urgent,
        needs_pupils=item.needs_pupils,
        is_point_in_time=item.point_in_time,
    )


def _choices(item: ItemDefinition) -> Iterator[ChecklistChoice]:
    """Yield the rows of an item's choices."""
    for position, choice in enumerate(item.choices, start=1):
        yield ChecklistChoice(key=choice.key, title=choice.title, position=position)


def _close_earlier(session: Session, checklist: Checklist) -> None:
    """End each version on the day before the next one begins."""
    versions = session.scalars(
        select(ChecklistVersion)
        .where(ChecklistVersion.checklist_id == checklist.id)
        .order_by(ChecklistVersion.valid_from, ChecklistVersion.number)
    ).all()
    for earlier, later in pairwise(versions):
        earlier.valid_to = max(earlier.valid_from, later.valid_from - timedelta(days=1))
    if versions:
        versions[-1].valid_to = None
