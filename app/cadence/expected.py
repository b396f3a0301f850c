"""Say which inspections cadences make due, of which schools, in which periods, by whom."""

from __future__ import annotations

from datetime import date
from typing import Any, Final, Protocol, cast

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Date,
    Integer,
    MetaData,
    Select,
    String,
    Table,
    and_,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
)

from app.cadence.period import Terms, periods_of
from app.cadence.school_day import class_days
from app.models import (
    Clause,
    LiaisonAssignment,
    School,
    SchoolClass,
    SchoolKind,
    Township,
)

TEMPORARY = MetaData()
PERIOD: Final = Table(
    "cadence_period",
    TEMPORARY,
    Column("every", String(12), primary_key=True),
    Column("start", Date, primary_key=True),
    Column("end", Date, nullable=False),
    Column("due_on", Date, nullable=False),
    prefixes=["TEMPORARY"],
)
SCHOOL_DAY: Final = Table(
    "cadence_school_day",
    TEMPORARY,
    Column("day", Date, primary_key=True),
    Column("number", Integer, nullable=False),
    prefixes=["TEMPORARY"],
)
"""The county's school days of the year, numbered."""
EXPECTED: Final = Table(
    "cadence_expected",
    TEMPORARY,
    Column("type_key", String(60), primary_key=True),
    Column("capacity", String(40), primary_key=True),
    Column("school_id", Integer, primary_key=True, autoincrement=False),
    Column("period_start", Date, primary_key=True),
    Column("county_id", Integer, nullable=False),
    Column("township_id", Integer, nullable=False),
    Column("period_end", Date, nullable=False),
    Column("due_on", Date, nullable=False),
    Column("clause_key", String(40)),
    Column("person_id", Integer),
    prefixes=["TEMPORARY"],
)
PERIODS: Final = {"fortnight": "fortnight", "month": "school_month", "semester": "semester"}
"""The kind of period that a cadence of the manifests is due in."""


class Cadence(Protocol):
    """What a manifest says of when and where inspections are due."""

    every: str
    scope: str
    only: dict[str, bool | int | str]


class Kind(Protocol):
    """What obligations need to know of an inspection type."""

    key: str
    capacity: str
    clause: str
    assigned: str
    cadence: Cadence


def fill_periods(connection: Connection, terms: Terms, as_of: date) -> None:
    """Stage the periods that have begun by the day, and the county's school days."""
    periods = [
        {"every": every, "start": one.start, "end": one.end, "due_on": one.due_on}
        for every, kind in PERIODS.items()
        for one in periods_of(kind, terms, as_of)
    ]
    days = [day for term in terms.semesters for day in term.days]
    if periods:
        connection.execute(insert(PERIOD), periods)
    if days:
        numbered = [{"day": day, "number": number} for number, day in enumerate(days, 1)]
        connection.execute(insert(SCHOOL_DAY), numbered)


def expect(
    connection: Connection, kind: Kind, terms: Terms, as_of: date, county_id: int | None
) -> None:
    """Stage what one inspection type makes due."""
    if kind.cadence.every == "school_day":
        due = _daily(kind, terms, as_of)
    elif kind.cadence.every in PERIODS:
        due = _periodic(kind)
    else:
        return
    due = due.where(*_in_force(kind, due.selected_columns["due_on"]))
    if county_id is not None:
        due = due.where(School.county_id == county_id)
    names = [column.name for column in due.selected_columns]
    connection.execute(insert(EXPECTED).from_select(names, due))


def _periodic(kind: Kind) -> Select:
    """Select the schools of a cadence with the periods that have begun."""
    query = (
        _facts(kind, PERIOD.c.start, PERIOD.c.end, PERIOD.c.due_on)
        .join(PERIOD, PERIOD.c.every == kind.cadence.every)
        .where(School.kind != SchoolKind.TEACHING_POINT)
    )
    if kind.cadence.scope == "linked_schools":
        query = query.where(_holder(kind).is_not(None))
    return query


def _daily(kind: Kind, terms: Terms, as_of: date) -> Select:
    """Select the schools with the days on which one of their classes has class."""
    assert terms.year is not None
    days = class_days(terms.year[0], min(terms.year[1], as_of), SchoolClass.is_active.is_(True))
    of_school = (
        select(SchoolClass.school_id, days.c.day)
        .join(days, days.c.class_id == SchoolClass.id)
        .distinct()
        .subquery()
    )
    day = of_school.c.day
    return _facts(kind, day, day, day).join(of_school, of_school.c.school_id == School.id)


def _facts(
    kind: Kind, start: ColumnElement[date], end: ColumnElement[date], due_on: ColumnElement[date]
) -> Select:
    person = literal(None, Integer) if kind.cadence.every == "school_day" else _holder(kind)
    return (
        select(
            literal(kind.key, String(60)).label("type_key"),
            literal(kind.capacity, String(40)).label("capacity"),
            School.id.label("school_id"),
            start.label("period_start"),
            School.county_id.label("county_id"),
            School.township_id.label("township_id"),
            end.label("period_end"),
            due_on.label("due_on"),
            literal(kind.clause or None, String(40)).label("clause_key"),
            person.label("person_id"),
        )
        .select_from(School)
        .join(Township, Township.id == School.township_id)
    )


def _in_force(kind: Kind, due_on: ColumnElement[date]) -> list[ColumnElement[bool]]:
    """Return when an inspection of a school is due at all: live, open, under a clause in force."""
    conditions: list[ColumnElement[bool]] = [
        Township.go_live_on <= due_on,
        or_(School.opened_on.is_(None), School.opened_on <= due_on),
        or_(School.closed_on.is_(None), School.closed_on >= due_on),
        *(_attribute(name) == value for name, value in kind.cadence.only.items()),
    ]
    if kind.clause:
        in_force = (
            exists()
            .where(Clause.key == kind.clause, Clause.valid_from <= due_on)
            .where(or_(Clause.valid_to.is_(None), Clause.valid_to >= due_on))
        )
        conditions.append(in_force)
    return conditions


def _attribute(name: str) -> ColumnElement[Any]:
    return cast("ColumnElement[Any]", getattr(School, name, None) or getattr(School, f"is_{name}"))


def _holder(kind: Kind) -> ColumnElement[int | None]:
    """Return who was assigned to the school on most of the period's school days; first the earlier.

    Null where nobody was, and where a township's pool answers without anybody named first.
    """
    day, held = SCHOOL_DAY.c.day, LiaisonAssignment
    in_office = and_(
        day.between(PERIOD.c.start, PERIOD.c.end),
        day >= held.valid_from,
        or_(held.valid_to.is_(None), day <= held.valid_to),
    )
    query = (
        select(held.person_id)
        .join(SCHOOL_DAY, in_office)
        .where(held.capacity == kind.capacity, held.school_id == School.id)
        .group_by(held.id, held.person_id, held.valid_from)
        .order_by(func.count().desc(), held.valid_from, held.id)
        .limit(1)
    )
    if kind.assigned == "township":
        query = query.where(held.is_primary)
    return query.correlate(School, PERIOD).scalar_subquery()
