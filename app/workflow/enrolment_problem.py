"""Keep problem enrolments 问题学籍: numbers that several schools report, till they are settled."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import clock
from app.base import Refused
from app.database import next_ids
from app.models import Child, ChildStatus, EnrolmentProblem, Transfer
from app.models.enrolment_problem import CORRECTED, ENDED, KEPT, WITHDRAWN
from app.security import guard
from app.security.scope import table_of
from app.workflow.seat import is_open
from app.workflow.transfer import end_record

MOST_KEYS: Final = 5_000
"""Keys of one statement."""
Place = tuple[int, int, int | None]


@dataclass(frozen=True, slots=True)
class Holder:
    """A record that bears a number: where it lies, and whether a school has the child."""

    id: int
    name: str
    number_index: str
    place: Place
    is_held: bool


@dataclass(frozen=True, slots=True)
class Decision:
    """Say how a problem is settled: by whom, why, and with which proof."""

    person_id: int | None
    note: str
    evidence_set_id: int | None = None


def told() -> str:
    """Return what is said to who reports a number that another school reports, too."""
    return _(
        "Another school reports this id number, too: a problem enrolment. What to do stands under "
        "“Problem enrolments”."
    )


def settled_against(day: date) -> str:
    """Return what is said to a school that reports again what was settled against it."""
    return _(
        "It was settled on %(day)s that another school holds the child of this number.",
        day=day.isoformat(),
    )


def judge_number(session: Session, child: Child) -> bool:
    """Tell whether other schools report the number of a child, too.

    Raises Refused where the place has the number already, where the other record is of a child
    without a school, who is placed instead of entered anew, where he is on the way to this
    school, and where the number was settled against the school.
    """
    if child.id_number_index is None:
        return False
    found = holders(session, child.county_id, [child.id_number_index])
    others = [one for one in found if one.id != child.id]
    if not others:
        return False
    school_id = child.school_id
    if any(one.place[2] == school_id for one in others):
        raise Refused(_("A child of this number is on file here already."))
    if school_id is None or not any(one.is_held for one in others):
        raise Refused(
            _(
                "A child of this number is on file in another place. Its township or the bureau "
                "enters his place at the school; he is not entered anew."
            )
        )
    if arriving(session, school_id, [one.id for one in others]):
        raise Refused(_("The child is on the way to this school: confirm the arrival."))
    day = settled_day(session, child.id_number_index, school_id)
    if day is not None:
        raise Refused(settled_against(day))
    return True


def holders(session: Session, county_id: int, indexes: Collection[str]) -> list[Holder]:
    """Return all records that bear one of these numbers, whoever may see them, the first first."""
    query = (
        select(
            Child.id, Child.name, Child.id_number_index, Child.county_id, Child.township_id,
            Child.school_id, ChildStatus.is_enrolled,
        )
        .join(ChildStatus, ChildStatus.id == Child.status_id)
        .where(Child.county_id == county_id)
        .order_by(Child.id)
    )  # fmt: skip
    rows: list[Any] = []
    with guard.unrestricted(), session.no_autoflush:
        for some in _parts(indexes):
            rows += session.execute(query.where(Child.id_number_index.in_(some))).all()
    return [
        Holder(
            row.id,
            row.name,
            row.id_number_index,
            (row.county_id, row.township_id, row.school_id),
            row.school_id is not None and row.is_enrolled,
        )
        for row in rows
    ]


def arriving(session: Session, school_id: int, child_ids: Collection[int]) -> bool:
    """Tell whether one of these children is on the way to a school."""
    query = select(Transfer.id).where(
        Transfer.child_id.in_(child_ids),
        Transfer.to_school_id == school_id,
        Transfer.arrived_on.is_(None),
        Transfer.cancelled_on.is_(None),
    )
    with guard.unrestricted(), session.no_autoflush:
        return session.scalars(query.limit(1)).first() is not None


def settled_day(session: Session, number_index: str, school_id: int) -> date | None:
    """Return when it was settled that a school does not hold the child of a number."""
    own = table_of(EnrolmentProblem).c
    query = select(func.max(own.settled_on)).where(
        own.number_index == number_index, own.school_id == school_id, own.state == ENDED
    )
    with session.no_autoflush:
        return session.scalar(query)


def open_missing(session: Session, county_id: int, indexes: Collection[str]) -> int:
    """Give each school its task for the numbers that several report; return how many are new."""
    by_number: dict[str, list[Holder]] = defaultdict(list)
    for one in holders(session, county_id, indexes):
        if one.is_held:
            by_number[one.number_index].append(one)
    shared = [one for many in by_number.values() if len(many) > 1 for one in many]
    if not shared:
        return 0
    with guard.unrestricted():
        known = set(session.scalars(select(EnrolmentProblem.child_id).where(is_open())))
        new = [one for one in shared if one.id not in known]
        # With keys of their own the rows are inserted together, on SQLite too.
        keys = next_ids(session.connection(), table_of(EnrolmentProblem), len(new))
        session.add_all(_problem(key, one) for key, one in zip(keys, new, strict=True))
        session.flush()
    return len(new)


def _problem(key: int, holder: Holder) -> EnrolmentProblem:
    county_id, township_id, school_id = holder.place
    return EnrolmentProblem(
        id=key,
        child_id=holder.id,
        number_index=holder.number_index,
        opened_on=clock.today(),
        county_id=county_id,
        township_id=township_id,
        school_id=school_id,
    )


def close_stale(session: Session) -> int:
    """Settle what has settled itself: the number was corrected, or no other school reports it.

    Returns how many; a constant number of statements.
    """
    query = (
        select(EnrolmentProblem, Child.id_number_index, ChildStatus.is_enrolled)
        .join(Child, Child.id == EnrolmentProblem.child_id)
        .join(ChildStatus, ChildStatus.id == Child.status_id)
        .where(is_open())
    )
    with guard.unrestricted():
        rows = session.execute(query).all()
        count: dict[tuple[int, str], int] = defaultdict(int)
        for problem, number_index, is_enrolled in rows:
            if number_index == problem.number_index and is_enrolled:
                count[problem.county_id, number_index] += 1
        closed = 0
        for problem, number_index, _is_enrolled in rows:
            if number_index != problem.number_index:
                state = CORRECTED
            elif count[problem.county_id, number_index] < 2:
                state = WITHDRAWN
            else:
                continue
            problem.settled_on, problem.state = clock.today(), state
            closed += 1
        session.flush()
    return closed


def forget(session: Session, child_ids: Collection[int]) -> None:
    """Take away the open tasks of records that go, and those of others that lose their reason."""
    own = EnrolmentProblem
    with guard.unrestricted():
        for some in _parts(child_ids):
            for problem in session.scalars(select(own).where(own.child_id.in_(some), is_open())):
                session.delete(problem)
        session.flush()
    close_stale(session)


def others_of(session: Session, problem: EnrolmentProblem) -> Sequence[EnrolmentProblem]:
    """Return the other sides of an open problem, whoever may see them; load nothing into sight."""
    own = EnrolmentProblem
    query = select(own).where(
        own.county_id == problem.county_id,
        own.number_index == problem.number_index,
        own.id != problem.id,
        is_open(),
    )
    return session.scalars(query.order_by(own.child_id)).all()


def keep(session: Session, problem: EnrolmentProblem, decision: Decision) -> None:
    """Settle that this school holds the child: the records of the other schools end.

    Only who answers for all of the schools decides between them.
    """
    _refuse_settled(problem)
    scope = guard.current_scope()
    with guard.unrestricted():
        others = others_of(session, problem)
        if not all(scope.holds(*_place_of(one)) for one in others):
            raise Refused(
                _("A school outside your area reports the number, too: the bureau settles it.")
            )
        if not all(same_name(one.child, problem.child) for one in others):
            raise Refused(
                _(
                    "The names differ, so that two children have one number: correct the wrong "
                    "number, or the name, on the child's page."
                )
            )
        for one in others:
            _end(session, one, replace(decision, evidence_set_id=None))
        _settle(problem, KEPT, decision)
        session.flush()


def give_up(session: Session, problem: EnrolmentProblem, decision: Decision) -> None:
    """Settle that the child is not at this school: its record ends, the number stays elsewhere."""
    _refuse_settled(problem)
    with guard.unrestricted():
        others = others_of(session, problem)
        _end(session, problem, decision)
        if len(others) == 1:
            _settle(others[0], KEPT, Decision(None, _("The other school has given it up.")))
        session.flush()


def _refuse_settled(problem: EnrolmentProblem) -> None:
    if problem.settled_on is not None:
        raise Refused(_("This problem enrolment is settled already."))


def _end(session: Session, problem: EnrolmentProblem, decision: Decision) -> None:
    end_record(session, problem.child, _("The child of this number is at another school"))
    _settle(problem, ENDED, decision)


def _settle(problem: EnrolmentProblem, state: str, decision: Decision) -> None:
    problem.settled_on, problem.state = clock.today(), state
    problem.note, problem.settled_by_id = decision.note, decision.person_id
    problem.evidence_set_id = decision.evidence_set_id


def _place_of(problem: EnrolmentProblem) -> tuple[int, int, int | None]:
    return problem.county_id, problem.township_id, problem.school_id


def same_name(one: Child, other: Child) -> bool:
    """Tell whether two records bear one name; else one of their numbers is wrong."""
    return "".join(one.name.split()) == "".join(other.name.split())


def _parts(keys: Collection[Any]) -> Iterator[Sequence[Any]]:
    """Yield keys in parts that one statement holds."""
    listed = sorted(keys)
    for start in range(0, len(listed), MOST_KEYS):
        yield listed[start : start + MOST_KEYS]
