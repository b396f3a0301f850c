"""Read an uploaded list by the columns of an entity; nothing is stored, nothing asked of rows."""

from __future__ import annotations

from flask_babel import gettext as _
from werkzeug.datastructures import FileStorage

from app.base import Refused
from app.imports.batch import lines_of, open_file
from app.imports.entity import Entity, Row


def read_list(entity: Entity, upload: FileStorage | None) -> list[Row]:
    """Return the lines of an .xlsx, .xls, .ods or .csv file, each with what is wrong with it.

    Raises Refused where the file cannot be read or lacks a column that every line needs.
    """
    if upload is None or not upload.filename:
        raise Refused(_("Choose a file."))
    upload.stream.seek(0)
    return lines_of(open_file(entity, upload.stream.read(), upload.filename))
