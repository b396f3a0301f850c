"""The benchmark measures pages beside its floor and keeps what it measured."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def flask(instance: Path, *arguments: str) -> str:
    """Run a Flask command over an instance of its own; return what it printed."""
    kept = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
    done = subprocess.run(
        [sys.executable, "-m", "flask", *arguments],
        cwd=ROOT,
        env={**kept, "FLASK_APP": "app:create_app", "INSTANCE_DIR": str(instance)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


@pytest.mark.long
@pytest.mark.timeout(600)
def test_pages_and_throughput_are_measured_beside_their_floor(tmp_path: Path) -> None:
    kept = tmp_path / "bench.json"
    flask(tmp_path, "deploy")
    size = ("--pupils", "200", "--rounds", "2", "--seconds", "1")

    printed = flask(
        tmp_path, "bench", *size, "--part", "pages", "--part", "load", "--json", str(kept)
    )

    found = json.loads(kept.read_text(encoding="utf-8"))
    assert len(found["pages"]) == 11
    for page in found["pages"]:
        assert page["product"]["cpu_ms"] > 0
        assert page["floor"]["cpu_ms"] > 0
        assert page["own_statements"] <= 4 or not page["rows"]
    assert found["load"]["product_per_s"] > 0
    assert {"G1", "G2", "G5", "G8"} <= {goal["key"] for goal in found["goals"]}
    assert "Throughput" in printed
