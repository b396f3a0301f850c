"""The page of the year's turn: a preview, one step, and the way back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from app.models import Child, Enrolment, Promotion, SchoolClass, SchoolYear
from tests.conftest import CountyBuilder, Login

TURN = date(2026, 9, 1)


@pytest.fixture(autouse=True)
def september() -> Iterator[None]:
    """Stop the clock on the second day of the new school year."""
    with time_machine.travel("2026-09-02T04:00:00+00:00", tick=True):
        yield


@pytest.fixture
def child(county: CountyBuilder) -> int:
    """Return a child in grade 7 of a county whose next school year is entered."""
    _ = county.year
    last = date(2027, 8, 31)
    here = county.here.id
    county.add(SchoolYear(county_id=here, name="2026—2027学年", starts_on=TURN, ends_on=last))
    row = county.school_class(name="七年级1班")
    made = county.child("莫小明", school_class=row)
    place = county.scope_of(county.a_school)
    seat = {"child_id": made.id, "class_id": row.id, "valid_from": date(2025, 9, 1)}
    county.add(Enrolment(**seat, **place))
    return seat["child_id"]


def seat(county: CountyBuilder, child: int) -> str | None:
    query = select(SchoolClass.name).join(Child, Child.class_id == SchoolClass.id)
    return county.scalar(query.where(Child.id == child))


def test_clerk_looks_promotes_once_and_takes_it_back(
    login: Login, county: CountyBuilder, child: int
) -> None:
    clerk = login("school_clerk", school=county.a_school)

    preview = clerk.soup("/promotion/plan").select_one("main").get_text(" ", strip=True)
    before = seat(county, child)
    clerk.submit("/promotion/plan", {}, select="form[method=post][action*=plan]")
    promoted = seat(county, child)
    again = clerk.soup("/promotion/plan")
    done = county.scalar(select(Promotion.id))
    clerk.submit(f"/promotion/show/{done}", {}, select="form[action*=undo]")

    assert "八年级1班" in preview
    assert before == "七年级1班"
    assert promoted == "八年级1班"
    assert not again.select("form[method=post][action*=plan]")
    assert seat(county, child) == "七年级1班"
    assert county.scalar(select(func.count(Promotion.id))) == 1


def test_only_the_own_schools_are_promoted(login: Login, county: CountyBuilder, child: int) -> None:
    stranger = login("school_clerk", school=county.school())
    leader = login("township_leader", township=county.a_township)

    page = stranger.get(f"/promotion/plan?school={county.a_school.id}").get_data(as_text=True)
    stranger.post_with_token("/promotion/plan", {"school": str(county.a_school.id)})
    refused = leader.post_with_token("/promotion/plan")

    assert "七年级1班" not in page
    assert refused.status_code == 403
    assert seat(county, child) == "七年级1班"


def test_command_shows_does_and_takes_back(app: Flask, county: CountyBuilder, child: int) -> None:
    def run(*words: str) -> str:
        done = app.test_cli_runner().invoke(args=["promote", *words])
        assert done.exit_code == 0, done.output
        return done.output

    shown = run("--dry-run")
    before = seat(county, child)
    run("--school", county.a_school.code)
    promoted = seat(county, child)
    run("--undo")

    assert "1 up, 0 graduate" in shown
    assert (before, promoted, seat(county, child)) == ("七年级1班", "八年级1班", "七年级1班")
    assert app.test_cli_runner().invoke(args=["promote", "--undo"]).exit_code == 1
