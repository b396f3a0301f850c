"""Select what is recorded twice: inspections, visits, pictures, and people in two places: DUP-1."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Date,
    Select,
    Subquery,
    and_,
    func,
    literal,
    null,
    or_,
    select,
)
from sqlalchemy.orm import aliased

from app.kit import (
    Inspection,
    InspectionParticipant,
    InspectionState,
    Rule,
    Settings,
    Township,
    Visit,
    VisitParticipant,
    Window,
    _l,
    same_originals,
)

INSPECTION: Final = "inspection"
VISIT: Final = "visit"
FILE: Final = "evidence_file"
PICTURE: Final = "image/%"


def inspections(window: Window) -> Subquery:
    """Return the submitted inspections that repeat one of the same day, type, unit and person."""
    first, again = aliased(Inspection), aliased(Inspection)
    one, other = aliased(InspectionParticipant), aliased(InspectionParticipant)
    same = and_(
        first.occurred_on == again.occurred_on,
        first.type_key == again.type_key,
        first.township_id == again.township_id,
        first.school_id.is_not_distinct_from(again.school_id),
    )
    return _pairs(first, again, one, other, same, window)


def presences(window: Window) -> Subquery:
    """Return the submitted inspections at which somebody was who was at another school then."""
    first, again = aliased(Inspection), aliased(Inspection)
    one, other = aliased(InspectionParticipant), aliased(InspectionParticipant)
    elsewhere = and_(
        first.occurred_on == again.occurred_on,
        or_(
            first.township_id != again.township_id,
            first.school_id.is_distinct_from(again.school_id),
        ),
        one.arrived_at < other.left_at,
        other.arrived_at < one.left_at,
    )
    return _pairs(first, again, one, other, elsewhere, window)


def visits(window: Window) -> Subquery:
    """Return the visits that repeat one to the same child, of the same day, kind and person."""
    first, again = aliased(Visit), aliased(Visit)
    one, other = aliased(VisitParticipant), aliased(VisitParticipant)
    same_person = and_(
        one.visit_id == first.id,
        other.visit_id == again.id,
        one.name == other.name,
        one.organisation_kind_id == other.organisation_kind_id,
        or_(one.person_id.is_(None), other.person_id.is_(None), one.person_id == other.person_id),
    )
    same = and_(
        first.child_id == again.child_id,
        first.visited_on == again.visited_on,
        first.kind == again.kind,
        first.id < again.id,
    )
    return (
        select(*_columns(again, again.visited_on), first.id.label("first_id"))
        .join(first, same)
        .where(
            select(one.id).join(other, same_person).exists(),
            _in_window(again.visited_on, window),
        )
        .subquery("pair")
    )


def pictures(window: Window) -> Subquery:
    """Return the pictures whose original is kept under an earlier record, too."""
    held = same_originals().subquery("held")
    first = func.min(held.c.file_id).over(partition_by=held.c.original_sha256)
    day = func.date(held.c.created_at, type_=Date)
    rows = select(
        held.c.file_id.label("id"),
        held.c.school_id,
        held.c.township_id,
        day.label("day"),
        first.label("first_id"),
    ).where(held.c.media_type.like(PICTURE), held.c.township_id.is_not(None))
    pair = rows.subquery("file")
    return (
        select(pair)
        .where(pair.c.id != pair.c.first_id, _in_window(pair.c.day, window))
        .subquery("pair")
    )


def _pairs(
    first: Any, again: Any, one: Any, other: Any, same: ColumnElement[bool], window: Window
) -> Subquery:
    """Return pairs of submitted inspections with a person in common, the later one's place."""
    submitted = InspectionState.SUBMITTED
    return (
        select(*_columns(again, again.occurred_on), first.id.label("first_id"))
        .join(other, other.inspection_id == again.id)
        .join(one, and_(one.person_id == other.person_id, one.inspection_id < again.id))
        .join(first, and_(first.id == one.inspection_id, same))
        .where(
            first.state == submitted,
            again.state == submitted,
            _in_window(again.occurred_on, window),
        )
        .distinct()
        .subquery("pair")
    )


def _columns(row: Any, day: Any) -> list[ColumnElement[Any]]:
    return [row.id.label("id"), row.school_id, row.township_id, day.label("day")]


def _in_window(day: Any, window: Window) -> ColumnElement[bool]:
    return day.between(window.start, min(window.end, window.as_of))


def _verdicts(pairs: Subquery, subject: str, window: Window) -> Select[Any]:
    """Count the earlier records beside each later one, since the township went live."""
    place = (pairs.c.id, pairs.c.school_id, pairs.c.township_id, pairs.c.day)
    found = (
        select(
            literal(subject).label("subject_type"),
            pairs.c.id.label("subject_id"),
            pairs.c.school_id,
            pairs.c.township_id,
            pairs.c.day.label("period_start"),
            func.count().label("observed"),
            literal(0).label("required"),
        )
        .join(Township, Township.id == pairs.c.township_id)
        .where(Township.go_live_on <= pairs.c.day)
        .group_by(*place)
    )
    if window.school_ids is None:
        return found
    return found.where(pairs.c.school_id.in_(window.school_ids))


def _evidence(pairs: Subquery, subject: str) -> Select[Any]:
    return select(
        literal(subject).label("subject_type"),
        pairs.c.id.label("subject_id"),
        pairs.c.day.label("period_start"),
        literal(subject).label("record_type"),
        pairs.c.first_id.label("record_id"),
        pairs.c.day,
        null().label("detail"),
    )


def _rule(
    key: str, clause: str, subject: str, pairs: Any, message: Any, severity: Any = "violation"
) -> Rule:
    def found(window: Window, _settings: Settings) -> Select[Any]:
        return _verdicts(pairs(window), subject, window)

    def evidence(window: Window, _settings: Settings) -> Select[Any]:
        return _evidence(pairs(window), subject)

    return Rule(
        key=f"roll_and_attendance.{key}",
        code="DUP-1",
        clause=clause,
        subject=subject,
        period="school_year",
        severity=severity,
        absent="skip",
        select=found,
        evidence=evidence,
        message=message,
    )


def rules() -> Iterable[Rule]:
    """Return the rules on what is recorded twice."""
    return [
        _rule(
            "double_inspection",
            "LP24-4-2",
            INSPECTION,
            inspections,
            _l("The same inspection is recorded %(observed)s times before"),
        ),
        _rule(
            "double_presence",
            "LP24-4-2",
            INSPECTION,
            presences,
            _l("A participant was at %(observed)s other places at the same time"),
        ),
        _rule(
            "double_visit",
            "LP24-1-1",
            VISIT,
            visits,
            _l("The same visit is recorded %(observed)s times before"),
        ),
        _rule(
            "double_picture",
            "LP24-4-2",
            FILE,
            pictures,
            _l("The same picture is kept under another record"),
            "warning",
        ),
    ]
