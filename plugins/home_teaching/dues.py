"""Say what is due of home teaching: the visits of the month, and who falls behind in the year."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Select, Subquery, literal, select

from app.kit import Child, DueKind, Settings, Window, _l, due_columns

from .hours import at_school, cases
from .models import Case
from .months import by_month, progress, year_of

STALE: Final = timedelta(days=31)
"""A month that is over is followed for so long."""
A_YEAR: Final = 366


def visits(window: Window, settings: Settings) -> Select[Any]:
    """Select the children who lack visits in a month that runs, or was over not long ago."""
    months = [month for month in window.months if month.start <= window.as_of <= month.end + STALE]
    row, _made = by_month(cases(), settings, months)
    needed = literal(settings.month_visits) - row.c.visits
    return _of_children(row, row.c.end, needed).where(row.c.visits < settings.month_visits)


def pace(window: Window, settings: Settings) -> Select[Any]:
    """Select the children behind in class hours, with the fewest visits that still make the year.

    A visit brings at most the hours that count of one day.
    """
    year = year_of(window.as_of, window.months, settings)
    row = progress(cases(), settings, year, window.as_of).subquery("row")
    lacking = row.c.required - row.c.hours
    needed = (lacking + settings.day_hours - 1) // settings.day_hours
    return _of_children(row, literal(year.end), needed).where(row.c.hours < row.c.due)


def _of_children(row: Subquery, due_on: Any, needed: Any) -> Select[Any]:
    columns = due_columns(
        (Child.__tablename__, row.c.child_id),
        Case,
        due_on,
        role="school_leader",
        person=Child.school_responsible_id,
        needed=needed,
    )
    return (
        select(*columns)
        .select_from(row)
        .join(Case, at_school(row, None))
        .join(Child, Child.id == row.c.child_id)
    )


DUES: Final = (
    DueKind("home_teaching.visits", _l("Home teaching of the month"), "ChildView", visits),
    DueKind(
        "home_teaching.pace",
        _l("Home teaching behind the class hours of the year"),
        "ChildView",
        pace,
        at_once=True,
        ahead=A_YEAR,
    ),
)
