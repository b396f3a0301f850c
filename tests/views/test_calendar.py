"""The calendar's screens: exceptions that cannot contradict each other."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from app.models import CalendarException
from tests.conftest import CountyBuilder, Login
from tests.visitor import read

MIGRATIONS = str(Path("app/migrations").resolve())
MONDAY = date(2026, 3, 2)


def test_exception_of_a_whole_is_kept_once_a_day(login: Login, county: CountyBuilder) -> None:
    office, seat = login("supervision_office"), county.school_class()
    wholes = ({}, {"grade": 7}, {"school_class": seat.id})
    plain = {"school": county.a_school.id, "day": MONDAY.isoformat(), "reason": "运动会"}

    for whole in wholes:
        first = office.submit("/calendarexceptionview/add", {**plain, **whole})
        second = office.submit("/calendarexceptionview/add", {**plain, **whole})

        assert "/show/" in first.request.path
        assert second.request.path == "/calendarexceptionview/add"
        assert read(second).select_one(".has-error"), whole
    both = office.submit(
        "/calendarexceptionview/add",
        {**plain, "day": "2026-03-03", "grade": 7, "school_class": seat.id},
    )

    assert both.request.path == "/calendarexceptionview/add"
    assert county.scalar(select(func.count(CalendarException.id))) == len(wholes)


def test_revision_keeps_the_exception_entered_last(app: Flask, county: CountyBuilder) -> None:
    seat, scope = county.school_class(), county.scope_of(county.a_school)
    plain = {"day": MONDAY, "reason": "运动会", **scope}
    with app.app_context():
        downgrade(MIGRATIONS, "0006")
    for is_school_day in (True, False):
        county.add(CalendarException(is_school_day=is_school_day, **plain))
        county.add(CalendarException(is_school_day=is_school_day, class_id=seat.id, **plain))
    county.session.rollback()

    with app.app_context():
        upgrade(MIGRATIONS)

    kept = county.all(select(CalendarException).order_by(CalendarException.id))
    assert [(row.class_id, row.is_school_day) for row in kept] == [(None, False), (seat.id, False)]
    with pytest.raises(IntegrityError):
        county.add(CalendarException(is_school_day=True, **plain))
