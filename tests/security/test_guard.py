"""Part 8: the guard narrows every statement and refuses every write outside the scope."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask, g
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session, aliased, joinedload

from app.base import Refused
from app.extensions import db
from app.models import Change, Child, ChildStatus, Person, School, Visit
from app.security.guard import unrestricted
from app.security.scope import EVERYTHING, NOTHING, Scope, undeclared
from tests.builder import LONG_AGO, CountyBuilder

Bind = Callable[[Scope | None], Any]


@pytest.fixture
def bind(app: Flask) -> Bind:
    """Return a block that acts like a writing request under a scope."""

    @contextmanager
    def enter(scope: Scope | None) -> Iterator[Session]:
        with app.test_request_context(method="POST"):
            if scope is not None:
                g.scope = scope
            yield db.session()
            db.session.rollback()

    return enter


@pytest.fixture
def places(county: CountyBuilder) -> dict[str, Any]:
    """Make two townships with children, and a visit that followed its child to another school."""
    here, beside = county.a_school, county.school("旁校")
    there = county.school("外校", county.township("外镇"))
    kids = [
        county.child(name, school) for name, school in (("甲", here), ("乙", beside), ("丙", there))
    ]
    visit = county.add(
        Visit(child_id=kids[0].id, kind="home", visited_on=LONG_AGO, **county.scope_of(there))
    )
    return {
        "schools": [one.id for one in (here, beside, there)],
        "townships": [here.township_id, there.township_id],
        "kids": [kid.id for kid in kids],
        "visit": visit.id,
        "county": here.county_id,
    }


def of_school(places: dict[str, Any], number: int = 0) -> Scope:
    return Scope("schools", places["county"], school_ids=frozenset({places["schools"][number]}))


def of_township(places: dict[str, Any], number: int = 0) -> Scope:
    return Scope("township", places["county"], frozenset({places["townships"][number]}))


def of_county(places: dict[str, Any]) -> Scope:
    return Scope("county", places["county"])


def test_every_model_declares_who_sees_its_rows(app: Flask) -> None:
    assert list(undeclared()) == []


def test_statements_see_only_the_scope(bind: Bind, places: dict[str, Any]) -> None:
    cases = [
        (None, ""), (NOTHING, ""), (of_school(places), "甲"), (of_township(places), "甲乙"),
        (of_township(places, 1), "丙"), (of_county(places), "甲乙丙"), (EVERYTHING, "甲乙丙"),
    ]  # fmt: skip

    for scope, names in cases:
        with bind(scope) as session:
            query = select(Child.name).order_by(Child.id)
            assert "".join(session.scalars(query)) == names
            assert session.scalar(select(func.count()).select_from(Child)) == len(names)
            found = [session.get(Child, key) for key in places["kids"]]
            assert "".join(kid.name for kid in found if kid) == names
            other = aliased(Child)
            assert "".join(session.scalars(select(other.name).order_by(other.id))) == names
            assert "".join(kid.name for kid in session.query(Child).order_by(Child.id)) == names
            inside = select(School.id).where(School.id.in_(select(Child.school_id)))
            assert len(session.scalars(inside).all()) == len(names)


def test_relations_are_narrowed_lazily_and_joined(bind: Bind, places: dict[str, Any]) -> None:
    with bind(of_township(places, 1)) as session:
        lazy = session.scalars(select(Visit)).one()
        assert lazy.child is None
    with bind(of_township(places, 1)) as session:
        joined = session.scalars(select(Visit).options(joinedload(Visit.child))).one()
        assert joined.child is None


def test_a_childs_rows_follow_it_to_its_present_school_for_reading(
    bind: Bind, places: dict[str, Any]
) -> None:
    with bind(of_school(places)) as session:
        visit = session.get(Visit, places["visit"])
        assert visit is not None
        visit.next_step = "改"
        with pytest.raises(Refused):
            session.flush()


def test_bulk_statements_touch_only_the_scope(
    bind: Bind, places: dict[str, Any], county: CountyBuilder
) -> None:
    with bind(of_township(places)) as session:
        assert session.execute(update(Child).values(sex="male")).rowcount == 2
        assert session.execute(delete(Visit).where(Visit.id == places["visit"])).rowcount == 1
    with bind(of_township(places)) as session, pytest.raises(Refused):
        session.execute(update(Child).values(school_id=places["schools"][2]))
    with bind(of_township(places)) as session, pytest.raises(Refused):
        session.execute(update(Child), [{"id": places["kids"][2], "sex": "male"}])
    with bind(of_school(places)) as session, pytest.raises(Refused):
        session.execute(insert(Child).values(name="x", township_id=places["townships"][1]))
    with bind(of_township(places)) as session, pytest.raises(Refused):
        session.execute(insert(Change).values(action="x"))


@pytest.mark.parametrize(
    ("number", "given", "kept"),
    [
        (0, {}, (0, 0)),
        (0, {"school_id": 0}, (0, 0)),
        (0, {"school_id": 1}, None),
        (0, {"school_id": 2}, None),
        (0, {"school_id": 0, "township_id": 1}, (0, 0)),
        (0, {"township_id": 0}, None),
    ],
)
def test_new_rows_of_a_school_are_completed_or_refused(
    bind: Bind,
    places: dict[str, Any],
    number: int,
    given: dict[str, int],
    kept: tuple[int, int] | None,
) -> None:
    with bind(of_school(places, number)) as session:
        child = Child(name="新", status_id=session.scalar(select(ChildStatus.id).limit(1)))
        for name, place in given.items():
            setattr(child, name, places["schools" if name == "school_id" else "townships"][place])
        session.add(child)

        if kept is None:
            with pytest.raises(Refused):
                session.flush()
        else:
            session.flush()
            assert child.school_id == places["schools"][kept[1]]
            assert child.township_id == places["townships"][kept[0]]
            assert child.county_id == places["county"]


def test_a_foreign_school_under_the_own_township_is_refused(
    bind: Bind, places: dict[str, Any]
) -> None:
    with bind(of_township(places)) as session:
        status = session.scalar(select(ChildStatus.id).limit(1))
        session.add(
            Child(
                name="新",
                status_id=status,
                township_id=places["townships"][0],
                school_id=places["schools"][2],
            )
        )
        with pytest.raises(Refused):
            session.flush()


@pytest.mark.parametrize(
    ("scope", "is_allowed"),
    [("near", False), ("far", False), ("both", True), ("neither", False), ("county", True)],
)
def test_only_who_covers_both_places_moves_a_child(
    bind: Bind, places: dict[str, Any], scope: str, is_allowed: bool
) -> None:
    scopes = {
        "near": of_township(places),
        "far": of_township(places, 1),
        "both": Scope("township", places["county"], frozenset(places["townships"])),
        "neither": NOTHING,
        "county": of_county(places),
    }

    with bind(scopes[scope]) as session:
        child = session.get(Child, places["kids"][0])
        if child is None:
            assert not is_allowed
            return
        child.school_id = places["schools"][2]
        if is_allowed:
            session.flush()
            assert child.township_id == places["townships"][1]
        else:
            with pytest.raises(Refused):
                session.flush()


def test_rows_of_the_county_are_read_by_all_and_written_by_the_county(
    bind: Bind, places: dict[str, Any], county: CountyBuilder
) -> None:
    official = county.person("县干部").id

    with bind(of_school(places)) as session:
        person = session.get(Person, official)
        assert person is not None
        person.title = "改"
        with pytest.raises(Refused):
            session.flush()
    with bind(of_county(places)) as session:
        person = session.get(Person, official)
        assert person is not None
        person.title = "改"
        session.flush()


def test_a_school_reads_who_of_its_township_inspected_it_and_nobody_elses_people(
    bind: Bind, places: dict[str, Any], county: CountyBuilder
) -> None:
    names = {"镇干部": county.a_township, "旁校教师": places["schools"][1]}
    for name, place in names.items():
        where = place if not isinstance(place, int) else county.session.get(School, place)
        county.person(name, where)

    with bind(of_school(places)) as session:
        assert list(session.scalars(select(Person.name))) == ["镇干部"]


def test_the_trail_is_closed_to_townships(bind: Bind, places: dict[str, Any]) -> None:
    with bind(of_township(places)) as session:
        assert session.scalars(select(Change)).all() == []
    with bind(of_county(places)) as session:
        assert session.scalars(select(Change).limit(1)).all() != []


def test_what_was_read_without_restriction_is_forgotten(bind: Bind, places: dict[str, Any]) -> None:
    with bind(of_school(places)) as session:
        with unrestricted():
            assert session.get(Child, places["kids"][2]) is not None

        assert session.get(Child, places["kids"][2]) is None


def test_commands_are_not_restricted(app: Flask, places: dict[str, Any]) -> None:
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Child)) == 3


def test_narrow_wraps_any_select_in_the_scope(app: Flask, places: dict[str, Any]) -> None:
    table = Child.__table__
    plain = select(table.c.name, table.c.township_id, table.c.school_id)

    with app.app_context():
        for scope, count in ((of_school(places), 1), (of_township(places), 2), (EVERYTHING, 3)):
            assert len(db.session.execute(scope.narrow(plain)).all()) == count
        assert db.session.execute(NOTHING.narrow(plain)).all() == []
