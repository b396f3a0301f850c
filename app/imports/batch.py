"""Take a file from its bytes to a batch: read, judge, store in one transaction, or only check."""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Connection, insert, select, update
from sqlalchemy.orm import Session

from app import clock
from app.base import Refused, actor, registry
from app.database import next_ids
from app.imports import package
from app.imports.core import CORE
from app.imports.entity import Entity, Fault, Row
from app.imports.load import Progress, load
from app.imports.mapping import NOTHING, Match, check_mapping, find_table, match
from app.imports.parse import parse
from app.imports.report import Result, header_of
from app.imports.stage import insert_many
from app.imports.store import Writer
from app.imports.table import Table, read
from app.models import County, ImportBatch, ImportFault
from app.security import audit
from app.security.scope import Scope, table_of

FAULTS_KEPT = 20_000
MESSAGE_LENGTH = 500
Remember = Callable[[Sequence[str]], Mapping[str, str]]
_batch = table_of(ImportBatch)
_fault = table_of(ImportFault)


@dataclass(frozen=True, slots=True)
class Opened:
    """Hold a file that was read: its table and how its heads match the entity."""

    entity: Entity
    name: str
    sha256: str
    table: Table
    match: Match


@contextmanager
def _many_objects() -> Iterator[None]:
    """Leave the cyclic collector out: it would walk a million new cells again and again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def entities() -> tuple[Entity, ...]:
    """Return everything that can be imported, the core's and the plugins'."""
    return (*CORE, *registry.entities())


def find_entity(key: str | None) -> Entity | None:
    """Return an entity by its key."""
    return next((entity for entity in entities() if entity.key == key), None)


def open_file(
    entity: Entity, content: bytes, name: str, remember: Remember = lambda _heads: NOTHING
) -> Opened:
    """Read a file and match its heads; refuse what cannot be read.

    ``remember`` tells what was chosen for these heads before.
    """
    seen = package.inspect(content)
    with _many_objects():
        return _opened(entity, content, name, seen.blank_formulas, remember)


def _opened(
    entity: Entity,
    content: bytes,
    name: str,
    blank_formulas: Sequence[str],
    remember: Remember,
) -> Opened:
    table = find_table(entity, read(content, name), blank_formulas=blank_formulas)
    digest = hashlib.sha256(content).hexdigest()
    return Opened(entity, name, digest, table, match(entity, table.heads, remember(table.heads)))


def lines_of(opened: Opened) -> list[Row]:
    """Return the lines, read by kind; refuse a table that lacks a column or has no line.

    The cells are given up: what is not in the lines is read again where it is needed.
    """
    check_mapping(opened.entity, opened.table, opened.match)
    if not opened.table.rows:
        raise Refused(_("Sheet “%(sheet)s” has no rows.", sheet=opened.table.sheet))
    lines = parse(opened.entity, opened.table, opened.match)
    opened.table.rows.clear()
    return lines


def check(
    session: Session, opened: Opened, *, scope: Scope, progress: Progress = lambda _percent: None
) -> Result:
    """Judge a file and store nothing."""
    with _many_objects():
        rows = lines_of(opened)
        progress(30)
        result = load(
            session, opened.entity, rows, opened.match, scope=scope, writer=None, progress=progress
        )
    return _completed(result, opened)


def store(
    session: Session,
    opened: Opened,
    *,
    scope: Scope,
    is_backfilled: bool = False,
    batch_id: int | None = None,
    progress: Progress = lambda _percent: None,
) -> Result:
    """Store the good lines as one batch; the caller commits, so that all of it holds or nothing."""
    with _many_objects():
        return _store(session, opened, scope, is_backfilled, batch_id, progress)


def _store(
    session: Session,
    opened: Opened,
    scope: Scope,
    is_backfilled: bool,
    batch_id: int | None,
    progress: Progress,
) -> Result:
    rows = lines_of(opened)
    progress(30)
    connection = session.connection()
    batch = batch_id or new_batch(
        connection, opened.entity, opened.name, opened.sha256, scope, is_backfilled=is_backfilled
    )
    result = load(
        session,
        opened.entity,
        rows,
        opened.match,
        scope=scope,
        writer=Writer(connection, batch),
        is_backfilled=is_backfilled,
        progress=progress,
    )
    result = _completed(result, opened)
    finish(connection, opened.entity, batch, result, "stored")
    return result


def _completed(result: Result, opened: Opened) -> Result:
    """Count empty lines as skipped and name the columns that were not read."""
    return replace(
        result,
        total=result.total + opened.table.empty,
        skipped=result.skipped + opened.table.empty,
        ignored=tuple(opened.match.unmapped(opened.table)),
    )


def new_batch(
    connection: Connection,
    entity: Entity,
    name: str,
    sha256: str,
    scope: Scope,
    *,
    is_backfilled: bool,
) -> int:
    """Open a batch within the scope of who brings it, and return its key."""
    county = scope.county_id or connection.scalar(select(County.id).limit(1))
    if county is None:
        raise Refused(_("There is no county yet."))
    (key,) = next_ids(connection, _batch, 1)
    now, who = clock.now(), actor.get().user_id
    connection.execute(
        insert(_batch).values(
            id=key,
            entity=entity.key,
            file_name=name[-200:],
            sha256=sha256,
            is_backfilled=is_backfilled,
            county_id=county,
            township_id=_only(scope.township_ids),
            school_id=_only(scope.school_ids),
            created_at=now,
            changed_at=now,
            created_by_id=who,
            changed_by_id=who,
        )
    )
    return key


def _only(keys: frozenset[int]) -> int | None:
    return next(iter(keys)) if len(keys) == 1 else None


def finish(connection: Connection, entity: Entity, batch: int, result: Result, state: str) -> None:
    """Write down what became of a batch: its counts, its faults and one entry of the trail."""
    now = clock.now()
    connection.execute(_fault.delete().where(_fault.c.batch_id == batch))
    kept = (*result.faults[:FAULTS_KEPT], *result.warnings[:FAULTS_KEPT])
    insert_many(
        connection,
        _fault,
        ["id", "batch_id", "number", "header", "message", "is_warning"],
        (
            (key, batch, fault.number, *_words(entity, fault), fault.is_warning)
            for key, fault in zip(next_ids(connection, _fault, len(kept)), kept, strict=True)
        ),
    )
    values: dict[str, Any] = {
        "state": state,
        "total": result.total,
        "added": result.added,
        "changed": result.changed,
        "skipped": result.skipped,
        "failed": result.failed,
        "warned": result.warned,
        "error": None,
        "changed_at": now,
    }
    if state == "stored":
        values["stored_at"] = now
        counts = f"+{result.added} ~{result.changed} ={result.skipped} !{result.failed}"
        audit.record("import", table="import_batch", row_id=batch, note=f"{entity.key} {counts}")
    connection.execute(update(_batch).where(_batch.c.id == batch).values(values))


def _words(entity: Entity, fault: Fault) -> tuple[str, str]:
    return header_of(entity, fault.column)[:200], fault.message[:MESSAGE_LENGTH]


def faults_of_batch(session: Session, batch: int, limit: int) -> Sequence[Any]:
    """Return the first faults of a batch, then its warnings, each in the order of the file."""
    query = select(_fault.c.number, _fault.c.header, _fault.c.message, _fault.c.is_warning)
    order = (_fault.c.is_warning, _fault.c.number, _fault.c.id)
    ordered = query.where(_fault.c.batch_id == batch).order_by(*order)
    return session.connection().execute(ordered.limit(limit)).all()
