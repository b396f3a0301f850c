"""Keep the catalogues of the core and the plugins complete: extract, update, check, compile."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import flask_appbuilder
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import PoFileError, read_po, write_po
from flask import Flask, current_app
from flask.cli import AppGroup

from app.cli.reference import holiday_names
from app.host.texts import (
    DOMAIN,
    catalogue,
    differing_texts,
    foreign_texts,
    is_chinese,
    texts_of,
    toml_texts,
)

ROOT = Path(__file__).resolve().parent.parent.parent
METHODS = [("**/migrations/**", "ignore"), ("**.py", "python"), ("**/templates/**.html", "jinja2")]
KEYWORDS = {
    "_": None,
    "_l": None,
    "gettext": None,
    "lazy_gettext": None,
    "ngettext": (1, 2),
    "_n": (1, 2),
    "__": None,
    "N_": None,
}
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]")
LANGUAGES = ("zh", "en")
SEED_TITLES = frozenset({"name", "title", "titles", "heading", "issuer", "value"})
NAMES = frozenset({"county.toml", "townships.toml", "liaison.toml"})
"""Files of the seed that name people and places: those have no English."""

translations = AppGroup("translations", help="Keep the catalogues complete and compiled.")


@dataclass(frozen=True, slots=True)
class Gap:
    """A text that lacks its translation, or whose translation does not fit."""

    catalogue: Path
    text: str
    reason: str


def catalogues(root: Path) -> list[Path]:
    """Return all catalogues: the core's and every plugin's."""
    return sorted(
        [*root.glob(f"translations/*/{DOMAIN}"), *root.glob(f"plugins/*/translations/*/{DOMAIN}")]
    )


def compile_catalogues(root: Path) -> int:
    """Compile the catalogues that are newer than their compiled form; return how many."""
    done = 0
    for path in catalogues(root):
        target = path.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime_ns >= path.stat().st_mtime_ns:
            continue
        try:
            catalogue = read_po(io.BytesIO(path.read_bytes()))
        except (PoFileError, UnicodeDecodeError) as error:
            # One broken file of a plugin must not keep the product from starting.
            click.echo(f"{path}: {error}", err=True)
            continue
        compiled = io.BytesIO()
        write_mo(compiled, catalogue)
        # Written beside and renamed: another process may be reading the old one.
        beside = target.with_suffix(".mo.new")
        beside.write_bytes(compiled.getvalue())
        beside.replace(target)
        done += 1
    return done


def compile_all(app: Flask) -> int:
    """Compile what the application reads: its own catalogues and those of its plugin folders."""
    roots = {app.config["TRANSLATIONS_DIR"].parent, *(d.parent for d in app.config["PLUGIN_DIRS"])}
    return sum(compile_catalogues(root) for root in roots)


def extract(folder: Path) -> dict[str, list[tuple[str, int]]]:
    """Return each text that code and templates of a folder translate, and where it stands."""
    found: dict[str, list[tuple[str, int]]] = {}
    for name, line, message, _comments, _context in extract_from_dir(
        folder, METHODS, keywords=KEYWORDS, options_map={}
    ):
        texts = (message,) if isinstance(message, str) else message
        if texts[0]:
            found.setdefault(texts[0], []).append((name, line))
    return found


def untranslated_by_fab() -> set[str]:
    """Return the texts of Flask-AppBuilder that its own Chinese catalogue lacks."""
    folder = Path(flask_appbuilder.__file__).parent
    with (folder / "translations" / "zh" / DOMAIN).with_suffix(".mo").open("rb") as source:
        own = {message.id for message in read_mo(source) if message.string}
    return set(extract(folder)) - own


def wanted_texts(root: Path, language: str = "zh") -> set[str]:
    """Return what the core's catalogue of a language must hold.

    English texts are those of the code and those that Flask-AppBuilder left: they need Chinese.
    Chinese texts are those of the seed: they need English.
    """
    if language == "zh":
        return set(extract(root / "app")) | untranslated_by_fab()
    return {text for text in _seed_texts(root / "seed") if is_chinese(text)}


def _seed_texts(seed: Path) -> Iterator[str]:
    for path in sorted(seed.rglob("*.toml")):
        if path.name not in NAMES:
            yield from toml_texts(path, SEED_TITLES)
    if seed.is_dir():
        yield from holiday_names(seed)


def gaps(root: Path) -> Iterator[Gap]:
    """Yield what is missing or does not fit, in the catalogues of the core and the plugins."""
    core = {language: _held(_path(root, language)) for language in LANGUAGES}
    for language in LANGUAGES:
        wanted = wanted_texts(root, language)
        yield from _missing(_path(root, language), wanted, core[language])
    for folder in sorted(path.parent for path in root.glob("plugins/*/plugin.toml")):
        yield from _gaps_of_plugin(root, folder, core)
    for path in catalogues(root):
        for message in catalogue(path):
            if message.id and message.string and not _same_placeholders(message):
                yield Gap(path, str(message.id), "other placeholders")


def _gaps_of_plugin(root: Path, folder: Path, core: Mapping[str, Catalog]) -> Iterator[Gap]:
    """Yield the plugin's texts without a translation, and translations that are not its own."""
    texts = set(texts_of(folder))
    for language in LANGUAGES:
        path = _path(folder, language)
        wanted = {text for text in texts if is_chinese(text) == (language == "en")}
        yield from _missing(path, wanted - _translated(core[language]), _held(path))
    for path, text in foreign_texts(folder):
        yield Gap(path, text, "not a text of this plugin")
    for path, text in differing_texts(folder, root / "translations"):
        yield Gap(path, text, "the core says it otherwise")


def _missing(path: Path, wanted: set[str], held: Catalog) -> Iterator[Gap]:
    for text in sorted(wanted):
        message = held.get(text)
        if message is None or not message.string:
            yield Gap(path, text, "not translated")
        elif message.fuzzy:
            yield Gap(path, text, "fuzzy")


def update(root: Path) -> int:
    """Bring the core's catalogues in step with code and seed; return how many texts they have."""
    return sum(_update(root, language) for language in LANGUAGES)


def _update(root: Path, language: str) -> int:
    path = _path(root, language)
    held, wanted = _held(path), wanted_texts(root, language)
    fresh = Catalog(locale=language, project="bureau", version="1.0", charset="utf-8", fuzzy=False)
    for message in held:
        if message.id in wanted:
            fresh.add(message.id, message.string)
    for text in sorted(wanted):
        if text not in fresh:
            fresh.add(text, "")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as target:
        write_po(target, fresh, sort_output=True, omit_header=False, width=100)
    return len(fresh)


def _path(folder: Path, language: str) -> Path:
    return folder / "translations" / language / DOMAIN


def _held(path: Path) -> Catalog:
    return catalogue(path) if path.exists() else Catalog(locale=path.parent.parent.name)


def _translated(held: Catalog) -> set[str]:
    return {str(message.id) for message in held if message.string and not message.fuzzy}


def _same_placeholders(message: Message) -> bool:
    return _placeholders(message.id) == _placeholders(message.string)


def _placeholders(text: str | Sequence[str] | None) -> set[str]:
    singular = text if isinstance(text, str) else (text or ("",))[0]
    return set(PLACEHOLDER.findall(singular))


@translations.command("check")
def check() -> None:
    """Fail when a text lacks its Chinese or English, or a translation does not fit."""
    missing = list(gaps(ROOT))
    for gap in missing:
        click.echo(f"{gap.catalogue.relative_to(ROOT)}: {gap.reason}: {gap.text!r}", err=True)
    click.echo(f"{len(missing)} gaps")
    if missing:
        sys.exit(1)


@translations.command("update")
def update_command() -> None:
    """Add new texts of code and seed to the core's catalogues, and drop those that are gone."""
    click.echo(f"{update(ROOT)} texts")


@translations.command("compile")
def compile_command() -> None:
    """Compile the catalogues that changed."""
    click.echo(f"{compile_all(current_app._get_current_object())} compiled")  # type: ignore[attr-defined]


if __name__ == "__main__":
    compile_catalogues(ROOT)
