"""Part 4: in a clean copy, follow the author's guide to the letter, and write every kind anew."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from app.cli.rules import HINDERED
from app.cli.scaffold import KINDS, write
from tests.host.copy import alone, copied

GUIDE = Path(__file__).parents[2] / "plugins" / "README.md"
BLOCK = re.compile(r"^`((?:plugins|tests)/\S+)`\n```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def run(home: Path, *command: str, may_lack_data: bool = False) -> str:
    """Run a command in the copy, over databases of its own; return what it printed."""
    done = subprocess.run(
        [sys.executable, *command],
        cwd=home,
        env=alone(INSTANCE_DIR=str(home / "instance"), FLASK_APP="app:create_app"),
        capture_output=True,
        text=True,
        check=False,
    )
    codes = {0, HINDERED} if may_lack_data else {0}
    assert done.returncode in codes, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


@pytest.mark.timeout(600)  # a whole product boots, deploys and tests inside
def test_example_of_the_guide_and_new_plugins_of_every_kind_work_untouched(tmp_path) -> None:
    home = copied(tmp_path)
    for kind in KINDS:
        write(home / "plugins", home / "tests" / "plugins", f"new_{kind}", kind, None)
    for name, text in BLOCK.findall(GUIDE.read_text(encoding="utf-8")):
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    written = run(home, "-m", "flask", "plugins", "revision", "bus_safety", "-m", "buses")
    deployed = run(home, "-m", "flask", "deploy")
    checked = run(home, "-m", "flask", "plugins", "check")
    judged = run(home, "-m", "flask", "rules", "run", "--rule", "BUS-1", may_lack_data=True)
    tested = run(home, "-m", "pytest", "-q", "-p", "no:xdist", "tests/plugins")

    assert "migrations" in written
    assert deployed.endswith("deployed\n")
    assert checked == "no errors\n"
    assert "bus_safety." in judged
    assert "failed" not in tested
    assert " passed" in tested
