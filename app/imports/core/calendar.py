"""Import school years, semesters, the county's days and the exceptions of schools."""

from __future__ import annotations

from datetime import date

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.imports.core.organization import (
    BY_CLASS,
    BY_SCHOOL,
    BY_YEAR,
    check_period,
    wrong_grade,
)
from app.imports.entity import Column, Entity, Key, Row
from app.models import GRADES, CalendarDay, CalendarException, SchoolYear, Semester


def _complete_period(row: Row, _today: date) -> None:
    check_period(row, "starts_on", "ends_on")


def _complete_exception(row: Row, _today: date) -> None:
    if row.get("grade") is not None and row.get("grade") not in GRADES:
        row.fail("grade", wrong_grade())
    if row.get("grade") is not None and row.get("class") is not None:
        row.fail("grade", _("Choose a grade or a class, not both."))


SCHOOL_YEAR = Entity(
    key="school_year",
    title=_l("School year"),
    model=SchoolYear,
    columns=(
        Column("name", _l("Name"), "name", is_required=True),
        Column("starts_on", _l("First day"), "date", is_required=True),
        Column("ends_on", _l("Last day"), "date", is_required=True),
    ),
    keys=(Key(("starts_on",)),),
    view="SchoolYearView",
    complete=_complete_period,
)

SEMESTER = Entity(
    key="semester",
    title=_l("Semester"),
    model=Semester,
    columns=(
        Column("school_year", _l("School year"), "lookup", is_required=True, lookup=BY_YEAR),
        Column("name", _l("Name"), "name", is_required=True),
        Column("starts_on", _l("First day"), "date", is_required=True),
        Column("ends_on", _l("Last day"), "date", is_required=True),
    ),
    keys=(Key(("school_year", "starts_on")),),
    view="SemesterView",
    complete=_complete_period,
)

CALENDAR_DAY = Entity(
    key="calendar_day",
    title=_l("Calendar day"),
    model=CalendarDay,
    columns=(
        Column("day", _l("Day"), "date", is_required=True),
        Column("is_working_day", _l("Working day"), "flag", is_required=True),
        Column("is_school_day", _l("School day"), "flag", is_required=True),
        Column("name", _l("Occasion")),
    ),
    keys=(Key(("day",)),),
    view="CalendarDayView",
    defaults={"source": "entered"},
)

CALENDAR_EXCEPTION = Entity(
    key="calendar_exception",
    title=_l("Calendar exception"),
    model=CalendarException,
    columns=(
        Column("school", _l("School"), "lookup", is_required=True, lookup=BY_SCHOOL),
        Column("day", _l("Day"), "date", is_required=True),
        Column("grade", _l("Grade"), "integer", help=_l("Leave empty for the whole school.")),
        Column(
            "class",
            _l("Class"),
            "lookup",
            lookup=BY_CLASS,
            help=_l("Leave empty for the whole school or grade."),
        ),
        Column(
            "is_school_day",
            _l("School day"),
            "flag",
            is_required=True,
            help=_l("Yes: lessons on a free day. No: free on a school day."),
        ),
        Column("reason", _l("Reason"), is_required=True),
    ),
    keys=(Key(("school", "day"), optional=("grade", "class")),),
    view="CalendarExceptionView",
    place=("school",),
    complete=_complete_exception,
)
