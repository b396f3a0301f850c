"""Import leave, and absences: leave of the day, and days without explanation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import Column as SqlColumn
from sqlalchemy import Date, Integer, String, select
from sqlalchemy.orm import Session

from app.imports.core.child import CHILD_COLUMN, CHILD_NAME, check_names
from app.imports.core.organization import check_period
from app.imports.entity import Column, Entity, Key, Row
from app.imports.stage import staged
from app.imports.store import Edit, Writer
from app.models import Absence, Child, Leave
from app.security.scope import table_of

UNEXPLAINED = "unexplained"
KINDS = {
    "sick_leave": _l("Sick leave"),
    "personal_leave": _l("Personal leave"),
    UNEXPLAINED: _l("Unexplained"),
    "pending": _l("Not yet contacted"),
}
LEAVE_KINDS = {key: KINDS[key] for key in ("sick_leave", "personal_leave")}
UNSETTLED = ("pending", UNEXPLAINED)


def _complete(row: Row, _today: date) -> None:
    if row.get("kind") == UNEXPLAINED and not row.get("contact_note"):
        row.fail("contact_note", _("Say how and when the guardian was contacted."))


def _prepare(session: Session, rows: Sequence[Row]) -> None:
    """Put each absence into the child's class."""
    connection = session.connection()
    lines = ((key,) for key in {row.get("child") for row in rows})
    with staged(connection, [SqlColumn("id", Integer)], lines) as stage:
        query = select(Child.id, Child.class_id).join(stage, stage.c.id == Child.id)
        classes = {one.id: one.class_id for one in connection.execute(query)}
    for row in rows:
        seat = classes.get(row.get("child"))
        if seat is None:
            row.fail("child", _("The child sits in no class."))
        else:
            row.values["class_id"] = seat


def _complete_leave(row: Row, _today: date) -> None:
    check_period(row, "starts_on", "ends_on")
    if row.get("called_on") is not None and not row.get("call_note"):
        row.fail("call_note", _("Write down what the guardian said."))
    first, back = row.get("starts_on"), row.get("returned_on")
    if first is not None and back is not None and back < first:
        row.fail("returned_on", _("The return lies before the leave."))


def _check_leave(session: Session, rows: Sequence[Row]) -> None:
    """Refuse a second leave of a child on one of the days of another."""
    check_names(session, rows)
    lines = ((key,) for key in {row.get("child") for row in rows})
    connection, leave = session.connection(), table_of(Leave)
    with staged(connection, [SqlColumn("id", Integer)], lines) as stage:
        columns = (leave.c.id, leave.c.child_id, leave.c.starts_on, leave.c.ends_on)
        query = select(*columns).join(stage, stage.c.id == leave.c.child_id)
        spans = [tuple(one) for one in connection.execute(query)]
    held: dict[int, list[tuple[int | None, date, date]]] = defaultdict(list)
    for key, child, first, last in spans:
        held[child].append((key, first, last))
    for row in rows:
        own = None if row.stored is None else row.stored.id
        first, last = row.get("starts_on"), row.get("ends_on")
        others = [one for one in held[row.get("child")] if one[0] != own or own is None]
        if any(start <= last and end >= first for _key, start, end in others):
            row.fail("starts_on", _("The child has another leave on these days."))
        elif own is None:
            held[row.get("child")].append((None, first, last))


def _explain(session: Session, writer: Writer, rows: Sequence[Row]) -> None:
    """Let leave that a call carries explain the absences of its days."""
    carried = [row for row in rows if row.get("called_on") is not None]
    if not carried:
        return
    connection, absence = session.connection(), table_of(Absence)
    columns: list[SqlColumn[Any]] = [
        SqlColumn("number", Integer),
        SqlColumn("child_id", Integer),
        SqlColumn("kind", String(16)),
        SqlColumn("starts_on", Date),
        SqlColumn("ends_on", Date),
    ]
    lines = (
        (row.number, *(row.get(name) for name in ("child", "kind", "starts_on", "ends_on")))
        for row in carried
    )
    with staged(connection, columns, lines) as stage:
        query = (
            select(absence.c.id, absence.c.row_version, absence.c.kind, stage.c.number)
            .add_columns(stage.c.kind.label("becomes"))
            .join(stage, stage.c.child_id == absence.c.child_id)
            .where(
                absence.c.day.between(stage.c.starts_on, stage.c.ends_on),
                absence.c.kind.in_(UNSETTLED),
            )
        )
        found = connection.execute(query).all()
    edits = [
        Edit(one.number, one.id, one.row_version, {"kind": one.kind}, after, after)
        for one in found
        if (after := {"kind": one.becomes})
    ]
    writer.update(Absence, edits)


LEAVE = Entity(
    key="leave",
    title=_l("Leave of a child"),
    model=Leave,
    columns=(
        CHILD_COLUMN,
        CHILD_NAME,
        Column("kind", _l("Kind of leave"), "choice", is_required=True, choices=LEAVE_KINDS),
        Column("starts_on", _l("First day of the leave"), "date", is_required=True),
        Column("ends_on", _l("Last day of the leave"), "date", is_required=True),
        Column("reason", _l("Reason"), is_required=True),
        Column("asked_by", _l("Asked for by the guardian"), "name", is_required=True),
        Column("called_on", _l("Guardian called on"), "date", is_past=True),
        Column("call_note", _l("What the guardian said")),
        Column("returned_on", _l("Back at school on"), "date", is_past=True),
    ),
    keys=(Key(("child", "starts_on")),),
    view="LeaveView",
    place=("child",),
    complete=_complete_leave,
    check=_check_leave,
    stored=_explain,
)

ABSENCE = Entity(
    key="absence",
    title=_l("Absence"),
    model=Absence,
    columns=(
        CHILD_COLUMN,
        CHILD_NAME,
        Column("day", _l("Day"), "date", is_required=True, is_past=True),
        Column("kind", _l("Kind of absence"), "choice", is_required=True, choices=KINDS),
        Column("contact_note", _l("Contact with the guardian")),
    ),
    keys=(Key(("child", "day")),),
    view="AttendanceEntryView",
    right="can_list",
    place=("child",),
    derived=("class_id",),
    complete=_complete,
    prepare=_prepare,
    check=check_names,
)
