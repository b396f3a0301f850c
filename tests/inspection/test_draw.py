"""Classes are drawn by the figures of the day, the same for the same record."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from sqlalchemy import select

from app.models import ClassLine, SchoolClass
from app.workflow.draw import Draw, Roll, drawn_classes
from tests.inspection.conftest import TODAY, item, publish
from tests.inspection.test_inspection_flow import open_draft, send, stored

DRAW = Draw(at_least=3, percent=20, all_up_to=6, focus_grades=frozenset({8, 9}), per_focus_grade=1)


def rolls(*grades: int) -> list[Roll]:
    return [
        Roll(SchoolClass(id=number, name=str(number)), frozenset({grade}), 40)
        for number, grade in enumerate(grades, start=1)
    ]


@pytest.mark.parametrize(
    ("classes", "drawn"),
    [(0, 0), (1, 1), (6, 6), (7, 3), (15, 3), (16, 4), (20, 4), (21, 5), (40, 8)],
)
def test_number_of_classes(classes, drawn):
    assert len(drawn_classes(rolls(*[7] * classes), DRAW, is_focus=False, seed="1")) == drawn


@pytest.mark.parametrize("seed", [str(number) for number in range(30)])
def test_focus_school_always_has_its_grades(seed):
    grades = [7] * 10 + [8] * 1 + [9] * 2

    drawn = drawn_classes(rolls(*grades), DRAW, is_focus=True, seed=seed)

    assert len(drawn) == 3
    assert {8, 9} <= {grade for roll in drawn for grade in roll.grades}


def test_same_seed_draws_the_same_and_seeds_differ():
    held = rolls(*[7] * 30)
    draws = [
        tuple(r.school_class.id for r in drawn_classes(held, DRAW, is_focus=False, seed=str(s)))
        for s in (1, 1, 2, 3, 4)
    ]

    assert draws[0] == draws[1]
    assert len(set(draws)) > 2


def test_without_figures_every_class_is_called():
    held = rolls(*[7] * 30)

    assert len(drawn_classes(held, Draw(), is_focus=True, seed="1")) == 30


@pytest.fixture
def school(county):
    school = county.school("大校", is_focus=True)
    for number in range(12):
        made = county.school_class(school, grades=(7 + number % 3,), position=number)
        county.child(school=school, school_class=made)
    publish(
        county,
        "annex_1",
        [item("rolls", "class_lines", is_required=True)],
        date(2026, 2, 24),
    )
    return school


@pytest.fixture
def leader(county, school):
    return county.person("王镇长", place=county.a_township)


@pytest.fixture
def visitor(login, county, leader) -> Iterator[object]:
    return login("township_leader", township=county.a_township, person=leader)


def lines(county) -> list[ClassLine]:
    return county.all(select(ClassLine).order_by(ClassLine.class_id))


def test_opening_a_visit_draws_classes_with_their_rolls(county, school, visitor, leader):
    open_draft(visitor, school, leader)

    drawn = lines(county)
    assert len(drawn) == 3
    assert all(line.is_drawn and line.on_roll == 1 and line.day == TODAY for line in drawn)
    grades = {grade.grade for line in drawn for grade in line.school_class.grades}
    assert {8, 9} <= grades


def test_redraw_needs_a_reason_and_keeps_counted_classes(county, school, visitor, leader):
    url = open_draft(visitor, school, leader)
    first = lines(county)
    kept = first[0].class_id
    before = {line.class_id for line in first}

    send(visitor, url, "redraw")
    assert {line.class_id for line in lines(county)} == before

    for number in range(5):
        send(
            visitor,
            url,
            "redraw",
            redraw_reason=f"外出{number}",
            **{f"item_rolls_class_{kept}_present": "1"},
        )

    after = {line.class_id for line in lines(county)}
    assert kept in after
    assert stored(county).redraw_reason.startswith("外出0")


def test_counts_of_a_roll_call_are_stored_and_a_difference_fails(county, school, visitor, leader):
    url = open_draft(visitor, school, leader)
    typed = {}
    for line in lines(county):
        typed[f"item_rolls_class_{line.class_id}_present"] = "1"
        typed[f"item_rolls_class_{line.class_id}_desks"] = "1"
    first = lines(county)[0].class_id
    typed[f"item_rolls_class_{first}_present"] = "0"

    send(visitor, url, "submit", **typed)

    from app.models import Finding

    found = county.all(select(Finding))
    assert len(found) == 1
    assert stored(county).submitted_at is not None
