"""Check and store uploaded files as jobs."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import Connection, select

from app import database, jobs
from app.base import Refused
from app.extensions import db
from app.files import kept
from app.imports.batch import Opened, check, find_entity, finish, open_file, store
from app.imports.source import remembered
from app.models import ImportBatch
from app.security.scope import table_of

CHECK, STORE = "import_check", "import_store"
_batch = table_of(ImportBatch)


def opened(connection: Connection, batch: Any) -> Opened:
    """Return a batch's file, read, its heads matched as its owner chose."""
    entity = find_entity(batch.entity)
    if entity is None:
        raise Refused(_("The plugin of this import is gone."))
    return open_file(
        entity,
        kept.content_of(str(batch.id)),
        batch.file_name,
        lambda heads: remembered(connection, batch.created_by_id, entity.key, heads),
    )


@jobs.handler(CHECK, _l("Check a file"))
def _check(work: jobs.Work) -> None:
    """Judge an uploaded file and keep what is wrong with it."""
    batch, file = _read(work)
    if batch.state == "stored":
        return
    with database.writing():
        session = db.session()
        result = check(session, file, scope=work.scope, progress=work.progress)
        finish(session.connection(), file.entity, batch.id, result, "checked")
        session.commit()


@jobs.handler(STORE, _l("Import a file"))
def _store(work: jobs.Work) -> None:
    """Store an uploaded file's good rows; one that is stored already stays as it is."""
    _batch_then, file = _read(work)
    with database.writing():
        session = db.session()
        held = select(_batch).where(_batch.c.id == work.subject_id).with_for_update()
        batch = session.connection().execute(held).one()
        if batch.state == "stored":
            return
        result = store(
            session,
            file,
            scope=work.scope,
            is_backfilled=batch.is_backfilled,
            batch_id=batch.id,
            progress=work.progress,
        )
        session.commit()
    if not result.failed:
        kept.forget(str(batch.id))


def _read(work: jobs.Work) -> tuple[Any, Opened]:
    """Return the batch and its file, before the work takes any lock."""
    with db.engine.connect() as connection:
        chosen = select(_batch).where(_batch.c.id == work.subject_id)
        batch = connection.execute(chosen).one()
        connection.rollback()
        file = opened(connection, batch)
    work.progress(20)
    return batch, file
