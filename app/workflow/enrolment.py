"""Keep a child's present place and the history of his places 学籍与班级经历 in step."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import clock
from app.models import Child, Enrolment
from app.workflow.seat import refuse_open

ONE_DAY = timedelta(days=1)


def begin(session: Session, place: Enrolment) -> None:
    """Let a place that is entered without an end end the ones before and move the child there.

    One that is entered late ends where the next begins, and leaves the child where he is now.
    """
    following = _next_start(session, place)
    if following is not None:
        place.valid_to = following - ONE_DAY
    if place.valid_from > clock.today():
        return
    for earlier in _open_before(session, place.child_id, place.valid_from):
        earlier.valid_to = place.valid_from - ONE_DAY
    if is_present(session, place):
        child = place.child
        if child.school_id != place.school_id:
            refuse_open(session, place.child_id)
        child.school_id, child.township_id = place.school_id, place.township_id
        child.class_id = place.class_id


def is_present(session: Session, place: Enrolment) -> bool:
    """Tell whether the child sits at this place today."""
    today = clock.today()
    if place.valid_from > today or (place.valid_to is not None and place.valid_to < today):
        return False
    following = _next_start(session, place)
    return following is None or following > today


def move(session: Session, child: Child) -> None:
    """Note that a child sits at another place, or at none, from today on."""
    today = clock.today()
    before = _open_before(session, child.id, today)
    for one in before:
        one.valid_to = today - ONE_DAY
    place = session.scalar(select(Enrolment).filter_by(child_id=child.id, valid_from=today))
    if child.school_id is None:
        if place is not None:
            session.delete(place)
        return
    if place is None:
        place = first_place(child)
        session.add(place)
        stays = before and before[-1].school_id == child.school_id
        place.is_registered = before[-1].is_registered if stays else True
    place.school_id, place.township_id = child.school_id, child.township_id
    place.class_id = child.class_id
    begin(session, place)


def first_place(child: Child) -> Enrolment:
    """Return the place at which a child sits from today on."""
    return Enrolment(
        child=child,
        child_id=child.id,
        class_id=child.class_id,
        valid_from=clock.today(),
        county_id=child.county_id,
        township_id=child.township_id,
        school_id=child.school_id,
    )


def _next_start(session: Session, place: Enrolment) -> date | None:
    return session.scalar(
        select(func.min(Enrolment.valid_from)).where(
            Enrolment.child_id == place.child_id, Enrolment.valid_from > place.valid_from
        )
    )


def _open_before(session: Session, child_id: int, day: date) -> list[Enrolment]:
    earlier = select(Enrolment).where(
        Enrolment.child_id == child_id,
        Enrolment.valid_to.is_(None),
        Enrolment.valid_from < day,
    )
    return list(session.scalars(earlier.order_by(Enrolment.valid_from)))
