"""Give the tests of imports their files and a way to run them."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event

from app import database, imports
from app.extensions import db
from app.imports.report import Result
from app.security.scope import EVERYTHING, Scope
from tests.builder import CountyBuilder

Load = Callable[..., Result]


def _sheets() -> ModuleType:
    path = Path(__file__).parent / "sheets.py"
    spec = importlib.util.spec_from_file_location("import_sheets", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def sheets() -> ModuleType:
    """Return the maker of files."""
    return _sheets()


@pytest.fixture
def load(app: Flask, sheets: ModuleType) -> Load:
    """Return a function that imports rows, or the bytes of a file, and commits."""

    def run(
        key: str,
        content: bytes | Sequence[Sequence[Any]],
        heads: Sequence[str] = (),
        *,
        name: str = "表.xlsx",
        scope: Scope = EVERYTHING,
        dry: bool = False,
        backfilled: bool = False,
    ) -> Result:
        data = content if isinstance(content, bytes) else sheets.workbook(content, heads)
        with app.app_context(), database.writing():
            entity = imports.find_entity(key)
            assert entity is not None
            opened = imports.open_file(entity, data, name)
            session = db.session()
            if dry:
                result = imports.check(session, opened, scope=scope)
                session.rollback()
            else:
                result = imports.store(session, opened, scope=scope, is_backfilled=backfilled)
                session.commit()
            return result

    return run


@pytest.fixture
def statements(app: Flask) -> Iterator[list[str]]:
    """Yield the list of all statements that run from now on."""
    seen: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


@pytest.fixture
def ground(county: CountyBuilder) -> tuple[Any, list[Any]]:
    """Return a school and two of its classes."""
    school = county.a_school
    return school, [county.school_class(name=name) for name in ("七年级1班", "七年级2班")]


def messages(result: Result) -> dict[int, list[tuple[str, str]]]:
    """Return the faults by row number."""
    found: dict[int, list[tuple[str, str]]] = {}
    for fault in result.faults:
        found.setdefault(fault.number, []).append((fault.column, fault.message))
    return found
