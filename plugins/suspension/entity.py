"""Import cases 休学缓学 that were decided before go-live, and applications; export all of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import select

from app.kit import (
    CHILD_COLUMN,
    CHILD_NAME,
    Child,
    Entity,
    ImportColumn,
    Key,
    Session,
    Township,
    _,
    _l,
    check_names,
)

from .kinds import APPLIED, APPROVED, KINDS, RETURNED
from .models import SuspensionCase

MOST_KEYS = 5_000
DAYS = ("approved_on", "ends_on", "returned_on")


def _complete(row: Any, _today: date) -> None:
    """Derive the state from the days, and refuse days that do not follow each other."""
    approved, ends, returned = (row.get(name) for name in DAYS)
    for name in ("ends_on", "returned_on"):
        if row.get(name) is not None and approved is None:
            row.fail("approved_on", _("Without an approval there is neither an end nor a return."))
            return
    if approved is not None and ends is None:
        row.fail("ends_on", _("Enter the last day."))
    for name, day in (("ends_on", ends), ("returned_on", returned)):
        if day is not None and approved is not None and day < approved:
            row.fail(name, _("This day lies before the approval."))
    row.values["state"] = RETURNED if returned else APPROVED if approved else APPLIED
    row.values["counted_from"] = row.get("absent_from") or row.get("applied_on")


def _check(session: Session, rows: Sequence[Any]) -> None:
    """Refuse new approvals from after the go-live: they are decided on the screens."""
    check_names(session, rows)
    new = [row for row in rows if row.get("approved_on") and row.get("child") is not None]
    new = [row for row in new if not _is_stored(row)]
    live = _go_live_days(session, {row.get("child") for row in new})
    for row in new:
        day = live.get(row.get("child"))
        if day is not None and row.get("approved_on") >= day:
            text = _("The township went live on %(day)s: later cases are decided on the screens.")
            row.fail("approved_on", text % {"day": day.isoformat()})


def _is_stored(row: Any) -> bool:
    return row.stored is not None and row.stored.approved_on == row.get("approved_on")


def _go_live_days(session: Session, keys: set[int]) -> dict[int, date]:
    """Return the day on which the township of each child went live."""
    found: dict[int, date] = {}
    ordered = sorted(keys)
    query = select(Child.id, Township.go_live_on).join(Township, Township.id == Child.township_id)
    for start in range(0, len(ordered), MOST_KEYS):
        some = query.where(Child.id.in_(ordered[start : start + MOST_KEYS]))
        found.update({key: day for key, day in session.execute(some) if day is not None})
    return found


CASE = Entity(
    key="suspension",
    title=_l("Case of suspension or deferral"),
    model=SuspensionCase,
    columns=(
        CHILD_COLUMN,
        CHILD_NAME,
        ImportColumn("kind", _l("Kind"), "choice", is_required=True, choices=KINDS),
        ImportColumn("applied_on", _l("Applied on"), "date", is_required=True, is_past=True),
        ImportColumn("absent_from", _l("First day of the present absence"), "date", is_past=True),
        ImportColumn("approved_on", _l("Approved on"), "date", is_past=True),
        ImportColumn("ends_on", _l("Last day"), "date"),
        ImportColumn("returned_on", _l("Returned on"), "date", is_past=True),
        ImportColumn("note", _l("Note")),
    ),
    keys=(Key(("child", "kind", "applied_on")),),
    view="SuspensionCaseView",
    place=("child",),
    derived=("state", "counted_from"),
    complete=_complete,
    check=_check,
)
