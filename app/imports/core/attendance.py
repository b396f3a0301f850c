"""Import absences: leave, and days without explanation."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import Column as SqlColumn
from sqlalchemy import Integer, select
from sqlalchemy.orm import Session

from app.imports.core.child import CHILD_COLUMN, CHILD_NAME, check_names
from app.imports.entity import Column, Entity, Key, Row
from app.imports.stage import staged
from app.models import Absence, Child

UNEXPLAINED = "unexplained"
KINDS = {
    "sick_leave": _l("Sick leave"),
    "personal_leave": _l("Personal leave"),
    UNEXPLAINED: _l("Unexplained"),
    "pending": _l("Not yet contacted"),
}


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
