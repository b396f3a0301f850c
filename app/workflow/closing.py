"""Close the day of a daily check: at its hour, with the true coverage."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import func, or_, select, union
from sqlalchemy.orm import Session, selectinload

from app import clock
from app.base import Refused, registry
from app.models import (
    Answer,
    AnswerChild,
    AttendanceReport,
    ClassLine,
    Inspection,
    InspectionState,
    Verdict,
)
from app.parameters.value import Parameters, load_parameters
from app.workflow.attendance import count_absences
from app.workflow.finding import findings_from
from app.workflow.inspection import awaits_parent

CLOSE_HOUR = "core.daily_close_hour"
HOURS = 24
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many of the classes were checked."""

    checked: int
    total: int

    @property
    def is_full(self) -> bool:
        """Tell whether every class was checked."""
        return self.checked == self.total


def coverage(session: Session, inspection: Inspection) -> Coverage:
    """Return how many classes were checked before the day closed: the true coverage."""
    closes = closing_time(_figures(session), inspection.occurred_on)
    in_time = [
        line
        for line in inspection.class_lines
        if line.checked_at is not None and (closes is None or line.checked_at <= closes)
    ]
    return Coverage(len(in_time), len(inspection.class_lines))


def is_closed(session: Session, inspection: Inspection) -> bool:
    """Tell whether the day of a daily check has closed."""
    closes = closing_time(_figures(session), inspection.occurred_on)
    return closes is not None and clock.now() >= closes


def closing_time(figures: Parameters, day: date) -> datetime | None:
    """Return when the daily check of a day closes; None where no hour of a day is in force."""
    hour = figures.on(CLOSE_HOUR, day)
    if hour is None or int(hour) not in range(HOURS):
        return None
    return datetime.combine(day, time(int(hour)), tzinfo=clock.zone())


def next_closing(session: Session) -> datetime:
    """Return when to look again whether a day has closed: at its hour, or as the next begins."""
    midnight = datetime.combine(clock.today() + ONE_DAY, time(), tzinfo=clock.zone())
    closes = closing_time(_figures(session), clock.today())
    return midnight if closes is None or closes <= clock.now() else closes


@dataclass(frozen=True, slots=True)
class Closed:
    """How many daily checks a run closed: submitted as they stood, lapsed, refused by a plugin."""

    submitted: int = 0
    lapsed: int = 0
    refused: int = 0


def close_due(session: Session) -> Closed:
    """Close every daily check that nobody has touched since the last closing hour.

    What was checked by then is submitted; a record without a checked class lapses. Records that
    another process is closing are left to it. The reads are the same few however many records;
    only those in which something failed are gone through one by one.
    """
    figures = _figures(session)
    due = _due(session, figures)
    checked = [one for one in due if any(line.checked_at for line in one.class_lines)]
    lapsed = [one for one in due if one not in checked]
    for inspection in lapsed:
        inspection.state = InspectionState.LAPSED
    count_absences(session, checked)
    session.flush()
    failing = _failing(session, [one.id for one in checked])
    done = [_close(session, one, figures, fails=one.id in failing) for one in checked]
    return Closed(sum(done), len(lapsed), len(done) - sum(done))


def _figures(session: Session) -> Parameters:
    return load_parameters(session, [CLOSE_HOUR])


def _last_closing(figures: Parameters) -> datetime | None:
    today = clock.today()
    closings = (closing_time(figures, day) for day in (today, today - ONE_DAY))
    return next((one for one in closings if one is not None and one <= clock.now()), None)


def _due(session: Session, figures: Parameters) -> Sequence[Inspection]:
    closed_at = _last_closing(figures)
    keys = [kind.key for kind in registry.inspection_types() if kind.self_inspection]
    if closed_at is None or not keys:
        return []
    query = (
        select(Inspection)
        .where(
            Inspection.type_key.in_(keys),
            Inspection.state == InspectionState.DRAFT,
            Inspection.occurred_on <= clock.local(closed_at).date(),
            # Who enters a day late keeps his draft until the next closing.
            Inspection.changed_at < closed_at,
        )
        .options(
            selectinload(Inspection.class_lines),
            selectinload(Inspection.participants),
            selectinload(Inspection.school),
        )
        .order_by(Inspection.id)
        .with_for_update(of=Inspection, skip_locked=True)
    )
    return session.scalars(query).all()


def _failing(session: Session, keys: Collection[int]) -> set[int]:
    """Return the records in which an answer fails, or a class may not add up.

    The conditions on classes find at least every line of which `class_line.differences_of` tells a
    difference, and some that a note explains: only what is found here is gone through one by one.
    """
    if not keys:
        return set()
    line, said = ClassLine, AttendanceReport.present
    counted = line.present + func.coalesce(line.on_leave, 0) + func.coalesce(line.unexplained, 0)
    found = union(
        select(Answer.inspection_id).where(
            Answer.inspection_id.in_(keys), Answer.verdict == Verdict.FAILS
        ),
        select(Answer.inspection_id)
        .join(AnswerChild, AnswerChild.answer_id == Answer.id)
        .where(Answer.inspection_id.in_(keys), AnswerChild.verdict == Verdict.FAILS),
        select(line.inspection_id)
        .outerjoin(
            AttendanceReport,
            (AttendanceReport.class_id == line.class_id) & (AttendanceReport.day == line.day),
        )
        .where(
            line.inspection_id.in_(keys),
            or_(
                line.on_roll != counted,
                line.present != said,
                line.desks != line.on_roll,
                line.chairs != line.on_roll,
            ),
        ),
    )
    return set(session.scalars(found))


def _close(session: Session, inspection: Inspection, figures: Parameters, *, fails: bool) -> bool:
    """Submit a record as it stands; tell whether no plugin refused it."""
    try:
        with session.begin_nested():
            _submit(inspection, figures)
            session.flush()
            if fails:
                findings_from(session, inspection)
            registry.inspection_saved(session, inspection)
    except Refused:
        return False
    return True


def _submit(inspection: Inspection, figures: Parameters) -> None:
    """Give the record the time of its closing, and the word of those who checked a class."""
    seen = [line for line in inspection.class_lines if line.checked_at is not None]
    closes = closing_time(figures, inspection.occurred_on)
    times = [line.checked_at for line in seen if line.checked_at]
    inspection.submitted_at = max([*times, closes] if closes else times)
    inspection.state = InspectionState.SUBMITTED
    for part in inspection.participants:
        own = [line.checked_at for line in seen if line.checked_by_id == part.person_id]
        if not own or part.confirmed_at is not None:
            continue
        part.confirmed_at = max(moment for moment in own if moment)
        if inspection.confirmed_at is None and not awaits_parent(inspection):
            inspection.confirmed_at = part.confirmed_at
            inspection.confirmed_by_id = part.person_id
