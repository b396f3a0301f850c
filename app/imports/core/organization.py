"""Import townships, schools and classes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.imports.entity import Column, Entity, Items, Key, Lookup, Row
from app.models import (
    GRADES,
    ClassGrade,
    DailyMode,
    Person,
    School,
    SchoolClass,
    SchoolKind,
    SchoolYear,
    Township,
)

SCHOOL_KINDS = {
    SchoolKind.PRIMARY.value: _l("Primary school"),
    SchoolKind.JUNIOR_HIGH.value: _l("Junior high school"),
    SchoolKind.NINE_YEAR.value: _l("Nine-year school"),
    SchoolKind.TEACHING_POINT.value: _l("Teaching point"),
}
DAILY_MODES = {
    DailyMode.OWN.value: _l("Checks itself each day"),
    DailyMode.WITH_PARENT.value: _l("Checked by the parent school"),
}
BY_TOWNSHIP = Lookup(Township, by=("code", "name", "alias"))
BY_SCHOOL = Lookup(School)
BY_YEAR = Lookup(SchoolYear, by=("name",))
BY_PERSON = Lookup(Person, by=("name",), qualifier="phone")
BY_CLASS = Lookup(
    SchoolClass,
    by=("name",),
    within=(("school_id", "school"), ("school_year_id", "school_year")),
    newest="school_year_id",
)


def check_period(row: Row, first: str = "valid_from", last: str = "valid_to") -> None:
    """Note a period that ends before it begins."""
    begin, end = row.get(first), row.get(last)
    if begin is not None and end is not None and end < begin:
        row.fail(last, _("The last day lies before the first."))


def wrong_grade() -> str:
    """Return the words for a grade that there is not."""
    return _("A grade is a number from %(first)s to %(last)s.", first=GRADES[0], last=GRADES[-1])


def _complete_school(row: Row, _today: date) -> None:
    check_period(row, "opened_on", "closed_on")
    if row.get("parent") is not None and row.get("kind") != SchoolKind.TEACHING_POINT:
        row.fail("parent", _("Only a teaching point has a parent school."))


def _complete_class(row: Row, _today: date) -> None:
    if any(grade not in GRADES for (grade,) in row.get("grades") or ()):
        row.fail("grades", wrong_grade())


def fill_year(session: Session, rows: Sequence[Row]) -> None:
    """Put lines that name no school year into the present one, or else the newest."""
    missing = [row for row in rows if row.get("school_year") is None]
    if not missing:
        return
    years = session.execute(
        select(SchoolYear.id)
        .where(SchoolYear.starts_on <= clock.today())
        .order_by(SchoolYear.starts_on.desc())
    ).first()
    for row in missing:
        if years is None:
            row.fail("school_year", _("There is no school year yet."))
        else:
            row.values["school_year"] = years.id


TOWNSHIP = Entity(
    key="township",
    title=_l("Township"),
    model=Township,
    columns=(
        Column("code", _l("Code"), "code", is_required=True),
        Column("name", _l("Name"), "name", is_required=True),
        Column("alias", _l("Other name"), "name"),
        Column("position", _l("Position"), "integer"),
        Column("go_live_on", _l("Live since"), "date"),
    ),
    keys=(Key(("code",)), Key(("name",), is_weak=True)),
    view="TownshipView",
)

SCHOOL = Entity(
    key="school",
    title=_l("School"),
    model=School,
    columns=(
        Column("code", _l("Code"), "code", is_required=True),
        Column("name", _l("Name"), "name", is_required=True),
        Column("township", _l("Township"), "lookup", is_required=True, lookup=BY_TOWNSHIP),
        Column("kind", _l("Kind"), "choice", is_required=True, choices=SCHOOL_KINDS),
        Column("is_focus", _l("Focus school"), "flag"),
        Column("is_boarding", _l("Boarding school"), "flag"),
        Column(
            "parent",
            _l("Parent school"),
            "lookup",
            lookup=BY_SCHOOL,
            help=_l("Only for teaching points: the school they belong to."),
        ),
        Column("daily_mode", _l("Daily check"), "choice", choices=DAILY_MODES),
        Column("address", _l("Address")),
        Column("phone", _l("Telephone"), "code"),
        Column("opened_on", _l("Opened on"), "date"),
        Column("closed_on", _l("Closed down on"), "date"),
    ),
    keys=(Key(("code",)),),
    view="SchoolView",
    place=("township",),
    complete=_complete_school,
)

SCHOOL_CLASS = Entity(
    key="class",
    title=_l("Class"),
    model=SchoolClass,
    columns=(
        Column("school", _l("School"), "lookup", is_required=True, lookup=BY_SCHOOL),
        Column(
            "school_year",
            _l("School year"),
            "lookup",
            lookup=BY_YEAR,
            help=_l("Leave empty for the present school year."),
        ),
        Column("name", _l("Name"), "name", is_required=True),
        Column(
            "grades",
            _l("Grades"),
            "items",
            is_required=True,
            items=Items(ClassGrade, "class_id", (Column("grade", _l("Grade"), "integer"),)),
            help=_l("Several grades of one class are parted by 、"),
        ),
        Column("teacher", _l("Class teacher"), "lookup", lookup=BY_PERSON),
        Column("position", _l("Position"), "integer"),
        Column("is_active", _l("Active"), "flag"),
    ),
    keys=(Key(("school", "school_year", "name")),),
    view="SchoolClassView",
    place=("school",),
    derived=("school_year",),
    complete=_complete_class,
    prepare=fill_year,
)
