"""Hand out evidence through its record: a file of a record out of reach does not exist."""

from __future__ import annotations

import io
from typing import Any

from flask import Response, abort, send_file
from flask_appbuilder import AppBuilder, BaseView, expose, has_access
from flask_appbuilder.security.decorators import permission_name
from sqlalchemy import select

from app.base import SCOPE_COLUMNS, actor
from app.crud.interface import key_of
from app.crud.owner import may_open_owner
from app.extensions import db
from app.files import preview
from app.files.evidence import store
from app.models import EvidenceFile, EvidenceSet
from app.security.headers import set_policy
from app.security.scope import table_of

FILE, SET = table_of(EvidenceFile), table_of(EvidenceSet)
SAME_PLACE = tuple(FILE.c[name].is_not_distinct_from(SET.c[name]) for name in SCOPE_COLUMNS)
CLOSED = "default-src 'none'; sandbox"
VIEWER = "default-src 'none'; object-src 'self'; base-uri 'none'; form-action 'none'"
"""For PDF: a sandbox would keep the browser's own viewer from opening it."""


class EvidenceView(BaseView):
    """Download and preview the files of records that the reader may open."""

    route_base = "/evidence"
    default_view = "download"

    @expose("/<int:pk>")
    @has_access
    @permission_name("get")
    def download(self, pk: int) -> Response:
        """Return a file under its own name, never to be shown or guessed at by the browser."""
        return _sent(_readable(pk), as_attachment=True, policy=CLOSED)

    @expose("/<int:pk>/view")
    @has_access
    @permission_name("get")
    def view(self, pk: int) -> Response:
        """Return a picture or a PDF to be looked at; anything else is downloaded."""
        file = _readable(pk)
        is_shown = file.media_type in preview.SHOWN_INLINE
        policy = VIEWER if file.media_type == preview.PDF else CLOSED
        return _sent(file, as_attachment=not is_shown, policy=policy)

    @expose("/<int:pk>/thumbnail")
    @has_access
    @permission_name("get")
    def thumbnail(self, pk: int) -> Response:
        """Return a picture made small."""
        file = _readable(pk)
        if file.media_type not in preview.PICTURES:
            abort(404)
        small = preview.thumbnail(store(), file.stored_sha256)
        if small is None:
            abort(404)
        return _answer(small, preview.MEDIA_TYPE, f"{file.id}.jpg", policy=CLOSED)


def _readable(pk: int) -> Any:
    """Return a file that the reader may read: of a record of his, or waiting in a form of his.

    Read from the tables, since the record decides: it may have come to the reader's school with
    its child, while the file keeps the place of its day. A file of another place than its set's
    was not put there by the product, and is none.
    """
    found = db.session.connection().execute(
        select(FILE, SET.c.is_staged, SET.c.created_by_id.label("staged_by_id"))
        .join(SET, SET.c.id == FILE.c.evidence_set_id)
        .where(FILE.c.id == key_of(pk), *SAME_PLACE)
    )
    file = found.one_or_none()
    if file is None:
        abort(404)
    is_own = file.is_staged and file.staged_by_id == actor.get().user_id
    if not is_own and (file.is_staged or not may_open_owner(file.evidence_set_id)):
        abort(404)
    return file


def _sent(file: Any, *, as_attachment: bool, policy: str) -> Response:
    path = store().path(file.stored_sha256)
    if not path.is_file():
        abort(404)
    body = path.read_bytes()  # at most MAX_FILE_SIZE
    return _answer(body, file.media_type, file.name, as_attachment=as_attachment, policy=policy)


def _answer(
    body: bytes, media_type: str, name: str, *, policy: str, as_attachment: bool = False
) -> Response:
    answer = send_file(
        io.BytesIO(body),
        mimetype=media_type,
        as_attachment=as_attachment,
        download_name=name,
        max_age=0,
    )
    answer.headers["X-Content-Type-Options"] = "nosniff"
    set_policy(policy)
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def add_views(appbuilder: AppBuilder) -> None:
    """Add the download; it has no place in the menu."""
    appbuilder.add_view_no_menu(EvidenceView)
