"""Part 8: a class teacher reads and writes his own class only, wherever rows are shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask, g
from flask_appbuilder.baseviews import BaseModelView
from sqlalchemy import func, insert, select, update

from app.base import Refused
from app.crud.owner import OWNER, owner_models
from app.extensions import db
from app.files.evidence import store
from app.models import (
    Absence,
    AttendanceReport,
    Child,
    Enrolment,
    EvidenceFile,
    EvidenceSet,
    Guardian,
    Person,
    School,
    SchoolClass,
    Visit,
    VisitParticipant,
)
from app.security import classes
from app.security.scope import Scope, table_of
from tests.builder import CountyBuilder
from tests.conftest import Login
from tests.security.planting import Planter, snapshot
from tests.security.test_matrix import MOVING, kind_of
from tests.security.test_statements import counted
from tests.visitor import Visitor

OWN, OTHER = "甲", "蠡"
OF_SCHOOL = {"school", "inspection", "feedback", "obligation"}
"""Tables among many whose rows no class owns."""


@dataclass
class Ground:
    """Two classes of one school with a row of every scoped model each, and the first's teacher."""

    visitor: Visitor
    own: dict[str, list[int]]
    other: dict[str, list[int]]
    narrowed: set[str]


@pytest.fixture
def ground(app: Flask, county: CountyBuilder, login: Login) -> Ground:
    own = Planter(app, county.a_school, OWN).plant()
    other = Planter(app, county.a_school, OTHER).plant()
    person = county.person("班主任", place=county.a_school)
    table = table_of(SchoolClass)
    county.execute(
        update(table).where(table.c.id == own["school_class"][0]).values(teacher_id=person.id)
    )
    with app.app_context():
        tables = [table_of(model) for model in _models(app)]
        narrowed = {one.name for one in tables if classes.is_of_classes(one)}
    visitor = login("class_teacher", school=county.a_school, person=person)
    return Ground(visitor, own, other, narrowed)


def _models(app: Flask) -> list[Any]:
    from app.security.scope import narrowed_models

    return [model for model in narrowed_models() if model.__tablename__ in _planted_names(app)]


def _planted_names(app: Flask) -> set[str]:
    from tests.security.planting import _tables

    return {table.name for table in _tables()}


def test_tables_of_children_and_classes_are_found_by_themselves(ground: Ground) -> None:
    expected = {
        "school_class", "class_grade", "child", "enrolment", "status_event", "guardian",
        "child_group", "absence", "attendance_report", "class_line", "visit", "visit_participant",
        "answer_child", "evidence_set", "evidence_file", "finding",
    }  # fmt: skip

    assert expected <= ground.narrowed
    assert not ground.narrowed & OF_SCHOOL


def name_of(county: CountyBuilder, ground: Ground) -> str:
    """Return the name of the other class."""
    key = ground.other["school_class"][0]
    return str(county.scalar(select(SchoolClass.name).where(SchoolClass.id == key)))


def test_lists_pages_and_lookups_show_no_other_class(
    app: Flask, county: CountyBuilder, ground: Ground
) -> None:
    """Every list, page, form, related list and lookup, with the rows of the other class asked."""
    visitor, seen = ground.visitor, 0
    for view in app.extensions["appbuilder"].baseviews:
        if not isinstance(view, BaseModelView) or kind_of(view) not in ground.narrowed:
            continue
        route, keys = view.route_base, ground.other[kind_of(view)]
        listed = visitor.get(f"{route}/list/?psize_{type(view).__name__}=100")
        seen += listed.status_code == 200
        assert OTHER not in listed.get_data(as_text=True), route
        for page in ("show", "edit", "delete"):
            answer = visitor.get(f"{route}/{page}/{keys[0]}")
            assert answer.status_code in {302, 403, 404, 405}, f"{route}/{page}"
            assert OTHER not in answer.get_data(as_text=True), f"{route}/{page}"
    for name in sorted(ground.narrowed):
        for query in ("page=1", f"q={OTHER}", f"id={ground.other[name][0]}"):
            answer = visitor.get(f"/lookup/{name}?{query}")
            assert f"{OTHER}1" not in answer.get_data(as_text=True), name
            assert str(ground.other[name][0]) not in [
                str(row["id"]) for row in (answer.get_json(silent=True) or {}).get("results", ())
            ], name
    for page in (f"/schoolview/show/{ground.own['school'][0]}", "/", "/attendance/"):
        assert name_of(county, ground) not in visitor.get(page).get_data(as_text=True), page

    assert seen > 5
    own = visitor.get(f"/childview/show/{ground.own['child'][0]}")
    assert own.status_code == 200
    assert OWN in visitor.get("/childview/list/").get_data(as_text=True)
    assert OWN in visitor.get("/absenceview/list/").get_data(as_text=True)


def test_forms_and_posts_change_no_other_class(
    app: Flask, ground: Ground, county: CountyBuilder, login: Login
) -> None:
    visitor, other = ground.visitor, ground.other
    paper = f"/evidence/{_paper_of_visit(app, county, other['visit'][0])}"
    before = snapshot(app, without=MOVING | {"submit_token"})

    for path in (
        f"/attendance/{other['school_class'][0]}",
        f"/visitview/edit/{other['visit'][0]}",
        f"/visitview/delete/{other['visit'][0]}",
        f"/visitparticipantview/edit/{other['visit_participant'][0]}",
        paper,
    ):
        answer = visitor.post_with_token(path, {"deed": "all"})
        assert answer.status_code in {302, 403, 404, 405}, path
    assert visitor.get(paper).status_code == 404
    foreign = visitor.submit("/visitview/add", _visit(other["child"][0]))
    missing = visitor.submit("/visitview/add", _visit(999_999))

    assert _errors(foreign) == _errors(missing) != ""
    assert snapshot(app, without=MOVING | {"submit_token"}) == before
    clerk = login("school_clerk", school=county.a_school)
    assert clerk.get(paper).status_code == 200


def test_file_of_another_class_opens_through_records_of_the_whole_school_alone(
    app: Flask, county: CountyBuilder, ground: Ground
) -> None:
    """One planted set hangs on a record of every model; those that no class owns let go of it.

    What opened it is a record of the school that every one of its teachers may read; none of the
    records of the other class does.
    """
    visitor, planted = ground.visitor, ground.other["evidence_set"][0]
    paper = f"/evidence/{ground.other['evidence_file'][0]}"
    with app.app_context():
        holding = [table_of(model) for model in owner_models()]
    of_school = [table for table in holding if table.name not in ground.narrowed]
    opening = []
    assert len(holding) > len(of_school) + 8

    for table in of_school:
        before = visitor.get(paper).status_code
        county.execute(update(table).where(table.c[OWNER] == planted).values(evidence_set_id=None))
        if visitor.get(paper).status_code != before:
            opening.append(table.name)

    assert visitor.get(paper).status_code == 404
    assert opening == ["liaison_contact"]  # the links of school and township are for all its staff


def _paper_of_visit(app: Flask, county: CountyBuilder, visit_id: int) -> int:
    """Put a file on a visit alone, on no record that the whole school reads."""
    place = county.scope_of(county.a_school)
    held = county.add(EvidenceSet(is_staged=False, **place))
    with app.app_context():
        stored = store().put(b"%PDF-1.7 paper")
    file = county.add(
        EvidenceFile(
            evidence_set_id=held.id, name="记录", media_type="application/pdf", size=1,
            original_sha256="0" * 64, stored_sha256=stored, **place,
        )
    )  # fmt: skip
    visit = table_of(Visit)
    county.execute(update(visit).where(visit.c.id == visit_id).values(evidence_set_id=held.id))
    return file.id


def _visit(child: int) -> dict[str, str]:
    return {"child": str(child), "kind": "home", "visited_on": "2026-03-02"}


def _errors(page: Any) -> str:
    from tests.visitor import read

    return " ".join(part.get_text(" ") for part in read(page).select(".field-error, .help-block"))


@pytest.fixture
def school(county: CountyBuilder) -> dict[str, Any]:
    """Make two classes with a child each and a file on the absence of the second."""
    first, second = (county.school_class(), county.school_class())
    kids = [county.child(name, school_class=one) for name, one in (("甲", first), ("乙", second))]
    place = county.scope_of(county.a_school)
    held = county.add(EvidenceSet(is_staged=False, **place))
    county.add(
        EvidenceFile(
            evidence_set_id=held.id, name="假条", media_type="image/png", size=1,
            original_sha256="0" * 64, stored_sha256="0" * 64, **place,
        )
    )  # fmt: skip
    away = {"class_id": second.id, "kind": "sick_leave", "day": first_day()}
    county.add(Absence(child_id=kids[1].id, evidence_set_id=held.id, **away, **place))
    return {
        "classes": [first.id, second.id],
        "kids": [kid.id for kid in kids],
        "school": county.a_school.id,
        "scope": Scope(
            "schools",
            county.here.id,
            school_ids=frozenset({county.a_school.id}),
            class_ids=frozenset({first.id}),
            user_id=None,
        ),
    }


def first_day() -> Any:
    from tests.builder import LONG_AGO

    return LONG_AGO


def test_statements_of_every_kind_see_the_own_class_only(
    app: Flask, school: dict[str, Any]
) -> None:
    with app.test_request_context(method="POST"):
        g.scope = school["scope"]
        session = db.session()

        assert session.scalars(select(Child.name)).all() == ["甲"]
        assert session.scalars(select(SchoolClass.id)).all() == school["classes"][:1]
        assert session.get(Child, school["kids"][1]) is None
        assert session.scalar(select(func.count(Absence.id))) == 0
        assert session.scalars(select(EvidenceFile)).all() == []
        joined = select(Child.name).join(SchoolClass, SchoolClass.id == Child.class_id)
        assert session.scalars(joined).all() == ["甲"]
        inner = select(Person.id).where(Person.id.in_(select(SchoolClass.teacher_id)))
        assert session.scalars(inner).all() == []
        assert session.execute(update(Child).values(sex="male")).rowcount == 1
        assert session.scalars(select(School.id)).all() == [school["school"]]
        figures = select(table_of(Child).c.township_id, table_of(Child).c.school_id)
        assert session.execute(g.scope.narrow(figures)).all() == []
        session.rollback()


@pytest.mark.parametrize(
    "deed",
    [
        "guardian", "guardian by relation", "absence", "report", "visit", "move away", "take over",
        "participant", "class", "child", "bulk insert", "bulk move",
    ],
)  # fmt: skip
def test_rows_of_another_class_are_never_written(
    app: Flask, county: CountyBuilder, school: dict[str, Any], deed: str
) -> None:
    own, other = school["kids"]
    first, second = school["classes"]
    place = county.scope_of(county.a_school)
    visit = county.add(Visit(child_id=other, kind="home", visited_on=first_day(), **place))
    guardian = county.add(Guardian(child_id=other, name="父亲", **place))
    kid = county.session.get(Child, other)
    with app.test_request_context(method="POST"):
        g.scope = school["scope"]
        session = db.session()
        stored = session.get(Child, own)
        assert stored is not None
        made: dict[str, Any] = {
            "guardian": Guardian(child_id=other, name="乙父", **place),
            "absence": Absence(
                child_id=other, class_id=first, day=first_day(), kind="pending", **place
            ),
            "report": AttendanceReport(
                class_id=second, day=first_day(), on_roll=1, present=1,
                reported_at=visit.created_at, **place,
            ),
            "visit": Visit(child_id=other, kind="home", visited_on=first_day(), **place),
            "participant": VisitParticipant(
                visit_id=visit.id, name="甲", organisation_kind_id=1, **place
            ),
            "class": SchoolClass(name="新班", school_year_id=county.year.id, **place),
            "child": Child(name="新", status_id=stored.status_id, **place),
        }  # fmt: skip

        def act() -> None:
            if deed in made:
                session.add(made[deed])
            elif deed == "guardian by relation":
                row = Guardian(name="乙父", **place)
                row.child = session.merge(kid, load=False)
                session.add(row)
            elif deed == "move away":
                stored.class_id = second
            elif deed == "take over":
                session.merge(guardian, load=False).child_id = own
            elif deed == "bulk insert":
                session.execute(insert(Enrolment).values(child_id=own, **place))
            else:
                session.execute(update(Child).values(class_id=second))
            session.flush()

        with pytest.raises(Refused):
            act()
        session.rollback()


def test_own_rows_are_written_in_few_statements(
    app: Flask, county: CountyBuilder, school: dict[str, Any]
) -> None:
    own = school["kids"][0]
    place = county.scope_of(county.a_school)
    with app.test_request_context(method="POST"):
        g.scope = school["scope"]
        session = db.session()
        kind = _kind(session)
        with counted(app) as seen:
            for number in range(5):
                session.add(Guardian(child_id=own, name=f"亲属{number}", **place))
            visit = Visit(child_id=own, kind="home", visited_on=first_day(), **place)
            visit.participants.append(
                VisitParticipant(name="甲", organisation_kind_id=kind, **place)
            )
            session.add(visit)
            session.flush()

        assert sum("FROM child" in one for one in seen) == 1, "\n".join(seen)
        session.rollback()


def _kind(session: Any) -> int:
    from app.models import Code

    return int(session.scalar(select(Code.id).limit(1)))


def test_a_teacher_costs_no_further_statement_and_a_stand_in_sees_the_class(
    app: Flask, county: CountyBuilder, login: Login, school: dict[str, Any]
) -> None:
    teacher = county.person("班主任", place=county.a_school)
    row = county.session.get(SchoolClass, school["classes"][0])
    row.teacher_id = teacher.id
    county.add(row)
    office = county.appointment(teacher, "class_teacher", school=county.a_school)
    visitor = login("class_teacher", school=county.a_school)
    assert "甲" not in visitor.get("/childview/list/").get_data(as_text=True)
    stand_in = county.person("代班", place=county.a_school)
    helper = login("class_teacher", school=county.a_school, person=stand_in)
    from app.models import Appointment

    county.execute(
        update(Appointment)
        .where(Appointment.person_id == stand_in.id)
        .values(acting_for_id=office.id)
    )

    helper.get("/account/")
    with counted(app) as seen:
        helper.get("/account/")

    assert "甲" in helper.get("/childview/list/").get_data(as_text=True)
    assert "乙" not in helper.get("/childview/list/").get_data(as_text=True)
    assert len(seen) <= 2
