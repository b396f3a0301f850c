"""Tell on which days an inspection of a school counts: its school days (LP24-3-1)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from flask_babel import format_date
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from app.cadence.calendar import ONE_DAY, Exceptions, load_many_exceptions
from app.models import School
from app.parameters.value import Parameters, load_parameters

EVENING = "core.boarding_return_evening_counts"


def refusal_of_school_day(session: Session, school: School, day: date) -> str | None:
    """Return why no inspection of a school counts on a day; None where one does."""
    return refusals_of_school_days(session, [(school, day)])[0]


def refusals_of_school_days(
    session: Session, visits: Iterable[tuple[School, date]]
) -> list[str | None]:
    """Return for each school and day why no inspection counts on it, in five statements."""
    asked = list(visits)
    if not asked:
        return []
    evening = load_parameters(session, [EVENING])
    days = {day for _school, day in asked}
    schools = {school.id for school, _day in asked}
    county_id = asked[0][0].county_id
    held = load_many_exceptions(session, county_id, schools, min(days), max(days) + ONE_DAY)
    return [_refusal(school, day, held[school.id], evening) for school, day in asked]


def _refusal(school: School, day: date, held: Exceptions, evening: Parameters) -> str | None:
    if held.is_school_day(day):
        return None
    if school.is_boarding and evening.on(EVENING, day) and held.is_school_day(day + ONE_DAY):
        return None  # the evening on which boarders return
    return _(
        "%(school)s has no class on %(day)s: an inspection on this day does not count. Correct the"
        " day; if classes were held, have it entered under “Calendar exceptions” first.",
        school=school.name,
        day=format_date(day),
    )
