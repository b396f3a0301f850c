"""Change a child's status 学生状态 by events only, along the steps that the status table allows."""

from __future__ import annotations

from datetime import date, timedelta

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, and_, func, or_, select, true
from sqlalchemy.orm import Session

from app import clock
from app.base import Refused
from app.models import Child, ChildStatus, ChildStatusStep, StatusEvent
from app.parameters.value import load_parameters

SCHOOL_AGE = ("core.school_age_from", "core.school_age_below", "core.school_age_cutoff")
AGE_LIMITS = ("core.age_warning_below", "core.age_warning_above")


def age_on(born_on: date | None, day: date) -> int | None:
    """Return how many years old somebody is on a day; None where the birthday is not known."""
    if born_on is None:
        return None
    return day.year - born_on.year - ((day.month, day.day) < (born_on.month, born_on.day))


def usual_births(session: Session) -> tuple[date | None, date | None]:
    """Return the first and the last day of birth whose age is usual today; None: no limit."""
    today = clock.today()
    figures = load_parameters(session, AGE_LIMITS)
    least, most = (figures.on(key, today) for key in AGE_LIMITS)
    first = None if most is None else _years_before(today, int(most) + 1) + timedelta(days=1)
    return first, None if least is None else _years_before(today, int(least))


def _years_before(day: date, years: int) -> date:
    """Return the last birthday of somebody who is so many years old on a day."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:  # 29 February
        return date(day.year - years, 2, 28)


def unusual_age(born_on: date) -> str:
    """Return what is said of a child of an unusual age."""
    age = age_on(born_on, clock.today())
    return _("The child is %(age)s years old: check the day of birth.", age=age)


def age_warning(session: Session, born_on: date | None) -> str | None:
    """Return what is unusual about the age of a child; such a child is stored all the same."""
    first, last = usual_births(session)
    is_usual = (first is None or born_on is None or born_on >= first) and (
        last is None or born_on is None or born_on <= last
    )
    return None if born_on is None or is_usual else unusual_age(born_on)


def school_age(session: Session, day: date) -> ColumnElement[bool]:
    """Return the condition of school-age children 适龄儿童少年 on a day, read in one statement.

    Old enough by the cutoff of the school year and below the upper age, or older and still in a
    class. A child whose day of birth is not known is among them: none is lost for want of it.
    """
    figures = load_parameters(session, SCHOOL_AGE)
    least, most, cutoff = (figures.on(key, day) for key in SCHOOL_AGE)
    if least is None or most is None or cutoff is None:
        return true()
    month, last = (int(part) for part in str(cutoff).split("-"))
    year = day.year if (day.month, day.day) > (month, last) else day.year - 1
    born = Child.born_on
    return or_(
        born.is_(None),
        and_(born <= date(year - int(least), month, last), born > _years_before(day, int(most))),
        and_(born <= _years_before(day, int(most)), Child.class_id.is_not(None)),
    )


def allowed_next(session: Session, status_id: int) -> list[ChildStatus]:
    """Return the statuses that may follow one."""
    following = (
        select(ChildStatus)
        .join(ChildStatusStep, ChildStatusStep.to_id == ChildStatus.id)
        .where(ChildStatusStep.from_id == status_id)
        .order_by(ChildStatus.position)
    )
    return list(session.scalars(following))


def change_status(session: Session, child: Child, event: StatusEvent) -> None:
    """Let a child take the step of a new event; raise Refused where the step is not allowed."""
    if event.happened_on > clock.today():
        raise Refused(_("The change of status lies in the future."))
    last = session.scalar(
        select(func.max(StatusEvent.happened_on)).where(StatusEvent.child_id == child.id)
    )
    if last is not None and event.happened_on < last:
        raise Refused(_("The last change of status was on %(day)s; this one is earlier.", day=last))
    status = event.status or session.get(ChildStatus, event.status_id)
    allowed = allowed_next(session, child.status_id)
    if status not in allowed:
        names = _(", ").join(str(one) for one in allowed) or "—"
        raise Refused(
            _(
                "From “%(old)s” a child cannot become “%(new)s”. Allowed: %(allowed)s",
                old=child.status,
                new=status,
                allowed=names,
            )
        )
    child.status = status
    child.status_id = status.id


def first_event(child: Child, basis: str) -> StatusEvent:
    """Return the event with which the record of a new child begins."""
    return StatusEvent(
        child=child,
        child_id=child.id,
        status_id=child.status_id,
        happened_on=clock.today(),
        basis=basis,
        county_id=child.county_id,
        township_id=child.township_id,
        school_id=child.school_id,
    )
