"""Say where the reader's own rows belong: his school, his township or the county."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import g
from sqlalchemy import select

from app.base import Scoped, TownshipScoped
from app.extensions import db
from app.models import County, School, Township


@dataclass(frozen=True, slots=True)
class Place:
    """The scope columns of a row."""

    county_id: int | None = None
    township_id: int | None = None
    school_id: int | None = None


def place_of_reader() -> Place:
    """Return where files wait until their record is saved: inside the reader's scope."""
    scope = g.get("scope")
    if scope is None or scope.is_county_wide:
        return Place(_county(scope))
    if not scope.township_ids:
        school = _first(School, scope.school_ids)
        if school is not None:
            return Place(school.county_id, school.township_id, school.id)
    return Place(_county(scope), min(scope.township_ids, default=None))


def only_place() -> tuple[School | None, Township | None]:
    """Return the school or the township of a reader who has exactly one: forms begin with it."""
    scope = g.get("scope")
    if scope is None or scope.is_county_wide or len(scope.township_ids | scope.school_ids) != 1:
        return None, None
    if scope.school_ids:
        return _first(School, scope.school_ids), None
    return None, _first(Township, scope.township_ids)


def fill_county(row: Any) -> None:
    """Give a shared row the county; scoped rows are completed by the guard."""
    if not isinstance(row, TownshipScoped) and getattr(row, "county_id", 0) is None:
        row.county_id = _county(g.get("scope"))


def follow_school(row: Any) -> None:
    """Let the chosen school decide the township; an empty field must not overrule it."""
    if isinstance(row, Scoped) and row.school is not None:
        row.township = row.school.township
        row.township_id = row.school.township_id


def _county(scope: Any) -> int | None:
    if scope is not None and scope.county_id is not None:
        return int(scope.county_id)
    return db.session.scalars(select(County.id).order_by(County.id).limit(1)).first()


def _first(model: type[Any], keys: frozenset[int]) -> Any | None:
    found = select(model).where(model.id.in_(keys)).order_by(model.id).limit(1)
    return db.session.scalars(found).first()
