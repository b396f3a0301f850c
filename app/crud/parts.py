"""Build the statements that read a part of a list, and keep those that come again and again.

To build a statement and to narrow it to a scope costs more than to run it. What is kept belongs
to the criteria under which it was narrowed: nobody runs a statement of another scope.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from flask_appbuilder.models.filters import Filters
from sqlalchemy import (
    ColumnElement,
    Select,
    bindparam,
    func,
    literal,
    select,
    tuple_,
)
from sqlalchemy.orm import aliased

from app.crud.filters import RelationIs
from app.crud.paging import Part
from app.security import guard

MOST_KEPT = 500
Asked = tuple[Select[Any], dict[str, int]]
"""A statement with the values of its parameters."""


class Parts:
    """The statements of one model's lists."""

    def __init__(self, model: type[Any]) -> None:
        self._model = model
        self._kept: dict[Hashable, Select[Any]] = {}

    def rows(self, head: Select[Any], name: Hashable, part: Part, filters: Filters) -> Asked:
        """Return the statement of one part and one row more, which tells whether more follow.

        ``head`` selects the columns or rows; ``name`` tells heads apart.
        """
        given = {"part_rows": part.page_size + 1, "part_skipped": part.skipped}
        relations = _relations(filters)
        if relations is None or part.cursor is not None:
            return self._part(head, part, filters), given
        key = (name, part.order_column, part.order_direction, bool(part.skipped), tuple(relations))
        return self._keep(key, lambda: self._part(head, part, filters)), {**given, **relations}

    def count(self, filters: Filters, most: int) -> Asked:
        """Return the statement that counts the matching rows up to a limit."""
        relations = _relations(filters)
        if relations is None:
            return self._counting(filters), {"part_rows": most}
        key = ("count", tuple(relations))
        return self._keep(key, lambda: self._counting(filters)), {"part_rows": most, **relations}

    def _keep(self, key: Hashable, build: Any) -> Select[Any]:
        criteria = guard.criteria_in_force()
        if (criteria, key) not in self._kept:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[criteria, key] = guard.narrowed(build())
        return self._kept[criteria, key]

    def _counting(self, filters: Filters) -> Select[Any]:
        matching = _chosen(select(self._model.id), filters).limit(bindparam("part_rows"))
        return select(func.count()).select_from(matching.subquery())

    def _part(self, head: Select[Any], part: Part, filters: Filters) -> Select[Any]:
        is_counted = part.cursor is None and part.skipped > 0
        if not is_counted and _relations(filters) is not None:
            return self._cut(_chosen(head, filters), part)
        # The keys are found first: an index holds those that are skipped, and only the rows that
        # are shown are joined with others.
        keys = self._cut(_chosen(select(self._model.id), filters), part)
        if is_counted:
            keys = keys.offset(bindparam("part_skipped"))
        some = keys.subquery()
        return head.join(some, some.c.id == self._model.id).order_by(*self._order(part))

    def _cut(self, chosen: Select[Any], part: Part) -> Select[Any]:
        """Order rows and take as many as are shown, from the part's cursor on."""
        if part.cursor is not None and part.cursor.key is not None:
            chosen = chosen.where(self._beyond(part, part.cursor.key))
        size: Any = bindparam("part_rows")
        return chosen.order_by(*self._order(part)).limit(size)

    def _order(self, part: Part) -> list[ColumnElement[Any]]:
        """Order by a column and then by the key, so that no row shows twice or never."""
        is_backward = part.cursor is not None and not part.cursor.is_after
        is_descending = part.is_descending != is_backward
        return [key.desc() if is_descending else key.asc() for key in self._keys(part)]

    def _keys(self, part: Part) -> list[Any]:
        key = self._model.id
        if not part.order_column or part.order_column == key.key:
            return [key]
        return [getattr(self._model, part.order_column), key]

    def _beyond(self, part: Part, key: int) -> ColumnElement[bool]:
        """Return the condition that rows follow, in the order in which they are read."""
        keys = self._keys(part)
        anchor = aliased(self._model)
        place = [
            select(getattr(anchor, column.key)).where(anchor.id == key).scalar_subquery()
            for column in keys[:-1]
        ]
        is_after = part.cursor is not None and part.cursor.is_after
        mine, theirs = (tuple_(*keys), tuple_(*place, key)) if place else (keys[0], literal(key))
        return mine > theirs if is_after != part.is_descending else mine < theirs


def _relations(filters: Filters) -> dict[str, int] | None:
    """Return the keys to which relations are narrowed; None where there are other conditions."""
    keys: dict[str, int] = {}
    for condition, value in filters.get_filters_values():
        key = condition.key_of(value) if type(condition) is RelationIs else None
        if key is None:
            return None
        keys[_name(condition, len(keys))] = key
    return keys


def _chosen(statement: Select[Any], filters: Filters) -> Select[Any]:
    """Return a statement with all conditions, keys of relations as parameters."""
    relations = _relations(filters)
    if relations is None:
        chosen: Select[Any] = filters.apply_all(statement)
        return chosen
    conditions: list[Any] = filters.filters
    for number, condition in enumerate(conditions):
        statement = statement.where(condition.column() == bindparam(_name(condition, number)))
    return statement


def _name(condition: Any, number: int) -> str:
    return f"part_{condition.column_name}_{number}"
