"""Bind each request to who acts: the account, one appointment, its scope and its permissions."""

from __future__ import annotations

from dataclasses import replace

from flask import Flask, current_app, g, request, session
from flask_login import current_user, logout_user
from sqlalchemy import (
    ColumnElement,
    and_,
    false,
    or_,
    select,
    true,
)

from app import clock
from app.base import Actor, actor
from app.extensions import db
from app.models import (
    AppointmentSchool,
    DailyMode,
    LiaisonAssignment,
    School,
)
from app.security import tokens
from app.security.holder import Acting, Holder, templates_with
from app.security.scope import EVERYTHING, NOTHING, Scope, table_of

CHOSEN = "appointment_id"
NUMBER = "session_number"
SIGNED_IN_AT = "signed_in_at"
SEEN_AT = "seen_at"
SEEN_EVERY_SECONDS = 60
_listed = table_of(AppointmentSchool)
_liaison = table_of(LiaisonAssignment)
_school = table_of(School)


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
    return true() if acting.template in templates_with("covers_points") else false()


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
    tokens.give()


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
    tokens.take_back()
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
