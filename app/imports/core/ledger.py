"""Import entries of the ledgers 台账: open ones, and those that were closed before go-live."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import Column as SqlColumn
from sqlalchemy import Integer, select
from sqlalchemy.orm import Session

from app import clock
from app.imports.core.child import CHILD_COLUMN, CHILD_NAME, by_code, check_names
from app.imports.core.organization import BY_PERSON, check_period
from app.imports.entity import Column, Entity, Key, Row
from app.imports.stage import staged
from app.models import Child, LedgerEntry, Township
from app.security.scope import table_of
from app.workflow.ledger import find_ledger, ledgers

RESPONSIBLE = ("school_responsible", "township_responsible")


def _ledgers() -> Mapping[str, Any]:
    return {one.key: one.title for one in ledgers()}


def _categories() -> Mapping[str, Any]:
    return {key: title for one in ledgers() for key, title in one.categories.items()}


def _complete(row: Row, _today: date) -> None:
    """Keep the category within its ledger, and the days in order."""
    category = row.values.setdefault("category", "")
    ledger = find_ledger(row.get("ledger") or "")
    if ledger is not None and category and category not in ledger.categories:
        row.fail("category", _("This ledger does not have this category."))
    if ledger is not None and not category and ledger.categories:
        row.fail("category", _("Choose the category of the entry."))
    check_period(row, "since", "opened_on")
    check_period(row, "opened_on", "closed_on")
    if (row.get("closed_on") is None) != (row.get("closing_reason") is None):
        row.fail("closing_reason", _("The day of the closing and its reason belong together."))


def _check(session: Session, rows: Sequence[Row]) -> None:
    """Take the child's responsible persons; keep to one open entry and to closings of the past."""
    check_names(session, rows)
    children = _children(session, rows)
    held = _open_entries(session, rows)
    for row in rows:
        child = children.get(row.get("child"))
        if row.stored is None:
            row.values.setdefault("opened_on", row.get("closed_on") or clock.today())
            for name in RESPONSIBLE:
                if row.get(name) is None and child is not None:
                    row.values[name] = getattr(child, f"{name}_id")
        _judge_closing(row, child)
        key = (row.get("child"), row.get("ledger"), row.get("category"))
        if row.stored is not None or row.get("closed_on") is not None:
            continue
        if key in held:
            row.fail("child", _("The child has an open entry in this ledger already."))
        held.add(key)


def _judge_closing(row: Row, child: Any) -> None:
    """Refuse closings since the go-live: they have a proof, and are made on the screens."""
    closed_on = row.get("closed_on")
    if closed_on is None or (row.stored is not None and row.stored.closed_on == closed_on):
        return
    live = child.go_live_on if child is not None else None
    if row.stored is not None or (live is not None and closed_on >= live):
        row.fail("closed_on", _("Entries are closed on the screens, with their proof."))


def _children(session: Session, rows: Sequence[Row]) -> Mapping[int, Any]:
    """Return the responsible persons of the children, and when their townships went live."""
    child, town = table_of(Child), table_of(Township)
    lines = ((key,) for key in {row.get("child") for row in rows})
    connection = session.connection()
    with staged(connection, [SqlColumn("id", Integer)], lines) as stage:
        query = (
            select(child.c.id, *(child.c[f"{name}_id"] for name in RESPONSIBLE), town.c.go_live_on)
            .join(stage, stage.c.id == child.c.id)
            .join(town, town.c.id == child.c.township_id)
        )
        return {one.id: one for one in connection.execute(query)}


def _open_entries(session: Session, rows: Sequence[Row]) -> set[tuple[int, str, str]]:
    entry = table_of(LedgerEntry)
    lines = ((key,) for key in {row.get("child") for row in rows})
    connection = session.connection()
    with staged(connection, [SqlColumn("id", Integer)], lines) as stage:
        columns = (entry.c.child_id, entry.c.ledger, entry.c.category)
        query = select(*columns).join(stage, stage.c.id == entry.c.child_id)
        found = connection.execute(query.where(entry.c.closed_on.is_(None)))
        return {(one.child_id, one.ledger, one.category) for one in found}


LEDGER = Entity(
    key="ledger",
    title=_l("Ledger entry"),
    model=LedgerEntry,
    columns=(
        CHILD_COLUMN,
        CHILD_NAME,
        Column("ledger", _l("Ledger"), "choice", is_required=True, choices=_ledgers),
        Column(
            "category",
            _l("Category"),
            "choice",
            choices=_categories,
            help=_l("Only for ledgers that have categories."),
        ),
        Column("since", _l("Since"), "date", is_required=True, is_past=True),
        Column("opened_on", _l("Entered on"), "date", is_past=True),
        Column("reason", _l("Reason"), "lookup", lookup=by_code("visit_reason")),
        Column("next_action", _l("Next action")),
        Column("next_on", _l("Next action on"), "date"),
        Column(
            "school_responsible",
            _l("Responsible person at the school"),
            "lookup",
            lookup=BY_PERSON,
        ),
        Column(
            "township_responsible",
            _l("Responsible person at the township"),
            "lookup",
            lookup=BY_PERSON,
        ),
        Column("note", _l("Note")),
        Column("closed_on", _l("Closed on"), "date", is_past=True),
        Column(
            "closing_reason",
            _l("Reason for the closing"),
            "lookup",
            lookup=by_code("ledger_closing"),
        ),
        Column("closing_note", _l("Remark on the closing")),
    ),
    keys=(Key(("child", "ledger", "category", "since")),),
    view="LedgerEntryView",
    place=("child",),
    derived=("category", "opened_on", *RESPONSIBLE),
    complete=_complete,
    check=_check,
)
