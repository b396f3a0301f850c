"""Sum up to each person by e-mail what the day brought 每日提醒邮件: how many of what, no names."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from flask import current_app
from flask_appbuilder.security.sqla.models import User
from flask_babel import gettext as _
from sqlalchemy import func, insert, or_, select, update
from sqlalchemy.orm import Session

from app import clock
from app.models import Account, Appointment, Digest, DigestState, Notification, Person
from app.models.notification import DueItem
from app.notices import mail
from app.notices.due import find_kind
from app.security.scope import table_of
from app.words import official_language

ATTEMPTS: Final = 5
"""An e-mail that failed so often is given up; the inbox has what it would have said."""
OLDEST: Final = timedelta(days=2)
"""What is older is yesterday's news."""
_DIGEST: Final = table_of(Digest)
_ACCOUNT: Final = table_of(Account)
_USER: Final = table_of(User)


@dataclass(frozen=True, slots=True)
class Posted:
    """Count the e-mails that were sent and those that failed."""

    sent: int = 0
    failed: int = 0


def write_digests(session: Session, as_of: date) -> int:
    """Write down who gets an e-mail of a day's notifications, once; none without a server.

    Two statements; the caller commits, and sends them afterwards.
    """
    if not mail.is_configured():
        return 0
    known = select(Digest.id).where(Digest.person_id == Appointment.person_id, Digest.day == as_of)
    query = (
        select(Appointment.person_id, func.count(Notification.id).label("count"))
        .join(Appointment, Appointment.id == Notification.appointment_id)
        .join(Person, Person.id == Appointment.person_id)
        .join(_USER, _USER.c.id == Person.user_id)
        .join(_ACCOUNT, _ACCOUNT.c.user_id == _USER.c.id)
        .where(
            Notification.made_on == as_of,
            Notification.read_at.is_(None),
            Person.is_active,
            _USER.c.active,
            _ACCOUNT.c.digest_to.is_not(None),
            ~known.exists(),
        )
        .group_by(Appointment.person_id)
        .order_by(Appointment.person_id)
    )
    rows = [
        {"person_id": row.person_id, "count": row.count, "day": as_of}
        for row in session.execute(query)
    ]
    if rows:
        session.connection().execute(insert(_DIGEST), rows)
    return len(rows)


def send_digests(session: Session, as_of: date) -> Posted:
    """Send what waits and what failed before; each e-mail is settled by itself.

    A server that does not answer, or refuses, leaves the reason with the e-mail, which is tried
    again later. Commits after each one, so that none is sent twice.
    """
    waiting = session.execute(_waiting(as_of)).all() if mail.is_configured() else ()
    session.rollback()
    if not waiting:
        return Posted()
    try:
        with mail.server() as server:
            return _send_all(session, server, waiting)
    except (OSError, smtplib.SMTPException) as error:
        return _connection_failed(session, as_of, error)


def _waiting(as_of: date) -> Any:
    return (
        select(Digest.id, Digest.person_id, Digest.day, Digest.count, _ACCOUNT.c.digest_to)
        .join(Person, Person.id == Digest.person_id)
        .join(_ACCOUNT, _ACCOUNT.c.user_id == Person.user_id)
        .where(
            Digest.state != DigestState.SENT,
            Digest.attempts < ATTEMPTS,
            Digest.day.between(as_of - OLDEST, as_of),
            _ACCOUNT.c.digest_to.is_not(None),
        )
        .order_by(Digest.id)
    )


def _send_all(session: Session, server: smtplib.SMTP, waiting: Sequence[Any]) -> Posted:
    texts = dict(_texts(session, waiting))
    session.rollback()
    sent = failed = 0
    for one in waiting:
        with official_language():
            subject = _("Reminders of %(day)s: %(count)s", day=one.day.isoformat(), count=one.count)
            message = mail.letter(one.digest_to, subject, texts[one.id])
        try:
            server.send_message(message)
        except smtplib.SMTPServerDisconnected:
            raise
        except smtplib.SMTPException as error:
            failed += 1
            _settle(session, [one.id], DigestState.FAILED, mail.fault(error))
        else:
            sent += 1
            _settle(session, [one.id], DigestState.SENT)
    return Posted(sent, failed)


def _connection_failed(session: Session, as_of: date, error: Exception) -> Posted:
    """Leave the reason with everything that still waits."""
    session.rollback()
    left = [row.id for row in session.execute(_waiting(as_of))]
    _settle(session, left, DigestState.FAILED, mail.fault(error))
    return Posted(0, len(left))


def _settle(
    session: Session, keys: Sequence[int], state: DigestState, error: str | None = None
) -> None:
    values = {
        "state": state,
        "error": error,
        "attempts": _DIGEST.c.attempts + 1,
        "sent_at": clock.now() if state is DigestState.SENT else None,
    }
    session.connection().execute(update(_DIGEST).where(_DIGEST.c.id.in_(keys)).values(values))
    session.commit()


def _texts(session: Session, waiting: Sequence[Any]) -> Iterator[tuple[int, list[str]]]:
    """Yield the lines of each e-mail: how many of which kind, never whom they are about."""
    keys = or_(*((Digest.id == one.id) for one in waiting))
    query = (
        select(Digest.id, DueItem.kind_key, func.count(Notification.id))
        .join(Appointment, Appointment.person_id == Digest.person_id)
        .join(Notification, Notification.appointment_id == Appointment.id)
        .join(DueItem, DueItem.id == Notification.due_item_id)
        .where(keys, Notification.made_on == Digest.day)
        .group_by(Digest.id, DueItem.kind_key)
        .order_by(Digest.id, DueItem.kind_key)
    )
    found = session.execute(query).all()
    with official_language():
        for one in waiting:
            lines = [
                _("%(kind)s: %(count)s", kind=_title(key), count=count)
                for digest_id, key, count in found
                if digest_id == one.id
            ]
            yield one.id, [*lines, "", *_closing()]


def _title(key: str) -> str:
    kind = find_kind(key)
    return str(kind.title) if kind is not None else key


def _closing() -> Iterator[str]:
    yield _("Sign in to read them in your inbox.")
    if current_app.config["PUBLIC_URL"]:
        yield f"{current_app.config['PUBLIC_URL']}/inbox/"
    yield _("“Daily e-mail” on the page of the inbox changes the address, or ends these e-mails.")
