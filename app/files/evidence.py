"""Stage uploads in evidence sets, let records adopt them, and remove what nobody names."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Protocol

from flask import Flask, current_app
from flask_babel import gettext as _
from sqlalchemy import event, select
from sqlalchemy.orm import Mapper, Session
from werkzeug.datastructures import FileStorage

from app import clock
from app.base import Refused, actor
from app.extensions import db
from app.files.content import Limits, judge
from app.files.store import Store
from app.models import EvidenceFile, EvidenceSet

FILES_PER_SET = 30
STAGED_FOR = timedelta(days=7)
_REMOVED = "removed_evidence"


class Owner(Protocol):
    """A scoped record that holds the key of an evidence set."""

    @property
    def county_id(self) -> int | None:
        """Return the county."""

    @property
    def township_id(self) -> int | None:
        """Return the township; None for the county's own records."""

    @property
    def school_id(self) -> int | None:
        """Return the school; None for a township's records."""


def store() -> Store:
    """Return the store of the running application."""
    return Store(current_app.config["EVIDENCE_DIR"])


def limits() -> Limits:
    """Return the limits that the configuration sets."""
    return Limits(current_app.config["MAX_FILE_SIZE"], current_app.config["MAX_IMAGE_PIXELS"])


def staged_set(session: Session, set_id: int | None) -> EvidenceSet | None:
    """Return a staged set of the acting user; another's is like one that does not exist."""
    if set_id is None:
        return None
    return session.scalar(
        select(EvidenceSet).where(
            EvidenceSet.id == set_id,
            EvidenceSet.is_staged,
            EvidenceSet.created_by_id == actor.get().user_id,
        )
    )


def stage(
    session: Session, uploads: Iterable[FileStorage], owner: Owner, set_id: int | None = None
) -> tuple[EvidenceSet | None, Sequence[str]]:
    """Store uploads in a staged set with the owner's scope; return it and what was refused.

    The caller commits at once, before anything else is changed: then a form that is refused
    afterwards still has its files.
    """
    kept = staged_set(session, set_id)
    refusals: list[str] = []
    for upload in uploads:
        try:
            kept = _stage_one(session, upload, owner, kept)
        except Refused as refused:
            refusals.append(refused.message)
    session.flush()
    return kept, refusals


def _stage_one(
    session: Session, upload: FileStorage, owner: Owner, kept: EvidenceSet | None
) -> EvidenceSet:
    body = upload.stream.read(limits().size + 1)
    content = judge(upload.filename or "", body, limits())
    if kept is None:
        kept = EvidenceSet(is_staged=True)
        _copy_scope(owner, kept)
        session.add(kept)
    original = hashlib.sha256(body).hexdigest()
    if any(file.original_sha256 == original for file in kept.files):
        return kept
    if len(kept.files) >= FILES_PER_SET:
        raise Refused(_("At most %(count)s files.", count=FILES_PER_SET))
    file = EvidenceFile(
        name=content.name,
        media_type=content.media_type,
        size=len(content.body),
        original_sha256=original,
        stored_sha256=store().put(content.body),
        taken_at=content.taken_at,
    )
    _copy_scope(kept, file)
    kept.files.append(file)
    return kept


def adopt(
    session: Session,
    owner: Owner,
    set_id: int | None,
    staged_id: int | None,
    dropped: Iterable[int] = (),
    *,
    keeps: bool = False,
) -> int | None:
    """Give the owner's set the staged files, take dropped ones out; return the key of the set.

    A submitted record `keeps` what is taken out of it: marked, and readable for who audits it.
    """
    kept = session.get(EvidenceSet, set_id) if set_id is not None else None
    staged = staged_set(session, staged_id)
    unwanted = set(dropped)
    for held in (kept, staged):
        for file in list(held.files) if held is not None and unwanted else ():
            if file.id in unwanted and keeps and held is kept:
                file.dropped_at = file.dropped_at or clock.now()
            elif file.id in unwanted:
                held.files.remove(file)  # type: ignore[union-attr]  # the loop skips None
                session.delete(file)
    if staged is None:
        return set_id
    if kept is None:
        kept = staged
        kept.is_staged = False
    else:
        for file in list(staged.files):
            file.evidence_set = kept
        session.flush()
        session.delete(staged)
    _copy_scope(owner, kept)
    for file in kept.files:
        _copy_scope(owner, file)
    session.flush()
    return kept.id


def remove_sets(session: Session, set_ids: Iterable[int | None]) -> None:
    """Remove the sets of a record that is gone, with their files."""
    keys = [key for key in set_ids if key is not None]
    for held in session.scalars(select(EvidenceSet).where(EvidenceSet.id.in_(keys))).all():
        for file in list(held.files):
            session.delete(file)
        session.flush()
        session.delete(held)
    session.flush()


def files_of(
    session: Session, set_ids: Iterable[int | None]
) -> Mapping[int | None, Sequence[EvidenceFile]]:
    """Return the files of many sets by the key of their set, in one statement."""
    keys = {key for key in set_ids if key is not None}
    held: dict[int | None, list[EvidenceFile]] = {}
    if keys:
        query = select(EvidenceFile).where(EvidenceFile.evidence_set_id.in_(keys))
        for file in session.scalars(query.order_by(EvidenceFile.id)):
            held.setdefault(file.evidence_set_id, []).append(file)
    return held


def _copy_scope(source: Owner, target: Any) -> None:
    target.county_id = source.county_id
    target.township_id = source.township_id
    target.school_id = source.school_id


@event.listens_for(EvidenceFile, "after_delete")
def _note_removal(_mapper: Mapper[Any], _connection: Any, file: EvidenceFile) -> None:
    session = Session.object_session(file)
    if session is not None:
        session.info.setdefault(_REMOVED, set()).add(file.stored_sha256)


@event.listens_for(Session, "after_commit")
def _remove_files(session: Session) -> None:
    """Remove files only when the database has forgotten them for good."""
    if session.in_nested_transaction():
        return
    removed = session.info.pop(_REMOVED, None)
    if not removed:
        return
    with db.engine.connect() as connection:
        column = EvidenceFile.__table__.c.stored_sha256
        # Another township's row may name the same content: all rows count, in scope or not.
        named = set(connection.scalars(select(column).where(column.in_(removed))))
    for digest in removed - named:
        store().remove(digest)


@event.listens_for(Session, "after_rollback")
def _keep_files(session: Session) -> None:
    session.info.pop(_REMOVED, None)


def sweep(app: Flask) -> int:
    """Remove staged sets that were left lying and files that no row names; return how many files.

    Called at start, when no request is under way.
    """
    with app.app_context():
        session = db.session
        limit = clock.now() - STAGED_FOR
        old = session.scalars(
            select(EvidenceSet.id).where(EvidenceSet.is_staged, EvidenceSet.created_at < limit)
        )
        remove_sets(session(), old)
        session.commit()
        known = set(session.scalars(select(EvidenceFile.stored_sha256)))
        session.rollback()
        orphans = list(store().orphans(known))
        for path in orphans:
            path.unlink(missing_ok=True)
        return len(orphans)
