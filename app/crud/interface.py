"""Read and count rows for lists and forms: joined relations, stable order, capped counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from flask_appbuilder.models.filters import Filters
from sqlalchemy import Select, Text, bindparam, select
from sqlalchemy.orm import defer, joinedload, selectinload
from sqlalchemy.orm.interfaces import ORMOption

from app.columns import Encrypted
from app.crud.fab import SQLAInterface
from app.crud.filters import BureauFilterConverter, RelationIs, RelationIsNot
from app.crud.paging import Found, Part
from app.crud.parts import Parts
from app.crud.reading import Reading, reading_of
from app.security import guard
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
        self._parts = Parts(obj)
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

        Two statements: one for the rows, relations joined, and one for the count. Beyond the end
        stands the last page.
        """
        found = self._find(part, filters, columns, joins, formatters)
        if found.keys or not found.count or found.pages == 0:
            return found
        last = replace(part, page=found.pages - 1, cursor=None)
        return self._find(last, filters, columns, joins, formatters)

    def _find(
        self,
        part: Part,
        filters: Filters,
        columns: Sequence[str],
        joins: Sequence[str],
        formatters: Mapping[str, Any],
    ) -> Found:
        if not self.is_plain_column(part.order_column):
            part = replace(part, order_column="")
        if not self.may_seek(part.order_column):
            part = replace(part, cursor=None)
        reading = self._reading(tuple(columns), formatters)
        if reading is None:
            head = select(self.obj).options(*self.loading([*columns, *joins]))
            name = ("rows", *columns, *joins)
            rows = list(self.session.scalars(*self._parts.rows(head, name, part, filters)))
        else:
            asked = self._parts.rows(reading.statement, tuple(columns), part, filters)
            rows = list(self.session.execute(*asked))
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
            values=reading.values(rows) if reading else list(self.get_values(rows, list(columns))),
            may_seek=self.may_seek(part.order_column),
            is_start=is_start,
            is_end=is_end,
        )

    def may_seek(self, order_column: str) -> bool:
        """Tell whether the place of a row in an order can be compared: nothing has no place."""
        return not order_column or not self.list_columns[order_column].nullable

    def _reading(self, columns: tuple[str, ...], formatters: Mapping[str, Any]) -> Reading | None:
        """Return how to read a list as tuples; None where its values are made of the rows."""
        if columns not in self._readings:
            is_plain = type(self).get_values is BureauInterface.get_values
            self._readings[columns] = (
                reading_of(self.obj, columns, self.is_worded, formatters) if is_plain else None
            )
        return self._readings[columns]

    def _count(self, filters: Filters, part: Part, found: int, *, is_more: bool) -> Count:
        if part.cursor is None and not is_more and (found or not part.page):
            return Count(part.skipped + found)
        return Count(self.session.scalar(*self._parts.count(filters, COUNT_CAP + 1)) or 0)

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
    chosen = _by_key(model, guard.criteria_in_force())  # type: ignore[arg-type]  # can be hashed
    return session.execute(chosen, {"key": key}).unique().scalar_one_or_none()


@lru_cache(maxsize=512)
def _by_key(model: type[Any], _criteria: guard.Criteria) -> Select[Any]:
    """Return the select of one row; what is long or has to be deciphered comes when asked for."""
    later = [defer(getattr(model, name)) for name in _heavy(model)]
    return guard.narrowed(select(model).options(*later).where(model.id == bindparam("key")))


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
