"""The children's screens: the present place and the history of places stay in step."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
import time_machine
from sqlalchemy import select

from app.models import Child, Enrolment
from tests.conftest import CountyBuilder, Login, Visitor
from tests.visitor import read

NOON = "2026-03-10T04:00:00+00:00"
AUTUMN, YESTERDAY, TODAY = date(2025, 9, 1), date(2026, 3, 9), date(2026, 3, 10)
Places = list[tuple[int | None, date, date | None]]


@pytest.fixture(autouse=True)
def march() -> Iterator[None]:
    """Stop the clock on a day of school."""
    with time_machine.travel(NOON, tick=True):
        yield


@pytest.fixture
def assistant(login: Login, county: CountyBuilder) -> Visitor:
    """Return one who keeps the children of the township."""
    return login("education_assistant", township=county.a_township)


def places(county: CountyBuilder, child: Child) -> Places:
    query = select(Enrolment).filter_by(child_id=child.id).order_by(Enrolment.valid_from)
    return [(row.class_id, row.valid_from, row.valid_to) for row in county.all(query)]


def stored(county: CountyBuilder, child: Child) -> Child:
    return county.scalar(select(Child).filter_by(id=child.id))


def seated(county: CountyBuilder, valid_from: date) -> Child:
    """Return a child whose one place began on a day."""
    seat = county.school_class()
    child = county.child(school_class=seat)
    scope = county.scope_of(county.a_school)
    county.add(Enrolment(child_id=child.id, class_id=seat.id, valid_from=valid_from, **scope))
    return child


def test_a_move_on_the_childs_form_is_kept_in_his_history(
    assistant: Visitor, county: CountyBuilder
) -> None:
    child = seated(county, AUTUMN)
    first, second = child.class_id, county.school_class().id
    elsewhere = county.school()
    third = county.school_class(elsewhere).id
    form = f"/childview/edit/{child.id}"

    assistant.submit(form, {"village": "大榕村"})
    untouched = places(county, child)
    assistant.submit(form, {"school_class": second})
    moved = places(county, child)
    assistant.submit(form, {"school": elsewhere.id, "school_class": third})
    again = places(county, child)
    assistant.submit(form, {"school": "", "school_class": "", "township": county.a_township.id})

    assert untouched == [(first, AUTUMN, None)]
    assert moved == [(first, AUTUMN, YESTERDAY), (second, TODAY, None)]
    assert again == [(first, AUTUMN, YESTERDAY), (third, TODAY, None)]
    assert places(county, child) == [(first, AUTUMN, YESTERDAY)]
    assert stored(county, child).school_id is None


def test_a_place_entered_late_ends_where_the_next_begins(
    assistant: Visitor, county: CountyBuilder
) -> None:
    child = seated(county, AUTUMN)
    present, former, coming = child.class_id, county.school_class().id, county.school_class().id

    def entered(seat: int, valid_from: date) -> str:
        answer = assistant.submit(
            "/enrolmentview/add",
            {
                "child": child.id,
                "school": county.a_school.id,
                "school_class": seat,
                "valid_from": valid_from.isoformat(),
            },
        )
        if answer.request.path != "/enrolmentview/add":
            return "stored"
        return str(read(answer).select_one(".has-error input")["name"])

    assert entered(former, date(2024, 9, 1)) == "stored"
    assert places(county, child) == [
        (former, date(2024, 9, 1), date(2025, 8, 31)),
        (present, AUTUMN, None),
    ]
    assert stored(county, child).class_id == present

    assert entered(coming, AUTUMN) == "valid_from"
    assert entered(coming, TODAY) == "stored"
    assert places(county, child)[1:] == [(present, AUTUMN, YESTERDAY), (coming, TODAY, None)]
    assert stored(county, child).class_id == coming


def test_the_child_follows_the_corrected_class_of_the_present_place_only(
    assistant: Visitor, county: CountyBuilder
) -> None:
    child = seated(county, AUTUMN)
    present, scope = child.class_id, county.scope_of(county.a_school)
    seats = [county.school_class().id for _ in range(2)]
    former = county.add(
        Enrolment(
            child_id=child.id, valid_from=date(2024, 9, 1), valid_to=date(2025, 8, 31), **scope
        )
    )
    place = county.scalar(select(Enrolment.id).filter_by(child_id=child.id, valid_from=AUTUMN))

    assistant.submit(f"/enrolmentview/edit/{former.id}", {"school_class": seats[0]})
    before = stored(county, child).class_id
    assistant.submit(f"/enrolmentview/edit/{place}", {"school_class": seats[1]})

    assert before == present
    assert stored(county, child).class_id == seats[1]
    assert places(county, child)[0][0] == seats[0]
