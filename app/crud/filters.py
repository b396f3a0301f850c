"""Offer the conditions of a list's search: texts, numbers, days, choices and relations."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, and_, false, or_

from app import clock, names
from app.base import Named
from app.columns import blind_index
from app.crud.fab import BaseFilter, BaseFilterConverter, FilterRelation
from app.extensions import db

YES, NO = "y", "n"
LARGEST_NUMBER = 2**31 - 1


class Condition(BaseFilter):
    """A condition on one column; a value that cannot be read matches nothing."""

    def apply(self, query: Any, value: Any) -> Any:
        """Narrow a query to the rows that meet the condition."""
        try:
            return query.filter(
                self.test(getattr(self.model, self.column_name), str(value).strip())
            )
        except ValueError:
            return query.filter(false())

    def test(self, column: Any, value: str) -> ColumnElement[bool]:
        """Return the condition; raise ValueError where the value is none."""
        raise NotImplementedError


class Contains(Condition):
    """The text contains some characters; a name also their pinyin or initials."""

    name = _l("contains")
    arg_name = "contains"

    def test(self, column: Any, value: str) -> ColumnElement[bool]:
        """Compare without regard to case, wildcards taken literally."""
        value = readable(value)
        if self.column_name == "name" and issubclass(self.model, Named):
            return spelled_like(self.model, value)
        return column.icontains(value, autoescape=True)


class TextIs(Condition):
    """The text is exactly this."""

    name = _l("is")
    arg_name = "text_is"

    def test(self, column: Any, value: str) -> ColumnElement[bool]:
        """Compare the whole text."""
        return column == readable(value)


class TextIsNot(TextIs):
    """The text is something else."""

    name = _l("is not")
    arg_name = "text_is_not"

    def test(self, column: Any, value: str) -> ColumnElement[bool]:
        """Compare the whole text; an empty one is something else."""
        return or_(column != readable(value), column.is_(None))


class EncryptedIs(Condition):
    """The encrypted text is exactly this, found by its blind index."""

    name = _l("is")
    arg_name = "encrypted_is"

    def test(self, column: Any, value: str) -> ColumnElement[bool]:
        """Compare the keyed digests."""
        return getattr(self.model, f"{self.column_name}_index") == blind_index(readable(value))


class NumberIs(Condition):
    """The number is this one."""

    name = _l("is")
    arg_name = "number_is"

    def test(self, column: Any, value: str) -> ColumnElement[bool]:
        """Compare numbers."""
        return column == number(value)


class NumberFrom(Condition):
    """The number is at least this."""

    name = _l("at least")
    arg_name = "number_from"

    def test(self, column: Any, value: str) -> ColumnElement[bool]:
        """Compare numbers."""
        return column >= number(value)


class NumberTo(Condition):
    """The number is at most this."""

    name = _l("at most")
    arg_name = "number_to"

    def test(self, column: Any, value: str) -> ColumnElement[bool]:
        """Compare numbers."""
        return column <= number(value)


class DayFrom(Condition):
    """The day is this one or later."""

    name = _l("from")
    arg_name = "day_from"

    def test(self, column: Any, value: str) -> ColumnElement[bool]:
        """Compare days; instants count from the bureau's midnight."""
        return column >= self.edge(day(value))

    def edge(self, value: date) -> date | datetime:
        """Return the first moment of a day, in the type of the column."""
        if not self.datamodel.is_datetime(self.column_name):
            return value
        return datetime.combine(value, time.min, tzinfo=clock.zone()).astimezone(UTC)


class DayTo(DayFrom):
    """The day is this one or earlier."""

    name = _l("until")
    arg_name = "day_to"

    def test(self, column: Any, value: str) -> ColumnElement[bool]:
        """Compare days; the whole last day counts."""
        return column < self.edge(day(value) + timedelta(days=1))


class DayIs(DayFrom):
    """The day is this one."""

    name = _l("on")
    arg_name = "day_is"

    def test(self, column: Any, value: str) -> ColumnElement[bool]:
        """Compare days."""
        found = day(value)
        return and_(column >= self.edge(found), column < self.edge(found + timedelta(days=1)))


class YesNo(Condition):
    """The mark is set, or it is not."""

    name = _l("is")
    arg_name = "yes_no"

    def test(self, column: Any, value: str) -> ColumnElement[bool]:
        """Compare with y or n."""
        if value not in {YES, NO}:
            raise ValueError(value)
        return column.is_(value == YES)


class RelationIs(FilterRelation):
    """The relation points to this row; compared by key, so that nothing is loaded."""

    name = _l("is")
    arg_name = "relation_is"

    def apply(self, query: Any, value: Any) -> Any:
        """Narrow a query to the rows that point to a key."""
        key = self.key_of(value)
        return query.filter(false() if key is None else self.test(self.column(), key))

    def key_of(self, value: Any) -> int | None:
        """Return the key that a request names, or None where it cannot be one."""
        try:
            return int(number(str(value)))
        except ValueError:
            return None

    def column(self) -> Any:
        """Return the foreign key behind the relation."""
        key = self.datamodel.get_relation_fk(self.column_name)
        return getattr(self.model, self.model.__mapper__.get_property_by_column(key).key)

    def test(self, column: Any, key: int) -> ColumnElement[bool]:
        """Compare keys."""
        return column == key


class RelationIsNot(RelationIs):
    """The relation points elsewhere or nowhere."""

    name = _l("is not")
    arg_name = "relation_is_not"

    def test(self, column: Any, key: int) -> ColumnElement[bool]:
        """Compare keys."""
        return or_(column != key, column.is_(None))


class BureauFilterConverter(BaseFilterConverter):
    """Choose the conditions that a column offers, by its type."""

    conversion_table = (
        ("is_relation_many_to_one", [RelationIs, RelationIsNot]),
        ("is_encrypted", [EncryptedIs]),
        ("is_choice", [TextIs, TextIsNot]),
        ("is_boolean", [YesNo]),
        ("is_datetime", [DayFrom, DayTo, DayIs]),
        ("is_date", [DayFrom, DayTo, DayIs]),
        ("is_integer", [NumberIs, NumberFrom, NumberTo]),
        ("is_numeric", [NumberIs, NumberFrom, NumberTo]),
        ("is_float", [NumberIs, NumberFrom, NumberTo]),
        ("is_text", [Contains]),
        ("is_string", [Contains, TextIs, TextIsNot]),
    )

    def convert(self, col_name: str) -> list[BaseFilter] | None:
        """Return the conditions of a column, or None where it offers none."""
        for test, filters in self.conversion_table:
            matches: Callable[[str], bool] = getattr(self.datamodel, test)
            if matches(col_name):
                return [kind(col_name, self.datamodel) for kind in filters]
        return None


def spelled_like(model: type[Named], text: str) -> ColumnElement[bool]:
    """Return the condition that a name contains characters, their pinyin or their initials."""
    return names.holds(model, text, db.engine.dialect.name)


def readable(value: str) -> str:
    """Return a text that both databases can compare; raise ValueError for control characters."""
    if any(ord(character) < 32 or 0xD800 <= ord(character) < 0xE000 for character in value):
        raise ValueError("control characters")
    return value


def number(value: str) -> float:
    """Return a number that fits its column; raise ValueError otherwise."""
    found = float(value)
    if not -LARGEST_NUMBER <= found <= LARGEST_NUMBER:
        raise ValueError(value)
    return int(found) if found.is_integer() else found


def day(value: str) -> date:
    """Return a day between 1900 and 2199; raise ValueError otherwise."""
    found = date.fromisoformat(value)
    if not 1900 <= found.year < 2200:
        raise ValueError(value)
    return found
