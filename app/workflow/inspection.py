"""Open, submit, confirm and correct inspections; draw the classes for a roll-call."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from random import Random
from typing import Any, Protocol

from flask_babel import gettext as _
from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session, selectinload

from app import clock
from app.base import Refused, actor
from app.models import (
    Absence,
    Appointment,
    AppointmentSchool,
    AttendanceReport,
    Checklist,
    ChecklistItem,
    ChecklistVersion,
    Child,
    ChildStatus,
    ClassLine,
    Inspection,
    InspectionParticipant,
    InspectionState,
    LiaisonAssignment,
    School,
    SchoolClass,
    SchoolYear,
    Township,
)
from app.parameters.value import Parameters, load_parameters
from app.workflow.finding import findings_from

CLASS_LINES = "class_lines"
REDRAW_LENGTH = 200
WHOLE_TOWNSHIP = frozenset({"liaison_department"})
"""Capacities that an assignment to one school gives for every school of its township."""
SCHOOL_SIDE = frozenset({"school_leader", "school_clerk"})
LEAVE_KINDS = ("sick_leave", "personal_leave")
UNEXPLAINED = "unexplained"
EARLIEST = date(2000, 1, 1)


class Kind(Protocol):
    """What the workflow needs to know of an inspection type."""

    key: str
    title: str
    checklist: str
    capacity: str
    theme: bool
    draw_classes: bool
    self_inspection: bool
    model: type[Inspection]


@dataclass(frozen=True, slots=True)
class Unit:
    """What is inspected: a school, or a township itself."""

    county_id: int
    township_id: int
    school_id: int | None
    is_focus: bool = False

    @classmethod
    def of(cls, place: School | Township) -> Unit:
        """Return the unit of a school or a township."""
        if isinstance(place, School):
            return cls(place.county_id, place.township_id, place.id, place.is_focus)
        return cls(place.county_id, place.id, None)

    def columns(self) -> dict[str, int | None]:
        """Return the scope columns of rows about this unit."""
        return {
            "county_id": self.county_id,
            "township_id": self.township_id,
            "school_id": self.school_id,
        }


@dataclass(frozen=True, slots=True)
class Attendant:
    """A person who takes part, under the capacity chosen for him; without one he accompanies."""

    person_id: int
    capacity: str | None


def refusal_of_day(day: date, place: School | Township | None) -> str | None:
    """Return why an inspection cannot have happened on a day; None where it can."""
    if day > clock.today():
        return _("The day lies in the future. Record an inspection after it took place.")
    if day < EARLIEST:
        return _("The day lies too far back.")
    if isinstance(place, School):
        if place.opened_on and day < place.opened_on:
            return _("The school was not open yet on that day.")
        if place.closed_on and day > place.closed_on:
            return _("The school was closed on that day.")
    return None


def capacities_of(session: Session, person_id: int, unit: Unit, day: date) -> frozenset[str]:
    """Return the capacities that a person held for a unit on a day."""
    in_force = or_(Appointment.valid_to.is_(None), Appointment.valid_to >= day)
    listed = select(AppointmentSchool.appointment_id).where(
        AppointmentSchool.school_id == unit.school_id
    )
    covers = or_(
        and_(Appointment.scope_kind == "county", Appointment.county_id == unit.county_id),
        and_(Appointment.scope_kind == "township", Appointment.township_id == unit.township_id),
        and_(
            Appointment.scope_kind == "schools",
            or_(Appointment.school_id == unit.school_id, Appointment.id.in_(listed)),
        ),
    )
    appointed = select(Appointment.capacity, Appointment.template).where(
        Appointment.person_id == person_id, Appointment.valid_from <= day, in_force, covers
    )
    held = {capacity or template for capacity, template in session.execute(appointed)}
    return frozenset(held | _assigned(session, person_id, unit, day))


def _assigned(session: Session, person_id: int, unit: Unit, day: date) -> set[str]:
    in_force = or_(LiaisonAssignment.valid_to.is_(None), LiaisonAssignment.valid_to >= day)
    covers = or_(
        LiaisonAssignment.school_id == unit.school_id,
        LiaisonAssignment.school_id.is_(None),
        LiaisonAssignment.capacity.in_(WHOLE_TOWNSHIP),
    )
    query = select(LiaisonAssignment.capacity).where(
        LiaisonAssignment.person_id == person_id,
        LiaisonAssignment.township_id == unit.township_id,
        LiaisonAssignment.valid_from <= day,
        in_force,
        covers,
    )
    return set(session.scalars(query))


def refusal_of_attendant(
    session: Session, attendant: Attendant, unit: Unit, day: date, words: Mapping[str, Any]
) -> str | None:
    """Return why a person cannot take part under a capacity; None where he can."""
    if attendant.capacity is None:
        return None
    if attendant.capacity in capacities_of(session, attendant.person_id, unit, day):
        return None
    return _(
        "%(capacity)s: not held for this unit on %(day)s.",
        capacity=str(words.get(attendant.capacity, attendant.capacity)),
        day=day.isoformat(),
    )


def version_on(session: Session, checklist: str, day: date) -> ChecklistVersion | None:
    """Return the version of a checklist that is in force on a day."""
    return session.scalars(
        select(ChecklistVersion)
        .join(Checklist, Checklist.id == ChecklistVersion.checklist_id)
        .where(
            Checklist.key == checklist,
            ChecklistVersion.valid_from <= day,
            or_(ChecklistVersion.valid_to.is_(None), ChecklistVersion.valid_to >= day),
        )
        .order_by(ChecklistVersion.valid_from.desc(), ChecklistVersion.number.desc())
        .limit(1)
    ).first()


def open_draft(
    session: Session,
    kind: Kind,
    place: School | Township,
    day: date,
    attendants: Sequence[Attendant],
    theme: str | None = None,
) -> Inspection:
    """Open the record of an inspection; its checklist version and drawn classes stay with it."""
    reason = refusal_of_day(day, place)
    if reason:
        raise Refused(reason)
    version = version_on(session, kind.checklist, day)
    if version is None:
        raise Refused(
            _("No version of the checklist was in force on %(day)s.", day=day.isoformat())
        )
    unit = Unit.of(place)
    inspection = kind.model(
        type_key=kind.key,
        checklist_version_id=version.id,
        occurred_on=day,
        state=InspectionState.DRAFT,
        theme=theme,
        captured_at=clock.now(),
        **unit.columns(),
    )
    for attendant in attendants:
        participant = InspectionParticipant(
            person_id=attendant.person_id, capacity=attendant.capacity, **unit.columns()
        )
        inspection.participants.append(participant)
    session.add(inspection)
    session.flush()
    if unit.school_id is not None and _asks_for_classes(session, version):
        add_class_lines(session, inspection, kind)
    return inspection


def _asks_for_classes(session: Session, version: ChecklistVersion) -> bool:
    query = select(ChecklistItem.id).where(
        ChecklistItem.version_id == version.id, ChecklistItem.kind == CLASS_LINES
    )
    return session.scalars(query.limit(1)).first() is not None


@dataclass(frozen=True, slots=True)
class Roll:
    """An active class with its grades and the number of pupils on its list."""

    school_class: SchoolClass
    grades: frozenset[int]
    on_roll: int


def rolls_of(session: Session, school_id: int, day: date) -> list[Roll]:
    """Return the classes that a school has on a day, in its own order."""
    classes = session.scalars(
        select(SchoolClass)
        .join(SchoolYear, SchoolYear.id == SchoolClass.school_year_id)
        .where(
            SchoolClass.school_id == school_id,
            SchoolClass.is_active,
            SchoolYear.starts_on <= day,
            SchoolYear.ends_on >= day,
        )
        .options(selectinload(SchoolClass.grades))
        .order_by(SchoolClass.position, SchoolClass.name, SchoolClass.id)
    ).all()
    counted = select(Child.class_id, func.count(Child.id)).join(
        ChildStatus, ChildStatus.id == Child.status_id
    )
    narrowed = counted.where(
        Child.class_id.in_([row.id for row in classes]), ChildStatus.is_enrolled
    )
    grouped = session.execute(narrowed.group_by(Child.class_id))
    numbers: dict[int | None, int] = {row[0]: row[1] for row in grouped}
    return [
        Roll(row, frozenset(grade.grade for grade in row.grades), numbers.get(row.id, 0))
        for row in classes
    ]


@dataclass(frozen=True, slots=True)
class Draw:
    """How many classes are drawn; None where no figure is in force, then all are."""

    at_least: int | None = None
    percent: int | None = None
    all_up_to: int = 0
    focus_grades: frozenset[int] = frozenset()
    per_focus_grade: int = 0

    @classmethod
    def on(cls, parameters: Parameters, day: date) -> Draw:
        """Return the figures for the roll-call that are in force on a day."""
        grades = str(parameters.on("core.rollcall_focus_grades", day) or "")
        return cls(
            _whole(parameters, "core.rollcall_classes_min", day),
            _whole(parameters, "core.rollcall_classes_percent", day),
            _whole(parameters, "core.rollcall_all_classes_up_to", day) or 0,
            frozenset(int(part) for part in grades.split(",") if part.strip().isdigit()),
            _whole(parameters, "core.rollcall_focus_classes_per_grade", day) or 0,
        )


def drawn_classes(rolls: Sequence[Roll], draw: Draw, *, is_focus: bool, seed: str) -> list[Roll]:
    """Return the classes for the roll-call; the same seed draws the same classes."""
    if len(rolls) <= draw.all_up_to or (draw.at_least is None and draw.percent is None):
        return list(rolls)
    share = math.ceil(len(rolls) * (draw.percent or 0) / 100)
    wanted = min(len(rolls), max(draw.at_least or 0, share))
    shuffled = list(rolls)
    Random(seed).shuffle(shuffled)  # noqa: S311  # a draw, not a secret
    chosen: list[Roll] = []
    for grade in sorted(draw.focus_grades) if is_focus else ():
        of_grade = [roll for roll in shuffled if grade in roll.grades]
        missing = draw.per_focus_grade - sum(grade in roll.grades for roll in chosen)
        chosen += [roll for roll in of_grade if roll not in chosen][: max(missing, 0)]
    rest = [roll for roll in shuffled if roll not in chosen]
    chosen += rest[: max(wanted - len(chosen), 0)]
    return [roll for roll in rolls if roll in chosen]


def counted_daily(
    rolls: Sequence[Roll], parameters: Parameters, day: date, seed: str
) -> list[Roll]:
    """Return the classes whose number is hidden and counted by the leader himself that day."""
    limit = _whole(parameters, "core.daily_draw_large_above", day)
    is_large = limit is not None and len(rolls) > limit
    key = "core.daily_draw_classes_large" if is_large else "core.daily_draw_classes"
    wanted = _whole(parameters, key, day) or 0
    return Random(seed).sample(list(rolls), min(wanted, len(rolls)))  # noqa: S311  # a draw


def _whole(parameters: Parameters, key: str, day: date) -> int | None:
    value = parameters.on(key, day)
    return None if value is None else int(value)


def add_class_lines(session: Session, inspection: Inspection, kind: Kind) -> None:
    """Give the record a line for each class to count: all of them, or those that are drawn."""
    assert inspection.school_id is not None
    day = inspection.occurred_on
    rolls = rolls_of(session, inspection.school_id, day)
    parameters = load_parameters(session)
    seed = f"{inspection.id}:{inspection.redraw_reason or ''}"
    wanted = list(rolls)
    marked: list[Roll] = []
    if kind.self_inspection:
        marked = counted_daily(rolls, parameters, day, seed)
    elif kind.draw_classes:
        school = session.get_one(School, inspection.school_id)
        draw = Draw.on(parameters, day)
        wanted = marked = drawn_classes(rolls, draw, is_focus=school.is_focus, seed=seed)
    present = {line.class_id for line in inspection.class_lines}
    for roll in wanted:
        if roll.school_class.id not in present:
            inspection.class_lines.append(
                ClassLine(
                    class_id=roll.school_class.id,
                    school_class=roll.school_class,
                    day=day,
                    on_roll=roll.on_roll,
                    is_drawn=roll in marked,
                    county_id=inspection.county_id,
                    township_id=inspection.township_id,
                    school_id=inspection.school_id,
                )
            )
    session.flush()


def redraw(session: Session, inspection: Inspection, kind: Kind, reason: str) -> None:
    """Draw the classes anew, with a reason; classes that were counted already stay."""
    if inspection.state != InspectionState.DRAFT or not kind.draw_classes:
        raise Refused(_("Classes are drawn for drafts of outside visits only."))
    reason = reason.strip()
    if not reason:
        raise Refused(_("Say why the classes are drawn again."))
    reasons = "; ".join(part for part in (inspection.redraw_reason, reason) if part)
    if len(reasons) > REDRAW_LENGTH:
        raise Refused(_("The classes were drawn again often enough."))
    inspection.redraw_reason = reasons
    for line in list(inspection.class_lines):
        if line.present is None:
            inspection.class_lines.remove(line)
    session.flush()
    add_class_lines(session, inspection, kind)


def submit(session: Session, inspection: Inspection, kind: Kind) -> None:
    """Submit a record whose form is complete; what failed becomes findings."""
    if inspection.state != InspectionState.DRAFT:
        raise Refused(_("The record was submitted already."))
    reason = refusal_of_participants(session, inspection, kind)
    if reason:
        raise Refused(reason)
    inspection.state = InspectionState.SUBMITTED
    inspection.submitted_at = clock.now()
    inspection.submitted_by_id = actor.get().person_id
    own = own_participation(inspection)
    if own is not None:
        _confirm(inspection, own)
    findings_from(session, inspection)


def refusal_of_participants(session: Session, inspection: Inspection, kind: Kind) -> str | None:
    """Return why the people named do not make this an inspection of its type."""
    if not any(part.capacity == kind.capacity for part in inspection.participants):
        return _("Nobody on the record takes part under the capacity that this inspection needs.")
    unit = Unit(inspection.county_id, inspection.township_id, inspection.school_id)

    def lacks(part: InspectionParticipant) -> bool:
        if part.capacity is None:
            return False
        held = capacities_of(session, part.person_id, unit, inspection.occurred_on)
        return part.capacity not in held

    lacking = [str(part.person) for part in inspection.participants if lacks(part)]
    if lacking:
        return _(
            "Not in that office on %(day)s: %(people)s",
            day=inspection.occurred_on.isoformat(),
            people=", ".join(lacking),
        )
    return None


def own_participation(inspection: Inspection) -> InspectionParticipant | None:
    """Return the participation of the acting person, None where he was not there."""
    person_id = actor.get().person_id
    parts = (part for part in inspection.participants if part.person_id == person_id)
    return next(parts, None) if person_id is not None else None


def may_sign(session: Session, inspection: Inspection) -> bool:
    """Tell whether the acting person may sign 到校签收 for the inspected school."""
    own = session.get(Appointment, actor.get().appointment_id or 0)
    if own is None or own.template not in SCHOOL_SIDE or inspection.school_id is None:
        return False
    covered = {row.school_id for row in own.schools} | {own.school_id}
    return inspection.school_id in covered


def confirm(session: Session, inspection: Inspection) -> None:
    """Confirm that the inspection took place: by the school, or by a participant's own login."""
    if inspection.state != InspectionState.SUBMITTED:
        raise Refused(_("Only a submitted record can be confirmed."))
    own = own_participation(inspection)
    if own is not None and own.confirmed_at is not None:
        raise Refused(_("You confirmed this inspection already."))
    if own is None and not may_sign(session, inspection):
        raise Refused(_("A participant confirms, or the inspected school signs."))
    if own is None and inspection.confirmed_at is not None:
        raise Refused(_("This inspection is confirmed already."))
    _confirm(inspection, own)


def _confirm(inspection: Inspection, own: InspectionParticipant | None) -> None:
    now = clock.now()
    if own is not None:
        own.confirmed_at = now
    if inspection.confirmed_at is None:
        inspection.confirmed_at = now
        inspection.confirmed_by_id = actor.get().person_id


def correct(session: Session, inspection: Inspection, reason: str) -> None:
    """Correct a submitted record with a reason; its findings follow the answers as they are now."""
    if inspection.state != InspectionState.SUBMITTED:
        raise Refused(_("A draft is edited, not corrected."))
    if not reason.strip():
        raise Refused(_("Say why the record is corrected."))
    inspection.corrected_at = clock.now()
    inspection.correction_reason = reason.strip()
    findings_from(session, inspection)


def daily_record(
    session: Session, kind: Kind, school: School, day: date, attendant: Attendant
) -> Inspection:
    """Return the school's one record of the day, opened by whoever comes first."""
    # The row lock keeps two leaders from opening two records; SQLite serialises writers anyway.
    session.execute(select(School.id).where(School.id == school.id).with_for_update())
    found = session.scalars(
        select(kind.model).where(kind.model.school_id == school.id, kind.model.occurred_on == day)
    ).first()
    if found is None:
        return open_draft(session, kind, school, day, [attendant])
    is_new = all(part.person_id != attendant.person_id for part in found.participants)
    if is_new and found.state == InspectionState.DRAFT:
        participant = InspectionParticipant(
            person_id=attendant.person_id,
            capacity=attendant.capacity,
            **Unit.of(school).columns(),
        )
        found.participants.append(participant)
        session.flush()
    return found


def count_absences(session: Session, inspection: Inspection) -> None:
    """Take leave and unexplained absence of each line from the class teachers' reports."""
    classes = [line.class_id for line in inspection.class_lines]
    counted = (
        select(Absence.class_id, Absence.kind, func.count(Absence.id))
        .where(Absence.class_id.in_(classes), Absence.day == inspection.occurred_on)
        .group_by(Absence.class_id, Absence.kind)
    )
    numbers: dict[tuple[int, str], int] = {
        (class_id, kind): count for class_id, kind, count in session.execute(counted)
    }
    for line in inspection.class_lines:
        line.on_leave = sum(numbers.get((line.class_id, kind), 0) for kind in LEAVE_KINDS)
        line.unexplained = numbers.get((line.class_id, UNEXPLAINED), 0)


def reports_of(session: Session, inspection: Inspection) -> Mapping[int, AttendanceReport]:
    """Return the class teachers' reports of the day, by class."""
    classes = [line.class_id for line in inspection.class_lines]
    query = select(AttendanceReport).where(
        AttendanceReport.class_id.in_(classes), AttendanceReport.day == inspection.occurred_on
    )
    return {report.class_id: report for report in session.scalars(query)}


def agree(session: Session, inspection: Inspection, classes: Iterable[int] | None = None) -> int:
    """Accept the reports as they stand 全部一致; return how many classes that covers.

    Only reported classes can be accepted, and never a drawn one: its number is counted.
    """
    wanted = None if classes is None else set(classes)
    reports = reports_of(session, inspection)
    accepted = 0
    for line in inspection.class_lines:
        report = reports.get(line.class_id)
        is_open = line.checked_at is None and not line.is_drawn
        if report is None or not is_open or (wanted is not None and line.class_id not in wanted):
            continue
        line.on_roll, line.present = report.on_roll, report.present
        line.is_agreed = True
        line.checked_by_id = actor.get().person_id
        line.checked_at = clock.now()
        accepted += 1
    if not accepted:
        raise Refused(_("No class with a report waits for your check."))
    count_absences(session, inspection)
    session.flush()
    return accepted


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many of the classes were checked."""

    checked: int
    total: int

    @property
    def is_full(self) -> bool:
        """Tell whether every class was checked."""
        return self.checked == self.total


def closing_time(session: Session, day: date) -> datetime | None:
    """Return when the daily check of a day closes; None where no hour is in force."""
    hour = _whole(load_parameters(session, ["core.daily_close_hour"]), "core.daily_close_hour", day)
    return None if hour is None else datetime.combine(day, time(hour), tzinfo=clock.zone())


def coverage(session: Session, inspection: Inspection) -> Coverage:
    """Return how many classes were checked before the day closed: the true coverage."""
    closes = closing_time(session, inspection.occurred_on)
    in_time = [
        line
        for line in inspection.class_lines
        if line.checked_at is not None and (closes is None or line.checked_at <= closes)
    ]
    return Coverage(len(in_time), len(inspection.class_lines))


def is_closed(session: Session, inspection: Inspection) -> bool:
    """Tell whether the day of a daily check has closed."""
    closes = closing_time(session, inspection.occurred_on)
    return closes is not None and clock.now() >= closes


def close_day(session: Session, inspection: Inspection, kind: Kind) -> None:
    """Submit a daily check at its closing time with the lines that were checked by then."""
    if inspection.state == InspectionState.DRAFT and is_closed(session, inspection):
        count_absences(session, inspection)
        submit(session, inspection, kind)


def close_due(session: Session, kind: Kind) -> int:
    """Close every daily check whose day is over; return how many."""
    query = select(kind.model).where(
        kind.model.state == InspectionState.DRAFT, kind.model.occurred_on <= clock.today()
    )
    closed = 0
    for inspection in session.scalars(query).all():
        checked = any(line.checked_at is not None for line in inspection.class_lines)
        if checked and is_closed(session, inspection):
            close_day(session, inspection, kind)
            closed += 1
    return closed
