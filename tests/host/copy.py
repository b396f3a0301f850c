"""Copy the product without its tests, for plugins that are written into a clean folder."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tests.database import RUN

ROOT = Path(__file__).parents[2]
PARTS = ("app", "plugins", "seed", "translations", "config.py", "pyproject.toml")
SUPPORT = ("builder.py", "conftest.py", "database.py", "visitor.py")


def copied(folder: Path) -> Path:
    """Return a copy of the product with the support of its tests, and no test."""
    home = folder / "product"
    home.mkdir()
    skip = shutil.ignore_patterns("__pycache__", "test_*")
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, home / part, ignore=skip)
        elif source.exists():
            shutil.copy(source, home / part)
    (home / "tests" / "plugins").mkdir(parents=True)
    for part in SUPPORT:
        shutil.copy(ROOT / "tests" / part, home / "tests" / part)
    return home


def alone(**more: str) -> dict[str, str]:
    """Return an environment in which the copy makes databases of its own."""
    shared = {RUN, "TEST_POSTGRES_URL", "DATABASE_URL", "PYTEST_XDIST_WORKER"}
    kept = {name: value for name, value in os.environ.items() if name not in shared}
    return {**kept, **more}
