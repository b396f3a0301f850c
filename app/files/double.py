"""Notice the same original under two records: the hash of what was uploaded tells."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Select, exists, select
from sqlalchemy.orm import Session

from app.models import EvidenceFile, EvidenceSet
from app.security.scope import table_of

# On the tables: a copy counts in whichever township it lies; no name of it is told.
FILE, SET = table_of(EvidenceFile), table_of(EvidenceSet)


def same_originals() -> Select[Any]:
    """Select each file of a record whose original is kept under another record too.

    The columns are ``file_id``, ``evidence_set_id``, ``original_sha256``, ``media_type``,
    ``county_id``, ``township_id``, ``school_id`` and ``created_at``.
    """
    return select(
        FILE.c.id.label("file_id"),
        FILE.c.evidence_set_id,
        FILE.c.original_sha256,
        FILE.c.media_type,
        FILE.c.county_id,
        FILE.c.township_id,
        FILE.c.school_id,
        FILE.c.created_at,
    ).where(_is_adopted(FILE), _has_double())


def doubles(session: Session, files: Iterable[EvidenceFile]) -> frozenset[int]:
    """Return which of some files are kept under another record too, in one statement."""
    keys = [file.id for file in files]
    if not keys:
        return frozenset()
    found = select(FILE.c.id).where(FILE.c.id.in_(keys), _has_double())
    return frozenset(session.connection().scalars(found))


def _has_double() -> Any:
    other = FILE.alias()
    return exists().where(
        other.c.original_sha256 == FILE.c.original_sha256,
        other.c.evidence_set_id != FILE.c.evidence_set_id,
        _is_adopted(other),
    )


def _is_adopted(file: Any) -> Any:
    return file.c.evidence_set_id.in_(select(SET.c.id).where(SET.c.is_staged.is_(False)))
