"""Read who a signed-in account is, with today's appointments, in one statement."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from flask import current_app
from flask_appbuilder.security.sqla.models import Role, User, assoc_user_role
from flask_login import UserMixin
from sqlalchemy import (
    ColumnElement,
    Date,
    Select,
    String,
    and_,
    bindparam,
    case,
    cast,
    exists,
    false,
    func,
    or_,
    select,
)

from app import clock
from app.extensions import db
from app.models import (
    Account,
    Appointment,
    DailyMode,
    Notification,
    PermissionVersion,
    Person,
    School,
    SchoolClass,
)
from app.security.scope import table_of
from app.words import words

_user = table_of(User)
_account = table_of(Account)
_person = table_of(Person)
_appointment = table_of(Appointment)
_school = table_of(School)
_class = table_of(SchoolClass)
_notification = table_of(Notification)


@dataclass(frozen=True, slots=True)
class Acting:
    """An appointment that holds today, as the request sees it: a value, not a row."""

    id: int
    person_id: int
    person_name: str
    template: str
    capacity: str | None
    scope_kind: str
    role_id: int | None
    title: str | None
    county_id: int
    township_id: int | None
    school_id: int | None
    point_ids: frozenset[int] = frozenset()
    """The teaching points that the appointment's school answers for."""
    class_ids: frozenset[int] | None = None
    """The person's own classes, under a template that covers no others."""
    unread: int = 0
    """The notifications to this office that nobody has read yet."""

    def __str__(self) -> str:
        from app.security.roles import title_of

        return words(self.title) or title_of(self.template)


@dataclass(frozen=True, slots=True, eq=False)
class Holder(UserMixin):
    """What one statement tells of an account: Flask-Login's user, not a row."""

    id: int
    username: str
    first_name: str
    last_name: str
    is_open: bool
    session_number: int
    must_change_password: bool
    password_changed_at: datetime | None
    permission_version: int
    is_break_glass: bool
    person_id: int | None
    appointments: tuple[Acting, ...]

    @property
    def is_active(self) -> bool:
        """Return whether the account may be used."""
        return self.is_open

    def get_full_name(self) -> str:
        """Return the name as Flask-AppBuilder's pages write it."""
        return f"{self.first_name} {self.last_name}"

    __str__ = __repr__ = get_full_name


def holder_of(user_id: int) -> Holder | None:
    """Return account, permission version and today's appointments of a user, in one statement."""
    admin = current_app.config["AUTH_ROLE_ADMIN"]
    asked = {"user": user_id, "today": clock.today(), "admin": admin}
    rows = db.session.connection().execute(_holder_select(), asked).all()
    if not rows:
        return None
    first = rows[0]
    return Holder(
        id=user_id,
        username=first.username,
        first_name=first.first_name,
        last_name=first.last_name,
        is_open=bool(first.active),
        session_number=first.session_number or 1,
        must_change_password=bool(first.must_change_password),
        password_changed_at=first.password_changed_at,
        permission_version=first.permission_version or 0,
        is_break_glass=bool(first.is_break_glass),
        person_id=first.person_id,
        appointments=tuple(_acting(row) for row in rows if row.id is not None),
    )


@lru_cache(maxsize=1)
def _holder_select() -> Select[Any]:
    """Return the statement, made once: to build it costs more than to run it."""
    today = bindparam("today", type_=Date)
    version = select(table_of(PermissionVersion).c.number).limit(1).scalar_subquery()
    in_force = and_(
        _appointment.c.person_id == _person.c.id,
        _appointment.c.valid_from <= today,
        or_(_appointment.c.valid_to.is_(None), _appointment.c.valid_to >= today),
    )
    people = and_(_person.c.user_id == _user.c.id, _person.c.is_active.is_(True))
    return (
        select(
            _user.c.username,
            _user.c.first_name,
            _user.c.last_name,
            _user.c.active,
            _account.c.session_number,
            _account.c.must_change_password,
            _account.c.password_changed_at,
            version.label("permission_version"),
            _is_break_glass().label("is_break_glass"),
            _person.c.id.label("person_id"),
            _person.c.name.label("person_name"),
            _appointment.c.id,
            _appointment.c.template,
            _appointment.c.capacity,
            _appointment.c.scope_kind,
            _appointment.c.role_id,
            _appointment.c.title,
            _appointment.c.county_id,
            _appointment.c.township_id,
            _appointment.c.school_id,
            _points().label("points"),
            _classes().label("classes"),
            _unread().label("unread"),
        )
        .select_from(
            _user.outerjoin(_account, _account.c.user_id == _user.c.id)
            .outerjoin(_person, people)
            .outerjoin(_appointment, in_force)
        )
        .where(_user.c.id == bindparam("user"))
        .order_by(_appointment.c.id)
    )


def _points() -> ColumnElement[str | None]:
    """Return the keys of the teaching points that a leader's school answers for, in one text."""
    of_school = _joined(_school.c.id).where(
        _school.c.parent_id == _appointment.c.school_id,
        _school.c.daily_mode == DailyMode.WITH_PARENT,
    )
    covers = _is_of(templates_with("covers_points"))
    return case((covers, of_school.scalar_subquery()))


def _classes() -> ColumnElement[str | None]:
    """Return the keys of the classes of a teacher, or of the one for whom he stands in."""
    absent = _appointment.alias("absent")
    stands_in_for = select(absent.c.person_id).where(absent.c.id == _appointment.c.acting_for_id)
    own = _joined(_class.c.id).where(
        _class.c.is_active,
        or_(
            _class.c.teacher_id == _person.c.id,
            _class.c.teacher_id == stands_in_for.scalar_subquery(),
        ),
    )
    is_narrow = _is_of(templates_with("is_of_classes"))
    return case((is_narrow, own.scalar_subquery()))


def _unread() -> ColumnElement[int]:
    return (
        select(func.count())
        .select_from(_notification)
        .where(
            _notification.c.appointment_id == _appointment.c.id,
            _notification.c.read_at.is_(None),
        )
        .scalar_subquery()
    )


def _is_of(templates: Iterable[str]) -> ColumnElement[bool]:
    # A list after IN would be written into the statement anew at every request.
    return or_(false(), *(_appointment.c.template == one for one in templates))


def _joined(key: Any) -> Select[Any]:
    return select(func.aggregate_strings(cast(key, String), ","))


def templates_with(attribute: str) -> list[str]:
    """Return the keys of the role templates that have a property."""
    from app.security.roles import TEMPLATES

    return [key for key, template in TEMPLATES.items() if getattr(template, attribute)]


def _is_break_glass() -> Any:
    held = select(assoc_user_role.c.id).join(
        table_of(Role), table_of(Role).c.id == assoc_user_role.c.role_id
    )
    return exists(
        held.where(
            assoc_user_role.c.user_id == bindparam("user"),
            table_of(Role).c.name == bindparam("admin"),
        )
    )


def _acting(row: Any) -> Acting:
    return Acting(
        id=row.id,
        person_id=row.person_id,
        person_name=row.person_name,
        template=row.template,
        capacity=row.capacity,
        scope_kind=row.scope_kind,
        role_id=row.role_id,
        title=row.title,
        county_id=row.county_id,
        township_id=row.township_id,
        school_id=row.school_id,
        point_ids=_split(row.points),
        class_ids=_split(row.classes) if row.template in templates_with("is_of_classes") else None,
        unread=row.unread,
    )


def _split(keys: str | None) -> frozenset[int]:
    return frozenset(int(key) for key in (keys or "").split(",") if key)
