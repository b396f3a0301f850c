"""Draw classes: for the roll-call of an outside visit, and for the hidden count of the day."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from random import Random

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from app.base import Refused
from app.models import (
    ChecklistItem,
    ChecklistVersion,
    Child,
    ChildStatus,
    ClassLine,
    Inspection,
    InspectionState,
    School,
    SchoolClass,
    SchoolYear,
)
from app.parameters.value import Parameters, load_parameters
from app.workflow.class_line import CLASS_LINES
from app.workflow.kind import Kind

REDRAW_LENGTH = 200


def asks_for_classes(session: Session, version: ChecklistVersion) -> bool:
    """Tell whether a checklist has an item that counts classes."""
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
    wanted = list(rolls)
    marked: list[Roll] = []
    if kind.self_inspection:
        marked = counted_daily(rolls, parameters, day, f"{inspection.id}:")
    elif kind.draw_classes:
        school = session.get_one(School, inspection.school_id)
        draw = Draw.on(parameters, day)
        # Not by the number of the record: a draft that is discarded must not draw anew.
        seed = f"{kind.key}:{school.id}:{day.isoformat()}:{inspection.redraw_reason or ''}"
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
    reasons = _("; ").join(part for part in (inspection.redraw_reason, reason) if part)
    if len(reasons) > REDRAW_LENGTH:
        raise Refused(_("The classes were drawn again often enough."))
    inspection.redraw_reason = reasons
    for line in list(inspection.class_lines):
        if line.present is None:
            inspection.class_lines.remove(line)
    session.flush()
    add_class_lines(session, inspection, kind)
