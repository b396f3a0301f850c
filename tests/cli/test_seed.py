"""Part 9: the demonstration county: repeatable, consistent, and nobody real has failed in it."""

from __future__ import annotations

import itertools
import json
import stat
import time
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import LargeBinary, func, or_, select
from sqlalchemy.engine import make_url
from sqlalchemy.orm import selectinload
from stdnum.cn import ric

from app import clock, database
from app.base import Model, TownshipScoped
from app.cli import demo
from app.cli.demo.schools import lay_out_schools
from app.cli.reference import load_county
from app.columns import Encrypted
from app.extensions import db
from app.models import (
    Absence,
    Account,
    Answer,
    AnswerChild,
    Appointment,
    AttendanceReport,
    Child,
    ChildStatus,
    ClassLine,
    Clause,
    Enrolment,
    EvidenceFile,
    Feedback,
    Finding,
    FindingState,
    FindingStep,
    Inspection,
    InspectionParticipant,
    LiaisonAssignment,
    Person,
    ReturnVisit,
    RoleScope,
    School,
    SchoolClass,
    Township,
    Visit,
    VisitParticipant,
)
from app.security.accounts import find
from app.security.scope import mapped
from app.workflow.fault import faults_of
from app.workflow.party import INSPECTORS
from app.workflow.state import STEP
from tests import database as databases

AS_OF = date(2026, 11, 23)
REQUEST = demo.Request(schools=5, pupils=200, random_seed=1, as_of=AS_OF)
ROLES = {
    "task_group", "supervision_office", "liaison_leader", "liaison_department", "township_leader",
    "township_cadre", "education_assistant", "school_leader", "class_teacher", "school_clerk",
    "township_clerk", "system_administrator", "audit_administrator",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _cheap_hashes(app):
    app.config["FAB_PASSWORD_HASH_METHOD"] = "pbkdf2:sha256:1"
    yield
    del app.config["FAB_PASSWORD_HASH_METHOD"]


def seed(app, *arguments):
    return app.test_cli_runner().invoke(args=["seed", *arguments])


@pytest.fixture
def seeded(app, booted):
    """Yield a session on a small demonstration county, which each process makes once."""
    url, kept = app.config["SQLALCHEMY_DATABASE_URI"], app.config["INSTANCE_DIR"] / "kept.sqlite"
    name = make_url(url).database
    is_kept = kept.exists()
    if not is_kept:
        with app.app_context(), database.writing():
            demo.make(db.session(), app.config["SEED_DIR"], REQUEST)
            db.session.commit()
    disconnect(app)
    if booted[1] == "sqlite":
        source, target = (kept, Path(name)) if is_kept else (Path(name), kept)
        databases.copy_sqlite(source, target)
    else:
        source, target = (f"{name}_kept", name) if is_kept else (name, f"{name}_kept")
        databases.create_from_template(target, source)
        kept.touch()
    with app.app_context(), database.writing():
        yield db.session()
        db.session.remove()


def disconnect(app):
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def count(session, model, *conditions):
    return session.scalar(select(func.count()).select_from(model).where(*conditions))


COUNTED_ON = {"account", "change", "plugin_state", "role_scope"}
"""Tables whose keys the database gives: a rollback does not take the numbers back."""


def _is_given_key(column):
    """Tell whether a column holds a key that the database gave to a row that a plugin seeds."""
    tables = {column.table.name} if column.primary_key else set()
    tables |= {key.column.table.name for key in column.foreign_keys}
    return any(name.startswith("plg_") or name == "ledger_entry" for name in tables)


def dump(session):
    """Return all rows by table, without ciphertexts, wall-clock stamps, accounts and roles."""
    found = {}
    for table in Model.metadata.sorted_tables:
        if table.name.startswith("ab_") or table.name in COUNTED_ON:
            continue
        columns = [
            column
            for column in table.c
            if not isinstance(column.type, (Encrypted, LargeBinary))
            and column.name not in {"created_at", "changed_at", "user_id", "role_id"}
            and not _is_given_key(column)
        ]
        found[table.name] = session.execute(select(*columns).order_by(*table.primary_key)).all()
    return found


def test_seed_demo_makes_the_same_rows_for_the_same_arguments(app):
    with app.app_context(), database.writing():
        load_county(db.session(), app.config["SEED_DIR"])
        db.session.commit()
        dumps, start = [], time.process_time()
        for _ in range(2):
            demo.make(db.session(), app.config["SEED_DIR"], REQUEST)
            db.session.flush()
            dumps.append(dump(db.session()))
            db.session.rollback()
            db.session.expire_all()
        spent = time.process_time() - start

    first, second = dumps
    for table, rows in first.items():
        assert rows == second[table], table
    assert len(first["child"]) == 200
    assert spent / 2 < 10


def test_seed_demo_makes_as_many_as_asked(seeded):
    assert count(seeded, School) == 5
    assert count(seeded, Child) == 200
    assert count(seeded, Township) == 13
    names = seeded.scalars(select(Child.name)).all()
    assert len(set(names)) == len(names)
    present = set(seeded.scalars(select(ChildStatus.key).join(Child)))
    assert present == set(seeded.scalars(select(ChildStatus.key)))
    kinds = set(seeded.scalars(select(Absence.kind)))
    assert kinds == {"sick_leave", "personal_leave", "unexplained", "pending"}
    assert count(seeded, Visit, Visit.kind == "home")
    assert count(seeded, Visit, Visit.kind == "persuasion")
    assert not count(seeded, Visit, ~Visit.participants.any())
    types = set(seeded.scalars(select(Inspection.type_key)))
    assert types >= {"daily_check", "department_visit", "leader_visit", "township_visit"}
    assert types >= {"random_inspection", "semester_inspection"}


def test_schools_are_spread_over_all_townships(app):
    request = demo.Request(schools=26, pupils=2000, random_seed=3, as_of=AS_OF)
    with app.app_context(), database.writing():
        world = demo.begin(db.session(), app.config["SEED_DIR"], request)
        lay_out_schools(world, 26)
        focus = db.session.scalars(select(School.township_id).where(School.is_focus)).all()
        points = db.session.scalars(select(School).where(School.kind == "teaching_point")).all()

        assert len(set(focus)) == 13
        assert count(db.session, School) == 26
        assert points
        assert all(point.parent.township_id == point.township_id for point in points)
        db.session.rollback()


def test_id_numbers_are_valid_and_of_no_region(seeded):
    children = seeded.scalars(select(Child).where(Child.id_number.is_not(None))).all()

    assert len(children) >= 195
    for child in children:
        number = child.id_number
        assert number[:6] == "000000"
        assert ric.calc_check_digit(number) == number[-1]
        assert ric.get_birth_date(number) == child.born_on
        assert (int(number[16]) % 2 == 1) is (child.sex == "male")
    assert len({child.id_number for child in children}) == len(children)


def test_findings_are_in_every_state_and_closed_in_every_way(seeded):
    states = set(seeded.scalars(select(Finding.state)))
    steps = set(seeded.scalars(select(FindingStep.step)))
    overdue = count(seeded, Finding, Finding.state == "served", Finding.due_on < AS_OF)

    assert states == {str(state) for state in FindingState}
    assert steps == {"find", *STEP}
    assert overdue
    assert count(seeded, Finding, Finding.reopened > 0)
    assert count(seeded, ReturnVisit, ReturnVisit.is_rectified)
    assert count(seeded, ReturnVisit, ~ReturnVisit.is_rectified)


def test_steps_of_findings_follow_the_state_table(seeded):
    for finding in seeded.scalars(select(Finding).options(selectinload(Finding.steps))):
        steps = finding.steps
        assert steps[0].step == "find"
        assert steps[-1].to_state == finding.state
        assert steps[-1].due_on == finding.due_on
        assert sum(step.step in {"reopen", "recall"} for step in steps) == finding.reopened
        for before, step in itertools.pairwise(steps):
            rule = STEP[step.step]
            assert before.to_state == step.from_state
            assert step.from_state in rule.from_states
            assert step.to_state == rule.to_state
            assert before.happened_on <= step.happened_on <= AS_OF
            if "evidence" in rule.needs:
                held = EvidenceFile.evidence_set_id == step.evidence_set_id
                assert count(seeded, EvidenceFile, held) == 1
            if "note" in rule.needs:
                assert step.note
        if finding.closing == "return_visit" and not finding.is_self_found:
            assert "accept" not in {step.step for step in steps}
        assert (finding.closed_on is not None) is (finding.state == "closed")


def test_those_who_decide_are_not_those_who_found(seeded):
    decided = ("uphold", "dismiss", "accept")
    rows = seeded.execute(
        select(FindingStep, Finding, Appointment.template)
        .join(Finding, Finding.id == FindingStep.finding_id)
        .join(Appointment, Appointment.id == FindingStep.appointment_id)
        .where(FindingStep.step.in_(decided))
    ).all()

    assert rows
    for step, finding, template in rows:
        capacity = seeded.scalar(
            select(InspectionParticipant.capacity).where(
                InspectionParticipant.inspection_id == finding.inspection_id,
                InspectionParticipant.person_id == finding.found_by_id,
            )
        )
        assert step.person_id != finding.found_by_id
        assert INSPECTORS[template] >= INSPECTORS[capacity]


def test_findings_are_what_the_answers_say(seeded):
    stored = {}
    for finding in seeded.scalars(select(Finding).options(selectinload(Finding.steps))):
        if finding.steps[-1].step != "withdraw":
            key = (finding.item_id, finding.child_id)
            stored.setdefault(finding.inspection_id, set()).add(key)

    of_schools = Inspection.type_key != "daily_check"
    every_third = Inspection.id % 3 == 0
    for inspection in seeded.scalars(select(Inspection).where(or_(of_schools, every_third))):
        faults = {(fault.item.id, fault.child_id) for fault in faults_of(seeded, inspection)}
        assert faults == stored.get(inspection.id, set()), inspection


def test_feedback_covers_the_findings_of_its_inspection(seeded):
    for feedback in seeded.scalars(select(Feedback)):
        assert feedback.findings
        assert {finding.inspection_id for finding in feedback.findings} == {feedback.inspection_id}
        served = {
            step.happened_on for f in feedback.findings for step in f.steps if step.step == "serve"
        }
        assert served == ({feedback.served_on} if feedback.served_on else set())


def test_nobody_real_is_named_in_a_record(seeded):
    made_up = select(LiaisonAssignment.person_id).where(LiaisonAssignment.school_id.is_not(None))
    real = set(
        seeded.scalars(
            select(LiaisonAssignment.person_id).where(LiaisonAssignment.person_id.not_in(made_up))
        )
    )
    names = set(seeded.scalars(select(Person.name).where(Person.id.in_(real))))

    assert len(real) == 74
    assert not count(seeded, Person, Person.name.in_(names), Person.id.not_in(real))
    assert not count(seeded, Person, Person.id.in_(real), Person.user_id.is_not(None))
    named = [
        column
        for table in Model.metadata.tables.values()
        if table.name not in {"liaison_assignment", "person"}
        for column in table.c
        if any(key.column.table.name == "person" for key in column.foreign_keys)
    ]
    assert len(named) > 15
    for column in named:
        assert not real & set(seeded.scalars(select(column).distinct())), column


def test_rows_lie_in_the_township_of_their_school(seeded):
    places = dict(seeded.execute(select(School.id, School.township_id)).all())
    checked = 0
    for model in mapped(TownshipScoped):
        if not hasattr(model, "school_id"):
            continue
        pairs = select(model.school_id, model.township_id).distinct()
        rows = seeded.execute(pairs.where(model.school_id.is_not(None)))
        for school_id, township_id in rows:
            checked += 1
            assert places[school_id] == township_id, model
    assert checked > 50


def test_rows_lie_where_their_parent_lies(seeded):
    for child, parent, key in (
        (Answer, Inspection, "inspection_id"),
        (ClassLine, Inspection, "inspection_id"),
        (Finding, Inspection, "inspection_id"),
        (InspectionParticipant, Inspection, "inspection_id"),
        (AnswerChild, Answer, "answer_id"),
        (FindingStep, Finding, "finding_id"),
        (VisitParticipant, Visit, "visit_id"),
        (AttendanceReport, SchoolClass, "class_id"),
        (Enrolment, SchoolClass, "class_id"),
        (Absence, SchoolClass, "class_id"),
    ):
        astray = or_(
            child.township_id != parent.township_id,
            child.school_id.is_distinct_from(parent.school_id),
        )
        joined = select(func.count()).select_from(child)
        joined = joined.join(parent, parent.id == getattr(child, key))
        assert seeded.scalar(joined), child
        assert not seeded.scalar(joined.where(astray)), child


def test_offices_hang_on_the_role_of_their_township(seeded):
    offices = seeded.execute(
        select(
            Appointment.template,
            Appointment.township_id,
            RoleScope.template.label("role_template"),
            RoleScope.township_id.label("role_township_id"),
        ).join(RoleScope, RoleScope.role_id == Appointment.role_id)
    ).all()

    assert len(offices) == count(seeded, Appointment)
    assert all(office[:2] == office[2:] for office in offices)


def test_paper_is_entered_on_the_day_of_its_inspection(seeded):
    days = seeded.execute(
        select(Feedback.created_at, Inspection.occurred_on).join(
            Inspection, Inspection.id == Feedback.inspection_id
        )
    ).all()

    assert days
    assert all(clock.local(stamp).date() == day for stamp, day in days)


def test_reports_agree_with_the_absences(seeded):
    away = (
        select(func.count(Absence.id))
        .where(Absence.class_id == AttendanceReport.class_id, Absence.day == AttendanceReport.day)
        .scalar_subquery()
    )
    wrong = AttendanceReport.on_roll - AttendanceReport.present != away

    assert count(seeded, AttendanceReport) > 1000
    assert not count(seeded, AttendanceReport, wrong)


def test_findings_cite_clauses_that_exist(seeded):
    cited = set(seeded.scalars(select(Finding.clause_key).distinct()))

    assert cited
    assert cited <= set(seeded.scalars(select(Clause.key)))


def test_seed_demo_command_gives_each_role_a_login(app):
    result = seed(app, "demo", "--schools", "1", "--pupils", "100", "--as-of", "2026-06-15")

    assert result.exit_code == 0, result.output
    path = app.config["INSTANCE_DIR"] / "logins.json"
    logins = json.loads(path.read_text(encoding="utf-8"))["logins"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {login["role"] for login in logins} == ROLES
    assert len({login["password"] for login in logins}) == len(logins)
    with app.app_context():
        for login in logins:
            assert set(login) == {"role", "title", "username", "password", "person", "scope"}
            user = find(db.session(), login["username"])
            person = db.session.scalar(select(Person).where(Person.user_id == user.id))
            held = {appointment.template for appointment in person.appointments}
            assert login["role"] in held
            assert db.session.get(Account, user.id).is_demonstration
        both = {"system_administrator", "security_administrator"}
        admin = find(db.session(), "admin")
        person = db.session.scalar(select(Person).where(Person.user_id == admin.id))
        assert {appointment.template for appointment in person.appointments} == both


def test_seed_demo_again_changes_nothing(app):
    arguments = ("demo", "--schools", "1", "--pupils", "100", "--as-of", "2026-06-15")
    assert seed(app, *arguments).exit_code == 0
    logins = app.config["INSTANCE_DIR"] / "logins.json"
    before = logins.read_text(encoding="utf-8")
    with app.app_context():
        rows = dump(db.session())

    again = seed(app, *arguments, "--if-empty")
    refused = seed(app, *arguments)

    assert again.exit_code == 0
    assert refused.exit_code == 1
    assert "schools already" in refused.output
    assert logins.read_text(encoding="utf-8") == before
    with app.app_context():
        assert dump(db.session()) == rows


def test_seed_demo_is_refused_in_production(app, monkeypatch):
    monkeypatch.setitem(app.config, "IS_PRODUCTION", True)

    result = seed(app, "demo", "--schools", "1", "--pupils", "100")

    assert result.exit_code == 1
    assert "refused in production" in result.output
    with app.app_context():
        assert not count(db.session, School)


def test_seed_demo_refuses_a_day_without_calendar(app):
    result = seed(app, "demo", "--as-of", "2031-01-01")

    assert result.exit_code == 2
    assert "the calendar knows 2025-09-01 to 2027-08-31" in result.output


@pytest.mark.parametrize("day", ["2025-09-01", "2025-12-03", "2026-08-20"])
def test_seed_demo_stands_on_any_day_of_the_calendar(app, day):
    result = seed(app, "demo", "--schools", "1", "--pupils", "100", "--as-of", day)

    assert result.exit_code == 0, result.output
    with app.app_context():
        latest = db.session.scalar(select(func.max(Inspection.occurred_on)))
        assert latest is None or latest < date.fromisoformat(day)


def test_seed_county_loads_it_once(app):
    for _ in range(2):
        assert seed(app, "county").exit_code == 0

    with app.app_context():
        assert count(db.session, Township) == 13
        assert count(db.session, LiaisonAssignment) == 13 + 70


def test_new_rows_follow_the_seeded_ones(seeded):
    township = seeded.scalar(select(Township).limit(1))
    last = seeded.scalar(select(func.max(Person.id)))

    person = Person(name="某人", county_id=township.county_id)
    seeded.add(person)
    seeded.flush()

    assert person.id > last
    seeded.rollback()
