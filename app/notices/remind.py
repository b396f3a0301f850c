"""Remind the unit that answers of an overdue thing 催办: recorded, and in its people's inboxes."""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from app import clock
from app.base import Refused, actor
from app.cadence.calendar import load_calendar
from app.models import DueItem, Notification, Reminder
from app.notices.collect import still_due
from app.notices.notify import first_heard, overdue_days
from app.notices.office import load_offices
from app.security.guard import unrestricted
from app.security.scope import table_of

STEP = "reminder:"
"""Begins the step under which a reminder is told; its key follows."""


def remind(session: Session, item: DueItem, role: str, note: str) -> Reminder:
    """Remind of a thing that is overdue and not done yet; refuse all else with the reason.

    `role` is the one under which the reminder acts: nobody reminds his own unit. The records are
    asked once more, since the night that found the thing. The caller commits.
    """
    _refuse_too_early(session, item)
    if role == item.role:
        raise Refused(_("Your own office answers for this: do it, or say why it cannot be done."))
    _refuse_twice(session, item)
    today = clock.today()
    with unrestricted():
        if not still_due(session, item, today):
            raise Refused(_("This has been done meanwhile. The list is renewed every night."))
        heard = first_heard(load_offices(session, today), item)
    if not heard:
        raise Refused(_("Nobody who could read it holds the office that answers for this."))
    place = {name: getattr(item, name) for name in ("county_id", "township_id", "school_id")}
    reminder = Reminder(
        due_item_id=item.id,
        reminded_on=today,
        person_id=actor.get().person_id,
        appointment_id=actor.get().appointment_id,
        note=note or None,
        **place,
    )
    session.add(reminder)
    session.flush()
    told = {
        "due_item_id": item.id,
        "step": f"{STEP}{reminder.id}",
        "reminder_id": reminder.id,
        "made_on": today,
        **place,
    }
    session.connection().execute(
        insert(table_of(Notification)), [{**told, "appointment_id": office.id} for office in heard]
    )
    return reminder


def is_overdue(session: Session, item: DueItem) -> bool:
    """Tell whether a working day has passed since the due day of a thing."""
    today = clock.today()
    if item.due_on >= today:
        return False
    return overdue_days(load_calendar(session, item.due_on, today, item.county_id), item, today) > 0


def _refuse_too_early(session: Session, item: DueItem) -> None:
    if item.ended_on is not None:
        raise Refused(_("This has been done meanwhile. The list is renewed every night."))
    if not is_overdue(session, item):
        raise Refused(_("This is not overdue yet; on its due day it can still be done in time."))


def _refuse_twice(session: Session, item: DueItem) -> None:
    today = select(Reminder.id).where(
        Reminder.due_item_id == item.id, Reminder.reminded_on == clock.today()
    )
    with unrestricted():
        is_reminded = session.scalars(today.limit(1)).first() is not None
    if is_reminded:
        raise Refused(_("A reminder of this was sent today already."))
