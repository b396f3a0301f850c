"""Fixtures of the CRUD tests: one who may do everything, and a counter of statements."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event

from app.crud.base import BureauModelView
from app.extensions import db
from tests.conftest import CountyBuilder, Visitor, log_in
from tests.crud.example import CORE_MODULES


@pytest.fixture
def admin(app: Flask, county: CountyBuilder) -> Visitor:
    """Return a visitor with the break-glass account: every permission, every row."""
    user = county.account(county.person("管理员"))
    user.roles = [county.role("Admin")]
    county.add(user)
    app.test_client_class = Visitor
    return log_in(app.test_client(), user.username)  # type: ignore[arg-type]


@pytest.fixture
def core_views(app: Flask) -> list[BureauModelView]:
    """Return the CRUD views of the core."""
    return [
        view
        for view in app.appbuilder.baseviews  # type: ignore[attr-defined]
        if isinstance(view, BureauModelView) and type(view).__module__ in CORE_MODULES
    ]


@pytest.fixture
def statements(app: Flask) -> Callable[..., list[str]]:
    """Return a function that opens a page and returns the statements it ran."""

    def run(visitor: Visitor, url: str) -> list[str]:
        with recorded(app) as seen:
            answer = visitor.get(url)
        assert answer.status_code == 200, f"{url} answered {answer.status_code}"
        return seen

    return run


@contextmanager
def recorded(app: Flask) -> Iterator[list[str]]:
    """Record the statements of a block, transaction control left out."""
    seen: list[str] = []

    def note(_connection, _cursor, statement, *_rest) -> None:
        if not statement.startswith(("BEGIN", "COMMIT", "ROLLBACK", "PRAGMA")):
            seen.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


@contextmanager
def recorded_with_values(app: Flask) -> Iterator[list[tuple[str, Any]]]:
    """Record the statements of a block with their values, as the driver gets them."""
    seen: list[tuple[str, Any]] = []

    def note(_connection, _cursor, statement, values, *_rest) -> None:
        if not statement.startswith(("BEGIN", "COMMIT", "ROLLBACK", "PRAGMA")):
            seen.append((statement, values))

    engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)
