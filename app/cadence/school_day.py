"""Select the school days of classes in SQL, with the exceptions of schools, grades and classes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Date,
    Select,
    Subquery,
    and_,
    case,
    column,
    exists,
    func,
    or_,
    select,
    true,
    values,
)
from sqlalchemy.orm import aliased
from sqlalchemy.sql.selectable import CTE

from app.cadence.calendar import SATURDAY, days_after
from app.models import (
    CalendarDay,
    CalendarException,
    ClassGrade,
    County,
    SchoolClass,
    Semester,
)

ONE_DAY = timedelta(days=1)


def class_days(
    first: date, last: date, *among: ColumnElement[bool], name: str = "class_day"
) -> Subquery:
    """Return the school days of each class between two days: class_id, day, number, from_end.

    `among` narrows the classes by conditions on SchoolClass. As in the calendar, a class's own
    exception wins over those of its grades, these over its school's, and a day without a row in
    the county's calendar counts by its weekday, outside of vacations.
    """
    day = _county_days(first, last, name)
    graded = _graded_days(first, last).subquery(f"{name}_of_grade")
    school, own = aliased(CalendarException), aliased(CalendarException)
    in_school = func.coalesce(school.is_school_day, day.c.is_school_day)
    # One grade that has class, or that follows its school, is enough for a class of several.
    in_grades = case(
        (
            graded.c.class_id.is_not(None),
            or_(graded.c.open > 0, and_(in_school, graded.c.departing < graded.c.grades)),
        )
    )
    has_class = func.coalesce(own.is_school_day, in_grades, in_school)
    number = func.row_number().over(partition_by=SchoolClass.id, order_by=day.c.day)
    from_end = func.row_number().over(partition_by=SchoolClass.id, order_by=day.c.day.desc())
    return (
        select(
            SchoolClass.id.label("class_id"),
            day.c.day,
            number.label("number"),
            from_end.label("from_end"),
        )
        .select_from(SchoolClass)
        .join(day, day.c.county_id == SchoolClass.county_id)
        .outerjoin(
            school,
            and_(
                school.school_id == SchoolClass.school_id,
                school.day == day.c.day,
                school.grade.is_(None),
                school.class_id.is_(None),
            ),
        )
        .outerjoin(own, and_(own.class_id == SchoolClass.id, own.day == day.c.day))
        .outerjoin(graded, and_(graded.c.class_id == SchoolClass.id, graded.c.day == day.c.day))
        .where(has_class, *among)
        .subquery(name)
    )


def _county_days(first: date, last: date, name: str) -> CTE:
    """Return each county's days between two: county_id, day, is_school_day.

    They are worked out once a county and day: for each class they would cost a county its minutes.
    """
    day = _days(first, last, name)
    known = CalendarDay
    is_school_day = func.coalesce(
        known.is_school_day, and_(day.c.is_weekday, ~_is_vacation(day.c.day))
    )
    return (
        select(County.id.label("county_id"), day.c.day, is_school_day.label("is_school_day"))
        .select_from(County)
        .join(day, true())
        .outerjoin(known, and_(known.county_id == County.id, known.day == day.c.day))
        .cte(f"{name}_of_county")
    )


def _days(first: date, last: date, name: str) -> CTE:
    """Return the days between two, each with whether offices work on its weekday."""
    rows: Sequence[tuple[date, bool]] = [
        (day, day.weekday() < SATURDAY) for day in days_after(first - ONE_DAY, last)
    ]
    columns = column("day", Date), column("is_weekday", Boolean)
    return values(*columns, name=f"{name}_of_week").data(rows).cte(f"{name}_of_week")


def _graded_days(first: date, last: date) -> Select[Any]:
    """Select the few days on which grades of a class depart from their school's.

    Columns: class_id, day, departing and open (how many grades of the class), grades (all of them).
    """
    grade, every, departs = aliased(ClassGrade), aliased(ClassGrade), aliased(CalendarException)
    all_of_class = (
        select(func.count()).where(every.class_id == SchoolClass.id).correlate(SchoolClass)
    )
    return (
        select(
            SchoolClass.id.label("class_id"),
            departs.day,
            func.count(grade.grade.distinct()).label("departing"),
            func.sum(case((departs.is_school_day, 1), else_=0)).label("open"),
            all_of_class.scalar_subquery().label("grades"),
        )
        .select_from(SchoolClass)
        .join(grade, grade.class_id == SchoolClass.id)
        .join(
            departs,
            and_(
                departs.school_id == SchoolClass.school_id,
                departs.grade == grade.grade,
                departs.class_id.is_(None),
                departs.day.between(first, last),
            ),
        )
        .group_by(SchoolClass.id, departs.day)
    )


def _is_vacation(day: ColumnElement[date]) -> ColumnElement[bool]:
    """Tell whether a day lies between two semesters that are known."""
    inside, before, after = aliased(Semester), aliased(Semester), aliased(Semester)
    here = County.id
    return and_(
        ~exists().where(inside.county_id == here, inside.starts_on <= day, inside.ends_on >= day),
        exists().where(before.county_id == here, before.ends_on < day),
        exists().where(after.county_id == here, after.starts_on > day),
    )
