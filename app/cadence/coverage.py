"""Count how the inspections due in a stretch of days stand, and name those that are not done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any, Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Row, Select, Subquery, case, func, select
from sqlalchemy.orm import Session

from app.cadence.fulfilment import Fulfilment, judged
from app.cadence.judge import load_judge
from app.models import Person, School, Township
from app.models.inspection import type_title
from app.security.guard import current_scope, unrestricted
from app.security.roles import CAPACITIES

DONE = (Fulfilment.MET, Fulfilment.LATE)
UNDONE = (Fulfilment.MISSED, Fulfilment.PENDING)
LONGEST = timedelta(days=160)
"""No period is longer before its due day: a semester is the longest."""


@dataclass(frozen=True, slots=True)
class Share:
    """How many obligations stand how; those that are pending or excused are in no rate."""

    counts: Counter[str] = field(default_factory=Counter)
    joint: int = 0
    """How many of those that are done were joint inspections 联合督导."""

    @property
    def done(self) -> int:
        """Return how many are done, in time or late."""
        return sum(self.counts[one] for one in DONE)

    @property
    def rate(self) -> int | None:
        """Return the done ones in percent of those that had to be done by now."""
        due = self.done + self.counts[Fulfilment.MISSED]
        return round(100 * self.done / due) if due else None

    @property
    def joint_rate(self) -> int | None:
        """Return the joint ones in percent of those that are done."""
        return round(100 * self.joint / self.done) if self.done else None

    def __add__(self, other: Share) -> Share:
        return Share(self.counts + other.counts, self.joint + other.joint)


@dataclass(frozen=True, slots=True)
class Dimension:
    """A way to group obligations: by what, and how a group is called."""

    key: str
    title: Any
    columns: tuple[str, ...]
    """Columns of the judged obligations with the names of their places and people."""
    label: Callable[[Row[Any]], str]


@dataclass(frozen=True, slots=True)
class Line:
    """A group of obligations with its figures."""

    title: str
    share: Share


@dataclass(frozen=True, slots=True)
class Undone:
    """An inspection that nobody made yet."""

    id: int
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
    """What is due in a stretch of days: by inspection type, by one dimension, and what is left."""

    types: Sequence[Line]
    lines: Sequence[Line]
    undone: Sequence[Undone]
    count_undone: int


def capacity_title(key: str) -> str:
    """Return a capacity in words; its key where nothing names it."""
    return str(CAPACITIES.get(key, key))


def _person(row: Row[Any]) -> str:
    """Name who answers; where a pool does, only its office and its township."""
    office = capacity_title(row.capacity)
    if row.person is not None:
        return f"{row.person} · {office}"
    return _(
        "%(office)s of %(township)s, nobody named first", office=office, township=row.of_township
    )


def _period(row: Row[Any]) -> str:
    title = type_title(row.type_key)
    if row.period_start == row.period_end:
        return f"{row.period_start.isoformat()} · {title}"
    return f"{row.period_start.isoformat()} — {row.period_end.isoformat()} · {title}"


DIMENSIONS: Final[Mapping[str, Dimension]] = MappingProxyType(
    {
        one.key: one
        for one in (
            Dimension(
                "township", _l("Township"), ("position", "township"), lambda row: str(row.township)
            ),
            Dimension(
                "school",
                _l("School"),
                ("position", "township", "school"),
                lambda row: f"{row.township} · {row.school}",
            ),
            Dimension(
                "capacity", _l("Capacity"), ("capacity",), lambda row: capacity_title(row.capacity)
            ),
            Dimension(
                "person", _l("Who answers"), ("capacity", "of_township", "person_id", "person"),
                _person,
            ),
            Dimension("period", _l("Period"), ("period_start", "period_end"), _period),
        )
    }
)  # fmt: skip
"""The ways to group, by key, in the order in which they are offered."""


def coverage(
    session: Session, as_of: date, first: date, last: date, by: Dimension, most: int
) -> Coverage:
    """Judge what is due from one day to another within the reader's scope; most undone ones first.

    The judging looks at every visit and every holder of an office, whoever may read them.
    """
    judge = load_judge(session, as_of, first - LONGEST, last)
    inside = current_scope().narrow(judged(judge)).subquery("judged")
    due = _named(select(inside).where(inside.c.due_on.between(first, last)).subquery("due"))
    with unrestricted():
        counted = session.execute(_counted(due, by)).all()
        rows = session.execute(_undone(due, most)).all()
    left = sum(row.number for row in counted if row.status in UNDONE)
    return Coverage(
        _lines(sorted(counted, key=lambda row: row.type_key), lambda row: type_title(row.type_key)),
        _lines(counted, by.label),
        [Undone(*row) for row in rows],
        left,
    )


def _named(due: Subquery) -> Subquery:
    """Return what is due with the names of its places and of who answers.

    Where a person answers, the township does not part his figures.
    """
    of_township = case((due.c.person_id.is_(None), Township.name))
    return (
        select(
            due,
            Township.position,
            Township.name.label("township"),
            of_township.label("of_township"),
            School.name.label("school"),
            Person.name.label("person"),
        )
        .join(Township, Township.id == due.c.township_id)
        .join(School, School.id == due.c.school_id)
        .outerjoin(Person, Person.id == due.c.person_id)
        .subquery("named")
    )


def _counted(due: Subquery, by: Dimension) -> Select[Any]:
    columns = [due.c.type_key, *(due.c[name] for name in by.columns)]
    joint = func.sum(case((due.c.is_joint, 1), else_=0))
    return (
        select(*columns, due.c.status, func.count().label("number"), joint.label("joint"))
        .group_by(*columns, due.c.status)
        .order_by(*columns[1:], due.c.type_key)
    )


def _lines(counted: Iterable[Row[Any]], label: Callable[[Row[Any]], str]) -> list[Line]:
    """Add the counts up under their labels, in the order in which these come."""
    shares: dict[str, Share] = {}
    for row in counted:
        own = Share(Counter({row.status: row.number}), row.joint if row.status in DONE else 0)
        title = label(row)
        shares[title] = shares.get(title, Share()) + own
    return [Line(title, share) for title, share in shares.items()]


def _undone(due: Subquery, most: int) -> Select[Any]:
    is_undone: ColumnElement[bool] = due.c.status.in_(UNDONE)
    return (
        select(
            due.c.id, due.c.type_key, due.c.capacity, due.c.township, due.c.school,
            due.c.school_id, due.c.due_on, due.c.person, due.c.status,
        )
        .where(is_undone)
        .order_by(due.c.due_on, due.c.position, due.c.school, due.c.type_key)
        .limit(most)
    )  # fmt: skip
