"""Show on the page of a thing when it is due, and who reminded of it 催办."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy import Row, select

from app.crud.derived import Derived
from app.extensions import db
from app.models import DueItem, Person, Reminder
from app.notices.due import due_kinds
from app.security.permissions import current_permissions

MOST = 20
VIEW = "DueItemView"


def dues_of(view: str, subject_id: int) -> Sequence[Derived]:
    """Return what is due of the thing that a screen shows, in one statement.

    Screens that no kind of things to do names cost nothing.
    """
    kinds = {kind.key: kind for kind in due_kinds() if kind.view == view}
    if not kinds or ("can_list", VIEW) not in current_permissions():
        return ()
    rows = db.session.execute(
        select(
            DueItem.id,
            DueItem.kind_key,
            DueItem.due_on,
            DueItem.ended_on,
            Reminder.reminded_on,
            Reminder.note,
            Person.name,
        )
        .outerjoin(Reminder, Reminder.due_item_id == DueItem.id)
        .outerjoin(Person, Person.id == Reminder.person_id)
        .where(DueItem.kind_key.in_(sorted(kinds)), DueItem.subject_id == subject_id)
        .order_by(DueItem.due_on.desc(), DueItem.id, Reminder.id)
        .limit(MOST)
    ).all()
    items = {row.id: [one for one in rows if one.id == row.id] for row in rows}
    shown = (_shown(kinds[found[0].kind_key].title, found) for found in items.values())
    return [one for one in shown if one is not None]


def _shown(title: Any, rows: Sequence[Row]) -> Derived | None:
    """Return one thing; one that has ended only where somebody was reminded of it."""
    first = rows[0]
    reminders = [row for row in rows if row.reminded_on is not None]
    if first.ended_on is not None and not reminders:
        return None
    is_open = first.ended_on is None
    return Derived(
        _("To do: %(kind)s", kind=title),
        _("due on %(day)s", day=first.due_on.isoformat()) if is_open else _("ended"),
        "warning" if is_open else "",
        [_line(row) for row in reminders],
        [(_("Open what is to do"), url_for(f"{VIEW}.show", pk=first.id))] if is_open else (),
    )


def _line(row: Row) -> str:
    said = _(
        "Reminded on %(day)s by %(person)s",
        day=row.reminded_on.isoformat(),
        person=row.name or _("somebody"),
    )
    return f"{said}: {row.note}" if row.note else said
