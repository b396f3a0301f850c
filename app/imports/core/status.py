"""Import changes of children's statuses: events along the allowed steps, never edited."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import Column as SqlColumn
from sqlalchemy import Integer, select
from sqlalchemy.orm import Session

from app.imports.core.child import BY_STATUS, CHILD_COLUMN, CHILD_NAME, check_names
from app.imports.entity import Column, Entity, Key, Row
from app.imports.stage import staged
from app.imports.store import Edit, Writer
from app.models import Child, ChildStatus, ChildStatusStep, StatusEvent
from app.security.scope import table_of


@dataclass(frozen=True, slots=True)
class _Step:
    """One event of a child's history: stored, or a line of the file."""

    day: date
    order: int
    status_id: int
    row: Row | None = None


def _check(session: Session, rows: Sequence[Row]) -> None:
    """Judge each child's history, as it would be: every step must be an allowed one."""
    check_names(session, rows)
    new = [row for row in rows if row.stored is None and not row.faults]
    if not new:
        return
    names = {one.id: one.name for one in session.execute(select(ChildStatus.id, ChildStatus.name))}
    steps = session.execute(select(ChildStatusStep.from_id, ChildStatusStep.to_id))
    allowed = {(one.from_id, one.to_id) for one in steps}
    for history in _histories(session, new).values():
        earlier = history[0]
        for later in history[1:]:
            # A refused line is as if it were not there.
            if _judge(earlier, later, allowed, names):
                earlier = later


def _histories(session: Session, new: Sequence[Row]) -> dict[int, list[_Step]]:
    """Return the events of each child in order, those of the file among them."""
    histories: dict[int, list[_Step]] = defaultdict(list)
    lines = ((key,) for key in {row.get("child") for row in new})
    connection, table = session.connection(), table_of(StatusEvent)
    with staged(connection, [SqlColumn("id", Integer)], lines) as stage:
        query = select(table.c.child_id, table.c.status_id, table.c.happened_on, table.c.id)
        for one in connection.execute(query.join(stage, stage.c.id == table.c.child_id)):
            step = _Step(one.happened_on, one.id, one.status_id)
            histories[one.child_id].append(step)
    for row in new:
        step = _Step(row.get("happened_on"), 10**9 + row.number, row.get("status"), row)
        histories[row.get("child")].append(step)
    for history in histories.values():
        history.sort(key=lambda step: (step.day, step.order))
    return histories


def _judge(
    earlier: _Step, later: _Step, allowed: set[tuple[int, int]], names: dict[int, str]
) -> bool:
    """Note a step that is not allowed at the line that takes it; tell whether it is good."""
    row = later.row or earlier.row
    if row is None or (earlier.status_id, later.status_id) in allowed:
        return True
    # What was entered before the record began may end in the status with which it began.
    if later.row is None and earlier.status_id == later.status_id:
        return True
    old, new = names[earlier.status_id], names[later.status_id]
    row.fail("status", _("From “%(old)s” a child cannot become “%(new)s”.", old=old, new=new))
    return later.row is None


def _follow(session: Session, writer: Writer, rows: Sequence[Row]) -> None:
    """Give each child the status of its last event."""
    lines = ((key,) for key in {row.get("child") for row in rows})
    by_child = {row.get("child"): row for row in rows}
    connection, table, child = session.connection(), table_of(StatusEvent), table_of(Child)
    with staged(connection, [SqlColumn("id", Integer)], lines) as stage:
        events = connection.execute(
            select(table.c.child_id, table.c.status_id)
            .join(stage, stage.c.id == table.c.child_id)
            .order_by(table.c.happened_on, table.c.id)
        )
        last = {one.child_id: one.status_id for one in events}
        children = connection.execute(
            select(child.c.id, child.c.status_id, child.c.row_version).join(
                stage, stage.c.id == child.c.id
            )
        ).all()
    writer.update(
        Child,
        [
            Edit(
                by_child[one.id].number,
                one.id,
                one.row_version,
                {"status_id": one.status_id},
                {"status_id": last[one.id]},
                {"status_id": last[one.id]},
            )
            for one in children
            if last[one.id] != one.status_id
        ],
    )


STATUS = Entity(
    key="status",
    title=_l("Change of status"),
    model=StatusEvent,
    columns=(
        CHILD_COLUMN,
        CHILD_NAME,
        Column("status", _l("Status"), "lookup", is_required=True, lookup=BY_STATUS),
        Column("happened_on", _l("Happened on"), "date", is_required=True, is_past=True),
        Column("basis", _l("Basis"), is_required=True),
        Column("note", _l("Note")),
    ),
    keys=(Key(("child", "status", "happened_on")),),
    view="StatusEventView",
    place=("child",),
    only_adds=True,
    check=_check,
    stored=_follow,
)
