"""Find the rows that cells name, all at once: one staged table and a few joins per column."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Column as SqlColumn
from sqlalchemy import ColumnElement, Connection, Integer, String, Table, and_, or_, select

from app.base import TownshipScoped
from app.columns import blind_index
from app.imports.entity import Column, Lookup, Place, Row
from app.imports.stage import staged
from app.imports.value import Unreadable, day_of, plain
from app.models import Child, School, Township
from app.security.scope import Scope, criterion

Token = tuple[Hashable, ...]
"""The text of a cell, its qualifier and what narrows it."""


@dataclass(frozen=True, slots=True)
class Found:
    """A row that a cell names, and where it lies."""

    id: int
    place: Place
    rank: Any = None


def resolve(
    connection: Connection, column: Column, rows: Sequence[Row], scope: Scope, county_id: int
) -> None:
    """Replace what a column's cells say by the keys of the rows they name; note what is unknown."""
    lookup = column.lookup
    assert lookup is not None
    name, within = column.name, [other for _field, other in lookup.within]
    pairs = [
        (row, (said, *map(row.values.get, within)))
        for row in rows
        if (said := row.values.get(name)) is not None
    ]
    found = find(connection, lookup, (token for _row, token in pairs), scope, county_id)
    for row, token in pairs:
        candidates = found.get(token, ())
        one = candidates[0] if len(candidates) == 1 else choose(candidates, row)
        if one is None:
            row.values[name] = None
            row.fail(name, _missing(lookup, str(token[0]), candidates))
            continue
        row.values[name] = one.id
        row.places[name] = one.place


def _missing(lookup: Lookup, said: str, candidates: Sequence[Found]) -> str:
    """Return why a cell names no row; a foreign row and a missing one read the same."""
    if candidates and issubclass(lookup.model, Child):
        return _(
            "Several children bear this name or number: add a slash and the day of birth, or "
            "settle the problem enrolment."
        )
    if candidates:
        return _("Several rows bear this name; add a slash and what tells them apart.")
    if issubclass(lookup.model, Child):
        return _("No child of this number or name is within your area of responsibility.")
    return _("“%(text)s” is not known.", text=said[:60])


def choose(candidates: Sequence[Found], row: Row) -> Found | None:
    """Return the only candidate, or of namesakes the only one of the row's school or township."""
    if len(candidates) <= 1:
        return candidates[0] if candidates else None
    for depth in (2, 1):
        here = {place[depth] for place in row.places.values() if place[depth] is not None}
        near = [one for one in candidates if one.place[depth] in here]
        if len(near) == 1:
            return near[0]
    return None


def find(
    connection: Connection,
    lookup: Lookup,
    tokens: Iterable[Token],
    scope: Scope,
    county_id: int,
) -> dict[Token, Sequence[Found]]:
    """Return what each token names: by the first of the lookup's columns that knows it."""
    listed = list(dict.fromkeys(tokens))
    found: dict[Token, Sequence[Found]] = {}
    for name in lookup.by:
        left = [token for token in listed if token not in found]
        if left:
            found.update(_by(connection, lookup, name, left, scope, county_id))
    return found


def _by(
    connection: Connection,
    lookup: Lookup,
    name: str,
    tokens: Sequence[Token],
    scope: Scope,
    county_id: int,
) -> dict[Token, Sequence[Found]]:
    model = lookup.model
    columns: list[SqlColumn[Any]] = [
        SqlColumn("n", Integer), SqlColumn("text", String), SqlColumn("qualifier", String)
    ]  # fmt: skip
    columns += [SqlColumn(f"within_{at}", Integer) for at in range(len(lookup.within))]
    rows = [_staged_row(at, lookup, name, token) for at, token in enumerate(tokens)]
    hits: dict[int, list[Found]] = defaultdict(list)
    with staged(connection, columns, rows) as stage:
        query = _query(stage, model, lookup, name, county_id)
        inside = criterion(scope, model) if _is_placed(model) else None
        if inside is not None:
            query = query.where(inside)
        for n, key, county, township, school, rank in connection.execute(query):
            hits[n].append(Found(key, (county, township, school), rank))
    return {tokens[n]: _newest(many) for n, many in hits.items()}


def _is_placed(model: type[Any]) -> bool:
    return issubclass(model, TownshipScoped)


def _newest(many: Sequence[Found]) -> Sequence[Found]:
    best = max((one.rank for one in many if one.rank is not None), default=None)
    return [one for one in many if one.rank == best] if best is not None else many


def _staged_row(at: int, lookup: Lookup, name: str, token: Token) -> Sequence[Any]:
    text, *within = token
    said, qualifier = str(text), None
    if lookup.qualifier and "/" in said:
        said, _slash, qualifier = said.rpartition("/")
    if name.endswith("_index"):
        said = blind_index(plain(said).upper()) or ""
    if qualifier and lookup.qualifier and _is_day(lookup):
        qualifier = _day(qualifier)
    return (at, said, qualifier, *within)


def _is_day(lookup: Lookup) -> bool:
    return getattr(lookup.model, lookup.qualifier).type.python_type is date


def _day(text: str) -> str:
    try:
        return day_of(text, text).isoformat()
    except Unreadable:
        return text


def _query(stage: Table, model: type[Any], lookup: Lookup, name: str, county_id: int) -> Any:
    same: list[ColumnElement[bool]] = [getattr(model, name) == stage.c.text]
    if hasattr(model, "county_id"):
        same.append(model.county_id == county_id)
    same += [getattr(model, field) == value for field, value in lookup.where]
    for at, (field, _name) in enumerate(lookup.within):
        given = stage.c[f"within_{at}"]
        same.append(or_(given.is_(None), getattr(model, field) == given))
    if lookup.qualifier:
        held = getattr(model, lookup.qualifier)
        as_text = held if not _is_day(lookup) else _iso(held)
        same.append(or_(stage.c.qualifier.is_(None), as_text == stage.c.qualifier))
    rank = getattr(model, lookup.newest) if lookup.newest else _null()
    return select(stage.c.n, model.id, *place_columns(model), rank).where(and_(*same))


def _iso(column: Any) -> Any:
    from sqlalchemy import cast

    return cast(column, String)


def _null() -> Any:
    from sqlalchemy import null

    return null()


def place_columns(model: type[Any]) -> tuple[Any, Any, Any]:
    """Return the expressions for county, township and school of a model's rows."""
    if issubclass(model, School):
        return model.county_id, model.township_id, model.id
    if issubclass(model, Township):
        return model.county_id, model.id, _null()
    if not _is_placed(model):
        return _null(), _null(), _null()
    return model.county_id, model.township_id, getattr(model, "school_id", _null())
