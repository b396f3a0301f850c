"""Complete the scope columns of rows from their school, child, inspection or other parent."""

from __future__ import annotations

from typing import Any

from flask import has_request_context
from sqlalchemy import inspect, select
from sqlalchemy.orm import RelationshipProperty, Session
from sqlalchemy.orm.attributes import get_history
from sqlalchemy.orm.interfaces import RelationshipDirection

from app.base import Scoped, TownshipScoped
from app.models import Appointment, County, Person, School, Township
from app.security import audit
from app.security.scope import Scope

PARENTS = (
    "school_class",
    "answer",
    "inspection",
    "finding",
    "feedback",
    "visit",
    "evidence_set",
    "child",
    "appointment",
)
"""Relations that tell where a row belongs, nearest first; others follow in the model's order."""
NO_PARENTS = (Person, Appointment, School, Township, County)
"""A person named in a row says nothing about where the row belongs."""


def complete(session: Session, row: Any, scope: Scope) -> None:
    """Fill what is missing of county, township and school; let the school decide its township."""
    state = inspect(row)
    if isinstance(row, Scoped) and _school_changed(row, is_new=not state.persistent):
        _follow_school(session, row)
    if not state.persistent and _missing(row, "township") and not _follow_parent(session, row):
        _follow_scope(row, scope)
        if isinstance(row, Scoped) and not _missing(row, "school"):
            _follow_school(session, row)
    if row.county_id is None:
        _follow_township(session, row, scope)


def _school_changed(row: Any, *, is_new: bool) -> bool:
    """Return whether the township must follow the school: always in requests, else where empty."""
    if _missing(row, "school"):
        return False
    if not has_request_context():
        return is_new and _missing(row, "township")
    return is_new or any(
        get_history(row, name).has_changes() for name in ("school_id", "school", "township_id")
    )


def _missing(row: Any, name: str) -> bool:
    return getattr(row, f"{name}_id") is None and row.__dict__.get(name) is None


def _follow_school(session: Session, row: Any) -> None:
    school = _related(session, row, "school", School)
    if school is None:
        audit.refuse(row.__tablename__, row.id if inspect(row).persistent else None)
    _copy_place(row, school)


def _follow_parent(session: Session, row: Any) -> bool:
    for parent in _parents(session, row):
        if inspect(parent).pending:
            complete(session, parent, Scope("none"))
        if _missing(parent, "township") and not row.county_wide_rows:
            continue
        _copy_place(row, parent)
        if isinstance(row, Scoped) and isinstance(parent, Scoped) and _missing(row, "school"):
            row.school_id = parent.school_id
            if parent.school_id is None and parent.__dict__.get("school") is not None:
                row.school = parent.school
        return True
    return False


def _parents(session: Session, row: Any) -> list[Any]:
    relations: list[RelationshipProperty[Any]] = [
        relation
        for relation in inspect(row).mapper.relationships
        if relation.direction is RelationshipDirection.MANYTOONE
        and issubclass(relation.mapper.class_, TownshipScoped)
        and not issubclass(relation.mapper.class_, NO_PARENTS)
    ]
    rank = {name: place for place, name in enumerate(PARENTS)}
    relations.sort(key=lambda relation: rank.get(relation.key, len(rank)))
    found = (_related(session, row, one.key, one.mapper.class_) for one in relations)
    return [parent for parent in found if parent is not None]


def _related(session: Session, row: Any, name: str, model: type[Any]) -> Any:
    """Return the row that a relation or its key points to; None where it is out of sight."""
    loaded = row.__dict__.get(name)
    keys = inspect(row).mapper.relationships[name].local_columns
    key = next(iter(keys)).key if len(keys) == 1 else None
    value = getattr(row, key) if key and key in inspect(row).mapper.columns else None
    # A changed key wins over the relation loaded before; a pending relation has no key yet.
    if value is None or (loaded is not None and loaded.id == value):
        return loaded
    return session.get(model, value)


def _copy_place(row: Any, parent: Any) -> None:
    row.county_id = parent.county_id
    row.township_id = parent.township_id
    if parent.township_id is None and parent.__dict__.get("township") is not None:
        row.township = parent.township


def _follow_scope(row: Any, scope: Scope) -> None:
    """Take the place of who acts, where there is only one."""
    if scope.kind == "schools" and len(scope.school_ids) == 1 and isinstance(row, Scoped):
        row.school_id = next(iter(scope.school_ids))
    if scope.kind == "township" and len(scope.township_ids) == 1:
        row.township_id = next(iter(scope.township_ids))


def _follow_township(session: Session, row: Any, scope: Scope) -> None:
    township = _related(session, row, "township", Township)
    if township is not None:
        row.county_id = township.county_id
    else:
        row.county_id = scope.county_id or session.scalar(select(County.id).limit(1))
