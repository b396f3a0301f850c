"""Kill an import at any statement, its process at any moment: all of it is there, or nothing."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, func, select

from app import imports
from app.extensions import db
from app.imports import stage
from app.models import Change, Child, Enrolment, ImportBatch, ImportRow, StatusEvent
from app.security.scope import EVERYTHING

ROOT = Path(__file__).resolve().parents[2]
TABLES = (Child, StatusEvent, Enrolment, ImportBatch, ImportRow, Change)


class Killed(BaseException):
    """End the work as a kill would: no handler catches it."""


def counts(county):
    return [county.scalar(select(func.count(model.id))) for model in TABLES]


def _counted(lines: Iterator[Any], count_down: Callable[[], None]) -> Iterator[Any]:
    for line in lines:
        count_down()
        yield line


def test_an_import_that_dies_at_any_statement_leaves_nothing(
    app, county, sheets, ground, load, monkeypatch
):
    content = sheets.workbook(sheets.roster(8, [("修仁中学", ["七年级1班"])]))
    before = counts(county)
    left = [0]

    def count_down(*_args: Any) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise Killed

    def handed_over(driver: Any, table: str, listed: str, width: int, lines: Any) -> None:
        # Whole inserts go to the driver, past the engine's events: die before and within them.
        count_down()
        write(driver, table, listed, width, _counted(lines, count_down))

    write = stage._write
    monkeypatch.setattr(stage, "_write", handed_over)
    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", count_down)
    died = 0
    try:
        for at in range(1, 200, 3):
            left[0] = at
            with app.app_context():
                try:
                    opened = imports.open_file(imports.find_entity("child"), content, "a.xlsx")
                    imports.store(db.session(), opened, scope=EVERYTHING)
                    break
                except Killed:
                    died += 1
                finally:
                    left[0] = 0
                    db.session.rollback()
            assert counts(county) == before
    finally:
        event.remove(engine, "before_cursor_execute", count_down)

    assert 20 < died < 66
    assert load("child", content).added == 8


@pytest.mark.long
def test_a_killed_process_leaves_all_or_nothing(app, county, sheets, ground, tmp_path):
    path = tmp_path / "学生.xlsx"
    path.write_bytes(sheets.workbook(sheets.roster(3000, [("修仁中学", ["七年级1班"])])))
    url = app.config["SQLALCHEMY_DATABASE_URI"]
    script = (
        "import sys, pathlib; from app import create_app; from config import Testing; "
        f"app = create_app(Testing(pathlib.Path({str(app.config['INSTANCE_DIR'])!r}), {url!r})); "
        f"print('ready', flush=True); "
        f"app.test_cli_runner().invoke(args=['import', 'child', {str(path)!r}])"
    )
    made, outcomes = random.Random(3), set()

    for _attempt in range(20):
        process = subprocess.Popen(
            [sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, env={**os.environ}
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(made.uniform(0.2, 3.0))
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        children, events, places, batches, rows, _changes = counts(county)
        outcomes.add(children)
        assert children in {0, 3000}
        assert (events, places, rows) == (children, children, 3 * children)
        assert batches <= (1 if children == 0 else 20)
        if children:
            break

    assert 0 in outcomes
