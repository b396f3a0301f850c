"""Remember, for each person, which columns the heads of a source stand for."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, delete, insert, select

from app.imports.mapping import bare
from app.models import ImportHeader
from app.security.scope import table_of

_header = table_of(ImportHeader)


def source_of(heads: Sequence[str]) -> str:
    """Return the digest by which a source's files are known again: that of their heads."""
    return hashlib.sha256("\n".join(bare(head) for head in heads).encode()).hexdigest()


def remembered(
    connection: Connection, user_id: int | None, entity: str, heads: Sequence[str]
) -> Mapping[str, str]:
    """Return the columns that a person chose for these heads; an empty one is not read."""
    query = select(_header.c.header, _header.c.column_name).where(
        _header.c.user_id == user_id,
        _header.c.entity == entity,
        _header.c.source == source_of(heads),
    )
    return {row.header: row.column_name or "" for row in connection.execute(query)}


def remember(
    connection: Connection,
    user_id: int,
    entity: str,
    heads: Sequence[str],
    chosen: Mapping[int, str],
) -> None:
    """Keep what a person chose for the heads of a file, by their place."""
    source = source_of(heads)
    connection.execute(
        delete(_header).where(
            _header.c.user_id == user_id, _header.c.entity == entity, _header.c.source == source
        )
    )
    listed = {bare(head)[:200]: chosen.get(at) for at, head in enumerate(heads) if head}
    if listed:
        connection.execute(
            insert(_header),
            [
                {
                    "user_id": user_id,
                    "entity": entity,
                    "source": source,
                    "header": head,
                    "column_name": name or None,
                }
                for head, name in listed.items()
            ],
        )
