"""Report inspections done and findings opened, closed and overdue in one calendar month."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    case,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)

from app.kit import (
    UNFINISHED,
    Bulletin,
    Column,
    FindingState,
    Inspection,
    InspectionState,
    School,
    Section,
    Settings,
    Township,
    Window,
    closings,
    hookimpl,
    inspection_types,
    overdue,
    standing,
)

from . import duties

KEY: Final = "monthly_bulletin"
OTHER: Final = "inspections_other"
DONE: Final = "inspections"
FIGURES: Final = ("opened", "closed", "unfinished", "objected", "overdue")
INSPECTIONS: Final = _l("Inspections done")
FINDINGS: Final = _l("Findings")


def figures(window: Window, _settings: Settings) -> Select[Any]:
    """Select the figures of every school, and of every township where it was itself inspected.

    Places without any record have their row of zeros. Rows keep the township that a record was
    made in, so that nothing is lost where a school has moved since.
    """
    facts = union_all(
        _places(window), _inspections(window), _closed(window), _standing(window), _overdue(window)
    ).subquery()
    names = _names()
    sums = [func.sum(facts.c[name]).label(name) for name in names]
    totals = (
        select(facts.c.township_id, facts.c.school_id, *sums)
        .group_by(facts.c.township_id, facts.c.school_id)
        .subquery()
    )
    has_figures = or_(*(totals.c[name] > 0 for name in names))
    found: Select[Any] = (
        select(
            totals.c.township_id,
            totals.c.school_id,
            Township.name.label("township"),
            func.coalesce(School.name, literal(_("The township itself"))).label("school"),
            *(totals.c[name] for name in names),
        )
        .join(Township, Township.id == totals.c.township_id)
        .outerjoin(School, School.id == totals.c.school_id)
        .where(or_(totals.c.school_id.is_not(None), has_figures))
    )
    return found


def place_columns() -> Sequence[Column]:
    """Return the columns of the sheet by school."""
    return (
        Column("township", _l("Township"), width=14),
        Column("school", _l("School"), width=26),
        *figure_columns(),
    )


def township_columns() -> Sequence[Column]:
    """Return the columns of the sheet by township."""
    return (Column("township", _l("Township"), width=18), *figure_columns())


def figure_columns() -> Sequence[Column]:
    """Return a column for each type of inspection that is installed, and those of the findings."""
    types = [
        Column(_of_type(kind.key), kind.title, "count", group=INSPECTIONS)
        for kind in inspection_types()
    ]
    return (
        *types,
        Column(OTHER, _l("Other types"), "count", group=INSPECTIONS),
        Column(DONE, _l("Together"), "count", group=INSPECTIONS),
        Column("opened", _l("Opened this month"), "count", group=FINDINGS),
        Column("closed", _l("Closed this month"), "count", group=FINDINGS),
        Column("unfinished", _l("Open at the end of the month"), "count", group=FINDINGS),
        Column("objected", _l("Of these objected to"), "count", group=FINDINGS),
        Column("overdue", _l("Of these overdue"), "count", group=FINDINGS),
    )


@hookimpl
def bulletins() -> Iterable[Bulletin]:
    """Bring the monthly bulletin on townships and schools."""
    return [
        Bulletin(
            key=KEY,
            title=_l("Monthly bulletin"),
            heading=_l("Bulletin on dropout prevention inspections, %(month)s"),
            clause="LP24-4-4",
            sections=(
                Section(
                    KEY,
                    f"{KEY}.by_township",
                    _l("By township"),
                    10,
                    figures,
                    township_columns,
                    by_township=True,
                ),
                Section(KEY, f"{KEY}.by_school", _l("By school"), 20, figures, place_columns),
                Section(
                    KEY,
                    f"{KEY}.due_by_township",
                    _l("Inspections due by township"),
                    22,
                    duties.by_township,
                    partial(duties.columns, of_school=False),
                ),
                Section(
                    KEY,
                    f"{KEY}.due_by_school",
                    _l("Inspections due by school"),
                    24,
                    duties.by_school,
                    partial(duties.columns, of_school=True),
                ),
            ),
        )
    ]


def _of_type(key: str) -> str:
    return f"inspections_of_{key}"


def _names() -> list[str]:
    return [*(_of_type(kind.key) for kind in inspection_types()), OTHER, DONE, *FIGURES]


def _fact(township: Any, school: Any, **given: ColumnElement[int]) -> Select[Any]:
    """Select one branch of the union: the figures that are given, and zero for the others."""
    figures_ = [given.get(name, literal(0)).label(name) for name in _names()]
    return select(township.label("township_id"), school.label("school_id"), *figures_)


def _places(window: Window) -> Select[Any]:
    """Select every township, and every school that was open in the window."""
    schools = _fact(School.township_id, School.id).where(
        or_(School.opened_on.is_(None), School.opened_on <= window.end),
        or_(School.closed_on.is_(None), School.closed_on >= window.start),
    )
    townships = _fact(Township.id, null())
    both = union_all(schools, townships).subquery()
    return select(*both.c)


def _inspections(window: Window) -> Select[Any]:
    known = [kind.key for kind in inspection_types()]
    by_type = {_of_type(key): _one_if(Inspection.type_key == key) for key in known}
    other = _one_if(Inspection.type_key.not_in(known))
    return _fact(
        Inspection.township_id,
        Inspection.school_id,
        **by_type,
        **{OTHER: other, DONE: literal(1)},
    ).where(
        Inspection.state == InspectionState.SUBMITTED,
        Inspection.occurred_on.between(window.start, window.as_of),
    )


def _closed(window: Window) -> Select[Any]:
    done = closings(window.start, window.as_of).subquery()
    return _fact(done.c.township_id, done.c.school_id, closed=literal(1))


def _standing(window: Window) -> Select[Any]:
    then = standing(window.as_of).subquery()
    is_true_finding = then.c.state != FindingState.WITHDRAWN
    return _fact(
        then.c.township_id,
        then.c.school_id,
        opened=_one_if(and_(then.c.found_on >= window.start, is_true_finding)),
        unfinished=_one_if(then.c.state.in_(UNFINISHED)),
        objected=_one_if(then.c.state == FindingState.OBJECTED),
    )


def _overdue(window: Window) -> Select[Any]:
    late = overdue(window.as_of).subquery()
    return _fact(late.c.township_id, late.c.school_id, overdue=literal(1))


def _one_if(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return case((condition, 1), else_=0)
