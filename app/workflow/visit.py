"""Derive what a visit counts as: joint or not, made in person or not; none of it is ever typed.

Which kinds of organisation make a visit joint and which children may be met from afar is marked at
the coded answers; how many are needed are dated parameters. What is derived of a visit follows the
values of the visit's own day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, and_, distinct, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from app.models import ChildGroup, Code, EvidenceFile, Semester, Visit, VisitParticipant
from app.parameters.value import value_at
from app.security.scope import table_of

VISIT_KINDS: Final = {"home": _l("Home visit"), "persuasion": _l("Persuasion visit")}
JOINT_KINDS: Final = "core.joint_kinds_min"
JOINT_DEPARTMENTS: Final = "core.joint_departments_min"
REMOTE_VISITS: Final = "core.remote_visits_per_semester"

# Participants, files and groups are read from their tables: a reader who may see the visit may see
# what it counts as, even where another school has recorded it.
_PARTICIPANT = table_of(VisitParticipant)
_CODE = table_of(Code)
_GROUP = table_of(ChildGroup)
_FILE = table_of(EvidenceFile)


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that must hold of a visit, and the words for the visits of which it does not."""

    holds: ColumnElement[bool]
    lacking: Any


@dataclass(frozen=True, slots=True)
class Standing:
    """What a visit counts as; where it does not count, what is lacking."""

    joint: tuple[str, ...]
    """What the visit lacks to be joint; nothing where it is joint."""
    counted: tuple[str, ...]
    """What it lacks to count as a persuasion visit to the child; nothing where it counts."""

    @property
    def is_joint(self) -> bool:
        """Tell whether the visit is a joint one 联合劝访."""
        return not self.joint

    @property
    def is_counted(self) -> bool:
        """Tell whether the visit counts where visits to the child are asked for."""
        return not self.counted


def is_joint(visit: type[Visit] = Visit) -> ColumnElement[bool]:
    """Return, for use in a select, whether a visit is a joint persuasion visit 联合劝访."""
    return _all(joint_conditions(visit))


def is_counted(visit: type[Visit] = Visit) -> ColumnElement[bool]:
    """Return, for use in a select, whether a visit counts where persuasion visits are asked for."""
    return _all(counted_conditions(visit))


def joint_conditions(visit: type[Visit] = Visit) -> tuple[Condition, ...]:
    """Return what makes a visit joint."""
    day = visit.visited_on
    kinds = _kinds(visit)
    departments = _kinds(visit, is_counted=True)
    return (
        _persuades(visit),
        Condition(~visit.is_remote, _l("it was not made on the spot")),
        _met(visit),
        _proven(visit),
        Condition(
            kinds >= value_at(JOINT_KINDS, day),
            _l("too few kinds of organisation took part"),
        ),
        Condition(
            departments >= value_at(JOINT_DEPARTMENTS, day),
            _l("nobody of the township government or of a department took part"),
        ),
    )


def counted_conditions(visit: type[Visit] = Visit) -> tuple[Condition, ...]:
    """Return what makes a visit count: made in person, or from afar as far as that is allowed."""
    both = and_(visit.met_child, visit.met_guardian)
    return (
        _persuades(visit),
        _met(visit),
        _proven(visit),
        Condition(
            or_(~visit.is_remote, _has_group(visit)),
            _l("contact from afar counts only for children registered as living elsewhere"),
        ),
        Condition(
            or_(~visit.is_remote, both),
            _l("from afar both the child and a guardian must be seen"),
        ),
        Condition(
            or_(
                ~visit.is_remote, _remote_before(visit) < value_at(REMOTE_VISITS, visit.visited_on)
            ),
            _l("more contacts from afar than count in one semester"),
        ),
    )


def standing(session: Session, visit: Visit) -> Standing:
    """Return what one visit counts as, by the same conditions as the selects, in one statement."""
    joint, counted = joint_conditions(), counted_conditions()
    held = [func.coalesce(one.holds, False) for one in (*joint, *counted)]
    answers = session.execute(select(*held).where(Visit.id == visit.id)).one()
    return Standing(
        _lacking(joint, answers[: len(joint)]), _lacking(counted, answers[len(joint) :])
    )


def _lacking(conditions: Sequence[Condition], answers: Sequence[bool]) -> tuple[str, ...]:
    pairs = zip(conditions, answers, strict=True)
    return tuple(str(one.lacking) for one, holds in pairs if not holds)


def _all(conditions: Sequence[Condition]) -> ColumnElement[bool]:
    """Return whether all conditions hold; a value that is missing makes none of them true."""
    return and_(*(func.coalesce(one.holds, False) for one in conditions))


def _persuades(visit: type[Visit]) -> Condition:
    return Condition(visit.kind == "persuasion", _l("it is recorded as a home visit"))


def _met(visit: type[Visit]) -> Condition:
    met = or_(visit.met_child, visit.met_guardian)
    return Condition(met, _l("neither the child nor a guardian was met"))


def _proven(visit: type[Visit]) -> Condition:
    held = exists().where(
        _FILE.c.evidence_set_id == visit.evidence_set_id, _FILE.c.dropped_at.is_(None)
    )
    return Condition(held.correlate_except(_FILE), _l("there is no evidence"))


def _kinds(visit: type[Visit], *, is_counted: bool = False) -> ColumnElement[int]:
    """Return how many kinds of organisation took part, or how many that make a visit joint."""
    person = _PARTICIPANT.alias()
    query = select(func.count(distinct(person.c.organisation_kind_id))).where(
        person.c.visit_id == visit.id
    )
    inner: list[Any] = [person]
    if is_counted:
        code = _CODE.alias()
        query = query.join(code, code.c.id == person.c.organisation_kind_id)
        query = query.where(code.c.is_counted)
        inner.append(code)
    return query.correlate_except(*inner).scalar_subquery()


def _has_group(visit: type[Visit]) -> ColumnElement[bool]:
    """Tell whether the child is in a group on the day, of whom contact from afar counts."""
    day = visit.visited_on
    return (
        exists()
        .where(
            _GROUP.c.child_id == visit.child_id,
            _GROUP.c.group_id == _CODE.c.id,
            _CODE.c.is_counted,
            _GROUP.c.valid_from <= day,
            or_(_GROUP.c.valid_to.is_(None), _GROUP.c.valid_to >= day),
        )
        .correlate_except(_GROUP, _CODE)
    )


def _remote_before(visit: type[Visit]) -> ColumnElement[int]:
    """Return how many contacts from afar came before in the same semester."""
    other, semester = aliased(table_of(Visit)), table_of(Semester)
    since = (
        select(func.max(semester.c.starts_on))
        .where(semester.c.county_id == visit.county_id, semester.c.starts_on <= visit.visited_on)
        .correlate_except(semester)
        .scalar_subquery()
    )
    is_before = or_(
        other.c.visited_on < visit.visited_on,
        and_(other.c.visited_on == visit.visited_on, other.c.id < visit.id),
    )
    query = select(func.count()).where(
        other.c.child_id == visit.child_id,
        other.c.is_remote,
        other.c.met_child,
        other.c.met_guardian,
        or_(since.is_(None), other.c.visited_on >= since),
        is_before,
    )
    return query.correlate_except(other).scalar_subquery()
