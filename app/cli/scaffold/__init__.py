"""Write new plugins from templates: a folder that works and tests that pass."""

from __future__ import annotations

from pathlib import Path
from string import Template
from typing import Final

from app import __version__, clock
from app.host.inspection_type import class_name

TEMPLATES: Final = Path(__file__).parent
KINDS: Final = ("inspection", "rule", "bulletin", "checklist")
SINCE: Final = "2024-01-01"
SUFFIX: Final = ".txt"
"""Templates of Python files end so, lest linters and test runners read them."""


def write(home: Path, tests: Path, name: str, kind: str, title: str | None) -> list[Path]:
    """Write the folder and the tests of a plugin; return the files.

    Raises FileExistsError when either is there already: nothing is overwritten.
    """
    folder, test = home / name, tests / f"test_{name}.py"
    for path in (folder, test):
        if path.exists():
            raise FileExistsError(f"{path} exists already")
    facts = _facts(name, title)
    written = [
        _fill(source, folder / source.relative_to(TEMPLATES / group), facts)
        for group in ("all", kind)
        for source in sorted((TEMPLATES / group).rglob("*"))
        if source.is_file()
    ]
    return [*written, _fill(TEMPLATES / "tests" / f"{kind}.py{SUFFIX}", test, facts)]


def _facts(name: str, title: str | None) -> dict[str, str]:
    """Return what the templates ask for."""
    words = name.replace("_", " ")
    major = __version__.partition(".")[0]
    return {
        "name": name,
        "title": title or words.capitalize(),
        "words": words,
        "class_name": class_name(name),
        "core": f">={__version__.rpartition('.')[0]},<{int(major) + 1}",
        "slug": name.replace("_", "-"),
        "year": str(clock.today().year),
        "since": SINCE,
    }


def _fill(source: Path, target: Path, facts: dict[str, str]) -> Path:
    """Write one file from its template."""
    if target.name.endswith(f".py{SUFFIX}"):
        target = target.with_name(target.name.removesuffix(SUFFIX))
    target.parent.mkdir(parents=True, exist_ok=True)
    text = Template(source.read_text(encoding="utf-8")).substitute(facts)
    target.write_text(text, encoding="utf-8")
    return target
