"""Hand out evidence through the scope: a file of another township does not exist."""

from __future__ import annotations

import io

from flask import Response, abort, send_file
from flask_appbuilder import AppBuilder, BaseView, expose, has_access
from flask_appbuilder.security.decorators import permission_name

from app.crud.interface import find
from app.extensions import db
from app.files.evidence import may_read, store
from app.models import EvidenceFile


class EvidenceView(BaseView):
    """Download the files of records that the reader may see."""

    route_base = "/evidence"
    default_view = "download"

    @expose("/<int:pk>")
    @has_access
    @permission_name("get")
    def download(self, pk: int) -> Response:
        """Return a file under its own name, never to be shown or guessed at by the browser."""
        file = find(db.session, EvidenceFile, pk)
        if file is None or not may_read(file):
            abort(404)
        path = store().path(file.stored_sha256)
        if not path.is_file():
            abort(404)
        answer = send_file(
            io.BytesIO(path.read_bytes()),  # at most MAX_FILE_SIZE
            mimetype=file.media_type,
            as_attachment=True,
            download_name=file.name,
            etag=file.stored_sha256,
            max_age=0,
        )
        answer.headers["X-Content-Type-Options"] = "nosniff"
        answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
        answer.headers["Cache-Control"] = "private, no-store"
        return answer


def add_views(appbuilder: AppBuilder) -> None:
    """Add the download; it has no place in the menu."""
    appbuilder.add_view_no_menu(EvidenceView)
