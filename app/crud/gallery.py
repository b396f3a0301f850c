"""Show the files of records: pictures small, PDF to be opened, others by name and size."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from flask import Flask

from app.extensions import db
from app.files import preview
from app.files.double import doubles
from app.files.evidence import files_of
from app.models import EvidenceFile


@dataclass(frozen=True, slots=True)
class Exhibit:
    """A file as pages show it."""

    file: EvidenceFile
    is_doubled: bool
    """Whether the same original is kept under another record."""

    @property
    def is_picture(self) -> bool:
        """Tell whether it has a small picture."""
        return self.file.media_type in preview.PICTURES

    @property
    def is_shown(self) -> bool:
        """Tell whether the browser may show it; anything else is downloaded."""
        return self.file.media_type in preview.SHOWN_INLINE


def exhibits(files: Iterable[EvidenceFile]) -> list[Exhibit]:
    """Return files as pages show them, in one statement."""
    listed = list(files)
    doubled = doubles(db.session(), listed)
    return [Exhibit(file, file.id in doubled) for file in listed]


def exhibits_of(set_ids: Iterable[int | None]) -> Mapping[int | None, Sequence[Exhibit]]:
    """Return the files of many sets by the key of their set, in two statements."""
    files = files_of(db.session(), set_ids)
    shown = {one.file.id: one for one in exhibits(f for held in files.values() for f in held)}
    return {key: [shown[file.id] for file in held] for key, held in files.items()}


def init_app(app: Flask) -> None:
    """Let templates make a gallery of files that they hold."""
    app.jinja_env.globals["exhibits"] = exhibits
