"""Take a case from the application to the return: who may decide what, and what follows."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from sqlalchemy import exists, func, select

from app.kit import (
    Absence,
    AttendanceReport,
    Child,
    ChildStatus,
    FieldRefused,
    Refused,
    Session,
    StatusEvent,
    _,
    allowed_next,
    change_status,
    settings_of,
    today,
)

from .conditions import missing
from .kinds import (
    AFTER,
    APPLIED,
    APPROVED,
    CONFIRMED,
    DECLINED,
    DEFERRALS,
    KINDS,
    OPEN,
    RENEWED,
    RETURNED,
    STILL_AWAY,
)
from .models import SuspensionCase

PLUGIN: Final = "suspension"
ENTRY_DAY: Final = (9, 1)
"""The school year, and with it the duty to enter, begins on 1 September."""
CUTOFF: Final = (8, 31)


def apply_for(session: Session, record: SuspensionCase) -> None:
    """Take an application in; refuse one that leads nowhere, naming the field."""
    child = record.child
    waiting = select(SuspensionCase.id).where(
        SuspensionCase.child_id == child.id, SuspensionCase.state.in_(OPEN)
    )
    if session.scalar(waiting.limit(1)) is not None:
        text = _("An application for this child is not decided yet. Go on with that one.")
        raise FieldRefused("child", text)
    allowed = allowed_next(session, child.status_id)
    if record.kind not in {status.key for status in allowed}:
        text = _(
            "“%(kind)s” cannot follow the child's present status “%(status)s”. "
            "Choose another kind, or correct the status first.",
            kind=KINDS[record.kind],
            status=child.status,
        )
        raise FieldRefused("kind", text)
    record.state = APPLIED
    plan(session, record)


def plan(session: Session, record: SuspensionCase) -> None:
    """Check the days of an application and derive from which day on joint visits count."""
    _not_future("applied_on", record.applied_on)
    if record.absent_from is not None and record.absent_from > record.applied_on:
        text = _("The absence begins after the application.")
        raise FieldRefused("absent_from", text)
    record.counted_from = _counted_from(session, record)
    if record.renews is None and record.absent_from is not None:
        _refuse_if_seen(session, record, record.absent_from)


def _refuse_if_seen(session: Session, record: SuspensionCase, absent_from: date) -> None:
    """Refuse a first day of absence after which the class reports saw the child at school."""
    was_away = exists().where(
        Absence.child_id == record.child.id, Absence.day == AttendanceReport.day
    )
    seen = session.scalar(
        select(func.max(AttendanceReport.day)).where(
            AttendanceReport.class_id == record.child.class_id,
            AttendanceReport.day >= absent_from,
            AttendanceReport.day < record.applied_on,
            ~was_away,
        )
    )
    if seen is not None:
        text = _(
            "By the class reports the child was at school on %(day)s: the present absence "
            "begins later. Correct the day.",
            day=seen,
        )
        raise FieldRefused("absent_from", text)


def _counted_from(session: Session, record: SuspensionCase) -> date:
    if record.renews is not None:
        return _renewal_from(record.renews, record)
    if record.kind in DEFERRALS:
        return _entry_day(session, record)
    if record.absent_from is None:
        text = _("Enter the first day of the present absence.")
        raise FieldRefused("absent_from", text)
    return record.absent_from


def _renewal_from(before: SuspensionCase, record: SuspensionCase) -> date:
    """Return the day after the earlier approval; refuse a case that cannot be renewed."""
    if (before.child_id, before.kind) != (record.child.id, record.kind):
        text = _("Only a case of the same child and kind can be renewed.")
        raise FieldRefused("renews", text)
    if before.approved_on is None:
        raise FieldRefused("renews", _("This case was never approved; there is nothing to renew."))
    return before.approved_on + timedelta(days=1)


def _entry_day(session: Session, record: SuspensionCase) -> date:
    """Return 1 September of the year in which the child should enter school."""
    born_on = record.child.born_on
    if born_on is None:
        text = _("Enter the child's day of birth first: from the age of entry visits count.")
        raise FieldRefused("child", text)
    years = int(settings_of(session, PLUGIN, record.applied_on).entry_age)
    late = (born_on.month, born_on.day) > CUTOFF
    return date(born_on.year + years + late, *ENTRY_DAY)


def confirm(record: SuspensionCase) -> None:
    """Let the township confirm an application."""
    if record.state != APPLIED:
        raise _decided()
    _between("confirmed_on", record.confirmed_on, record.applied_on)
    record.state = CONFIRMED


def approve(session: Session, record: SuspensionCase) -> None:
    """Approve a case whose conditions hold, and let the child take the status of its kind.

    Raise Refused with everything that is missing.
    """
    if record.state not in OPEN:
        raise _decided()
    day = _between("approved_on", record.approved_on, record.confirmed_on or record.applied_on)
    settings = settings_of(session, PLUGIN, day)
    try:
        months, lacking = int(settings.months_max), missing(session, record, day, settings)
    except LookupError:
        text = _("On this day the policy was not in force. Import older cases instead.")
        raise FieldRefused("approved_on", text) from None
    _ends_in_time(record, day, months)
    if lacking:
        text = _("It cannot be approved yet. %(missing)s", missing=_("; ").join(lacking))
        raise FieldRefused("approved_on", text)
    basis = _("Approval of the case “%(kind)s”", kind=KINDS[record.kind])
    _step(session, record, record.kind, day, basis)
    record.state = APPROVED
    if record.renews is not None:
        record.renews.state = RENEWED


def _ends_in_time(record: SuspensionCase, day: date, months: int) -> None:
    if record.ends_on is None:
        raise FieldRefused("ends_on", _("Enter the last day."))
    if not day < record.ends_on <= months_after(day, months):
        text = _("The last day lies after the approval, at most %(count)s months.", count=months)
        raise FieldRefused("ends_on", text)


def decline(record: SuspensionCase) -> None:
    """Close an application without approval; say why."""
    if record.state not in OPEN:
        raise _decided()
    if not record.decision_note:
        raise FieldRefused("decision_note", _("Say why it is not approved."))
    record.approved_on = record.ends_on = None
    record.state = DECLINED


def bring_back(session: Session, record: SuspensionCase) -> None:
    """Record that the child came back, and let it take the status that follows."""
    if record.state != APPROVED or record.approved_on is None:
        raise _decided()
    day = _between("returned_on", record.returned_on, record.approved_on)
    if record.child.status.key in (record.kind, *STILL_AWAY):
        _step(session, record, AFTER[record.kind], day, _("Return to school"))
    record.state = RETURNED


def _step(session: Session, record: SuspensionCase, key: str, day: date, basis: str) -> None:
    status = session.scalars(select(ChildStatus).where(ChildStatus.key == key)).one()
    child: Child = record.child
    event = StatusEvent(
        child=child,
        child_id=child.id,
        status=status,
        status_id=status.id,
        happened_on=day,
        basis=basis,
        county_id=child.county_id,
        township_id=child.township_id,
        school_id=child.school_id,
    )
    change_status(session, child, event)
    session.add(event)


def _between(field: str, day: date | None, first: date) -> date:
    """Return a day that is neither missing nor before another nor in the future."""
    if day is None:
        raise FieldRefused(field, _("Enter the day."))
    if day < first:
        text = _("This day lies before %(day)s, the step before.", day=first.isoformat())
        raise FieldRefused(field, text)
    _not_future(field, day)
    return day


def _not_future(field: str, day: date) -> None:
    if day > today():
        raise FieldRefused(field, _("This day lies in the future."))


def _decided() -> Refused:
    return Refused(
        _("This is not possible: the case was decided already. Its page says what can be done.")
    )


def months_after(day: date, months: int) -> date:
    """Return the day some calendar months after another, clipped to the month's end."""
    years, month = divmod(day.month - 1 + months, 12)
    first = date(day.year + years, month + 1, 1)
    following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return date(first.year, first.month, min(day.day, (following - first).days))
