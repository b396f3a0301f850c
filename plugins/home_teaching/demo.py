"""Make up home teaching for the demonstration county: good, short, late and excused months."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any, Final

from sqlalchemy import func, select

from app.kit import (
    AttendanceReport,
    CalendarDay,
    Child,
    ChildStatus,
    EvidenceFile,
    EvidenceSet,
    Person,
    SchoolYear,
    Session,
    today,
)

from .clock import minutes_of
from .models import Case, Disability, Excuse, Paper, SessionTeacher, TeachingSession
from .papers import DATED
from .words import APPROVED, PAPERS, REQUESTED, UNABLE

TAUGHT: Final = "home_taught"
SPANS: Final = (("09:00", "10:30", 3), ("14:30", "16:00", 3), ("09:00", "10:40", 3))
SHORT: Final = ("09:00", "10:00", 3)
KINDS: Final = ("intellectual", "physical", "multiple", "mental")
PLANS: Final = (
    "生活自理训练：穿衣、洗手",
    "感知训练：颜色与形状",
    "语言训练：看图说话",
    "大运动康复训练",
)
GOOD, LAX, HASTY, EXCUSED, ASKING, UNLISTED = range(6)
"""What becomes of a child, in turn: enough visits, too few, too short ones, a month excused or
asked for, not on the roster."""


@dataclass(frozen=True, slots=True)
class Taught:
    """A child of the demonstration, with the teacher and what becomes of it."""

    child: Child
    number: int
    teacher: Person
    first: date
    days: Sequence[date]

    @property
    def course(self) -> int:
        """Return what becomes of the child."""
        return self.number % 6

    @property
    def months(self) -> list[date]:
        """Return the first days of the months that have begun."""
        return sorted({day.replace(day=1) for day in self.days})

    @property
    def place(self) -> dict[str, Any]:
        """Return the scope columns of the child's rows."""
        names = ("county_id", "township_id", "school_id")
        return {name: getattr(self.child, name) for name in names}


def seed_home_teaching(session: Session, random: Random) -> None:
    """Give every child with the status a case, a line of the roster and its sessions."""
    as_of = session.scalar(select(func.max(AttendanceReport.day))) or today()
    year = session.scalars(
        select(SchoolYear).where(SchoolYear.starts_on <= as_of, SchoolYear.ends_on >= as_of)
    ).first()
    if year is None:
        return
    days = _school_days(session, year.starts_on, as_of)
    children = session.scalars(
        select(Child)
        .join(ChildStatus, ChildStatus.id == Child.status_id)
        .where(ChildStatus.key == TAUGHT, Child.school_id.is_not(None))
        .order_by(Child.id)
    ).all()
    teachers = _teachers(session, {child.school_id for child in children})
    scan = session.scalars(select(EvidenceFile).order_by(EvidenceFile.id).limit(1)).first()
    for number, child in enumerate(children):
        staff = teachers.get(child.school_id, [])
        if staff and days:
            teacher = staff[number % len(staff)]
            _teach(session, random, Taught(child, number, teacher, year.starts_on, days), scan)
    session.flush()


def _school_days(session: Session, first: date, last: date) -> list[date]:
    query = select(CalendarDay.day).where(
        CalendarDay.day.between(first, last), CalendarDay.is_school_day
    )
    return list(session.scalars(query.order_by(CalendarDay.day)))


def _teachers(session: Session, school_ids: set[int | None]) -> dict[int | None, list[Person]]:
    found: dict[int | None, list[Person]] = {}
    query = select(Person).where(Person.school_id.in_(school_ids)).order_by(Person.id)
    for person in session.scalars(query):
        found.setdefault(person.school_id, []).append(person)
    return found


def _teach(session: Session, random: Random, taught: Taught, scan: EvidenceFile | None) -> None:
    """Add one child with roster, case, papers and sessions."""
    own = {"child_id": taught.child.id, **taught.place}
    kind, level = random.choice(KINDS), random.choice("12")
    if taught.course != UNLISTED:
        roster = {"kind": kind, "level": level, "placement": "home", "valid_from": taught.first}
        session.add(Disability(**roster, **own))
    case = Case(
        teacher_id=taught.teacher.id,
        determination=UNABLE,
        determined_on=taught.first - timedelta(days=random.randint(20, 900)),
        starts_on=taught.first,
        **own,
    )
    session.add(case)
    session.flush()
    if scan is not None and taught.course in (GOOD, EXCUSED):
        _file_papers(session, taught, case, scan)
    left_out = _excuse(session, taught, own)
    for month in taught.months:
        if month != left_out:
            _month(session, random, taught, own, month, scan)


def _file_papers(session: Session, taught: Taught, case: Case, scan: EvidenceFile) -> None:
    """Add the six documents; a file of the demonstration stands for every scan."""
    for kind in PAPERS:
        if kind in ("diagnosis", "certificate_application"):
            continue
        held = _copy(scan, taught, f"{kind} {taught.child.id}")
        session.add(held)
        session.flush()
        session.add(
            Paper(
                case_id=case.id,
                kind=kind,
                form_year=case.determined_on.year if kind in DATED else None,
                issued_on=case.determined_on,
                evidence_set_id=held.id,
                **taught.place,
            )
        )


def _copy(scan: EvidenceFile, taught: Taught, title: str) -> EvidenceSet:
    """Return a set with the content of a file, as if another original had been uploaded."""
    held = EvidenceSet(is_staged=False, **taught.place)
    copied = {name: getattr(scan, name) for name in ("media_type", "size", "stored_sha256")}
    original = hashlib.sha256(title.encode()).hexdigest()
    held.files.append(
        EvidenceFile(name=scan.name, original_sha256=original, **copied, **taught.place)
    )
    return held


def _excuse(session: Session, taught: Taught, own: dict[str, Any]) -> date | None:
    """Ask for a month off, or have it approved; return the month."""
    if taught.course not in (EXCUSED, ASKING) or len(taught.months) < 2:
        return None
    month = taught.months[-2]
    state = APPROVED if taught.course == EXCUSED else REQUESTED
    note = "住院治疗，附医院证明"
    session.add(Excuse(month=month, reason="hospital", note=note, state=state, **own))
    return month


def _month(
    session: Session,
    random: Random,
    taught: Taught,
    own: dict[str, Any],
    month: date,
    scan: EvidenceFile | None,
) -> None:
    # Each child has a weekday of its own, so that no teacher is in two homes at once.
    inside = [day for day in taught.days if (day.year, day.month) == (month.year, month.month)]
    chosen = [day for day in inside if day.weekday() == taught.number % 5] or inside
    visits = 1 if taught.course == LAX else 2
    dates = sorted(random.sample(chosen, min(visits, len(chosen))))
    pictures: list[EvidenceSet | None] = [None] * len(dates)
    if scan is not None and taught.course in (GOOD, EXCUSED, ASKING):
        pictures = [_copy(scan, taught, f"{day} {taught.child.id}") for day in dates]
        session.add_all(pictures)
        session.flush()
    for day, picture in zip(dates, pictures, strict=True):
        is_short = taught.course == HASTY and day == dates[-1]
        start, end, hours = SHORT if is_short else SPANS[taught.number % len(SPANS)]
        session.add(
            TeachingSession(
                taught_on=day,
                starts_at=start,
                ends_at=end,
                minutes=minutes_of(start, end),
                stated_hours=hours,
                plan=random.choice(PLANS),
                record="按计划完成，家长在场。",
                evidence_set_id=picture.id if picture else None,
                teachers=[SessionTeacher(person_id=taught.teacher.id, **taught.place)],
                **own,
            )
        )
