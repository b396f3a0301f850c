"""Import transfers 转学: those under way, and settled ones of the past."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import Column as SqlColumn
from sqlalchemy import Integer, func, select
from sqlalchemy.orm import Session

from app.imports.core.child import CHILD_COLUMN, CHILD_NAME, check_names
from app.imports.core.organization import check_period
from app.imports.core.record import with_problems
from app.imports.entity import Column, Entity, Key, Row
from app.imports.stage import staged
from app.imports.store import Edit, Writer
from app.models import Child, ChildStatus, ChildStatusStep, School, StatusEvent, Transfer
from app.security.scope import table_of
from app.workflow.transfer import UNDER_WAY

OUTSIDE_MARK = "*"
SETTLED = ("arrived_on", "cancelled_on")


@dataclass(frozen=True, slots=True)
class _Pupil:
    """What a transfer begins from: place, status, the last change of it."""

    school_id: int | None
    status_id: int
    row_version: int
    last_on: date | None


def _complete(row: Row, _today: date) -> None:
    for name in SETTLED:
        check_period(row, "started_on", name)
    if all(row.get(name) is not None for name in SETTLED):
        row.fail("cancelled_on", _("Who has arrived cannot have stayed."))


def _prepare(session: Session, rows: Sequence[Row]) -> None:
    """Find the receivers by name or code in the whole county, as the form does."""
    school = table_of(School)
    columns = (school.c.id, school.c.name, school.c.code)
    found = session.connection().execute(select(*columns)).all()
    named: dict[str, set[int]] = defaultdict(set)
    for one in found:
        named[one.name].add(one.id)
        named[one.code].add(one.id)
    names = {one.id: one.name for one in found}
    for row in rows:
        said = row.get("to_place")
        keys = set() if said.startswith(OUTSIDE_MARK) else named.get(said, set())
        if said.startswith(OUTSIDE_MARK):
            row.values["to_place"] = said.lstrip(OUTSIDE_MARK).strip()
        elif len(keys) == 1:
            (key,) = keys
            row.values["to_school_id"], row.values["to_place"] = key, names[key]


def _check(session: Session, rows: Sequence[Row]) -> None:
    """Let new transfers begin only where the child sits and may step; settle none by a file."""
    check_names(session, rows)
    for row in rows:
        settled = [name for name in SETTLED if row.get(name) is not None]
        if row.stored is not None and any(
            getattr(row.stored, name) != row.get(name) for name in settled
        ):
            row.fail(settled[0], _("Arrivals are confirmed and transfers taken back on screen."))
    begun = [row for row in rows if _begins(row) and not row.faults]
    if not begun:
        return
    pupils = _pupils(session, begun)
    allowed = _allowed(session)
    waiting = _waiting(session)
    unsettled = with_problems(session)
    for row in begun:
        reason = _refusal(row, pupils[row.get("child")], allowed, waiting, unsettled)
        if reason:
            row.fail("child", reason)
        waiting.add(row.get("child"))


def _begins(row: Row) -> bool:
    return row.stored is None and all(row.get(name) is None for name in SETTLED)


def _refusal(
    row: Row, pupil: _Pupil, allowed: set[int], waiting: set[int], unsettled: set[int]
) -> str | None:
    """Return why a transfer cannot begin so."""
    if pupil.school_id is None:
        return _("The child is at no school: enter a place instead of a transfer.")
    if row.get("to_school_id") == pupil.school_id:
        return _("The child is at this school already.")
    if row.get("child") in waiting:
        return _("A transfer of this child is under way already.")
    if row.get("child") in unsettled:
        return _("Several schools report the number of this child: settle that first.")
    if pupil.status_id not in allowed:
        return _("The status of the child does not allow a transfer.")
    if pupil.last_on is not None and row.get("started_on") < pupil.last_on:
        text = _("The last change of status was on %(day)s; this one is earlier.")
        return text % {"day": pupil.last_on}
    return None


def _pupils(session: Session, rows: Sequence[Row]) -> Mapping[int, _Pupil]:
    child, event = table_of(Child), table_of(StatusEvent)
    last = (
        select(event.c.child_id, func.max(event.c.happened_on).label("last_on"))
        .group_by(event.c.child_id)
        .subquery()
    )
    lines = ((key,) for key in {row.get("child") for row in rows})
    connection = session.connection()
    with staged(connection, [SqlColumn("id", Integer)], lines) as stage:
        query = (
            select(child.c.id, child.c.school_id, child.c.status_id, child.c.row_version)
            .add_columns(last.c.last_on)
            .join(stage, stage.c.id == child.c.id)
            .outerjoin(last, last.c.child_id == child.c.id)
        )
        found = connection.execute(query).all()
    return {
        one.id: _Pupil(one.school_id, one.status_id, one.row_version, one.last_on) for one in found
    }


def _allowed(session: Session) -> set[int]:
    """Return the statuses from which a child may be on the way, and that one itself."""
    key = select(ChildStatus.id).filter_by(key=UNDER_WAY).scalar_subquery()
    steps = select(ChildStatusStep.from_id).where(ChildStatusStep.to_id == key)
    return {*session.scalars(steps), *session.scalars(select(key))}


def _waiting(session: Session) -> set[int]:
    transfer = table_of(Transfer)
    query = select(transfer.c.child_id).where(
        transfer.c.arrived_on.is_(None), transfer.c.cancelled_on.is_(None)
    )
    return set(session.connection().scalars(query))


def _follow(session: Session, writer: Writer, rows: Sequence[Row]) -> None:
    """Let the children step to being on the way."""
    begun = {row.get("child"): row for row in rows if _begins(row)}
    if not begun:
        return
    status = session.scalars(select(ChildStatus.id).filter_by(key=UNDER_WAY)).one()
    pupils = _pupils(session, list(begun.values()))
    steps = {key: row for key, row in begun.items() if pupils[key].status_id != status}
    after = {"status_id": status}
    writer.insert(
        StatusEvent,
        [row.number for row in steps.values()],
        (
            {
                "child_id": key,
                "status_id": status,
                "happened_on": row.get("started_on"),
                "basis": _basis(row),
                **dict(zip(("county_id", "township_id", "school_id"), row.place, strict=True)),
            }
            for key, row in steps.items()
        ),
    )
    writer.update(
        Child,
        [
            Edit(
                row.number,
                key,
                pupils[key].row_version,
                {"status_id": pupils[key].status_id},
                after,
                after,
            )
            for key, row in steps.items()
        ],
    )


def _basis(row: Row) -> Any:
    text = _("Transfer to %(place)s: %(basis)s", place=row.get("to_place"), basis=row.get("basis"))
    return text[:200]


TRANSFER = Entity(
    key="transfer",
    title=_l("Transfer"),
    model=Transfer,
    columns=(
        CHILD_COLUMN,
        CHILD_NAME,
        Column("started_on", _l("Left on"), "date", is_required=True, is_past=True),
        Column(
            "to_place",
            _l("Receiving school"),
            is_required=True,
            help=_l(
                "Full name or code of the school. Begin with * for a school outside the county."
            ),
        ),
        Column("basis", _l("Basis"), is_required=True),
        Column("arrived_on", _l("Arrived on"), "date", is_past=True),
        Column("cancelled_on", _l("Cancelled on"), "date", is_past=True),
    ),
    keys=(Key(("child", "started_on")),),
    view="TransferView",
    place=("child",),
    derived=("to_school_id",),
    complete=_complete,
    prepare=_prepare,
    check=_check,
    stored=_follow,
)
