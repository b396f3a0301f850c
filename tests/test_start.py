"""Starting costs little: few statements, and nothing heavy that most requests never need."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from flask import Flask

ROOT = Path(__file__).resolve().parent.parent
HEAVY = ("pandas", "numpy", "pypinyin", "holidays", "openpyxl", "pytest", "rich", "app.cli.deploy")
PROGRAM = """
import json, sys
from pathlib import Path
from sqlalchemy import Engine, event
from app import create_app
from config import Testing

seen = []
event.listen(Engine, "before_cursor_execute", lambda *given: seen.append(given[2]))
create_app(Testing(Path(sys.argv[1]), sys.argv[2]))
print(json.dumps([seen, [name for name in sys.argv[3:] if name in sys.modules]]))
"""


def test_a_start_runs_few_statements_and_loads_nothing_heavy(app: Flask) -> None:
    folder, url = app.config["INSTANCE_DIR"], app.config["SQLALCHEMY_DATABASE_URI"]

    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder), url, *HEAVY],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    statements, heavy = json.loads(done.stdout.splitlines()[-1])
    assert len(statements) <= 10, statements
    assert heavy == []
