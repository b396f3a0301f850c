"""Part 8: walk every address as every role; rows of other places neither show nor change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from flask_appbuilder.baseviews import BaseModelView
from sqlalchemy import update
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from app.base import registry
from app.imports import entities
from app.models import SchoolClass
from app.security.roles import TEMPLATES
from tests.builder import CountyBuilder
from tests.conftest import Login, log_in
from tests.security.planting import Planter, snapshot
from tests.visitor import Visitor, read, text_of

FAR, NEAR, OWN = "蠹", "蠡", "甲"
"""Marks: rows of another township, of another school of the township, of the own school."""
MISSING = 2_000_000_000
MONTH = "month=2026-03"
"""The month of what was planted: a bulletin of it counts those rows."""
FEWEST_BELOW = 12
HOSTILE = ("0", "-1", "9" * 30, "x'--", "%00")
PUBLIC = frozenset(
    {
        "HomeView.index",
        "LocaleView.index",
        "LoginApi.login",
        "SignInView.login",
        "SignInView.logout",
        "UtilView.back",
        "health.healthz",
    }
)
"""Everything that answers without a login; a rule that is not named here must ask for one."""
OF_THE_ACCOUNT = frozenset(
    {
        "ActingView.choose",
        "ActingView.choose_one",
        "MyAccountView.password",
        "MyAccountView.userinfo",
    }
)
"""What everybody who is signed in may ask for: the own account and the own offices."""
ACTIONS = (".action", ".action_post")
"""A screen that knows no action of the name says so before it asks who is there."""
ASKS_WITHIN = frozenset({"action", "action_post"})
"""Methods of the base view that look the permission of the named action up by themselves."""
MOVING = frozenset({"change", "submit_token", "account", "ab_user", "permission_version"})


ADDRESSED = frozenset({"DueItemView", "InterviewCandidateView", "OwnCaseView"})
"""Screens of what is addressed to the reader himself: of planted rows he may get none.

What they do show is tested with them.
"""


@dataclass(frozen=True)
class Ground:
    """What was planted where."""

    far: dict[str, list[int]]
    near: dict[str, list[int]]
    own: dict[str, list[int]]


@pytest.fixture
def ground(app: Flask, county: CountyBuilder) -> Ground:
    """Plant rows of every scoped model in the own school, beside it and far away."""
    places = {
        FAR: county.school(f"{FAR}校", county.township("外镇")),
        NEAR: county.school(f"{NEAR}校"),
        OWN: county.a_school,
    }
    planted = {mark: Planter(app, school, mark).plant() for mark, school in places.items()}
    for mark in (FAR, NEAR):
        assert Planter(app, places[mark], mark).plant_below(planted[OWN]) > FEWEST_BELOW
    return Ground(planted[FAR], planted[NEAR], planted[OWN])


def visitor_of(key: str, county: CountyBuilder, login: Login) -> Visitor:
    """Log somebody of a template in: over one school or over its township."""
    kind = TEMPLATES[key].scope_kind
    if TEMPLATES[key].is_of_classes:
        person = county.person(place=county.a_school)
        own = SchoolClass.school_id == county.a_school.id
        county.execute(update(SchoolClass).where(own).values(teacher_id=person.id))
        return login(key, school=county.a_school, person=person)
    if kind == "schools":
        return login(key, school=county.a_school)
    if kind == "township":
        return login(key, township=county.a_township)
    if kind == "linked":
        person = county.person()
        county.liaison(person, key, county.a_school)
        return login(key, person=person)
    return login(key)


def forbidden_marks(key: str) -> tuple[str, ...]:
    """Return the marks that a template's holder must never read."""
    kind = TEMPLATES[key].scope_kind
    return {"county": (), "township": (FAR,)}.get(kind, (FAR, NEAR))


def view_of(app: Flask, rule: Rule) -> tuple[Any, str]:
    """Return the view and the method behind a rule."""
    owner, _dot, method = rule.endpoint.rpartition(".")
    for view in app.extensions["appbuilder"].baseviews:
        if view.endpoint == owner:
            return view, method
    return None, method


def rules(app: Flask) -> list[Rule]:
    """Return every rule but the static files."""
    return [rule for rule in app.url_map.iter_rules() if not rule.endpoint.endswith("static")]


def kind_of(view: Any) -> str:
    """Return under which name the rows of a view were planted."""
    model = view.datamodel.obj
    return str(getattr(model, "inspection_type_key", model.__tablename__))


def keys_for(app: Flask, rule: Rule, *grounds: dict[str, list[int]]) -> list[int]:
    """Return the keys of the rows on some grounds that a rule may be asked for.

    A page that is no view of a model may mean rows of any table.
    """
    view, _method = view_of(app, rule)
    if isinstance(view, BaseModelView):
        return [key for ground in grounds for key in ground.get(kind_of(view), [])]
    return sorted({key for ground in grounds for keys in ground.values() for key in keys})


def paths(app: Flask, rule: Rule, keys: list[Any]) -> Iterator[tuple[str, Any]]:
    """Yield the addresses of a rule, filled with keys and with the names that it knows."""
    names = sorted(rule.arguments)
    if not names:
        yield rule.rule, None
        return
    view, _method = view_of(app, rule)
    for key in keys if _asks_for_rows(rule) else keys[:1]:
        values: dict[str, Any] = dict.fromkeys(names, key)
        with app.app_context():
            filled = list(_words(rule, view))
        for words in filled:
            address = app.url_map.bind("localhost").build(
                rule.endpoint, {**values, **words}, method=sorted(rule.methods - {"HEAD"})[0]
            )
            yield address, key


def _asks_for_rows(rule: Rule) -> bool:
    return bool(rule.arguments - {"table"}) and rule.arguments != {"key"}


def _words(rule: Rule, view: Any) -> Iterator[dict[str, str]]:
    if "name" in rule.arguments and getattr(view, "actions", None):
        yield from ({"name": name} for name in view.actions)
    elif "table" in rule.arguments:
        yield from ({"table": table} for table in ("child", "person", "inspection", "school"))
    elif rule.arguments == {"key"}:
        known = [one.key for one in (*registry.bulletins(), *entities())]
        yield from ({"key": key} for key in ("nothing", *known))
    else:
        yield {}


def bodies(app: Flask, rule: Rule, row: Any, token: str) -> Iterator[dict[str, str]]:
    """Yield what to post: a row, and one after the other the actions that run on ticked rows."""
    view, method = view_of(app, rule)
    body = {"csrf_token": token, "rowid": str(row)}
    if method == "action_post":
        yield from ({**body, "action": name} for name in view.actions)
    else:
        yield body


def methods(rule: Rule) -> set[str]:
    """Return the methods that do something."""
    return set(rule.methods or ()) - {"HEAD", "OPTIONS"}


@pytest.mark.parametrize("key", TEMPLATES)
def test_roles_see_and_change_nothing_of_other_places(
    app: Flask, county: CountyBuilder, login: Login, ground: Ground, key: str
) -> None:
    visitor, marks = visitor_of(key, county, login), forbidden_marks(key)
    token = visitor.token()
    before = snapshot(app, without=MOVING)
    asked = 0

    for rule in rules(app):
        if rule.endpoint in PUBLIC:
            continue
        # To readers of the whole county no row is foreign: theirs is a walk past every address.
        grounds = (ground.far, ground.near) if marks else (ground.far,)
        foreign = [*keys_for(app, rule, *grounds), MISSING]
        for path, row in paths(app, rule, foreign):
            rows = foreign if row is None else [row]
            for answer in _answers(app, visitor, rule, path, rows, token):
                asked += 1
                said = f"{answer.request.method} {path}"
                assert answer.status_code < 500, f"{said}: {answer.status_code}"
                assert not [mark for mark in marks if mark in text_of(answer)], said
                if marks == (FAR, NEAR) and row is not None and _names_row(app, rule):
                    assert answer.status_code in {403, 404}, said

    assert asked > 150
    if marks:
        after = snapshot(app, without=MOVING)
        assert _touched(before, after, marks) == []


def _answers(
    app: Flask, visitor: Visitor, rule: Rule, path: str, rows: list[Any], token: str
) -> Iterator[TestResponse]:
    """Ask for an address in every way that it knows; one that takes its rows by post, for each."""
    for method in sorted(methods(rule) - {"POST"}):
        yield visitor.open(f"{path}?{MONTH}", method=method)
    if "POST" in methods(rule):
        for row in rows if rule.endpoint.endswith(".action_post") else rows[:1]:
            for body in bodies(app, rule, row, token):
                yield visitor.post(path, data=body)


def _names_row(app: Flask, rule: Rule) -> bool:
    view, method = view_of(app, rule)
    return isinstance(view, BaseModelView) and "pk" in rule.arguments and method != "action_post"


def _touched(
    before: dict[str, list[Any]], after: dict[str, list[Any]], marks: tuple[str, ...]
) -> list[str]:
    """Return the foreign rows that differ."""

    def marked(rows: dict[str, list[Any]]) -> set[str]:
        return {row for table in rows.values() for row in table if any(m in row for m in marks)}

    return sorted(marked(before) ^ marked(after))


@pytest.mark.parametrize("key", ["school_leader", "township_leader", "liaison_leader"])
def test_pages_of_own_rows_show_nothing_of_other_places_and_change_nothing(
    app: Flask, county: CountyBuilder, login: Login, ground: Ground, key: str
) -> None:
    visitor, marks = visitor_of(key, county, login), forbidden_marks(key)
    before = snapshot(app, without=MOVING)
    shown = 0

    for rule in rules(app):
        if "GET" not in methods(rule) or not _asks_for_rows(rule):
            continue
        for path, _row in paths(app, rule, keys_for(app, rule, ground.own)):
            answer = visitor.get(path)
            shown += OWN in text_of(answer)
            assert answer.status_code < 500, path
            assert not [mark for mark in marks if mark in text_of(answer)], path

    assert shown > 3
    after = snapshot(app, without=MOVING)
    assert [name for name, rows in before.items() if rows != after[name]] == []  # only read


@pytest.mark.parametrize("key", ["school_leader", "township_leader", "liaison_leader"])
def test_lookups_lists_and_searches_hold_only_own_rows(
    app: Flask, county: CountyBuilder, login: Login, ground: Ground, key: str
) -> None:
    visitor, marks = visitor_of(key, county, login), forbidden_marks(key)
    asked = []

    for table in [*ground.far, "nothing"]:
        queries = (f"q={FAR}", f"q={NEAR}", "page=1", f"id={ground.far.get(table, [1])[0]}")
        asked += [f"/lookup/{table}?{query}" for query in queries]
    for view in app.extensions["appbuilder"].baseviews:
        if isinstance(view, BaseModelView) and "list" not in view.exclude_route_methods:
            name = type(view).__name__
            columns = view.search_columns
            asked += [f"{view.route_base}/list/?_flt_0_{column}={FAR}" for column in columns]
            asked.append(f"{view.route_base}/list/?psize_{name}=100000&_oc_{name}=x&_od_{name}=asc")

    for path in asked:
        answer = visitor.get(path)
        text = answer.get_data(as_text=True)
        # The search form shows again what was typed into it.
        typed = text.replace(f'value="{FAR}"', "").replace(f'"{FAR}"', "").replace(f">{FAR}<", "")
        assert answer.status_code in {200, 302, 403, 404}, path
        assert not [mark for mark in marks if f"{mark}1" in typed or f"{mark}校" in typed], path


@pytest.mark.parametrize(
    "key", ["supervision_office", "school_leader", "class_teacher", "security_administrator"]
)
def test_every_lookup_of_a_form_answers_who_may_open_the_form(
    app: Flask, county: CountyBuilder, login: Login, ground: Ground, key: str
) -> None:
    visitor = visitor_of(key, county, login)
    asked: dict[str, str] = {}

    for rule in rules(app):
        if "GET" not in methods(rule) or rule.endpoint in PUBLIC or "table" in rule.arguments:
            continue
        view, _method = view_of(app, rule)
        own = ground.own.get(kind_of(view), []) if isinstance(view, BaseModelView) else []
        for path, _row in paths(app, rule, own or ground.own["school_class"][:1]):
            answer = visitor.get(path)
            if answer.status_code == 200 and answer.mimetype == "text/html":
                fields = read(answer).select("[data-endpoint]")
                asked |= {str(field["data-endpoint"]): path for field in fields}

    assert len(asked) > 2
    for endpoint, path in asked.items():
        assert visitor.get(endpoint).status_code == 200, f"{endpoint} of {path}"


@pytest.mark.parametrize("key", TEMPLATES)
def test_own_rows_show_with_the_permission_and_not_without(
    app: Flask, county: CountyBuilder, login: Login, ground: Ground, key: str
) -> None:
    from app.security.permissions import granted

    visitor = visitor_of(key, county, login)
    with app.app_context():
        allowed = granted(key)

    for view in app.extensions["appbuilder"].baseviews:
        if not isinstance(view, BaseModelView) or "show" in view.exclude_route_methods:
            continue
        for own in ground.own.get(kind_of(view), []):
            answer = visitor.get(f"{view.route_base}/show/{own}")
            if type(view).__name__ in ADDRESSED:
                assert answer.status_code in {200, 403, 404}, f"{view.route_base} {key}"
            elif ("can_show", view.class_permission_name) in allowed:
                assert answer.status_code == 200, f"{view.route_base} {key}"
            else:
                assert answer.status_code in {403, 404}, f"{view.route_base} {key}"


def test_every_rule_asks_for_a_permission_or_is_listed_as_public(
    app: Flask, client: Visitor
) -> None:
    open_rules = []

    for rule in rules(app):
        view, method = view_of(app, rule)
        name = getattr(getattr(view, method, None), "_permission_name", None)
        if name is None and method not in ASKS_WITHIN and rule.endpoint not in PUBLIC:
            open_rules.append(rule.endpoint)

    assert open_rules == []


def test_nobody_reads_anything_without_signing_in(
    app: Flask, client: Visitor, ground: Ground
) -> None:
    token = read(client.get("/login/")).select_one("input[name=csrf_token]")["value"]

    for rule in rules(app):
        if rule.endpoint in PUBLIC:
            continue
        for path, row in paths(app, rule, [1, MISSING]):
            for answer in _answers(app, client, rule, path, [row], token):
                said = f"{answer.request.method} {path}"
                assert answer.status_code in {302, 401, 403, 404}, said
                assert answer.status_code != 302 or "/login/" in str(answer.location), said
                assert not [mark for mark in (FAR, NEAR, OWN) if mark in text_of(answer)], said


@pytest.mark.parametrize("key", ["nobody"])
def test_who_holds_no_office_is_denied_everything_but_the_own_account(
    app: Flask, county: CountyBuilder, client: Visitor, ground: Ground, key: str
) -> None:
    log_in(client, county.account(county.person()).username)
    token = client.token()

    for rule in rules(app):
        if rule.endpoint in PUBLIC | OF_THE_ACCOUNT:
            continue
        own = keys_for(app, rule, ground.own)[:1] or [MISSING]
        for path, row in paths(app, rule, own):
            for answer in _answers(app, client, rule, path, [row], token):
                said = f"{answer.request.method} {path}"
                denied = {403, 404} if rule.endpoint.endswith(ACTIONS) else {403}
                assert answer.status_code in denied, said


@pytest.mark.parametrize("key", ["school_leader", "township_leader", "system_administrator"])
def test_hostile_keys_and_arguments_never_break_a_page(
    app: Flask, county: CountyBuilder, login: Login, key: str
) -> None:
    visitor = visitor_of(key, county, login)
    query = (
        "?page_X=abc&psize_X=-5&_oc_X=;drop&_od_X=up&_flt_9_x=1&_flt_0_name=%00&q=%27%22%3C&page=x"
    )

    for rule in rules(app):
        if "GET" not in methods(rule) or rule.endpoint in {"SignInView.logout"}:
            continue
        hostile = [key for key in HOSTILE if not _is_number(rule)]
        for path, _row in paths(app, rule, hostile or [MISSING]):
            for address in (path, path + query):
                answer = visitor.get(address)
                assert answer.status_code < 500, address


def _is_number(rule: Rule) -> bool:
    return any(type(one).__name__ == "IntegerConverter" for one in rule._converters.values())
