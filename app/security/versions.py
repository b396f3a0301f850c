"""Notice every change of a right: caches see a new number, the sessions concerned end."""

from __future__ import annotations

from typing import Any

from flask_appbuilder.security.sqla.models import Role, User
from sqlalchemy import Connection, event, insert, select, update
from sqlalchemy import inspect as inspect_row
from sqlalchemy.orm import Session

from app.models import (
    Account,
    Appointment,
    AppointmentSchool,
    LiaisonAssignment,
    PermissionVersion,
    Person,
    RoleScope,
)
from app.security.scope import table_of

RIGHTS = (Appointment, AppointmentSchool, LiaisonAssignment, Person, Role, RoleScope, User)
_version = table_of(PermissionVersion)
_account = table_of(Account)
_person = table_of(Person)


@event.listens_for(Session, "after_flush")
def _notice(session: Session, _context: Any) -> None:
    touched = [row for row in (*session.new, *session.dirty, *session.deleted) if _is_right(row)]
    if not touched:
        return
    connection = session.connection()
    _count(connection)
    persons = {row.person_id for row in touched if isinstance(row, Appointment)}
    users = {row.id for row in touched if isinstance(row, User) and _changed(row, "active")}
    users |= {row.user_id for row in touched if isinstance(row, Person) and row.user_id}
    if persons:
        held = select(_person.c.user_id).where(_person.c.id.in_(persons))
        users |= set(connection.scalars(held.where(_person.c.user_id.is_not(None))))
    if users:
        connection.execute(
            update(_account)
            .where(_account.c.user_id.in_(users))
            .values(session_number=_account.c.session_number + 1)
        )


def _is_right(row: Any) -> bool:
    if isinstance(row, User):
        return _changed(row, "active") or _changed(row, "roles")
    if isinstance(row, Person):
        return _changed(row, "user_id") or _changed(row, "is_active")
    return isinstance(row, RIGHTS)


def _changed(row: Any, name: str) -> bool:
    state = inspect_row(row)
    return bool(state.persistent and state.attrs[name].history.has_changes())


def _count(connection: Connection) -> None:
    grown = connection.execute(update(_version).values(number=_version.c.number + 1))
    if not grown.rowcount:
        connection.execute(insert(_version).values(id=1, number=1))
