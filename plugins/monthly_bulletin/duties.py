"""Report how the inspections due in the month stand, by township and by school."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Select, case, cast, func, select
from sqlalchemy import types as sqltypes

from app.kit import (
    Column,
    School,
    Settings,
    Township,
    Window,
    inspection_types,
    obligations_due,
)

STATUSES: Final = ("met", "late", "missed", "pending", "excused")
HEADS: Final = (
    ("met", _l("Done in time")),
    ("late", _l("Done, entered late")),
    ("missed", _l("Missed")),
    ("pending", _l("Pending")),
    ("excused", _l("Excused duty")),
)
GROUP: Final = _l("How they stand")


def by_township(window: Window, _settings: Settings) -> Select[Any]:
    """Select the figures of every township and kind of inspection."""
    due = obligations_due(window).subquery()
    return (
        select(
            due.c.township_id,
            cast(None, sqltypes.Integer).label("school_id"),
            Township.name.label("township"),
            *_figures(due.c),
        )
        .join(Township, Township.id == due.c.township_id)
        .group_by(due.c.township_id, Township.name, due.c.type_key)
    )


def by_school(window: Window, _settings: Settings) -> Select[Any]:
    """Select the figures of every school and kind of inspection."""
    due = obligations_due(window).subquery()
    return (
        select(
            due.c.township_id,
            due.c.school_id,
            Township.name.label("township"),
            School.name.label("school"),
            *_figures(due.c),
        )
        .join(Township, Township.id == due.c.township_id)
        .join(School, School.id == due.c.school_id)
        .group_by(due.c.township_id, due.c.school_id, Township.name, School.name, due.c.type_key)
    )


def columns(*, of_school: bool) -> Sequence[Column]:
    """Return the columns of a sheet."""
    places = [Column("township", _l("Township"), width=14)]
    if of_school:
        places.append(Column("school", _l("School"), width=26))
    return (
        *places,
        Column("kind", _l("Kind of inspection"), width=18),
        Column("due", _l("Inspections due"), "count"),
        *(Column(key, title, "count", group=GROUP) for key, title in HEADS),
        Column("rate", _l("Rate of completion"), "percent"),
        Column("joint", _l("Joint inspections among them"), "count"),
    )


def _figures(due: Any) -> list[ColumnElement[Any]]:
    """Return the figures of a group; the rate counts neither what is pending nor what is excused.

    A joint inspection counts for each capacity that took part: how many were joint stands beside.
    """
    counts = {key: _number(due.status == key) for key in STATUSES}
    done = counts["met"] + counts["late"]
    judged = done + counts["missed"]
    rate = cast(done, sqltypes.Float) / func.nullif(judged, 0)
    is_done = due.status.in_(("met", "late"))
    return [
        _title(due.type_key).label("kind"),
        func.count().label("due"),
        *(count.label(key) for key, count in counts.items()),
        rate.label("rate"),
        _number(due.is_joint & is_done).label("joint"),
    ]


def _title(type_key: ColumnElement[str]) -> ColumnElement[str]:
    titles = {kind.key: _(kind.title) for kind in inspection_types()}
    return case(titles, value=type_key, else_=type_key) if titles else type_key


def _number(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))
