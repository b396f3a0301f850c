"""Bind each request to who acts: the account, one appointment, its scope and its permissions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from flask import Flask, current_app, g, request, session
from flask_appbuilder.security.sqla.models import Role, User, assoc_user_role
from flask_login import UserMixin, current_user, logout_user
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
    true,
)

from app import clock
from app.base import Actor, actor
from app.extensions import db
from app.models import (
    Account,
    Appointment,
    AppointmentSchool,
    DailyMode,
    LiaisonAssignment,
    PermissionVersion,
    Person,
    School,
    SchoolClass,
)
from app.security.scope import EVERYTHING, NOTHING, Scope, table_of
from app.words import words

CHOSEN = "appointment_id"
NUMBER = "session_number"
SIGNED_IN_AT = "signed_in_at"
SEEN_AT = "seen_at"
SEEN_EVERY_SECONDS = 60
_user = table_of(User)
_account = table_of(Account)
_person = table_of(Person)
_appointment = table_of(Appointment)
_listed = table_of(AppointmentSchool)
_liaison = table_of(LiaisonAssignment)
_school = table_of(School)
_class = table_of(SchoolClass)


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
    rows = db.session.execute(_holder_select(), asked).all()
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
    return case((_appointment.c.template.in_(_keys("covers_points")), of_school.scalar_subquery()))


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
    return case((_appointment.c.template.in_(_keys("is_of_classes")), own.scalar_subquery()))


def _joined(key: Any) -> Select[Any]:
    return select(func.aggregate_strings(cast(key, String), ","))


def _keys(attribute: str) -> list[str]:
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
        class_ids=_split(row.classes) if row.template in _keys("is_of_classes") else None,
    )


def _split(keys: str | None) -> frozenset[int]:
    return frozenset(int(key) for key in (keys or "").split(",") if key)


def scope_of(acting: Acting, user_id: int | None = None) -> Scope:
    """Return the scope of an appointment today; listed and linked schools cost one statement."""
    if acting.scope_kind == "county":
        return Scope("county", acting.county_id)
    if acting.scope_kind == "township" and acting.township_id is not None:
        return Scope("township", acting.county_id, frozenset({acting.township_id}))
    if acting.scope_kind == "schools":
        return replace(
            _scope_of_schools(acting), class_ids=acting.class_ids, user_id=_own(acting, user_id)
        )
    if acting.scope_kind == "linked":
        return _scope_of_liaison(acting)
    return NOTHING


def _scope_of_schools(acting: Acting) -> Scope:
    if acting.school_id is not None:
        own = frozenset({acting.school_id})
        return Scope("schools", acting.county_id, school_ids=own, point_ids=acting.point_ids)
    point = and_(
        _school.c.parent_id == _listed.c.school_id,
        _school.c.daily_mode == DailyMode.WITH_PARENT,
        _covers_points(acting),
    )
    rows = db.session.execute(
        select(_listed.c.school_id, _school.c.id)
        .select_from(_listed.outerjoin(_school, point))
        .where(_listed.c.appointment_id == acting.id, _listed.c.school_id.is_not(None))
    ).all()
    schools = frozenset(row.school_id for row in rows)
    points = frozenset(row.id for row in rows if row.id is not None)
    if not schools:
        return NOTHING
    return Scope("schools", acting.county_id, school_ids=schools, point_ids=points)


def _covers_points(acting: Acting) -> ColumnElement[bool]:
    return true() if acting.template in _keys("covers_points") else false()


def _own(acting: Acting, user_id: int | None) -> int | None:
    """Return the account where the scope asks for it; scopes alike share what is built of them."""
    return user_id if acting.class_ids is not None else None


def _scope_of_liaison(acting: Acting) -> Scope:
    """Return what the day's assignments cover: rows of a township mean all its schools."""
    today = clock.today()
    rows = db.session.execute(
        select(_liaison.c.township_id, _liaison.c.school_id).where(
            _liaison.c.person_id == acting.person_id,
            _liaison.c.capacity == (acting.capacity or acting.template),
            _liaison.c.valid_from <= today,
            or_(_liaison.c.valid_to.is_(None), _liaison.c.valid_to >= today),
        )
    ).all()
    schools = frozenset(row.school_id for row in rows if row.school_id is not None)
    townships = frozenset(
        row.township_id for row in rows if row.school_id is None and row.township_id is not None
    )
    if townships:
        return Scope("township", acting.county_id, townships, schools)
    return Scope("schools", acting.county_id, school_ids=schools) if schools else NOTHING


def bind_request() -> None:
    """Bind the request to its actor, after the user is loaded and before any view runs."""
    _bind_nobody()
    if request.endpoint is not None and request.endpoint.rpartition(".")[2] == "static":
        return
    if not current_user.is_authenticated:
        return
    holder: Holder = current_user._get_current_object()
    if not _session_lives(holder):
        logout_user()
        session.pop(CHOSEN, None)
        return
    bind(holder, session.get(CHOSEN))


def bind(holder: Holder, chosen: int | None) -> None:
    """Bind the request to a user under one of his appointments, the first unless he chose."""
    appointment = next(
        (one for one in holder.appointments if one.id == chosen),
        holder.appointments[0] if holder.appointments else None,
    )
    g.user_id = user_id = holder.id
    g.holder = holder
    g.appointments = holder.appointments
    g.appointment = appointment
    if holder.is_break_glass:
        g.scope = EVERYTHING
    elif appointment is not None:
        g.scope = scope_of(appointment, user_id)
    actor.set(
        Actor(
            user_id=user_id,
            person_id=holder.person_id,
            appointment_id=appointment.id if appointment else None,
            address=request.remote_addr or "",
        )
    )


def _bind_nobody() -> None:
    g.scope = NOTHING
    g.holder = None
    g.appointment = None
    g.appointments = ()
    # Threads are reused: without this the actor of the request before would still stand.
    actor.set(Actor(address=request.remote_addr or ""))


def _session_lives(holder: Holder) -> bool:
    """Return whether the cookie's session was not ended, is not idle and not too old."""
    now = clock.now().timestamp()
    if session.get(NUMBER) != holder.session_number:
        return False
    lifetime = current_app.config["PERMANENT_SESSION_LIFETIME"].total_seconds()
    idle = current_app.config["SESSION_IDLE"].total_seconds()
    if now - session.get(SIGNED_IN_AT, 0) > lifetime or now - session.get(SEEN_AT, 0) > idle:
        return False
    if now - session[SEEN_AT] > min(SEEN_EVERY_SECONDS, idle / 4):
        session[SEEN_AT] = now
    return True


def start_session(number: int) -> None:
    """Mark a fresh session after a login; of the visitor's old one only the language stays."""
    locale = session.get("locale")
    session.clear()
    if locale:
        session["locale"] = locale
    session[NUMBER] = number
    session[SIGNED_IN_AT] = session[SEEN_AT] = clock.now().timestamp()


def choose(appointment_id: int) -> bool:
    """Let another of the user's appointments act from the next request on."""
    if not any(one.id == appointment_id for one in g.appointments):
        return False
    session[CHOSEN] = appointment_id
    return True


def init_app(app: Flask) -> None:
    """Bind every request before its view runs, and let go of its actor afterwards."""
    app.before_request(bind_request)
    app.teardown_request(lambda _error: actor.set(Actor()) and None)
