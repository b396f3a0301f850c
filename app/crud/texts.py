"""Translate each text once for each language, and keep the code of templates on disk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from babel import Locale
from babel.support import NullTranslations, Translations
from flask import Flask, g, has_app_context, has_request_context, request
from flask_babel import Domain, get_locale
from jinja2 import Environment, FileSystemBytecodeCache
from markupsafe import Markup
from wtforms.i18n import messages_path

MOST_TEXTS = 20_000
"""Texts of the data are translated too: a language that keeps more forgets them all."""
PRIVATE = 0o700
KEPT = "kept_texts"
"""Where a request keeps the texts of its language beside the language itself."""


@dataclass(frozen=True, slots=True)
class Kept:
    """The texts of one language, as they are written and as templates draw them."""

    plain: dict[str, str] = field(default_factory=dict)
    drawn: dict[str, Markup] = field(default_factory=dict)


class KeptTexts(Domain):
    """The catalogue of all texts: what was looked up once is not looked up again."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._kept: dict[str, Kept] = {}

    def gettext(self, string: str, **variables: Any) -> str:
        """Return a text in the reader's language, with its variables."""
        kept = self._of_reader().plain
        text = kept.get(string)
        if text is None:
            text = kept[str(string)] = super().gettext(string)
        return text % variables if variables else text

    def drawn(self, string: str, **variables: Any) -> Markup:
        """Return a text for a template, whose percent signs are doubled even without variables."""
        if variables:
            return Markup(self.gettext(string)) % variables  # noqa: S704  # our own catalogue
        kept = self._of_reader().drawn
        text = kept.get(string)
        if text is None:
            text = kept[str(string)] = Markup(self.gettext(string)) % {}  # noqa: S704
        return text

    def _of_reader(self) -> Kept:
        """Return what is kept in the reader's language; a request asks for it a hundred times."""
        held = _held()
        locale = getattr(held, "babel_locale", None)
        chosen, kept = getattr(held, KEPT, (None, Kept()))
        if locale is None or chosen is not locale:
            kept = self._of_language(_language())
        if locale is not None:
            setattr(held, KEPT, (locale, kept))
        return kept

    def _of_language(self, language: str) -> Kept:
        kept = self._kept.setdefault(language, Kept())
        for texts in (kept.plain, kept.drawn):
            if len(texts) > MOST_TEXTS:
                texts.clear()
        return kept


class Once:
    """Draws a part of the pages once for each language: ``{% call once("dialogs") %}``."""

    def __init__(self) -> None:
        self._drawn: dict[tuple[str, str, str], Markup] = {}

    def __call__(self, name: str, caller: Callable[[], Markup]) -> Markup:
        """Return the part; what stands in it must not depend on the reader."""
        if not has_request_context():
            return caller()
        key = (name, _language(), request.script_root)
        if key not in self._drawn:
            self._drawn[key] = caller()
        return self._drawn[key]


class FormTexts:
    """The texts of WTForms itself; its own way reads the catalogue anew for each form."""

    def gettext(self, string: str) -> str:
        """Return a text in the reader's language."""
        return str(_catalogue(_language()).gettext(string))

    def ngettext(self, singular: str, plural: str, n: int) -> str:
        """Return a text that goes with a number in the reader's language."""
        return str(_catalogue(_language()).ngettext(singular, plural, n))


FORM_TEXTS = FormTexts()


class KeptTemplates(FileSystemBytecodeCache):
    """Compiled templates on disk, good only with the filters for which they were compiled.

    What a filter is handed beside its value is written into the code: the code of another version
    of the product would call it wrongly.
    """

    def __init__(self, folder: Path, environment: Environment) -> None:
        super().__init__(str(folder))
        self._environment = environment

    def get_source_checksum(self, source: str) -> str:
        """Return a digest of the source and of how filters and tests are called."""
        named = {**self._environment.filters, **self._environment.tests}
        calls = sorted(
            f"{name} {getattr(one, 'jinja_pass_arg', '')}" for name, one in named.items()
        )
        return super().get_source_checksum("\n".join([source, *calls]))


@lru_cache(maxsize=16)
def _catalogue(language: str) -> NullTranslations:
    return Translations.load(messages_path(), [language], domain="wtforms")


def _language() -> str:
    """Return the reader's language."""
    return str(get_locale()) if has_app_context() else ""


def _held() -> Any:
    """Return what Flask-Babel keeps of the request: to ask it itself costs as much as a text."""
    try:
        return getattr(g._get_current_object(), "_flask_babel", None)
    except RuntimeError:  # outside of an application
        return None


def init_app(app: Flask) -> None:
    """Let texts and templates be read once; call it after the last Babel is bound."""
    babel = app.extensions["babel"].instance
    texts = babel.domain_instance = KeptTexts(domain=babel.domain)
    texts.as_default()  # of the boot itself, too
    choose = app.extensions["babel"].locale_selector
    app.extensions["babel"].locale_selector = lambda: _locale(choose())
    app.jinja_env.globals.update(_=texts.drawn, gettext=texts.drawn, once=Once())
    folder = Path(app.config["INSTANCE_DIR"]) / "templates"
    if _is_private(folder):
        app.jinja_env.bytecode_cache = KeptTemplates(folder, app.jinja_env)


@lru_cache(maxsize=16)
def _locale(code: str | None) -> Locale | None:
    """Return the language of a code, read once; Flask-Babel would read it for each request."""
    return Locale.parse(code) if code else None


def _is_private(folder: Path) -> bool:
    """Make the folder, and tell whether only we can write it: its files are run as code."""
    try:
        folder.mkdir(mode=PRIVATE, exist_ok=True)
        folder.chmod(PRIVATE)
    except OSError:
        return False
    return True
