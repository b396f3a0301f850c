"""Keep an uploaded file that is no evidence, on the server's disk, until its work is done.

A form that is refused keeps it, and so does a job that waits for its turn; what nobody fetches
goes after two weeks.
"""

from __future__ import annotations

import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import current_app, g
from flask_babel import gettext as _
from itsdangerous import BadSignature, URLSafeSerializer
from markupsafe import Markup
from werkzeug.datastructures import FileStorage
from wtforms import FileField
from wtforms.widgets import FileInput

from app.base import Refused

KEPT_SECONDS = 14 * 24 * 3600
SUFFIX = ".upload"


def keep(key: str, content: bytes) -> None:
    """Store a file under a key, safe against a power cut; forget the files of long ago."""
    folder = _folder()
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob(f"*{SUFFIX}"):
        if time.time() - old.stat().st_mtime > KEPT_SECONDS:
            old.unlink(missing_ok=True)
    descriptor = os.open(_path(key), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def content_of(key: str) -> bytes:
    """Return a file; refuse where it is gone."""
    try:
        return _path(key).read_bytes()
    except FileNotFoundError:
        raise Refused(_("The file is not kept any more. Upload it again.")) from None


def forget(key: str) -> None:
    """Remove a file."""
    _path(key).unlink(missing_ok=True)


def _folder() -> Path:
    return Path(current_app.config["INSTANCE_DIR"]) / "imports"


def _path(key: str) -> Path:
    return _folder() / f"{key}{SUFFIX}"


@dataclass(frozen=True, slots=True)
class Kept:
    """A file that waits: its key, and the name that it had."""

    key: str
    name: str

    @property
    def content(self) -> bytes:
        """Return what the file holds; raise Refused where it is gone."""
        return content_of(self.key)


class KeptFileWidget(FileInput):
    """Draw the input, beside the name of the file that is kept already."""

    def __call__(self, field: Any, **kwargs: Any) -> Markup:
        """Return the markup."""
        chooser = super().__call__(field, **kwargs)
        if field.kept is None:
            return chooser
        note = _("Kept: %(name)s. Choose another file only to replace it.", name=field.kept.name)
        return chooser + Markup(
            '<input type="hidden" name="{}_kept" value="{}"><p class="help-block">{}</p>'
        ).format(field.name, _serializer().dumps(_facts(field.kept)), note)


class KeptFileField(FileField):
    """Take a file that a refusal of its form does not lose; ``kept`` is None where there is none.

    The page bears a signed key, which holds for the person who uploaded the file only.
    """

    widget = KeptFileWidget()
    kept: Kept | None = None

    def process(self, formdata: Any, data: Any = None, extra_filters: Any = None) -> None:
        """Keep what was uploaded, or find what was kept before."""
        super().process(formdata, data, extra_filters)
        self.kept = None
        if formdata is None:
            return
        upload = next((one for one in formdata.getlist(self.name) if _is_file(one)), None)
        if upload is not None:
            self.kept = Kept(secrets.token_hex(16), (upload.filename or "")[-200:])
            keep(self.kept.key, upload.read())
        else:
            self.kept = _kept(formdata.get(f"{self.name}_kept"))


def _is_file(value: Any) -> bool:
    return isinstance(value, FileStorage) and bool(value.filename)


def _kept(signed: Any) -> Kept | None:
    """Return the file that a page names, if this person uploaded it and it is still there."""
    try:
        key, name, user_id = _serializer().loads(signed or "")
    except (BadSignature, TypeError, ValueError):
        return None
    is_own = user_id == g.get("user_id") and _path(key).exists()
    return Kept(key, name) if is_own else None


def _facts(kept: Kept) -> list[Any]:
    return [kept.key, kept.name, g.get("user_id")]


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.secret_key), salt="kept-file")
