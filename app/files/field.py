"""Offer evidence in a form: files are staged as they arrive, so a refused form keeps them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flask import flash
from flask_babel import gettext as _
from markupsafe import Markup, escape
from sqlalchemy import select
from werkzeug.datastructures import FileStorage
from wtforms import Field

from app.extensions import db
from app.files.content import ACCEPT
from app.files.double import doubles
from app.files.evidence import Owner, adopt, stage, staged_set
from app.models import EvidenceFile, EvidenceSet


class EvidenceWidget:
    """Draw the files that are there, each with a box to take it out, and the input for more."""

    def __call__(self, field: EvidenceField, **kwargs: Any) -> Markup:
        """Return the markup; links lead through the scoped download."""
        rows = [self._row(field, file) for file in field.files]
        listed = Markup('<ul class="evidence-files">{}</ul>').format(Markup("").join(rows))
        staged = Markup('<input type="hidden" name="{}_set" value="{}">').format(
            field.name, field.staged_id
        )
        described = kwargs.get("aria-describedby")
        more = Markup(' aria-describedby="{}"').format(described) if described else Markup("")
        chooser = Markup(
            '<input type="file" class="form-control" id="{}" name="{}" accept="{}" multiple{}>'
        ).format(field.id, field.name, ACCEPT, more)
        return (listed if rows else Markup("")) + (staged if field.staged_id else "") + chooser

    def _row(self, field: EvidenceField, file: EvidenceFile) -> Markup:
        checked = Markup(" checked") if file.id in field.dropped else Markup("")
        return Markup(
            '<li><a href="/evidence/{}">{}</a> <label class="evidence-drop">'
            '<input type="checkbox" name="{}_drop" value="{}"{}> {}</label></li>'
        ).format(file.id, file.name, field.name, file.id, checked, escape(_("Remove")))


class EvidenceField(Field):
    """Hold the key of an evidence set; ``owner`` tells whose scope new files take.

    A record that ``keeps`` its files only marks those that are taken out.
    """

    widget = EvidenceWidget()
    process_errors: Any

    def __init__(
        self,
        label: str | None = None,
        validators: Sequence[Any] | None = None,
        owner: Callable[[], Owner] | None = None,
        keeps: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(label, validators, **kwargs)
        self.owner = owner
        self.keeps = keeps
        self.staged_id: int | None = None
        self.dropped: frozenset[int] = frozenset()
        self._files: Sequence[EvidenceFile] | None = None

    def process(self, formdata: Any, data: Any = None, extra_filters: Any = None) -> None:
        """Take the key from the record and the files from the request."""
        super().process(formdata, data, extra_filters)
        if formdata is None:
            return
        self.dropped = frozenset(_numbers(formdata.getlist(f"{self.name}_drop")))
        staged = next(iter(_numbers(formdata.getlist(f"{self.name}_set"))), None)
        uploads = [
            value
            for value in formdata.getlist(self.name)
            if isinstance(value, FileStorage) and value.filename
        ]
        self._stage(uploads, staged)

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Leave the key alone: a form may add files to a set, never name another one."""

    def _stage(self, uploads: Sequence[FileStorage], staged: int | None) -> None:
        if not uploads:
            held = staged_set(db.session(), staged)
            self.staged_id = held.id if held else None
            return
        if self.owner is None:
            self.process_errors = [*self.process_errors, _("Files cannot be added here.")]
            return
        held, refusals = stage(db.session(), uploads, self.owner(), staged)
        db.session.commit()  # before the form is judged: its refusal must not take the files along
        self.staged_id = held.id if held else None
        _tell_doubles(held)
        self.process_errors = [*self.process_errors, *refusals]

    @property
    def files(self) -> Sequence[EvidenceFile]:
        """Return the files of the record and those that wait to be saved with it."""
        if self._files is None:
            keys = [key for key in (self.data, self.staged_id) if key is not None]
            found = select(EvidenceFile).where(
                EvidenceFile.evidence_set_id.in_(keys), EvidenceFile.dropped_at.is_(None)
            )
            ordered = found.order_by(EvidenceFile.id)
            self._files = db.session.scalars(ordered).all() if keys else []
        return self._files

    @files.setter
    def files(self, files: Sequence[EvidenceFile]) -> None:
        self._files = files

    @property
    def is_touched(self) -> bool:
        """Tell whether the request adds files or takes some out."""
        return self.staged_id is not None or bool(self.dropped)

    def populate_obj(self, obj: Any, name: str) -> None:
        """Let the record adopt what was staged."""
        held = getattr(obj, name)
        adopted = adopt(db.session(), obj, held, self.staged_id, self.dropped, keeps=self.keeps)
        setattr(obj, name, adopted)


def _tell_doubles(held: EvidenceSet | None) -> None:
    """Tell who uploads which originals are kept under another record; the record is not named."""
    files = held.files if held is not None else []
    doubled = doubles(db.session(), files)
    for file in files:
        if file.id in doubled:
            text = _("%(name)s is kept under another record already.", name=file.name)
            flash(text, "warning")


def _numbers(values: Sequence[str]) -> list[int]:
    """Return the keys among untrusted texts, small enough for any database."""
    return [
        int(v) for v in values if isinstance(v, str) and v.isascii() and v.isdigit() and len(v) < 10
    ]
