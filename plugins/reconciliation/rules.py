"""Judge the head-count identity 人数平衡: ROLL-1, a residue that nothing explains."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Select,
    Subquery,
    Table,
    case,
    func,
    literal,
    select,
    union_all,
)

from app.kit import Rule, School, Settings, Township, Window, _, _l, hookimpl, sentence

from .headcount import GUEST, LINE, REPORT, columns, headcounts, part_names

CLASS: Final = "school_class"


def unexplained_residue(window: Window, _settings: Settings) -> Select[Any]:
    """Select the classes that do not add up on the last day on which classes were counted.

    The records of a school that sit in no class are judged at the school. A class that nobody
    counted on that day is not judged, and none is where its township was not live.
    """
    rows = headcounts(_last_counted(window)).subquery("headcount")
    residue = _residue(rows)
    query = (
        select(*_keys(rows, window), residue.label("observed"), literal(0).label("required"))
        .join(School, School.id == rows.c.school_id)
        .join(Township, Township.id == School.township_id)
        .where(residue != 0, Township.go_live_on <= _last_counted(window))
    )
    return _in_schools(query, rows, window)


def figures_of(window: Window, _settings: Settings) -> Select[Any]:
    """Select the class, or the school, with the figures of which the identity consists."""
    rows = headcounts(_last_counted(window)).subquery("headcount")
    kind, subject, _school, _township, start = _keys(rows, window)
    titles = _titles()
    said = _(", ").join(f"{title} %({name})s" for name, title in titles.items())
    query = select(
        kind,
        subject,
        start,
        kind.label("record_type"),
        subject.label("record_id"),
        _last_counted(window).label("day"),
        sentence(said, **{name: rows.c[name] for name in titles}).label("detail"),
    ).join(School, School.id == rows.c.school_id)
    return _in_schools(query, rows, window)


def _titles() -> dict[str, str]:
    """Return the columns of the figures with what they are called, in the order of the identity."""
    heads = [
        _("On leave"),
        _("Whereabouts unexplained"),
        *(str(title) for _key, title in columns()),
    ]
    return {
        "registered": _("On the register"),
        "counted": _("At school"),
        GUEST: _("At school without a record"),
        **dict(zip(part_names(), heads, strict=True)),
    }


def _keys(rows: Subquery, window: Window) -> list[Any]:
    is_school = rows.c.class_id.is_(None)
    return [
        case((is_school, literal(School.__tablename__)), else_=literal(CLASS)).label(
            "subject_type"
        ),
        func.coalesce(rows.c.class_id, rows.c.school_id).label("subject_id"),
        rows.c.school_id.label("school_id"),
        School.township_id,
        literal(window.start).label("period_start"),
    ]


def _residue(rows: Subquery) -> ColumnElement[Any]:
    """Return what the parts leave unexplained; null where nobody counted the class."""
    present = case((rows.c.class_id.is_(None), 0), else_=rows.c.counted - rows.c[GUEST])
    explained = sum((rows.c[name] for name in part_names()), start=literal(0))
    return rows.c.registered - present - explained


def _last_counted(window: Window) -> ColumnElement[date]:
    """Return the last day, up to the judging one, of which there is a count of any class."""
    counts = union_all(*(_last_day(table, window) for table in (LINE, REPORT))).subquery()
    found: ColumnElement[date] = select(func.max(counts.c.day)).correlate(None).scalar_subquery()
    return found


def _last_day(table: Any, window: Window) -> Select[Any]:
    known: Table = table.alias()
    day = known.c.day
    return select(func.max(day).label("day")).where(
        day >= window.start, day <= window.as_of, known.c.present.is_not(None)
    )


def _in_schools(query: Select[Any], rows: Subquery, window: Window) -> Select[Any]:
    if window.school_ids is None:
        return query
    return query.where(rows.c.school_id.in_(window.school_ids))


@hookimpl
def rules() -> Iterable[Rule]:
    """Return the rule on the head-count."""
    return [
        Rule(
            key="reconciliation.unexplained_residue",
            code="ROLL-1",
            clause="LP24-A1-2-1",
            subject=CLASS,
            period="school_year",
            severity="violation",
            absent="skip",
            select=unexplained_residue,
            evidence=figures_of,
            message=_l(
                "Enrolment records that nothing explains on the last day that was counted: "
                "%(observed)s"
            ),
        )
    ]
