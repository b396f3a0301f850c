"""Select the school days of classes in SQL, with the exceptions of schools, grades and classes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Date,
    Subquery,
    and_,
    case,
    column,
    exists,
    func,
    literal,
    not_,
    or_,
    select,
    true,
    values,
)
from sqlalchemy.orm import aliased
from sqlalchemy.sql.selectable import CTE

from app.cadence.calendar import SATURDAY, days_after
from app.models import CalendarDay, CalendarException, ClassGrade, SchoolClass, Semester

ONE_DAY = timedelta(days=1)


def class_days(
    first: date, last: date, *among: ColumnElement[bool], name: str = "class_day"
) -> Subquery:
    """Return the school days of each class between two days: class_id, day, number, from_end.

    `among` narrows the classes by conditions on SchoolClass. As in the calendar, a class's own
    exception wins over those of its grades, these over its school's, and a day without a row in
    the county's calendar counts by its weekday, outside of vacations.
    """
    day = _days(first, last, name)
    county, school, own = CalendarDay, aliased(CalendarException), aliased(CalendarException)
    in_school = func.coalesce(
        school.is_school_day, county.is_school_day, and_(day.c.is_weekday, ~_is_vacation(day.c.day))
    )
    has_class = func.coalesce(own.is_school_day, _of_grades(day.c.day, in_school), in_school)
    number = func.row_number().over(partition_by=SchoolClass.id, order_by=day.c.day)
    from_end = func.row_number().over(partition_by=SchoolClass.id, order_by=day.c.day.desc())
    return (
        select(
            SchoolClass.id.label("class_id"),
            day.c.day,
            number.label("number"),
            from_end.label("from_end"),
        )
        .join(day, true())
        .outerjoin(county, and_(county.county_id == SchoolClass.county_id, county.day == day.c.day))
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
        .where(has_class, *among)
        .subquery(name)
    )


def _days(first: date, last: date, name: str) -> CTE:
    """Return the days between two, each with whether offices work on its weekday."""
    rows: Sequence[tuple[date, bool]] = [
        (day, day.weekday() < SATURDAY) for day in days_after(first - ONE_DAY, last)
    ]
    columns = column("day", Date), column("is_weekday", Boolean)
    return values(*columns, name=f"{name}_of_county").data(rows).cte(f"{name}_of_county")


def _of_grades(day: ColumnElement[date], in_school: ColumnElement[bool]) -> ColumnElement[bool]:
    """Tell whether one of the class's grades has class; nothing where no grade departs."""
    grade, departs = aliased(ClassGrade), aliased(CalendarException)
    of_class = and_(grade.class_id == SchoolClass.id)
    of_grade = and_(
        departs.school_id == SchoolClass.school_id,
        departs.grade == grade.grade,
        departs.class_id.is_(None),
        departs.day == day,
    )
    # Named: from two levels down, class and day would be taken for tables of the inner query.
    has_departure = exists().where(of_grade).correlate_except(departs)
    any_departs = exists().where(of_class, has_departure).correlate_except(grade)
    follows_school = exists().where(of_class, not_(has_departure)).correlate_except(grade)
    is_open = exists().where(of_grade, departs.is_school_day).correlate_except(departs)
    any_open = exists().where(of_class, is_open).correlate_except(grade)
    open_anyway = or_(any_open, and_(in_school, follows_school))
    return case((any_departs, open_anyway), else_=literal(None, Boolean))


def _is_vacation(day: ColumnElement[date]) -> ColumnElement[bool]:
    """Tell whether a day lies between two semesters that are known."""
    inside, before, after = aliased(Semester), aliased(Semester), aliased(Semester)
    here = SchoolClass.county_id
    return and_(
        ~exists().where(inside.county_id == here, inside.starts_on <= day, inside.ends_on >= day),
        exists().where(before.county_id == here, before.ends_on < day),
        exists().where(after.county_id == here, after.starts_on > day),
    )
