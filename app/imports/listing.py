"""Read an uploaded list that is not stored as it is, and add the many rows that come of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.base import Scoped
from app.database import next_ids
from app.imports.batch import lines_of, open_file
from app.imports.entity import Entity, Row
from app.imports.mapping import check_mapping
from app.models import School
from app.security.scope import table_of


def check_list(entity: Entity, content: bytes, name: str) -> None:
    """Raise Refused where a file cannot be read or lacks a column that every line needs."""
    opened = open_file(entity, content, name)
    check_mapping(entity, opened.table, opened.match)


def read_list(entity: Entity, content: bytes, name: str) -> list[Row]:
    """Return the lines of an .xlsx, .xls, .ods or .csv file, each with what is wrong with it.

    Raises Refused where the file cannot be read or lacks a column that every line needs.
    """
    return lines_of(open_file(entity, content, name))


def add_rows(session: Session, rows: Sequence[Any]) -> None:
    """Add many rows of one model with their trail; the statements do not grow with the rows."""
    if not rows:
        return
    # With its key given, a row need not be asked back, and all go in one statement.
    keys = next_ids(session.connection(), table_of(type(rows[0])), len(rows))
    for row, key in zip(rows, keys, strict=True):
        row.id = key
    schools = {row.school_id for row in rows if isinstance(row, Scoped) and row.school_id}
    # Held until the end: the guard looks up the school of each row.
    held = session.scalars(select(School).where(School.id.in_(schools))).all() if schools else []
    session.add_all(rows)
    session.flush()
    del held
