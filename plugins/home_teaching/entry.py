"""Judge the lines of a month, and store them all or none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Select, select
from wtforms import Field

from app.kit import Refused, Session, _, now, today

from .clash import clashes
from .clock import minutes_of
from .models import Case, SessionTeacher, TeachingSession
from .month_form import Line, MonthForm


def complain(form: MonthForm, case: Case, first: date, last: date) -> bool:
    """Name at each line what is wrong with it; tell if anything is."""
    filled = [line for line in form.lines() if not line.drop.data and _is_wanted(line)]
    for line in filled:
        _judge(line, case, first, last)
    _judge_twice(filled)
    return any(line.errors for line in form.lines())


def complain_of_clashes(session: Session, form: MonthForm, case: Case) -> bool:
    """Name at each line the other home in which its teacher is at the same time."""
    lines = [line for line in form.lines() if not line.drop.data and not line.is_empty]
    found = clashes(session, [line.booking(case.child_id) for line in lines])
    for place, text in found.items():
        _blame(lines[place].teachers, text)
    return bool(found)


def _is_wanted(line: Line) -> bool:
    """Tell whether a line stands for a session; a stored one that was emptied has to be told."""
    if not line.is_empty:
        return True
    if line.is_stored:
        _blame(line.day, _("Fill the line in, or tick “Delete this session”."))
    return False


def _judge(line: Line, case: Case, first: date, last: date) -> None:
    for field in (line.day, line.start, line.end, line.hours, line.teachers):
        if not field.data and not field.errors:
            _blame(field, _("This field is required."))
    day, start, end = line.day.data, line.start.data, line.end.data
    if day is not None:
        _judge_day(line.day, day, case, first, last)
    if start and end and end <= start:
        _blame(line.end, _("The end lies before the start."))


def _judge_day(field: Field, day: date, case: Case, first: date, last: date) -> None:
    if not first <= day <= last:
        _blame(field, _("This day lies in another month."))
    elif day > today():
        _blame(field, _("This day lies in the future."))
    elif day < case.starts_on or (case.ends_on is not None and day > case.ends_on):
        _blame(field, _("The child is not taught at home on this day: see the days of the case."))


def _judge_twice(lines: Sequence[Line]) -> None:
    seen: set[tuple[date, str]] = set()
    for line in lines:
        moment = (line.day.data, line.start.data)
        if None not in moment and moment in seen:
            _blame(line.start, _("Another line has the same day and start."))
        seen.add(moment)


def _blame(field: Field, text: str) -> None:
    field.errors = [*field.errors, text]


def stored_sessions(child_id: int, first: date, last: date) -> Select[Any]:
    """Select the sessions of a child in a month, in their order."""
    return (
        select(TeachingSession)
        .where(TeachingSession.child_id == child_id, TeachingSession.taught_on.between(first, last))
        .order_by(TeachingSession.taught_on, TeachingSession.starts_at, TeachingSession.id)
    )


def store(session: Session, form: MonthForm, case: Case, first: date, last: date) -> int:
    """Write what the form says; return how many lines changed something.

    Raises Refused where a session was changed or deleted by somebody else meanwhile.
    """
    held = {row.id: row for row in session.scalars(stored_sessions(case.child_id, first, last))}
    changed = 0
    for line in form.lines():
        row = _stored_row(line, held)
        if line.drop.data and row is not None:
            session.delete(row)
            session.flush()  # before another line takes its day and start
            changed += 1
        elif not line.is_empty and not line.drop.data:
            changed += _write(session, line, row, case)
    session.flush()
    return changed


def _stored_row(line: Line, held: Mapping[int, TeachingSession]) -> TeachingSession | None:
    if not line.is_stored:
        return None
    row = held.get(int(line.key.data)) if str(line.key.data).isdecimal() else None
    if row is None or str(row.row_version) != line.version.data:
        raise Refused(
            _(
                "Somebody else changed the sessions of this month meanwhile. Nothing was stored. "
                "Open the month again in another window and compare."
            )
        )
    return row


def _write(session: Session, line: Line, row: TeachingSession | None, case: Case) -> int:
    target = row or TeachingSession(
        child_id=case.child_id,
        county_id=case.county_id,
        township_id=case.township_id,
        school_id=case.school_id,
    )
    if row is None:
        session.add(target)
    target.taught_on, target.starts_at, target.ends_at = (
        line.day.data, line.start.data, line.end.data,
    )  # fmt: skip
    target.minutes = minutes_of(target.starts_at, target.ends_at)
    target.stated_hours = line.hours.data
    target.plan, target.record = line.plan.data, line.record.data
    _name_teachers(target, [person.id for person in line.teachers.data])
    if line.files.is_touched:
        line.files.populate_obj(target, "evidence_set_id")
    return int(row is None or session.is_modified(row))


def _name_teachers(target: TeachingSession, wanted: Sequence[int]) -> None:
    held = {teacher.person_id: teacher for teacher in target.teachers}
    if set(held) == set(wanted):
        return
    scope = {name: getattr(target, name) for name in ("county_id", "township_id", "school_id")}
    target.changed_at = now()  # a new version, though no column of the row says who teaches
    target.teachers = [held.get(key) or SessionTeacher(person_id=key, **scope) for key in wanted]
