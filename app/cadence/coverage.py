"""Count how the inspections due in a stretch of days stand, and name those that are not done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import ColumnElement, Select, Subquery, func, select
from sqlalchemy.orm import Session

from app.cadence.fulfilment import Fulfilment, judged
from app.cadence.judge import load_judge
from app.models import Person, School, Township
from app.security.guard import current_scope, unrestricted

DONE = (Fulfilment.MET, Fulfilment.LATE)
UNDONE = (Fulfilment.MISSED, Fulfilment.PENDING)
LONGEST = timedelta(days=160)
"""No period is longer before its due day: a semester is the longest."""


@dataclass(frozen=True, slots=True)
class Share:
    """How many obligations stand how; those that are pending or excused are in no rate."""

    counts: Counter[str]

    @property
    def rate(self) -> int | None:
        """Return the done ones in percent of those that had to be done by now."""
        done = sum(self.counts[one] for one in DONE)
        due = done + self.counts[Fulfilment.MISSED]
        return round(100 * done / due) if due else None

    def __add__(self, other: Share) -> Share:
        return Share(self.counts + other.counts)


@dataclass(frozen=True, slots=True)
class Undone:
    """An inspection that nobody made yet."""

    type_key: str
    capacity: str
    township: str
    school: str
    school_id: int
    due_on: date
    person: str | None
    status: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """What is due in a stretch of days, by inspection type and township, and what is not done."""

    shares: dict[tuple[str, int], Share]
    undone: Sequence[Undone]
    count_undone: int

    def of_type(self, key: str) -> Share:
        """Return the share of one inspection type."""
        return _sum(share for (kind, _town), share in self.shares.items() if kind == key)

    def of_township(self, township_id: int) -> Share:
        """Return the share of one township."""
        return _sum(share for (_kind, town), share in self.shares.items() if town == township_id)


def _sum(shares: Iterable[Share]) -> Share:
    return sum(shares, Share(Counter()))


def coverage(session: Session, as_of: date, first: date, last: date, most: int) -> Coverage:
    """Judge what is due from one day to another within the reader's scope; most undone ones first.

    The judging looks at every visit and every holder of an office, whoever may read them.
    """
    judge = load_judge(session, as_of, first - LONGEST, last)
    inside = current_scope().narrow(judged(judge)).subquery("judged")
    due = select(inside).where(inside.c.due_on.between(first, last)).subquery("due")
    undone = due.c.status.in_(UNDONE)
    with unrestricted():
        counted = session.execute(
            select(due.c.type_key, due.c.township_id, due.c.status, func.count()).group_by(
                due.c.type_key, due.c.township_id, due.c.status
            )
        ).all()
        rows = session.execute(_named(due, undone, most)).all()
    shares: dict[tuple[str, int], Share] = {}
    for key, township_id, status, count in counted:
        shares.setdefault((key, township_id), Share(Counter())).counts[status] = count
    left = sum(count for _key, _town, status, count in counted if status in UNDONE)
    return Coverage(shares, [Undone(*row) for row in rows], left)


def _named(due: Subquery, undone: ColumnElement[bool], most: int) -> Select:
    return (
        select(
            due.c.type_key, due.c.capacity, Township.name, School.name, due.c.school_id,
            due.c.due_on, Person.name, due.c.status,
        )
        .join(Township, Township.id == due.c.township_id)
        .join(School, School.id == due.c.school_id)
        .outerjoin(Person, Person.id == due.c.person_id)
        .where(undone)
        .order_by(due.c.due_on, Township.position, School.name, due.c.type_key)
        .limit(most)
    )  # fmt: skip
