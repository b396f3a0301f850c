"""Keep uploaded files beside the database as long as somebody may still need them."""

from __future__ import annotations

import os
import time
from pathlib import Path

from flask import current_app
from flask_babel import gettext as _

from app.base import Refused

KEPT_SECONDS = 14 * 24 * 3600
"""How long a file stays whose batch was not finished, or has rows that failed."""


def keep(batch_id: int, content: bytes) -> None:
    """Store a batch's file, safe against a power cut; forget the files of long ago."""
    folder = _folder()
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.upload"):
        if time.time() - old.stat().st_mtime > KEPT_SECONDS:
            old.unlink(missing_ok=True)
    descriptor = os.open(_path(batch_id), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def content_of(batch_id: int) -> bytes:
    """Return a batch's file; refuse where it is gone."""
    try:
        return _path(batch_id).read_bytes()
    except FileNotFoundError:
        raise Refused(_("The file is not kept any more. Upload it again.")) from None


def forget(batch_id: int) -> None:
    """Remove a batch's file."""
    _path(batch_id).unlink(missing_ok=True)


def _folder() -> Path:
    return Path(current_app.config["INSTANCE_DIR"]) / "imports"


def _path(batch_id: int) -> Path:
    return _folder() / f"{batch_id}.upload"
