"""Test the layers: the contracts of import-linter, and what it cannot see."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def imports(source: Path) -> Iterator[str]:
    """Yield the modules that a file names, with the names it takes from `app` itself."""
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            module = node.module or ""
            whole = module in {"app", "plugins"}
            yield from (f"{module}.{a.name}" for a in node.names) if whole else (module,)


def offenders(folder: str, allowed: tuple[str, ...], forbidden: tuple[str, ...]) -> list[str]:
    """Return the imports below a folder that begin with a forbidden package."""
    found = []
    for source in sorted((ROOT / folder).rglob("*.py")):
        own = ".".join(source.relative_to(ROOT).parts[:2])
        for name in imports(source):
            if name in allowed or name == own or name.startswith(f"{own}."):
                continue
            if name.split(".")[0] in forbidden:
                found.append(f"{source.relative_to(ROOT)}: {name}")
    return found


def test_the_contracts_of_the_layers_hold():
    program = Path(sys.executable).with_name("lint-imports")

    result = subprocess.run(
        [str(program), "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert result.returncode == 0, result.stdout + result.stderr


def test_plugins_import_only_the_kit():
    # A plugin folder without __init__.py is invisible to import-linter.
    assert offenders("plugins", ("app.kit",), ("app", "plugins", "tests", "config")) == []


@pytest.mark.parametrize("folder", ["app", "plugins"])
def test_only_the_configuration_reads_the_environment(folder):
    readers = [
        str(source.relative_to(ROOT))
        for source in (ROOT / folder).rglob("*.py")
        if any(word in source.read_text(encoding="utf-8") for word in ("os.environ", "getenv"))
    ]

    assert readers == []


def test_models_know_no_request():
    words = ("g", "has_request_context", "request", "session")
    found = [
        f"{source.name}: {alias.name}"
        for source in (ROOT / "app" / "models").rglob("*.py")
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module == "flask"
        for alias in node.names
        if alias.name in words
    ]

    assert found == []
