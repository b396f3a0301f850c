"""Derive from visits whether they are joint and whether they count, by select and in words."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select, update

from app.extensions import db
from app.models import ChildGroup, Code, Parameter, ParameterValue, Visit
from app.workflow.visit import is_counted, is_joint, standing
from tests.visits import semesters, visit

SPRING = date(2026, 3, 2)


def derived(county, row):
    """Return what the selects and the words say of a visit: joint, counted."""
    with county.context():
        said = db.session.execute(
            select(is_joint().label("joint"), is_counted().label("counted")).where(
                Visit.id == row.id
            )
        ).one()
        words = standing(db.session, db.session.get(Visit, row.id))
        db.session.remove()
    assert (bool(said.joint), bool(said.counted)) == (words.is_joint, words.is_counted)
    return words


@pytest.mark.parametrize(
    ("values", "joint"),
    [
        ({}, True),
        ({"kinds": ("school", "judicial_office")}, True),
        ({"kinds": ("village_committee", "county_department")}, True),
        ({"kinds": ("school", "village_committee")}, False),
        ({"kinds": ("school", "education_bureau")}, False),
        ({"kinds": ("township_government",)}, False),
        ({"kinds": ("township_government", "township_government")}, False),
        ({"kinds": ()}, False),
        ({"kind": "home"}, False),
        ({"is_remote": True}, False),
        ({"met_child": False}, True),
        ({"met_guardian": False}, True),
        ({"met_child": False, "met_guardian": False}, False),
        ({"has_evidence": False}, False),
        ({"visited_on": date(2024, 2, 25)}, False),
    ],
)
def test_visit_is_joint_by_who_came_whom_they_met_and_what_proves_it(county, values, joint):
    row = visit(county, **{"visited_on": SPRING, **values})

    assert derived(county, row).is_joint is joint


@pytest.mark.parametrize(
    ("values", "counted"),
    [
        ({"kinds": ("school",)}, True),
        ({"kinds": ("school",), "met_child": False}, True),
        ({"met_child": False, "met_guardian": False}, False),
        ({"has_evidence": False}, False),
        ({"kind": "home"}, False),
        ({"is_remote": True}, False),
    ],
)
def test_visit_counts_where_somebody_was_met_in_person(county, values, counted):
    row = visit(county, **{"visited_on": SPRING, **values})

    assert derived(county, row).is_counted is counted


def outside(county, child, **values):
    """Register a child as living elsewhere with its parents."""
    group = county.scalar(
        select(Code.id).filter_by(domain="special_group", key="outside_with_parents")
    )
    facts = {"valid_from": date(2026, 3, 1), **values}
    county.add(
        ChildGroup(child_id=child.id, group_id=group, **facts, **county.scope_of(county.a_school))
    )


@pytest.mark.parametrize(
    ("registered", "values", "counted"),
    [
        ({}, {}, True),
        ({}, {"met_guardian": False}, False),
        ({}, {"met_child": False}, False),
        ({"valid_from": date(2026, 3, 3)}, {}, False),
        ({"valid_from": SPRING}, {}, True),
        ({"valid_to": SPRING}, {}, True),
        ({"valid_to": date(2026, 3, 1)}, {}, False),
    ],
)
def test_contact_from_afar_counts_for_children_registered_elsewhere(
    county, registered, values, counted
):
    child = county.child()
    outside(county, child, **registered)

    row = visit(county, child, visited_on=SPRING, is_remote=True, **values)

    assert derived(county, row).is_counted is counted
    assert not derived(county, row).is_joint


def test_one_contact_from_afar_counts_in_each_semester(county):
    semesters(county)
    child = county.child()
    outside(county, child, valid_from=date(2025, 9, 1))
    days = [date(2026, 1, 5), date(2026, 2, 27), date(2026, 3, 2), date(2026, 3, 3)]

    rows = [visit(county, child, visited_on=day, is_remote=True) for day in days]

    # The window of the first semester lasts until the second begins on 2 March.
    assert [derived(county, row).is_counted for row in rows] == [True, False, True, False]


def test_values_of_the_visits_own_day_decide(county):
    before = visit(county, visited_on=SPRING)
    after = visit(county, visited_on=date(2026, 3, 3))
    parameter = county.scalar(select(Parameter).filter_by(key="core.joint_kinds_min"))

    county.add(ParameterValue(parameter_id=parameter.id, valid_from=date(2026, 3, 3), number=3))

    assert derived(county, before).is_joint
    assert not derived(county, after).is_joint


def test_kinds_that_count_are_marked_at_the_codes(county):
    row = visit(county, visited_on=SPRING, kinds=("school", "village_committee"))

    county.execute(update(Code).where(Code.key == "village_committee").values(is_counted=True))

    assert derived(county, row).is_joint


def test_lacking_conditions_are_named(county):
    row = visit(county, visited_on=SPRING, kinds=("school",), has_evidence=False)

    assert len(derived(county, row).joint) == 3
