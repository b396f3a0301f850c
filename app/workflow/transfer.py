"""Lead a transfer 转学 from its start to the confirmed arrival; till then the sender keeps him."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from flask_babel import gettext as _
from sqlalchemy import Integer, Select, and_, exists, func, literal, or_, select, union_all
from sqlalchemy.orm import Session, aliased

from app import clock
from app.base import Refused, actor
from app.models import CalendarDay, Child, ChildStatus, Enrolment, School, StatusEvent, Transfer
from app.security import guard
from app.security.scope import Scope
from app.workflow.child import change_status
from app.workflow.enrolment import ONE_DAY, begin
from app.workflow.seat import refuse_open

UNDER_WAY, ARRIVED, TRANSFERRED = "transfer_under_way", "enrolled", "transferred"


def find_school(session: Session, text: str) -> School | None:
    """Return the school of the county with this name or code, outside the reader's scope too."""
    scope = guard.current_scope()
    query = select(School).where(or_(School.name == text, School.code == text))
    if scope.county_id is not None:
        query = query.where(School.county_id == scope.county_id)
    with guard.unrestricted():
        found = session.scalars(query.limit(2)).all()
    return found[0] if len(found) == 1 else None


def start(session: Session, transfer: Transfer) -> None:
    """Begin a transfer: the child's status changes, his place does not."""
    child = transfer.child
    if child.school_id is None:
        raise Refused(_("The child is at no school: enter a place instead of a transfer."))
    if transfer.to_school_id == child.school_id:
        raise Refused(_("The child is at this school already."))
    waiting = select(Transfer.id).where(Transfer.child_id == child.id, *_is_open())
    if session.scalars(waiting.limit(1)).first() is not None:
        raise Refused(_("A transfer of this child is under way already."))
    refuse_open(session, child.id)
    if child.status.key != UNDER_WAY:
        text = _("Transfer to %(place)s: %(basis)s", place=transfer.to_place, basis=transfer.basis)
        _step(session, child, UNDER_WAY, transfer.started_on, text)


def confirm(session: Session, key: int, day: date) -> str | None:
    """Let the receiver confirm 到校: from this day the child is on his list; return the name.

    The row is the sender's, so the guard is lifted for this step; None where no transfer of this
    key leads into the scope of who acts.
    """
    scope = guard.current_scope()
    with guard.unrestricted():
        transfer = session.get(Transfer, key)
        receiver = None if transfer is None else transfer.to_school
        if transfer is None or receiver is None or not _leads_into(scope, receiver):
            return None
        _receive(session, transfer, receiver, day)
        session.flush()
        return transfer.child.name


def _leads_into(scope: Scope, school: School) -> bool:
    return scope.kind != "none" and scope.holds(school.county_id, school.township_id, school.id)


def _receive(session: Session, transfer: Transfer, receiver: School, day: date) -> None:
    child = transfer.child
    if not transfer.is_open:
        raise Refused(_("This transfer is settled already."))
    if not transfer.started_on <= day <= clock.today():
        raise Refused(
            _("The day lies between the beginning, %(day)s, and today.", day=transfer.started_on)
        )
    later = select(Enrolment.id).where(Enrolment.child_id == child.id, Enrolment.valid_from >= day)
    if session.scalars(later.limit(1)).first() is not None:
        raise Refused(_("A place of the child begins on this day or later: choose a later day."))
    place: dict[str, int | None] = {
        "county_id": receiver.county_id,
        "township_id": receiver.township_id,
        "school_id": receiver.id,
    }
    seat = Enrolment(child=child, child_id=child.id, valid_from=day, **place)
    session.add(seat)
    session.flush()
    begin(session, seat)
    _step(session, child, ARRIVED, day, _("Arrived at %(school)s", school=receiver.name), place)
    transfer.arrived_on, transfer.confirmed_by_id = day, actor.get().person_id


def leave_county(session: Session, transfer: Transfer, day: date) -> None:
    """Settle a transfer to a school outside the county, once there is proof of attendance."""
    if not transfer.is_open:
        raise Refused(_("This transfer is settled already."))
    if transfer.to_school_id is not None:
        raise Refused(_("Only the receiving school confirms the arrival."))
    if transfer.evidence_set_id is None:
        raise Refused(_("Add the proof that the child attends there first."))
    child = transfer.child
    _step(session, child, TRANSFERRED, day, _("Attends %(place)s", place=transfer.to_place))
    for seat in session.scalars(select(Enrolment).filter_by(child_id=child.id, valid_to=None)):
        seat.valid_to = day
    child.class_id = None
    transfer.arrived_on, transfer.confirmed_by_id = day, actor.get().person_id


def end_record(session: Session, child: Child, basis: str) -> None:
    """End a record whose child is at another school: his place and his numbers end."""
    today = clock.today()
    for key in (UNDER_WAY, TRANSFERRED) if child.status.is_enrolled else ():
        if child.status.key != key:
            _step(session, child, key, today, basis)
    for seat in session.scalars(select(Enrolment).filter_by(child_id=child.id, valid_to=None)):
        seat.valid_to = max(seat.valid_from, today - ONE_DAY)
    waiting = select(Transfer).where(Transfer.child_id == child.id, *_is_open())
    for transfer in session.scalars(waiting):
        transfer.cancelled_on = today
    child.class_id = None
    child.id_kind = "none"
    child.id_number = child.id_number_index = None
    child.enrolment_number = child.enrolment_number_index = None


def cancel(session: Session, transfer: Transfer) -> None:
    """Take a transfer back: the child has stayed."""
    if not transfer.is_open:
        raise Refused(_("This transfer is settled already."))
    today = clock.today()
    if transfer.child.status.key == UNDER_WAY:
        _step(session, transfer.child, ARRIVED, today, _("The transfer did not take place"))
    transfer.cancelled_on = today


@dataclass(frozen=True, slots=True)
class Arrival:
    """A child on the way, as the receiver sees him before he arrives."""

    key: int
    child: str
    sender: str
    receiver: str
    started_on: date


def arrivals(session: Session) -> list[Arrival]:
    """Return who is on the way to a school in the scope of who acts, the longest first."""
    scope = guard.current_scope()
    sender, receiver = aliased(School), aliased(School)
    query = (
        select(Transfer.id, Child.name, sender.name, receiver.name, Transfer.started_on)
        .join(Child, Child.id == Transfer.child_id)
        .join(sender, sender.id == Transfer.school_id)
        .join(receiver, receiver.id == Transfer.to_school_id)
        .where(*_is_open())
        .order_by(Transfer.started_on, Transfer.id)
    )
    if scope.kind == "none":
        return []
    if scope.kind == "county":
        query = query.where(receiver.county_id == scope.county_id)
    elif scope.kind != "all":
        ours = receiver.id.in_(scope.open_schools) | receiver.township_id.in_(scope.township_ids)
        query = query.where(ours)
    with guard.unrestricted():
        return [Arrival(*row) for row in session.execute(query)]


def overdue(as_of: date, days: int, count: Literal["working_day", "school_day"]) -> Select[Any]:
    """Select the transfers that have not been confirmed for more than some days.

    Working days tell who is at risk 重点监测. School days tell who is suspected 疑似辍学, a
    matter of the sender; a transfer with proof of attendance is not among them. Whoever finished
    the last grade of his school, and has no place at another one yet, is on the way like them.
    """
    way = union_all(_waiting(as_of), _leavers(as_of)).subquery("way")
    day = aliased(CalendarDay)
    is_counted = day.is_working_day if count == "working_day" else day.is_school_day
    passed = (
        select(func.count())
        .select_from(day)
        .where(
            is_counted,
            day.county_id == way.c.county_id,
            day.day > way.c.started_on,
            day.day <= as_of,
        )
        .correlate(way)
        .scalar_subquery()
    )
    query: Select[Any] = select(
        literal(Child.__tablename__).label("subject_type"),
        way.c.child_id.label("subject_id"),
        way.c.school_id,
        way.c.township_id,
        way.c.started_on.label("period_start"),
        passed.label("observed"),
        literal(days).label("required"),
    ).where(passed > days)
    return query if count == "working_day" else query.where(way.c.evidence_set_id.is_(None))


def _waiting(as_of: date) -> Select[Any]:
    """Select the transfers that wait for the confirmation of their receiver."""
    columns: list[Any] = [
        Transfer.child_id, Transfer.county_id, Transfer.school_id, Transfer.township_id,
        Transfer.started_on, Transfer.evidence_set_id,
    ]  # fmt: skip
    query: Select[Any] = select(*columns)
    return query.where(
        Transfer.started_on <= as_of,
        or_(Transfer.arrived_on.is_(None), Transfer.arrived_on > as_of),
        or_(Transfer.cancelled_on.is_(None), Transfer.cancelled_on > as_of),
    )


def _leavers(as_of: date) -> Select[Any]:
    """Select the children who are on the way without a transfer, since their last such event."""
    since = func.max(StatusEvent.happened_on)
    place, other = aliased(Enrolment), aliased(Transfer)
    has_place = exists().where(
        place.child_id == Child.id,
        place.school_id != StatusEvent.school_id,
        place.valid_from >= StatusEvent.happened_on,
        place.valid_from <= as_of,
    )
    has_transfer = exists().where(other.child_id == Child.id, *_is_open(other))
    place_of_event = [StatusEvent.county_id, StatusEvent.school_id, StatusEvent.township_id]
    columns: list[Any] = [
        Child.id.label("child_id"),
        *place_of_event,
        since.label("started_on"),
        literal(None, Integer).label("evidence_set_id"),
    ]
    query: Select[Any] = select(*columns)
    return (
        query.join(ChildStatus, ChildStatus.id == Child.status_id)
        .join(
            StatusEvent,
            and_(StatusEvent.child_id == Child.id, StatusEvent.status_id == Child.status_id),
        )
        .where(
            ChildStatus.key == UNDER_WAY,
            StatusEvent.school_id.is_not(None),
            StatusEvent.happened_on <= as_of,
            ~has_place,
            ~has_transfer,
        )
        .group_by(Child.id, *place_of_event)
    )


def _is_open(transfer: type[Transfer] = Transfer) -> tuple[Any, Any]:
    return transfer.arrived_on.is_(None), transfer.cancelled_on.is_(None)


def _step(
    session: Session,
    child: Child,
    key: str,
    day: date,
    basis: str,
    place: dict[str, int | None] | None = None,
) -> None:
    status = session.scalars(select(ChildStatus).filter_by(key=key)).one()
    scope = place or {
        "county_id": child.county_id,
        "township_id": child.township_id,
        "school_id": child.school_id,
    }
    event = StatusEvent(
        child=child,
        child_id=child.id,
        status=status,
        status_id=status.id,
        happened_on=day,
        basis=basis[:200],
        **scope,
    )
    with session.no_autoflush:
        change_status(session, child, event)
    session.add(event)
