"""Explain the head-count 人数平衡 of each class on a day: where every enrolment record is.

学籍数 = present with a record + on leave + unexplained + suspended + home-taught + transfer under
way + elsewhere; what is left is the residue. 在校数 = present with and without a record.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final

from flask_babel import lazy_gettext
from sqlalchemy import (
    ColumnElement,
    Select,
    Subquery,
    and_,
    case,
    exists,
    func,
    literal,
    or_,
    select,
)

from app.kit import (
    Absence,
    AttendanceReport,
    ChildStatus,
    ClassLine,
    Enrolment,
    Inspection,
    InspectionState,
    School,
    SchoolClass,
    Session,
    StatusEvent,
    Township,
    counted_elsewhere,
)

FILE: Final = Path(__file__).with_name("headcount.toml")
ATTENDING, LEAVE, UNEXPLAINED, ELSEWHERE = "attending", "leave", "unexplained", "elsewhere"
GUEST, OTHER = "guest", "other"
Day = date | ColumnElement[date]
# On the tables: where a child of the school sits and what became of it may be another school's
# record. What is shown are numbers of the reader's own schools, which School narrows.
SEAT, EVENT, AWAY = Enrolment.__table__, StatusEvent.__table__, Absence.__table__
STATUS, REPORT, LINE = ChildStatus.__table__, AttendanceReport.__table__, ClassLine.__table__
INSPECTION = Inspection.__table__


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the identity, and the statuses of the children counted in it."""

    key: str
    title: str
    statuses: tuple[str, ...]
    proof: bool = False


@dataclass(frozen=True, slots=True)
class Headcount:
    """The figures of one class, or of a school: sums over its classes."""

    registered: int = 0
    counted: int | None = None
    """Who was counted at school 在校数; nothing where nobody has counted yet."""
    guests: int = 0
    parts: Mapping[str, int] | None = None
    uncounted: int = 0
    """How many classes nobody has counted."""

    @property
    def present(self) -> int | None:
        """Return how many with a record were at school 到校（有学籍）."""
        return None if self.counted is None else self.counted - self.guests

    @property
    def residue(self) -> int | None:
        """Return what the parts leave unexplained; nothing before all are counted."""
        if self.present is None or self.uncounted:
            return None
        return self.registered - self.present - sum((self.parts or {}).values())


@dataclass(frozen=True, slots=True)
class ClassRow:
    """A class, or the records of a school without a class, with its figures."""

    township: str
    school_id: int
    school: str
    class_id: int | None
    school_class: str | None
    figures: Headcount


@cache
def parts() -> tuple[Part, ...]:
    """Return the parts by status, in the order of the table."""
    return tuple(Part(**{**one, "statuses": tuple(one["statuses"])}) for one in _read()["part"])


def columns() -> list[tuple[str, Any]]:
    """Return the keys of the explaining parts with their titles, in the order of the identity."""
    return [(one.key, lazy_gettext(one.title)) for one in parts()]


def rows_of(session: Session, day: date, school_id: int | None = None) -> list[ClassRow]:
    """Return the figures of each class of the reader's schools on a day, in two statements."""
    query = headcounts(day, school_id, counted_elsewhere(session, day))
    return [_row(found) for found in session.execute(query)]


def total(rows: Iterable[ClassRow]) -> Headcount:
    """Return the sums of some classes; a class that nobody counted is told, not counted as zero."""
    figures = [row.figures for row in rows]
    sums: dict[str, int] = {}
    for one in figures:
        for key, number in (one.parts or {}).items():
            sums[key] = sums.get(key, 0) + number
    counts = [one.counted for one in figures if one.counted is not None]
    return Headcount(
        registered=sum(one.registered for one in figures),
        counted=sum(counts) if counts else None,
        guests=sum(one.guests for one in figures),
        parts=sums,
        uncounted=sum(one.uncounted for one in figures),
    )


def part_names() -> list[str]:
    """Return the columns of the explaining parts in a select of figures."""
    return [f"part_{key}" for key in (LEAVE, UNEXPLAINED, *(one.key for one in parts()))]


def headcounts(
    day: Day, school_id: int | None = None, elsewhere: Collection[int] = ()
) -> Select[Any]:
    """Select the figures by school and class on a day, or on the one that a subquery finds.

    The records of children whom several schools report, and who sit ``elsewhere``, are told there.
    """
    seats = _seats(day, school_id, elsewhere)
    keys = [LEAVE, UNEXPLAINED, *(one.key for one in parts())]
    counted = _counted(day).subquery()
    columns = [
        func.sum(case((seats.c.is_registered, 1), else_=0)).label("registered"),
        func.sum(case((seats.c.part == GUEST, 1), else_=0)).label(GUEST),
        func.sum(case((seats.c.part == ATTENDING, 1), else_=0)).label(ATTENDING),
        *(func.sum(case((seats.c.part == key, 1), else_=0)).label(f"part_{key}") for key in keys),
    ]
    sums = (
        select(seats.c.school_id, seats.c.class_id, *columns)
        .group_by(seats.c.school_id, seats.c.class_id)
        .subquery()
    )
    figures = [column for column in sums.c if column.name not in {"school_id", "class_id"}]
    return (
        select(
            Township.name.label("township"),
            School.id.label("school_id"),
            School.name.label("school"),
            sums.c.class_id,
            SchoolClass.name.label("school_class"),
            counted.c.present.label("counted"),
            *figures,
        )
        .join(sums, sums.c.school_id == School.id)
        .join(Township, Township.id == School.township_id)
        .outerjoin(SchoolClass, SchoolClass.id == sums.c.class_id)
        .outerjoin(counted, counted.c.class_id == sums.c.class_id)
        .order_by(Township.position, Township.id, School.id, SchoolClass.position, SchoolClass.name)
    )


def _seats(day: Day, school_id: int | None, elsewhere: Collection[int]) -> Subquery:
    """Select each place of a child that is held on the day, with the part that it counts in."""
    schools = select(School.id)
    if school_id is not None:
        schools = schools.where(School.id == school_id)
    last = _last_status(day)
    return (
        select(
            SEAT.c.school_id,
            SEAT.c.class_id,
            SEAT.c.is_registered,
            _part(day, last, elsewhere).label("part"),
        )
        .outerjoin(last, and_(last.c.child_id == SEAT.c.child_id, last.c.place == 1))
        .outerjoin(AWAY, and_(AWAY.c.child_id == SEAT.c.child_id, AWAY.c.day == day))
        .where(_held(SEAT, day), SEAT.c.school_id.in_(schools))
        .subquery()
    )


def _part(day: Day, last: Subquery, elsewhere: Collection[int]) -> ColumnElement[str]:
    """Return which part of the identity a place counts in."""
    attends = or_(last.c.key.is_(None), last.c.key.in_(_read()["attending"]))
    is_there = and_(attends, AWAY.c.id.is_(None))
    by_status = [
        (
            and_(last.c.key.in_(one.statuses), last.c.has_paper) if one.proof
            else last.c.key.in_(one.statuses),
            literal(one.key),
        )
        for one in parts()
    ]  # fmt: skip
    return case(
        (SEAT.c.is_registered.is_(False), case((is_there, literal(GUEST)), else_=literal(OTHER))),
        (or_(SEAT.c.child_id.in_(elsewhere), _sits_elsewhere(day)), literal(ELSEWHERE)),
        *by_status,
        (~attends, literal(OTHER)),
        (AWAY.c.kind.in_(_read()["leave"]), literal(LEAVE)),
        (AWAY.c.id.is_not(None), literal(UNEXPLAINED)),
        else_=literal(ATTENDING),
    )


def _last_status(day: Day) -> Subquery:
    """Select the changes of status up to the day, the last of each child in place 1."""
    order = (EVENT.c.happened_on.desc(), EVENT.c.id.desc())
    return (
        select(
            EVENT.c.child_id,
            STATUS.c.key,
            EVENT.c.evidence_set_id.is_not(None).label("has_paper"),
            func.row_number().over(partition_by=EVENT.c.child_id, order_by=order).label("place"),
        )
        .join(STATUS, STATUS.c.id == EVENT.c.status_id)
        .where(EVENT.c.happened_on <= day)
        .subquery()
    )


def _sits_elsewhere(day: Day) -> ColumnElement[bool]:
    """Tell whether another school seats the child without holding the record 借读."""
    other = SEAT.alias()
    return exists().where(
        other.c.child_id == SEAT.c.child_id,
        other.c.school_id != SEAT.c.school_id,
        other.c.is_registered.is_(False),
        _held(other, day),
    )


def _held(seat: Any, day: Day) -> ColumnElement[bool]:
    return and_(seat.c.valid_from <= day, or_(seat.c.valid_to.is_(None), seat.c.valid_to >= day))


def _counted(day: Day) -> Select[Any]:
    """Select who was counted in each class: by the leader, else by the class teacher."""
    led = (
        select(LINE.c.class_id, func.max(LINE.c.id).label("id"))
        .join(INSPECTION, INSPECTION.c.id == LINE.c.inspection_id)
        .where(
            LINE.c.day == day,
            LINE.c.present.is_not(None),
            INSPECTION.c.state == InspectionState.SUBMITTED,
        )
        .group_by(LINE.c.class_id)
        .subquery()
    )
    known = SchoolClass.__table__
    reported = and_(REPORT.c.class_id == known.c.id, REPORT.c.day == day)
    return (
        select(
            known.c.id.label("class_id"),
            func.coalesce(LINE.c.present, REPORT.c.present).label("present"),
        )
        .select_from(known)
        .outerjoin(led, led.c.class_id == known.c.id)
        .outerjoin(LINE, LINE.c.id == led.c.id)
        .outerjoin(REPORT, reported)
        .where(or_(LINE.c.id.is_not(None), REPORT.c.id.is_not(None)))
    )


def _row(found: Any) -> ClassRow:
    values = found._mapping
    keys: Sequence[str] = [LEAVE, UNEXPLAINED, *(one.key for one in parts())]
    # Whoever sits in no class is counted by nobody: the record is there, the child is not seen.
    is_class = found.class_id is not None
    counted = found.counted if is_class else 0
    return ClassRow(
        township=found.township,
        school_id=found.school_id,
        school=found.school,
        class_id=found.class_id,
        school_class=found.school_class,
        figures=Headcount(
            registered=found.registered,
            counted=counted,
            guests=values[GUEST] if is_class else 0,
            parts={key: values[f"part_{key}"] for key in keys},
            uncounted=int(counted is None),
        ),
    )


@cache
def _read() -> Mapping[str, Any]:
    return tomllib.loads(FILE.read_text(encoding="utf-8"))
