"""Plan the promotion 升级 of classes at the year's turn; planning changes nothing."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Final

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from app import clock
from app.base import Refused
from app.models import (
    Child,
    ChildStatus,
    ChildStatusStep,
    School,
    SchoolClass,
    SchoolKind,
    SchoolYear,
)
from app.parameters.value import load_parameters

GRADUATED, UNDER_WAY = "graduated", "transfer_under_way"
LAST_GRADE, LAST_PRIMARY_GRADE = "core.grade_highest", "core.grade_primary_highest"
NUMERALS: Final = "一二三四五六七八九"
_GRADE = re.compile(rf"^(初?)([{NUMERALS}]+|[1-9]+)(?=年级|级|[（(班.·-]|$)")


@dataclass(frozen=True, slots=True)
class ClassPlan:
    """What becomes of one class: the name and grades of the next year, and of its children."""

    source: SchoolClass
    school: School
    name: str
    grades: tuple[int, ...]
    """Empty where every child finishes the last grade of the school."""
    target: SchoolClass | None
    """The class of the next year that is there already under this name."""
    ends: bool
    """Whether the compulsory years end: the children graduate; else they go on elsewhere."""
    children: int
    staying: int
    """Children whose status does not allow the step: somebody has to decide on them."""
    mixes: bool
    """Whether some grades of a multigrade class leave and others stay."""
    last: int
    """The last grade of the school."""
    finishing: int = 0
    """Children of a class that mixes who leave it, by their own grade."""
    unknown: int = 0
    """Children of a class that mixes whose own grade nobody has entered: they go up with it."""

    @property
    def moving(self) -> int:
        """Return how many children the promotion moves."""
        return self.children - self.staying

    @property
    def leaving(self) -> int:
        """Return how many of them finish the last grade of the school."""
        return self.finishing if self.grades else self.moving


@dataclass(frozen=True, slots=True)
class _Kind:
    """Tell children of a class apart: by their status, and by their own grade if it is known."""

    status_id: int
    grade: int | None

    def finishes(self, last: int) -> bool:
        """Tell whether their own grade is the last one of the school."""
        return self.grade is not None and self.grade >= last


@dataclass(frozen=True, slots=True)
class Plan:
    """A promotion before it is done."""

    from_year: SchoolYear
    to_year: SchoolYear
    classes: Sequence[ClassPlan]

    @property
    def day(self) -> date:
        """Return the first day in the new classes."""
        return self.to_year.starts_on

    @property
    def moved(self) -> int:
        """Return how many children go to a class of the next year."""
        return sum(one.moving - one.leaving for one in self.classes)

    @property
    def graduated(self) -> int:
        """Return how many children graduate."""
        return sum(one.leaving for one in self.classes if one.ends)

    @property
    def left(self) -> int:
        """Return how many children go on to another school."""
        return sum(one.leaving for one in self.classes if not one.ends)

    @property
    def staying(self) -> int:
        """Return how many children need a decision of their own."""
        return sum(one.staying for one in self.classes)


def next_name(name: str) -> str:
    """Return the name of a class a grade higher: 三年级（1）班 → 四年级（1）班."""
    found = _GRADE.match(name)
    if found is None:
        return name
    raised = "".join(_raised(sign) for sign in found[2])
    return f"{found[1]}{raised}{name[found.end() :]}"


def _raised(sign: str) -> str:
    if sign in NUMERALS:
        return NUMERALS[min(NUMERALS.index(sign) + 1, len(NUMERALS) - 1)]
    return str(min(int(sign) + 1, len(NUMERALS)))


def years(session: Session, today: date | None = None) -> tuple[SchoolYear, SchoolYear]:
    """Return the year that ends and the one that begins; raise Refused without both."""
    query = select(SchoolYear).order_by(SchoolYear.county_id, SchoolYear.starts_on)
    known = session.scalars(query).all()
    day = today or clock.today()
    pairs = [
        (old, new)
        for old, new in pairwise(known)
        if old.starts_on <= day and new.county_id == old.county_id
    ]
    if not pairs:
        raise Refused(_("Enter the school year that begins first: there is none after this one."))
    begun = [pair for pair in pairs if pair[1].starts_on <= day]
    # In the last weeks of a year the next one is looked at, in all others the last turn.
    return pairs[-1] if not begun or (pairs[-1][1].starts_on - day).days <= 62 else begun[-1]


def plan(session: Session, school_ids: Iterable[int] | None = None) -> Plan:
    """Return what a promotion of some schools, or of all in the scope, would do."""
    old, new = years(session)
    sources = _classes(session, old, school_ids)
    targets = {(row.school_id, row.name): row for row in _classes(session, new, school_ids)}
    last = _last_grades(session, old.ends_on, sources)
    counts = _children(session, sources)
    barred = {key: _barred(session, key) for key in (GRADUATED, UNDER_WAY)}
    final = _figure(session, LAST_GRADE, old.ends_on)
    plans = []
    for row in sources:
        grades = tuple(one.grade + 1 for one in row.grades if one.grade < last[row.school_id])
        name = next_name(row.name)
        ends = last[row.school_id] >= final
        held = counts[row.id]
        mixes = bool(grades) and len(grades) < len(row.grades)
        leaving = [
            one for one in held if not grades or (mixes and one.finishes(last[row.school_id]))
        ]
        bars = barred[GRADUATED if ends else UNDER_WAY]
        staying = sum(held[one] for one in leaving if one.status_id in bars)
        plans.append(
            ClassPlan(
                source=row,
                school=row.school,
                name=name,
                grades=grades,
                target=targets.get((row.school_id, name)) if grades else None,
                ends=ends,
                children=sum(held.values()),
                staying=staying,
                mixes=mixes,
                last=last[row.school_id],
                finishing=sum(held[one] for one in leaving) - staying if mixes else 0,
                unknown=sum(n for one, n in held.items() if mixes and one.grade is None),
            )
        )
    return Plan(old, new, [one for one in plans if one.children])


def _classes(
    session: Session, year: SchoolYear, school_ids: Iterable[int] | None
) -> Sequence[SchoolClass]:
    query = (
        select(SchoolClass)
        .join(School, School.id == SchoolClass.school_id)
        .where(SchoolClass.school_year_id == year.id)
        .options(selectinload(SchoolClass.grades), selectinload(SchoolClass.school))
        .order_by(School.township_id, School.name, SchoolClass.position, SchoolClass.id)
    )
    if school_ids is not None:
        query = query.where(SchoolClass.school_id.in_(list(school_ids)))
    return session.scalars(query).all()


def _children(session: Session, sources: Sequence[SchoolClass]) -> Mapping[int, dict[_Kind, int]]:
    """Return the number of children of each class by their status and their own grade."""
    counts: dict[int, dict[_Kind, int]] = defaultdict(dict)
    query = (
        select(Child.class_id, Child.status_id, Child.grade, func.count())
        .join(ChildStatus, ChildStatus.id == Child.status_id)
        .where(ChildStatus.is_enrolled, Child.class_id.in_([row.id for row in sources]))
        .group_by(Child.class_id, Child.status_id, Child.grade)
    )
    for class_id, status_id, grade, count in session.execute(query):
        counts[class_id or 0][_Kind(status_id, grade)] = count
    return counts


def _barred(session: Session, key: str) -> frozenset[int]:
    """Return the statuses from which a child cannot step to another one."""
    target = select(ChildStatus.id).where(ChildStatus.key == key).scalar_subquery()
    may = select(ChildStatusStep.from_id).where(ChildStatusStep.to_id == target)
    return frozenset(session.scalars(select(ChildStatus.id).where(ChildStatus.id.not_in(may))))


def _last_grades(session: Session, day: date, sources: Sequence[SchoolClass]) -> Mapping[int, int]:
    """Return the last grade of each school: by its kind, of a teaching point by its classes."""
    by_kind = {
        SchoolKind.PRIMARY: _figure(session, LAST_PRIMARY_GRADE, day),
        SchoolKind.JUNIOR_HIGH: _figure(session, LAST_GRADE, day),
        SchoolKind.NINE_YEAR: _figure(session, LAST_GRADE, day),
    }
    found: dict[int, int] = {}
    for row in sources:
        highest = max((one.grade for one in row.grades), default=0)
        found[row.school_id] = max(found.get(row.school_id, 0), highest)
    kinds = {row.school_id: row.school.kind for row in sources}
    return {key: by_kind.get(SchoolKind(kinds[key]), own) for key, own in found.items()}


def _figure(session: Session, key: str, day: date) -> int:
    value = load_parameters(session, [key]).on(key, day)
    if value is None:
        raise Refused(_("The parameter %(key)s has no value on %(day)s.", key=key, day=day))
    return int(value)
