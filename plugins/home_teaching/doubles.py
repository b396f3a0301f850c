"""Select the sessions whose teacher was in another home at the same time: DUP-1."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, and_, func, literal, null, or_, select
from sqlalchemy.orm import aliased

from app.kit import Child, Settings, Township, Window

from .judgement import SESSION
from .models import SessionTeacher, TeachingSession

SPACES = (" ", "\u3000", "\t")


def two_homes(window: Window, _settings: Settings) -> Select[Any]:
    """Select the later of two sessions of a teacher in two homes; siblings share theirs."""
    pair = _pairs(window)
    found = (
        select(
            literal(SESSION).label("subject_type"),
            pair.c.id.label("subject_id"),
            pair.c.school_id,
            pair.c.township_id,
            pair.c.day.label("period_start"),
            func.count().label("observed"),
            literal(0).label("required"),
        )
        .join(Township, Township.id == pair.c.township_id)
        .where(Township.go_live_on <= pair.c.day)
        .group_by(pair.c.id, pair.c.school_id, pair.c.township_id, pair.c.day)
    )
    if window.school_ids is None:
        return found
    return found.where(pair.c.school_id.in_(window.school_ids))


def other_sessions(window: Window, _settings: Settings) -> Select[Any]:
    """Select the earlier sessions beside those."""
    pair = _pairs(window)
    return select(
        literal(SESSION).label("subject_type"),
        pair.c.id.label("subject_id"),
        pair.c.day.label("period_start"),
        literal(SESSION).label("record_type"),
        pair.c.first_id.label("record_id"),
        pair.c.day,
        null().label("detail"),
    )


def _pairs(window: Window) -> Subquery:
    first, again = aliased(TeachingSession), aliased(TeachingSession)
    one, other = aliased(SessionTeacher), aliased(SessionTeacher)
    its_child, child = aliased(Child), aliased(Child)
    at_once = and_(
        first.id == one.session_id,
        first.taught_on == again.taught_on,
        first.child_id != again.child_id,
        first.starts_at < again.ends_at,
        again.starts_at < first.ends_at,
    )
    here, there = _home(child), _home(its_child)
    return (
        select(
            again.id.label("id"),
            again.school_id,
            again.township_id,
            again.taught_on.label("day"),
            first.id.label("first_id"),
        )
        .join(other, other.session_id == again.id)
        .join(one, and_(one.person_id == other.person_id, one.session_id < again.id))
        .join(first, at_once)
        .join(child, child.id == again.child_id)
        .join(its_child, its_child.id == first.child_id)
        .where(
            again.taught_on.between(window.start, min(window.end, window.as_of)),
            or_(here == "", here != there),
        )
        .distinct()
        .subquery("pair")
    )


def _home(child: Any) -> ColumnElement[str]:
    """Return where a child lives, without spaces; nothing where that is not known."""
    home: ColumnElement[str] = func.coalesce(child.residence_place, "")
    for space in SPACES:
        home = func.replace(home, space, "")
    return home
