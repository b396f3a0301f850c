"""Make rules of cadences: an inspection that is missed or late, and too long between two."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import partial
from types import MappingProxyType
from typing import Any, Final, Protocol

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    Subquery,
    and_,
    case,
    cast,
    func,
    literal,
    null,
    select,
    union_all,
)
from sqlalchemy.sql.selectable import CTE

from app.cadence.fulfilment import Fulfilment, judged
from app.cadence.judge import judged_days
from app.cadence.serving import LATE, serving_visits
from app.models import CalendarException, Inspection, Obligation, Semester
from app.parameters.settings import Settings
from app.parameters.window import Window
from app.rules.rule import Rule
from app.words import official_language

SCHOOL: Final = "school"
PERIODS: Final = MappingProxyType(
    {
        "school_day": "school_year",
        "fortnight": "fortnight",
        "month": "school_month",
        "semester": "semester",
    }
)
"""The periods that hold the obligations of each cadence."""
GAPS: Final = MappingProxyType({"fortnight": "core.fortnight_gap_days"})
"""The most school days between two inspections, where a cadence has such a limit."""
LONGEST_CODE: Final = 20


class Codes(Protocol):
    """Name the rules by the codes of a catalogue; empty where there is none."""

    @property
    def obligation(self) -> str:
        """Return the code of what is missed or late."""

    @property
    def gap(self) -> str:
        """Return the code of what lies too far apart."""


class Cadence(Protocol):
    """What a manifest says of how often inspections are due."""

    @property
    def every(self) -> str:
        """Return the kind of period."""


class Spec(Protocol):
    """What a manifest says of an inspection type."""

    @property
    def clause(self) -> str:
        """Return the clause that asks for it."""

    @property
    def codes(self) -> Codes:
        """Return the codes of its rules."""

    @property
    def cadence(self) -> Cadence:
        """Return its cadence."""


def cadence_rules(type_key: str, spec: Spec) -> Iterator[Rule]:
    """Yield the rules that judge the cadence of an inspection type; none where it has none."""
    if spec.cadence.every in PERIODS:
        yield _obligation_rule(type_key, spec)
    if spec.cadence.every in GAPS:
        yield _gap_rule(type_key, spec)


def _obligation_rule(type_key: str, spec: Spec) -> Rule:
    return Rule(
        key=f"{type_key}.obligation",
        code=spec.codes.obligation or type_key[:LONGEST_CODE],
        clause=spec.clause,
        subject=SCHOOL,
        period=PERIODS[spec.cadence.every],  # type: ignore[arg-type]  # a rule's words
        severity="violation",
        absent="violation",
        select=partial(undone, type_key),
        evidence=partial(inspections_of, type_key),
        message=_l("Inspection due on %(required)s: %(observed)s"),
    )


def _gap_rule(type_key: str, spec: Spec) -> Rule:
    return Rule(
        key=f"{type_key}.gap",
        code=spec.codes.gap or type_key[:LONGEST_CODE],
        clause=spec.clause,
        subject=SCHOOL,
        period="fortnight",
        severity="warning",
        absent="skip",
        select=partial(gaps, type_key, GAPS[spec.cadence.every]),
        evidence=partial(inspections_beside, type_key),
        bound="≤",
        unit=_l("school days"),
        message=_l(
            "%(observed)s school days between two inspections; at most %(required)s are allowed"
        ),
        reads=(GAPS[spec.cadence.every],),
    )


def undone(type_key: str, window: Window, _settings: Settings) -> Select[Any]:
    """Select the schools whose inspection was missed in a period, or entered or confirmed late."""
    rows = judged(window.judge(), *_of(type_key, window)).subquery("judged")
    with official_language():
        late, missed = _("entered or confirmed late, held on"), _("not held")
    observed = case(
        (
            rows.c.status == Fulfilment.LATE,
            literal(f"{late} ", String) + cast(rows.c.done_on, String),
        ),
        else_=literal(missed, String),
    )
    return _verdict(rows, rows.c.period_start, observed, rows.c.due_on).where(
        rows.c.status.in_((Fulfilment.LATE, Fulfilment.MISSED)),
        rows.c.period_start.between(window.start, window.end),
    )


def gaps(type_key: str, limit: str, window: Window, settings: Settings) -> Select[Any]:
    """Select the schools with too many school days between two inspections of one semester.

    Confirmed inspections that serve an obligation make the series; each gap is told once, on the
    day of the earlier one. School days are those of the school; exceptions of single grades or
    classes keep nobody from inspecting it.
    """
    most = getattr(settings, limit.partition(".")[2])
    days = judged_days(window.judge())
    pairs = _pairs(type_key, window, days)
    own = CalendarException
    of_school = and_(
        own.school_id == pairs.c.school_id,
        own.day == days.c.day,
        own.grade.is_(None),
        own.class_id.is_(None),
    )
    between = (
        select(func.count())
        .select_from(days.outerjoin(own, of_school))
        .where(
            days.c.day > pairs.c.done_on,
            days.c.day < pairs.c.following,
            func.coalesce(own.is_school_day, days.c.is_school_day),
        )
        .correlate(pairs)
        .scalar_subquery()
    )
    rows = select(pairs, between.label("between")).subquery("gap")
    return _verdict(rows, rows.c.done_on, rows.c.between, literal(most)).where(
        rows.c.between > most, rows.c.done_on.between(window.start, window.end)
    )


def inspections_of(type_key: str, window: Window, _settings: Settings) -> Select[Any]:
    """Select the inspections that fall into the periods of obligations."""
    judge = window.judge()
    served = serving_visits(judge, judged_days(judge), *_of(type_key, window))
    return (
        _record(Obligation.school_id, Obligation.period_start, served.c)
        .join(served, served.c.obligation_id == Obligation.id)
        .distinct()
    )


def inspections_beside(type_key: str, window: Window, _settings: Settings) -> Select[Any]:
    """Select the two inspections beside each gap."""
    pair = _pairs(type_key, window, judged_days(window.judge())).c
    start = pair.done_on
    both = union_all(
        _record(pair.school_id, start, pair),
        select(
            literal(SCHOOL), pair.school_id, start, literal(Inspection.__tablename__),
            pair.following_id, pair.following, null(),
        ).where(pair.following.is_not(None)),
    ).subquery("both")  # fmt: skip
    return select(*both.c)


def _record(school: Any, start: Any, served: Any) -> Select[Any]:
    return select(
        literal(SCHOOL).label("subject_type"),
        school.label("subject_id"),
        start.label("period_start"),
        literal(Inspection.__tablename__).label("record_type"),
        served.inspection_id.label("record_id"),
        served.done_on.label("day"),
        null().label("detail"),
    )


def _pairs(type_key: str, window: Window, days: CTE) -> Subquery:
    """Return the confirmed inspections of each series, each with the day of the following one."""
    served = serving_visits(window.judge(), days, *_of(type_key, window))
    in_semester = and_(
        Semester.county_id == Obligation.county_id,
        Obligation.due_on.between(Semester.starts_on, Semester.ends_on),
    )
    keys = (Obligation.school_id, Obligation.township_id, Semester.id, served.c.done_on)
    visited = (
        select(*keys[:2], keys[2].label("semester_id"), keys[3])
        .add_columns(func.min(served.c.inspection_id).label("inspection_id"))
        .join(served, served.c.obligation_id == Obligation.id)
        .join(Semester, in_semester)
        .where(served.c.rank <= LATE)
        .group_by(*keys)
        .subquery("visited")
    )

    def following(column: ColumnElement[Any]) -> ColumnElement[Any]:
        place = (visited.c.school_id, visited.c.semester_id)
        return func.lead(column).over(partition_by=place, order_by=visited.c.done_on)

    return select(
        visited,
        following(visited.c.done_on).label("following"),
        following(visited.c.inspection_id).label("following_id"),
    ).subquery("pair")


def _of(type_key: str, window: Window) -> list[ColumnElement[bool]]:
    """Return the conditions on the obligations of one type, at the schools of the window."""
    conditions: list[ColumnElement[bool]] = [Obligation.type_key == type_key]
    if window.school_ids is not None:
        conditions.append(Obligation.school_id.in_(window.school_ids))
    return conditions


def _verdict(
    rows: Subquery, start: ColumnElement[date], observed: Any, required: Any
) -> Select[Any]:
    return select(
        literal(SCHOOL).label("subject_type"),
        rows.c.school_id.label("subject_id"),
        rows.c.school_id,
        rows.c.township_id,
        start.label("period_start"),
        observed.label("observed"),
        required.label("required"),
    )
