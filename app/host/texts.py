"""Find the texts of a folder: what TOML files say and code marks, and what its catalogues hold."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from jinja2.ext import babel_extract

from app.base import Problem
from app.host.problem import problem

DOMAIN: Final = Path("LC_MESSAGES") / "messages.po"
TITLES: Final = frozenset({"title", "content", "standard", "text", "labels"})
POLICY_TITLES: Final = frozenset({"title", "heading"})
POLICY: Final = "policy.toml"
LONGEST: Final = 300
MARKS: Final = frozenset({"_", "_l"})


def texts_of(folder: Path) -> Iterator[str]:
    """Yield the texts of a plugin that people see: of TOML files, marked in Python, of templates.

    The wording of a policy's clauses is quoted, never translated.
    """
    for path in _tables(folder):
        yield from toml_texts(path, POLICY_TITLES if path.name == POLICY else TITLES)
    for path in _modules(folder):
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
                first = node.args[0]
                if node.func.id in MARKS and isinstance(first, ast.Constant):
                    yield str(first.value)
    for path in _templates(folder):
        yield from _template_texts(path)


def toml_texts(path: Path, keys: Iterable[str]) -> Iterator[str]:
    """Yield the texts that stand under some keys of a TOML file, wherever in it."""
    if path.is_file():
        yield from _under(tomllib.loads(path.read_text(encoding="utf-8")), frozenset(keys))


def is_chinese(text: str) -> bool:
    """Tell whether a text needs English rather than Chinese."""
    return any("\u4e00" <= letter <= "\u9fff" for letter in text)


def catalogue(path: Path) -> Catalog:
    """Return a catalogue of ``<language>/LC_MESSAGES/messages.po``."""
    with path.open("rb") as source:
        return read_po(source, locale=path.parent.parent.name)


def foreign_texts(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield what a plugin's catalogues translate though nothing in its folder says it.

    The product has one catalogue: such a text would be the core's or another plugin's.
    """
    held = _catalogues(folder)
    own = set(_strings(folder)) if held else set()
    for path in held:
        yield from ((path, text) for text in _translations(path) if text not in own)


def untranslated(folder: Path, core: Path, language: str) -> list[str]:
    """Return the texts of a plugin that neither its own catalogue nor the core's translates."""
    held = Path(language) / DOMAIN
    done = {**_translations(core / held), **_translations(folder / "translations" / held)}
    texts = {text for text in texts_of(folder) if is_chinese(text) == (language == "en")}
    return sorted(texts - done.keys())


def differing_texts(folder: Path, core: Path) -> Iterator[tuple[Path, str]]:
    """Yield what a plugin's catalogues translate in another way than those of the core."""
    for path in _catalogues(folder):
        theirs = _translations(core / path.relative_to(folder / "translations"))
        for text, said in _translations(path).items():
            if theirs.get(text, said) != said:
                yield path, text


def problems_of(folder: Path, core: Path) -> Iterator[Problem]:
    """Yield what is wrong with a plugin's catalogues; `core` is the core's folder of them."""
    for number, found in (
        ("W094", foreign_texts(folder)),
        ("W095", differing_texts(folder, core)),
    ):
        for path, pairs in groupby(found, itemgetter(0)):
            said = ", ".join(f"“{text}”" for _path, text in pairs)
            file = str(path.relative_to(folder))
            yield problem(number, f"{folder.name}/{file}", file=file, texts=said[:LONGEST])


def _catalogues(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"translations/*/{DOMAIN}"))


def _translations(path: Path) -> Mapping[str, str]:
    """Return what a catalogue translates, of plural texts the singular."""
    return _read(path, path.stat().st_mtime_ns) if path.is_file() else {}


@lru_cache(maxsize=64)
def _read(path: Path, _changed: int) -> Mapping[str, str]:
    pairs = ((_singular(one.id), _singular(one.string)) for one in catalogue(path))
    return {text: said for text, said in pairs if text and said}


def _singular(text: str | Sequence[str | None] | None) -> str:
    if text is None or isinstance(text, str):
        return text or ""
    return text[0] or ""


def _under(node: Any, keys: frozenset[str]) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _all(value) if key in keys else _under(value, keys)
    elif isinstance(node, list):
        for value in node:
            yield from _under(value, keys)


def _strings(folder: Path) -> Iterator[str]:
    """Yield every text that stands anywhere in the folder, marked or not."""
    for path in _tables(folder):
        yield from _all(tomllib.loads(path.read_text(encoding="utf-8")))
    for path in _modules(folder):
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value
    for path in _templates(folder):
        yield from _template_texts(path)


def _templates(folder: Path) -> list[Path]:
    return sorted(folder.glob("templates/**/*.html"))


def _template_texts(path: Path) -> Iterator[str]:
    with path.open("rb") as source:
        for _line, _function, message, _comments in babel_extract(
            source, ["_", "gettext", "ngettext"], [], {}
        ):
            yield _singular(message)


def _all(node: Any) -> Iterator[str]:
    if isinstance(node, str) and node:
        yield node
    parts = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for part in parts:
        yield from _all(part)


def _tables(folder: Path) -> list[Path]:
    """Return the TOML files of a plugin: those of the contract and data files of its own."""
    return sorted(folder.glob("*.toml"))


def _modules(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*.py")) if "migrations" not in path.parts)


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))
