"""Read and count rows for lists and forms: joined relations, stable order, capped counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from flask_appbuilder.models.filters import Filters
from sqlalchemy import ColumnElement, Select, Text, func, literal, select, tuple_
from sqlalchemy.orm import aliased, defer, joinedload, selectinload
from sqlalchemy.orm.interfaces import ORMOption

from app.columns import Encrypted
from app.crud.fab import SQLAInterface
from app.crud.filters import BureauFilterConverter, RelationIs, RelationIsNot
from app.crud.paging import Found, Part
from app.crud.reading import Reading, reading_of
from app.words import WORDS, words

COUNT_CAP = 10_000
"""Rows beyond this many are not counted: the list says ``10000+``."""
LARGEST_KEY = 2**31 - 1


class Count(int):
    """A number of rows that is exact up to the cap."""

    def __str__(self) -> str:
        return f"{COUNT_CAP}+" if self > COUNT_CAP else int.__repr__(self)

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)


class BureauFilters(Filters):
    """FAB's filters, copied without building every filter of every column again."""

    def none(self) -> BureauFilters:
        """Return a set that offers the same conditions, none of them active."""
        blank = object.__new__(type(self))
        blank.__dict__.update(self.__dict__)
        blank.clear_filters()
        return blank

    def copy(self) -> BureauFilters:
        """Return a copy whose active filters may be changed."""
        copied = self.none()
        copied.filters, copied.values = list(self.filters), list(self.values)
        return copied

    def get_joined_filters(self, filters: Filters) -> BureauFilters:
        """Return these active filters and those of another set."""
        joined = self.none()
        joined.filters = self.filters + filters.filters
        joined.values = self.values + filters.values
        return joined


class BureauInterface(SQLAInterface):
    """FAB's access to one model: one statement for a page of rows, at most one for the count."""

    filter_converter_class = BureauFilterConverter
    FilterRelationOneToManyEqual = RelationIs
    FilterRelationOneToManyNotEqual = RelationIsNot

    def __init__(
        self,
        obj: type[Any],
        session: Any = None,
        choices: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        self.choices = choices or {}
        self._worded: dict[str, bool] = {}
        self._readings: dict[tuple[str, ...], Reading | None] = {}
        super().__init__(obj, session)

    def is_choice(self, column: str) -> bool:
        """Tell whether a column holds one of the keys that the view declared."""
        return column in self.choices

    def is_encrypted(self, column: str) -> bool:
        """Tell whether a column holds ciphertext."""
        found = self.list_columns.get(column)
        return found is not None and isinstance(found.type, Encrypted)

    def encrypted_columns(self) -> list[str]:
        """Return the columns that hold ciphertext."""
        return [name for name in self.list_columns if self.is_encrypted(name)]

    def is_plain_column(self, column: str) -> bool:
        """Tell whether rows can be ordered by a column."""
        return column in self.list_columns and not self.is_encrypted(column)

    def is_worded(self, path: str) -> bool:
        """Tell whether the texts at the end of a path of relations have translations."""
        if path not in self._worded:
            self._worded[path] = WORDS.items() <= _column_info(self.obj, path.split(".")).items()
        return self._worded[path]

    def _get_attr_value(self, item: Any, col: str) -> Any:
        """Return what lists and pages show of a row, texts of the data in the reader's language."""
        value = super()._get_attr_value(item, col)
        return words(value) if isinstance(value, str) and self.is_worded(col) else value

    def get_filters(self, search_columns: Any = None, search_filters: Any = None) -> BureauFilters:
        """Return the filters of a view's search columns."""
        return BureauFilters(
            self.filter_converter_class,
            self,
            search_columns=search_columns or [],
            search_filters=search_filters,
        )

    def find(
        self,
        part: Part,
        filters: Filters,
        columns: Sequence[str],
        joins: Sequence[str] = (),
        formatters: Mapping[str, Any] = MappingProxyType({}),
    ) -> Found:
        """Return one part of the matching rows, and how many match in all.

        Two statements: one for the rows, relations joined, and one for the count.
        """
        if part.cursor is not None and not self.may_seek(part.order_column):
            part = replace(part, cursor=None)
        reading = self._reading(tuple(columns), formatters)
        if reading is None:
            rows = self._rows(part, filters, [*columns, *joins])
        else:
            rows = self._tuples(part, filters, reading)
        is_more = len(rows) > part.page_size
        rows = rows[: part.page_size]
        if part.cursor is not None and not part.cursor.is_after:
            rows.reverse()
        is_read_on = part.cursor is None or part.cursor.is_after
        is_start = part.cursor is None and not part.page if is_read_on else not is_more
        is_end = not is_more if is_read_on else part.cursor is not None and part.cursor.key is None
        return Found(
            part=part,
            count=self._count(filters, part, len(rows), is_more=is_more),
            counted=COUNT_CAP,
            keys=[row[0] for row in rows] if reading else self.get_keys(rows),
            values=list(
                map(reading.values, rows) if reading else self.get_values(rows, list(columns))
            ),
            may_seek=self.may_seek(part.order_column),
            is_start=is_start,
            is_end=is_end,
        )

    def may_seek(self, order_column: str) -> bool:
        """Tell whether the place of a row in an order can be compared: nothing has no place."""
        if not self.is_plain_column(order_column):
            return self.get_pk() is not None
        return not self.list_columns[order_column].nullable

    def _reading(self, columns: tuple[str, ...], formatters: Mapping[str, Any]) -> Reading | None:
        """Return how to read a list as tuples; None where its values are made of the rows."""
        if columns not in self._readings:
            is_plain = type(self).get_values is BureauInterface.get_values
            self._readings[columns] = (
                reading_of(self.obj, columns, self.is_worded, formatters) if is_plain else None
            )
        return self._readings[columns]

    def _tuples(self, part: Part, filters: Filters, reading: Reading) -> list[Any]:
        return list(self.session.execute(self._part(reading.statement, part, filters)))

    def _rows(self, part: Part, filters: Filters, columns: Sequence[str]) -> list[Any]:
        rows = select(self.obj).options(*self.loading(columns))
        return list(self.session.scalars(self._part(rows, part, filters)))

    def _part(self, statement: Select[Any], part: Part, filters: Filters) -> Select[Any]:
        """Return the statement of one part and one row more, which tells whether more follow."""
        order, cursor = self._order(part), part.cursor
        if cursor is not None:
            chosen = filters.apply_all(statement)
            if cursor.key is not None:
                chosen = chosen.where(self._beyond(part, cursor.key))
            return chosen.order_by(*order).limit(part.page_size + 1)
        if not part.skipped:
            chosen = filters.apply_all(statement)
            return chosen.order_by(*order).limit(part.page_size + 1)
        # Rows are skipped by their keys alone, which an index holds; the others are joined later.
        keys = filters.apply_all(select(self.get_pk())).order_by(*order)
        some = keys.limit(part.page_size + 1).offset(part.skipped).subquery()
        return statement.join(some, some.c.id == self.get_pk()).order_by(*order)

    def _order(self, part: Part) -> list[ColumnElement[Any]]:
        """Order by a column and then by the key, so that no row shows twice or never."""
        is_backward = part.cursor is not None and not part.cursor.is_after
        is_descending = part.is_descending != is_backward
        return [key.desc() if is_descending else key.asc() for key in self._keys(part)]

    def _keys(self, part: Part) -> list[Any]:
        column, key = part.order_column, self.get_pk()
        keys = [getattr(self.obj, column)] if self.is_plain_column(column) else []
        return keys if key is None or column == self.get_pk_name() else [*keys, key]

    def _beyond(self, part: Part, key: int) -> ColumnElement[bool]:
        """Return the condition that rows follow, in the order in which they are read."""
        keys = self._keys(part)
        anchor = aliased(self.obj)
        place = [
            select(getattr(anchor, column.key)).where(anchor.id == key).scalar_subquery()
            for column in keys[:-1]
        ]
        is_after = part.cursor is not None and part.cursor.is_after
        mine, theirs = (tuple_(*keys), tuple_(*place, key)) if place else (keys[0], literal(key))
        return mine > theirs if is_after != part.is_descending else mine < theirs

    def _count(self, filters: Filters, part: Part, found: int, *, is_more: bool) -> Count:
        if part.cursor is None and not is_more and (found or not part.page):
            return Count(part.skipped + found)
        matching = filters.apply_all(select(self.get_pk())).limit(COUNT_CAP + 1).subquery()
        return Count(self.session.scalar(select(func.count()).select_from(matching)) or 0)

    def loading(self, columns: Iterable[str]) -> list[ORMOption]:
        """Return options that load the relations among some columns with the rows themselves."""
        columns = list(columns)
        options: list[ORMOption] = [
            defer(getattr(self.obj, name)) for name in _heavy(self.obj) if name not in columns
        ]
        for column in columns:
            option = _path_option(self.obj, column.split("."))
            if option is not None:
                options.append(option)
        return options

    def get(
        self,
        id: Any,  # noqa: A002  # FAB's signature
        filters: Filters | None = None,
        select_columns: list[str] | None = None,
        outer_default_load: bool = False,
    ) -> Any | None:
        """Return one row by its key, or None where there is none or it is not open."""
        key = key_of(id)
        if key is None:
            return None
        query = self.session.query(self.obj).filter(self.get_pk() == key)
        if filters:
            query = filters.apply_all(query)
        return query.options(*self.loading(select_columns or [])).one_or_none()

    def get_related_obj(self, col_name: str, value: Any) -> Any | None:
        """Return the row that a relation would point to."""
        return find(self.session, self.get_related_model(col_name), value)


def key_of(value: Any) -> int | None:
    """Return a key from what a request says, or None where it cannot be one."""
    text = str(value).strip()
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(LARGEST_KEY)):
        return None
    return int(text) if 0 < int(text) <= LARGEST_KEY else None


def find(session: Any, model: type[Any], value: Any) -> Any | None:
    """Return one row by key through a statement that the guard narrows, or None."""
    key = key_of(value)
    if key is None:
        return None
    return session.execute(select(model).where(model.id == key)).unique().scalar_one_or_none()


def _heavy(model: type[Any]) -> Sequence[str]:
    """Return the columns that a list does not read unless it shows them."""
    return [
        attribute.key
        for attribute in model.__mapper__.column_attrs
        if isinstance(attribute.columns[0].type, Encrypted | Text)
    ]


def _column_info(model: type[Any], path: Sequence[str]) -> Mapping[Any, Any]:
    """Return what the model declares about the column at the end of a path."""
    mapper = model.__mapper__
    if len(path) > 1:
        relation = mapper.relationships.get(path[0])
        return _column_info(relation.mapper.class_, path[1:]) if relation is not None else {}
    column = mapper.columns.get(path[0])
    return column.info if column is not None else {}


def _path_option(model: type[Any], path: Sequence[str]) -> Any:
    """Return the option that loads one dotted path, or None for a plain column."""
    relations = model.__mapper__.relationships
    if path[0] not in relations:
        return None
    relation = relations[path[0]]
    attribute = getattr(model, path[0])
    target = relation.mapper.class_
    load = selectinload(attribute) if relation.uselist else joinedload(attribute)
    deeper = _path_option(target, path[1:]) if path[1:] else None
    rest = [defer(getattr(target, name)) for name in _heavy(target) if name not in path[1:]]
    return load.options(*rest, *([deeper] if deeper is not None else []))
