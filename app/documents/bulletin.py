"""Describe bulletins and their sections as data, and render them for one reader and one month."""

from __future__ import annotations

import calendar
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, partial
from io import BytesIO
from typing import Any, Final, Literal

from flask_babel import gettext as _
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app import clock, workbook
from app.base import registry
from app.cadence.calendar import ONE_DAY, working_days_after
from app.cadence.due import judge_of
from app.models import School, Township
from app.parameters.level import WHOLE_COUNTY
from app.parameters.settings import NoValue, Settings, settings_on
from app.parameters.value import Parameters, load_parameters, number_on
from app.parameters.window import Period, Window
from app.security.scope import Scope
from app.words import official_language

FETCHED: Final = 500
NAMED: Final = 3
FREEZE: Final = "core.bulletin_freeze_days"

Kind = Literal["text", "count", "decimal", "percent", "date"]
SectionSelect = Callable[[Window, Settings], Select[Any]]


@dataclass(frozen=True, slots=True)
class Column:
    """Show one column of a section's select.

    Neighbours with the same `group` stand under one merged head. Counts are added up in the last
    row unless `is_summed` says otherwise.
    """

    key: str
    title: str
    kind: Kind = "text"
    width: float | None = None
    group: str = ""
    is_summed: bool | None = None

    @property
    def is_added_up(self) -> bool:
        """Tell whether the last row adds the column up."""
        return self.kind == "count" if self.is_summed is None else self.is_summed


Columns = Sequence[Column] | Callable[[], Sequence[Column]]


@dataclass(frozen=True, slots=True)
class Section:
    """Add one sheet to a bulletin.

    `key` is `<plugin>.<noun>`; its plugin's parameters become the settings. `select(window,
    settings)` carries `township_id` and `school_id` (null for a township) beside the columns: the
    core narrows it to the reader's scope. Rows come in the order of townships and schools. With
    `by_township` the rows of a township are added up into one.
    """

    bulletin: str
    key: str
    title: str
    order: int
    select: SectionSelect
    columns: Columns
    by_township: bool = False

    @property
    def plugin(self) -> str:
        """Return the name of the plugin that brings the section."""
        return self.key.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Bulletin:
    """Describe a bulletin 通报: a workbook of sections for one month.

    Its sheets are its own `sections` and those that other plugins add by its key. `heading` is
    the title that is printed, a template over %(month)s.
    """

    key: str
    title: str
    heading: str
    sections: Sequence[Section] = ()
    clause: str = ""
    every: Literal["month"] = "month"


def month_of(day: date) -> Period:
    """Return the calendar month of a day; months without school days have a bulletin too."""
    last = calendar.monthrange(day.year, day.month)[1]
    start = day.replace(day=1)
    end = day.replace(day=last)
    return Period(f"{start:%Y-%m}", start, end, end)


def parse_month(text: str) -> Period | None:
    """Return the month written as YYYY-MM; None where it is none."""
    year, _sep, month = text.strip().partition("-")
    if len(year) != 4 or len(month) != 2 or not (year + month).isascii():
        return None
    try:
        return month_of(date(int(year), int(month), 1))
    except ValueError:
        return None


def find_bulletin(key: str) -> Bulletin | None:
    """Return the bulletin of that key among the active plugins."""
    return next((bulletin for bulletin in registry.bulletins() if bulletin.key == key), None)


def sections_of(bulletin: Bulletin) -> list[Section]:
    """Return the sections of a bulletin, its own and those of other plugins, in order."""
    found = [*bulletin.sections, *registry.sections(bulletin.key)]
    return sorted(found, key=lambda section: (section.order, section.key))


def render(session: Session, bulletin: Bulletin, period: Period, scope: Scope) -> bytes:
    """Return the workbook of a bulletin for one month, narrowed to the scope of its reader.

    It is a paper: it speaks the product's language, whatever the reader's is.
    """
    with official_language():
        return _render(session, bulletin, period, scope)


def _render(session: Session, bulletin: Bulletin, period: Period, scope: Scope) -> bytes:
    judge = cache(
        partial(judge_of, session, _judging_day(session, period), period.start, period.end)
    )
    window = Window(as_of=min(period.end, clock.today()), periods=(period,), judge=judge)
    parameters = load_parameters(session)
    head = workbook.Head(heading_of(bulletin, period), _subtitle(session, window, scope))
    out = BytesIO()
    workbook.write(
        out,
        (
            _sheet(session, section, window, parameters, scope, head)
            for section in sections_of(bulletin)
        ),
        title=head.title,
    )
    return out.getvalue()


def _judging_day(session: Session, period: Period) -> date:
    """Return the last day before a month's obligations are frozen, or today where it is earlier."""
    days = number_on(session, FREEZE, period.end)
    last = period.end if days is None else working_days_after(session, period.end, days) - ONE_DAY
    return min(last, clock.today())


def heading_of(bulletin: Bulletin, period: Period) -> str:
    """Return the printed title of a bulletin, with its month."""
    with official_language():
        return str(bulletin.heading) % {"month": month_title(period)}


def month_title(period: Period) -> str:
    """Return a month in words."""
    return _("%(year)s-%(month)s", year=period.start.year, month=period.start.month)


def file_name(bulletin: Bulletin, period: Period) -> str:
    """Return the name of the workbook's file."""
    return f"{bulletin.key}-{period.key}.xlsx"


def narrowed(section: Section, window: Window, settings: Settings, scope: Scope) -> Select[Any]:
    """Return the select of a section inside a scope, in the order of townships and schools.

    Core selects pass by the session's guard: here they are narrowed, whoever asks.
    """
    rows = scope.narrow(section.select(window, settings)).subquery()
    columns = columns_of(section)
    query = (
        select()
        .select_from(rows)
        .join(Township, Township.id == rows.c.township_id)
        .outerjoin(School, School.id == rows.c.school_id)
    )
    place = (Township.position, Township.id)
    if not section.by_township:
        shown = [rows.c[column.key] for column in columns]
        return query.add_columns(*shown).order_by(*place, School.id.is_(None), School.code)
    shown = [
        func.sum(rows.c[column.key]).label(column.key)
        if column.is_added_up
        else func.min(rows.c[column.key]).label(column.key)
        for column in columns
    ]
    return query.add_columns(*shown).group_by(*place).order_by(*place)


def columns_of(section: Section) -> Sequence[Column]:
    """Return the columns of a section, asked for now where they depend on what is installed."""
    return section.columns() if callable(section.columns) else section.columns


def _sheet(
    session: Session,
    section: Section,
    window: Window,
    parameters: Parameters,
    scope: Scope,
    head: workbook.Head,
) -> workbook.Sheet:
    names = registry.parameter_names(section.plugin)
    settings = settings_on(parameters, section.plugin, names, window.end)
    columns = columns_of(section)
    note = ""
    try:
        query = narrowed(section, window, settings, scope)
    except NoValue:
        query = None
        note = _("Nothing applies: a parameter has no value on this day.")
    title = str(section.title)
    return workbook.Sheet(
        name=title,
        head=workbook.Head(f"{head.title} {title}", head.subtitle),
        columns=[_workbook_column(column) for column in columns],
        rows=() if query is None else _rows(session, query),
        total_title=_("Total") if any(column.is_added_up for column in columns) else "",
        note=note,
        frozen_columns=sum(1 for column in columns[:2] if column.kind == "text"),
    )


def _rows(session: Session, query: Select[Any]) -> Iterator[Sequence[Any]]:
    yield from session.execute(query, execution_options={"yield_per": FETCHED})


def _workbook_column(column: Column) -> workbook.Column:
    return workbook.Column(
        title=str(column.title),
        kind=column.kind,
        width=column.width,
        group=str(column.group),
        is_summed=column.is_added_up,
    )


def _subtitle(session: Session, window: Window, scope: Scope) -> str:
    """Return the days and the scope that the figures cover; a running month ends today."""
    return _(
        "%(first)s to %(last)s; scope: %(scope)s",
        first=window.start.isoformat(),
        last=window.as_of.isoformat(),
        scope=scope_title(session, scope),
    )


def scope_title(session: Session, scope: Scope) -> str:
    """Return in words which townships and schools a scope covers."""
    if scope.is_county_wide:
        return str(WHOLE_COUNTY)
    queries = (
        select(Township.name)
        .where(Township.id.in_(sorted(scope.township_ids)))
        .order_by(Township.position, Township.id),
        select(School.name).where(School.id.in_(sorted(scope.open_schools))).order_by(School.id),
    )
    names = [name for query in queries for name in session.scalars(query)]
    if not names:
        return _("nothing")
    listed = _(", ").join(names[:NAMED])
    if len(names) > NAMED:
        return _("%(names)s and %(count)s more", names=listed, count=len(names) - NAMED)
    return listed
