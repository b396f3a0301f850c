"""Reckon with days inside statements, alike on SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import Date, Integer, case
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine


class MonthsAfter(FunctionElement[date]):
    """The day some calendar months after another, clipped to the month's end: 31 January + 1 is
    28 or 29 February. Arguments: the day, the months (not negative).
    """

    name = "months_after"
    type: TypeEngine[date] = Date()
    inherit_cache = True


class DaysAfter(FunctionElement[date]):
    """The day some days after another, or before it. Arguments: the day, the days."""

    name = "days_after"
    type: TypeEngine[date] = Date()
    inherit_cache = True


class DaysBetween(FunctionElement[int]):
    """The days from one day to a later one. Arguments: the first day, the later day."""

    name = "days_between"
    type: TypeEngine[int] = Integer()
    inherit_cache = True


def earlier(one: Any, other: Any) -> ColumnElement[Any]:
    """Return the earlier of two days; a day that is missing comes after all others."""
    return case((other.is_(None), one), (one.is_(None), other), (one <= other, one), else_=other)


def later(one: Any, other: Any) -> ColumnElement[Any]:
    """Return the later of two days; a day that is missing comes before all others."""
    return case((other.is_(None), one), (one.is_(None), other), (one >= other, one), else_=other)


def _parts(element: FunctionElement[Any], compiler: Any, **kwargs: Any) -> list[str]:
    return [compiler.process(clause, **kwargs) for clause in element.clauses]


@compiles(MonthsAfter)
def _months_after(element: MonthsAfter, compiler: Any, **kwargs: Any) -> str:
    """SQLite runs over the end of a shorter month, so the last day of the month is the limit."""
    day, months = _parts(element, compiler, **kwargs)
    return (
        f"min(date({day}, '+' || ({months}) || ' months'), "
        f"date({day}, 'start of month', '+' || (({months}) + 1) || ' months', '-1 day'))"
    )


@compiles(MonthsAfter, "postgresql")
def _months_after_postgres(element: MonthsAfter, compiler: Any, **kwargs: Any) -> str:
    day, months = _parts(element, compiler, **kwargs)
    return f"CAST(CAST({day} AS DATE) + make_interval(months => CAST({months} AS INTEGER)) AS DATE)"


@compiles(DaysAfter)
def _days_after(element: DaysAfter, compiler: Any, **kwargs: Any) -> str:
    day, days = _parts(element, compiler, **kwargs)
    return f"date({day}, ({days}) || ' days')"


@compiles(DaysAfter, "postgresql")
def _days_after_postgres(element: DaysAfter, compiler: Any, **kwargs: Any) -> str:
    day, days = _parts(element, compiler, **kwargs)
    return f"(CAST({day} AS DATE) + CAST({days} AS INTEGER))"


@compiles(DaysBetween)
def _days_between(element: DaysBetween, compiler: Any, **kwargs: Any) -> str:
    first, last = _parts(element, compiler, **kwargs)
    return f"CAST(julianday({last}) - julianday({first}) AS INTEGER)"


@compiles(DaysBetween, "postgresql")
def _days_between_postgres(element: DaysBetween, compiler: Any, **kwargs: Any) -> str:
    first, last = _parts(element, compiler, **kwargs)
    return f"(CAST({last} AS DATE) - CAST({first} AS DATE))"
