"""Answer what a parameter's value was on a day; code never asks for "the current value"."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from types import MappingProxyType

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import SQLCoreOperations

from app.models import Parameter, ParameterValue

Value = int | float | bool | str


@dataclass(frozen=True, slots=True)
class Dated:
    """Hold one value, its unit, and where it stands."""

    key: str
    unit: str
    valid_from: date
    value: Value | None
    clause: str | None
    basis: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """Hold all values of one parameter in order of their days."""

    values: tuple[Dated, ...]

    def on(self, day: date) -> Dated | None:
        """Return what is in force on the day; None where nothing is, or it was ended."""
        found = None
        for dated in self.values:
            if dated.valid_from > day:
                break
            found = dated
        return found if found is not None and found.value is not None else None


@dataclass(frozen=True, slots=True)
class Parameters:
    """Hold the timelines of many parameters, read in one statement."""

    timelines: Mapping[str, Timeline]

    def on(self, key: str, day: date) -> Value | None:
        """Return the value of a parameter on a day, or None: the thing does not apply."""
        dated = self.dated(key, day)
        return dated.value if dated else None

    def dated(self, key: str, day: date) -> Dated | None:
        """Return the value with its clause and basis."""
        timeline = self.timelines.get(key)
        return timeline.on(day) if timeline else None

    def changes(self, keys: Iterable[str]) -> Iterator[date]:
        """Yield the days on which one of the parameters takes another value."""
        for key in keys:
            for dated in _values(self.timelines, key):
                yield dated.valid_from

    def with_draft(self, drafts: Iterable[Dated]) -> Parameters:
        """Return these parameters with draft values laid over them, for a simulation."""
        timelines = dict(self.timelines)
        for draft in drafts:
            kept = [v for v in _values(timelines, draft.key) if v.valid_from != draft.valid_from]
            ordered = sorted((*kept, draft), key=lambda dated: dated.valid_from)
            timelines[draft.key] = Timeline(tuple(ordered))
        return Parameters(MappingProxyType(timelines))


def load_parameters(session: Session, keys: Iterable[str] | None = None) -> Parameters:
    """Read the timelines of these parameters, or of all, in one statement."""
    query = (
        select(
            Parameter.key,
            Parameter.unit,
            ParameterValue.valid_from,
            ParameterValue.number,
            ParameterValue.text,
            ParameterValue.clause_key,
            ParameterValue.basis,
        )
        .join(ParameterValue, ParameterValue.parameter_id == Parameter.id)
        .order_by(Parameter.key, ParameterValue.valid_from)
    )
    if keys is not None:
        query = query.where(Parameter.key.in_(list(keys)))
    timelines: dict[str, list[Dated]] = {}
    for key, unit, valid_from, number, text, clause, basis in session.execute(query):
        value = typed(unit, number, text)
        dated = Dated(key, unit, valid_from, value, clause, basis)
        timelines.setdefault(key, []).append(dated)
    return Parameters(
        MappingProxyType({key: Timeline(tuple(values)) for key, values in timelines.items()})
    )


def value_on(session: Session, key: str, day: date) -> Value | None:
    """Return the value of `<plugin>.<name>` or `core.<name>` on a day, or None."""
    return load_parameters(session, [key]).on(key, day)


def number_on(session: Session, key: str, day: date) -> int | None:
    """Return the value as a whole number, or None where there is none."""
    value = value_on(session, key, day)
    return None if value is None else int(value)


def value_at(key: str, day: SQLCoreOperations[date]) -> ColumnElement[Decimal | None]:
    """Return, for use in a select, the value in force on the day of each row; null where none is.

    A rule's own parameters come as its settings; this is for what the core derives of each row.
    """
    value = select(ParameterValue.number).join(
        Parameter, Parameter.id == ParameterValue.parameter_id
    )
    return (
        value.where(Parameter.key == key, ParameterValue.valid_from <= day)
        .order_by(ParameterValue.valid_from.desc())
        .limit(1)
        .correlate_except(Parameter, ParameterValue)
        .scalar_subquery()
    )


def typed(unit: str, number: Decimal | float | None, text: str | None) -> Value | None:
    """Return a stored value in the type of its unit."""
    if unit == "text":
        return text
    if number is None:
        return None
    if unit == "flag":
        return bool(number)
    return plain(number)


def plain(number: Decimal | float) -> int | float:
    """Return a number as a whole one where it is whole."""
    return int(number) if number == int(number) else float(number)


def _values(timelines: Mapping[str, Timeline], key: str) -> Iterator[Dated]:
    """Yield the values of a timeline that may be absent."""
    timeline = timelines.get(key)
    yield from timeline.values if timeline else ()
