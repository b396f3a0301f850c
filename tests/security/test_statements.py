"""Part 12: who acts, over what and with which rights costs a fixed number of statements."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event

from app.extensions import db
from tests.builder import CountyBuilder
from tests.conftest import Login


@contextmanager
def counted(app: Flask) -> Iterator[list[str]]:
    """Collect the statements of a block."""
    seen: list[str] = []

    def note(_c: Any, _k: Any, statement: str, *_more: Any) -> None:
        if not statement.startswith(("BEGIN", "SAVEPOINT")):
            seen.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


@pytest.mark.parametrize(
    ("template", "kind", "most"),
    [
        ("task_group", "county", 2),
        ("township_leader", "township", 2),
        ("school_leader", "school", 2),
        ("school_clerk", "schools", 3),
        ("liaison_leader", "linked", 3),
    ],
)
def test_user_appointment_scope_and_version_cost_two_or_three_statements(
    app: Flask, county: CountyBuilder, login: Login, template: str, kind: str, most: int
) -> None:
    person = county.person()
    if kind == "linked":
        county.liaison(person, template, county.a_township)
    places: dict[str, dict[str, Any]] = {
        "township": {"township": county.a_township},
        "school": {"school": county.a_school},
        "schools": {"schools": (county.a_school, county.school())},
    }
    visitor = login(template, person=person, **places.get(kind, {}))
    visitor.get("/account/")

    with counted(app) as seen:
        answer = visitor.get("/account/")

    assert answer.status_code == 200
    assert len(seen) <= most, "\n".join(seen)


def test_a_visitor_without_a_session_costs_nothing(app: Flask, client: Any) -> None:
    client.get("/login/")

    with counted(app) as seen:
        client.get("/login/")
        client.get("/static/bureau.css").close()

    assert seen == []
