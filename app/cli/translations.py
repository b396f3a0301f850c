"""Keep the catalogues of the core and the plugins complete: extract, update, check, compile."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import flask_appbuilder
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po, write_po
from flask import Flask, current_app
from flask.cli import AppGroup

ROOT = Path(__file__).resolve().parent.parent.parent
DOMAIN = Path("LC_MESSAGES") / "messages.po"
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

translations = AppGroup("translations", help="Keep the catalogues complete and compiled.")


@dataclass(frozen=True, slots=True)
class Gap:
    """A text that lacks its translation, or whose translation has other placeholders."""

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
        with path.open("rb") as source:
            catalogue = read_po(source)
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


def wanted_texts(root: Path) -> set[str]:
    """Return the texts that need Chinese: the core's and those that Flask-AppBuilder left."""
    return set(extract(root / "app")) | untranslated_by_fab()


def gaps(root: Path) -> Iterator[Gap]:
    """Yield what is missing: every wanted text needs Chinese, placeholders must match."""
    core = root / "translations" / "zh" / DOMAIN
    held = _read(core) if core.exists() else Catalog()
    for text in sorted(wanted_texts(root)):
        message = held.get(text)
        if message is None or not message.string:
            yield Gap(core, text, "not translated")
        elif message.fuzzy:
            yield Gap(core, text, "fuzzy")
    for path in catalogues(root):
        for message in _read(path):
            if message.id and message.string and not _same_placeholders(message):
                yield Gap(path, str(message.id), "other placeholders")


def update(root: Path) -> int:
    """Bring the core's Chinese catalogue in step with the code; return how many texts it has."""
    path = root / "translations" / "zh" / DOMAIN
    held = _read(path) if path.exists() else Catalog(locale="zh")
    fresh = Catalog(locale="zh", project="bureau", version="1.0", charset="utf-8", fuzzy=False)
    wanted = wanted_texts(root)
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


def _read(path: Path) -> Catalog:
    with path.open("rb") as source:
        return read_po(source, locale=path.parent.parent.name)


def _same_placeholders(message: Message) -> bool:
    return _placeholders(message.id) == _placeholders(message.string)


def _placeholders(text: str | Sequence[str] | None) -> set[str]:
    singular = text if isinstance(text, str) else (text or ("",))[0]
    return set(PLACEHOLDER.findall(singular))


@translations.command("check")
def check() -> None:
    """Fail when a text lacks its Chinese or a placeholder differs."""
    missing = list(gaps(ROOT))
    for gap in missing:
        click.echo(f"{gap.catalogue.relative_to(ROOT)}: {gap.reason}: {gap.text!r}", err=True)
    click.echo(f"{len(missing)} gaps")
    if missing:
        sys.exit(1)


@translations.command("update")
def update_command() -> None:
    """Add new texts of the code to the Chinese catalogue, and drop those that are gone."""
    click.echo(f"{update(ROOT)} texts")


@translations.command("compile")
def compile_command() -> None:
    """Compile the catalogues that changed."""
    click.echo(f"{compile_all(current_app._get_current_object())} compiled")  # type: ignore[attr-defined]


if __name__ == "__main__":
    compile_catalogues(ROOT)
