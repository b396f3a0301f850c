"""Field kinds: what is asked, kept, suggested and complained about."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select
from wtforms import Form

from app import clock
from app.base import Model
from app.checklists import roster
from app.checklists.forms import new_answer
from app.checklists.kind import FieldContext, FieldKind, trimmed
from app.checklists.kinds import CORE_KINDS, Unknown, kind_of
from app.checklists.roster import children_listed
from app.extensions import db
from app.models import (
    Absence,
    Answer,
    AnswerChild,
    ChecklistChoice,
    ChecklistItem,
    ChildGroup,
    ClassLine,
    Code,
    Inspection,
    RuleRun,
    SchoolClass,
    Verdict,
    Violation,
)
from app.security.guard import unrestricted

DAY = date(2026, 3, 5)


@pytest.fixture
def request_context(app) -> Iterator[None]:
    with app.test_request_context():
        yield


def make_item(kind: str, **values: Any) -> ChecklistItem:
    choices = values.pop("choices", ())
    item = ChecklistItem(id=1, key="it", kind=kind, text="检查", is_required=True, **values)
    item.choices = [ChecklistChoice(key=key, title=key) for key in choices]
    return item


def make_answer(item: ChecklistItem, **values: Any) -> Answer:
    values.setdefault("verdict", Verdict.UNCHECKED)
    return Answer(item=item, inspection=Inspection(occurred_on=DAY, school_id=1), **values)


def context_for(answer: Answer) -> FieldContext:
    return FieldContext(db.session(), answer.inspection)


def asked(kind: FieldKind, item: ChecklistItem, context: FieldContext, **typed: str) -> Form:
    """Return the kind's fields in a form that holds what was typed."""
    from werkzeug.datastructures import MultiDict

    parts = {part.name: part.field for part in kind.build(item, context)}
    return type("Asked", (Form,), parts)(MultiDict(typed))


def test_every_kind_of_the_core_has_a_key_of_its_own(app):
    keys = [kind.key for kind in CORE_KINDS]

    assert keys == [
        "plain", "document", "integer", "pair", "date", "text", "choice", "roster",
        "document_per_child", "class_lines", "rule_result",
    ]  # fmt: skip


def test_plugins_add_kinds_and_a_lost_one_still_shows_what_is_stored(app, monkeypatch):
    class Minutes(FieldKind):
        """Ask for minutes."""

        key = "minutes"

    registry = type(app.extensions["registry"])
    monkeypatch.setattr(registry, "field_kinds", lambda self: (Minutes,))
    with app.test_request_context():
        item = make_item("minutes")
        assert isinstance(kind_of("minutes"), Minutes)
        lost = kind_of("gone")

        assert isinstance(lost, Unknown)
        assert lost.show(make_answer(item, number=7, text="旧")) == "7；旧"


@pytest.mark.parametrize("kind", [kind.key for kind in CORE_KINDS if kind.key != "rule_result"])
def test_nothing_typed_suggests_nothing(request_context, kind):
    answer = make_answer(make_item(kind))

    assert kind_of(kind).propose(answer, context_for(answer)) is None


@pytest.mark.parametrize(
    ("kind", "typed", "kept"),
    [
        ("document", {"day": "2026-03-01"}, {"day": date(2026, 3, 1)}),
        ("integer", {"number": "12"}, {"number": 12}),
        ("pair", {"number": "12", "number_other": "11"}, {"number": 12, "number_other": 11}),
        ("date", {"day": "2026-03-01"}, {"day": date(2026, 3, 1)}),
        ("text", {"text": " 情况 "}, {"text": "情况"}),
        ("choice", {"choice": "b"}, {"choice": "b"}),
        ("choice", {"choice": ""}, {"choice": None}),
        ("integer", {"number": ""}, {"number": None}),
    ],
)
def test_what_is_typed_is_kept_and_loaded(request_context, kind, typed, kept):
    item = make_item(kind, choices=("a", "b"))
    answer = make_answer(item)
    made, context = kind_of(kind), context_for(answer)
    form = asked(made, item, context, **typed)
    assert form.validate(), form.errors

    made.store({name: field.data for name, field in form._fields.items()}, answer, context)

    assert {name: getattr(answer, name) for name in kept} == kept
    loaded = {name: value or None for name, value in made.load(answer).items()}
    assert loaded == kept


@pytest.mark.parametrize(
    ("kind", "typed"),
    [
        ("integer", {"number": "zwölf"}),
        ("integer", {"number": "99999999999"}),
        ("integer", {"number": "1e5"}),
        ("date", {"day": "2026-02-30"}),
        ("date", {"day": "gestern"}),
        ("choice", {"choice": "<script>"}),
        ("text", {"text": "长" * 5001}),
    ],
)
def test_wrong_values_are_named_at_their_field(request_context, kind, typed):
    item = make_item(kind, choices=("a", "b"))
    form = asked(kind_of(kind), item, context_for(make_answer(item)), **typed)

    assert not form.validate()
    assert set(form.errors) == set(typed)


@pytest.mark.parametrize(
    ("first", "second", "verdict"),
    [(5, 5, Verdict.CONFORMS), (5, 4, Verdict.FAILS), (0, 0, Verdict.CONFORMS), (None, 0, None)],
)
def test_pair_suggests_a_verdict(request_context, first, second, verdict):
    answer = make_answer(make_item("pair"), number=first, number_other=second)

    assert kind_of("pair").propose(answer, context_for(answer)) == verdict


@pytest.mark.parametrize(("number", "complaints"), [(None, 1), (4, 1), (5, 0), (10, 0), (11, 1)])
def test_bounds_and_presence_of_a_number(request_context, number, complaints):
    item = make_item("integer", minimum=5, maximum=10)
    answer = make_answer(item, number=number, verdict=Verdict.CONFORMS)

    assert len(list(kind_of("integer").problems(item, answer))) == complaints


def test_number_of_an_item_that_was_not_judged_is_not_asked(request_context):
    item = make_item("integer", minimum=5)

    assert not list(kind_of("integer").problems(item, make_answer(item)))


@pytest.mark.parametrize(
    ("line", "verdict"),
    [
        ({"on_roll": 40, "present": 40}, Verdict.CONFORMS),
        ({"on_roll": 40, "present": 38, "on_leave": 2}, Verdict.CONFORMS),
        ({"on_roll": 40, "present": 38}, Verdict.FAILS),
        ({"on_roll": 40, "present": 38, "note": "两人参赛"}, Verdict.CONFORMS),
        ({"on_roll": 40, "present": 39, "unexplained": 1}, Verdict.FAILS),
        ({"on_roll": 40, "present": 39, "unexplained": 1, "note": " "}, Verdict.FAILS),
        ({"on_roll": 40, "present": 40, "desks": 41}, Verdict.FAILS),
        ({"on_roll": 40, "present": 40, "desks": 40, "chairs": 40}, Verdict.CONFORMS),
        ({"on_roll": 40}, None),
    ],
)
def test_class_lines_suggest_a_verdict(request_context, line, verdict):
    answer = make_answer(make_item("class_lines"))
    answer.inspection.class_lines.append(
        ClassLine(class_id=1, school_class=SchoolClass(name="701", position=1), **line)
    )

    assert kind_of("class_lines").propose(answer, context_for(answer)) == verdict


def test_class_lines_speak_against_the_item_where_the_teacher_reported_another_number(
    request_context,
):
    answer = make_answer(make_item("class_lines"))
    room = SchoolClass(name="701", position=1)
    answer.inspection.class_lines.append(
        ClassLine(class_id=1, school_class=room, on_roll=40, present=40)
    )
    context = FieldContext(db.session(), answer.inspection, reported={1: 39})

    assert kind_of("class_lines").propose(answer, context) == Verdict.FAILS


@pytest.fixture
def visited(county) -> Inspection:
    """Return a record whose school has children of several kinds."""
    from tests.inspection.conftest import item, publish

    school = county.a_school
    room = county.school_class(school)
    version = publish(county, "annex_1", [item("it", "roster")], date(2026, 2, 24))
    for name, status in (
        ("在读", "enrolled"),
        ("疑似", "suspected"),
        ("休学", "policy_suspension"),
    ):
        county.child(name, school=school, school_class=room, status=status)
    county.child("外校疑似", school=county.school("外校"), status="suspected")
    disabled = county.child("残疾", school=school, school_class=room)
    group = county.scalar(select(Code).filter_by(domain="special_group", key="disabled"))
    county.add(
        ChildGroup(
            child_id=disabled.id,
            group_id=group.id,
            valid_from=date(2025, 9, 1),
            **county.scope_of(school),
        )
    )
    sick = county.child("病假", school=school, school_class=room)
    county.add(
        Absence(
            class_id=room.id,
            child_id=sick.id,
            day=DAY,
            kind="sick_leave",
            **county.scope_of(school),
        )
    )
    return county.add(
        Inspection(
            type_key="township_visit",
            checklist_version_id=version,
            occurred_on=DAY,
            **county.scope_of(school),
        )
    )


@pytest.mark.parametrize(
    ("lists", "names"),
    [
        (("monitored",), {"疑似", "休学"}),
        (("policy_suspension", "policy_deferral"), {"休学"}),
        (("disabled",), {"残疾"}),
        (("absent",), {"病假"}),
        (("absent", "disabled"), {"病假", "残疾"}),
        (("unheard_of",), set()),
    ],
)
def test_lists_name_the_children_of_the_school(app, visited, lists, names):
    with app.app_context():
        record = db.session.get(Inspection, visited.id)
        rows = children_listed(lists, FieldContext(db.session(), record))

        assert {row.title for row in rows} == names


def test_children_of_a_list_are_read_once(app, visited):
    with app.app_context():
        context = FieldContext(db.session(), db.session.get(Inspection, visited.id))

        assert children_listed(("absent",), context) is children_listed(("absent",), context)


def test_roster_keeps_who_was_seen_and_suggests_only_when_all_were(app, visited):
    with app.test_request_context(), unrestricted():
        record = db.session.get(Inspection, visited.id)
        item = db.session.scalar(
            select(ChecklistItem).where(ChecklistItem.version_id == record.checklist_version_id)
        )
        answer = new_answer(record, item)
        kind, context = kind_of("roster"), FieldContext(db.session(), record)
        first, second = (row.key for row in kind.rows(item, context))

        kind.store({f"child_{first}_verdict": "conforms"}, answer, context)
        assert kind.propose(answer, context) is None
        kind.store({f"child_{second}_verdict": "conforms"}, answer, context)
        assert kind.propose(answer, context) == Verdict.CONFORMS
        kind.store({f"child_{second}_verdict": "fails"}, answer, context)
        assert kind.propose(answer, context) == Verdict.FAILS
        assert [type(line) for line in answer.children] == [AnswerChild, AnswerChild]
        db.session.rollback()


def test_roster_says_that_it_ends_early_and_suggests_nothing(app, visited, monkeypatch):
    monkeypatch.setattr(roster, "CHILDREN_SHOWN", 1)
    with app.test_request_context(), unrestricted():
        record = db.session.get(Inspection, visited.id)
        item = db.session.scalar(
            select(ChecklistItem).where(ChecklistItem.version_id == record.checklist_version_id)
        )
        answer = new_answer(record, item)
        kind, context = kind_of("roster"), FieldContext(db.session(), record)

        (shown,) = kind.rows(item, context)
        kind.store({f"child_{shown.key}_verdict": "conforms"}, answer, context)

        assert kind.propose(answer, context) is None
        assert "1" in kind.remark(item, context)
        monkeypatch.setattr(roster, "CHILDREN_SHOWN", 2)
        shown_in_full = FieldContext(db.session(), record)
        assert len(kind.rows(item, shown_in_full)) == 2
        assert kind.remark(item, shown_in_full) == ""
        db.session.rollback()


@pytest.mark.parametrize(
    ("has_rule", "has_run", "violated", "verdict"),
    [
        (False, False, True, None),
        (True, False, False, None),
        (True, True, False, Verdict.CONFORMS),
        (True, True, True, Verdict.FAILS),
    ],
)
def test_rule_result_follows_the_rule_where_it_exists(
    app, county, visited, monkeypatch, has_rule, has_run, violated, verdict
):
    rules = (SimpleNamespace(key="some.rule"),) if has_rule else ()
    monkeypatch.setattr(type(app.extensions["registry"]), "rules", lambda self: rules)
    if has_run:
        county.add(RuleRun(rule_key="some.rule", as_of=DAY, started_at=clock.now()))
    if violated:
        county.add(
            Violation(
                rule_key="some.rule",
                code="X-1",
                severity="violation",
                subject_type="child",
                subject_id=1,
                period_start=DAY,
                first_seen=DAY,
                **county.scope_of(county.a_school),
            )
        )
    with app.test_request_context(), unrestricted():
        record = db.session.get(Inspection, visited.id)
        answer = SimpleNamespace(item=make_item("rule_result", rule="some.rule"))
        context = FieldContext(db.session(), record)

        assert kind_of("rule_result").propose(answer, context) == verdict


@pytest.mark.parametrize(
    ("given", "kept"), [(" a ", "a"), ("", None), ("\x00", None), (None, None)]
)
def test_texts_are_trimmed(given, kept):
    assert trimmed(given) == kept


def test_kinds_add_no_table():
    assert not any(name.startswith("field_kind") for name in Model.metadata.tables)
