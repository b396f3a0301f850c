"""Chain the entries of the audit trail, so that an edited or removed one is found.

Each digest is keyed and covers the entry and the digest before it: who can write to the database
alone cannot make it fit again. The newest digest is noted in the instance folder besides, so that
entries taken from the end are missed too.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from flask import current_app
from sqlalchemy import Connection, Row, bindparam, func, select, update
from sqlalchemy.exc import OperationalError

from app import database
from app.extensions import db
from app.models import Change
from app.security.audit import KEPT_COLUMNS
from app.security.scope import table_of

HEADS = "audit-heads"
AT_ONCE = 2_000
PATIENCE = "5s"
_change = table_of(Change)
_kept = [_change.c[name] for name in KEPT_COLUMNS]


@dataclass(frozen=True, slots=True)
class Fault:
    """An entry that does not fit, and what must have happened."""

    change_id: int
    text: str


def extend() -> int:
    """Chain the entries that are not chained yet, in id order; return how many.

    Safe beside the server. Where entries are being written all the time, the next run takes over.
    """
    chained = 0
    with database.writing():
        newest = _newest()
        while newest and (added := _extend(newest)):
            chained += added
    if chained:
        _note_head()
    return chained


def _newest() -> int | None:
    """Return the newest entry below which none can still appear: ids are given before commits."""
    with db.engine.connect() as connection:
        try:
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{PATIENCE}'")
                connection.exec_driver_sql('LOCK TABLE "change" IN SHARE MODE')
            return connection.scalar(select(func.max(_change.c.id)))
        except OperationalError:
            return None


def _extend(newest: int) -> int:
    """Chain one portion up to an entry; return how many."""
    with db.engine.begin() as connection:
        last, digest = _head(connection)
        links = []
        for row in _entries(connection, after=last, until=newest):
            digest = _link(digest, row)
            links.append({"entry": row.id, "digest": digest})
        if links:
            # Of two runs at once the second finds nothing left; both come to the same digests.
            open_entry = (_change.c.id == bindparam("entry")) & _change.c.chain.is_(None)
            connection.execute(
                update(_change).where(open_entry).values(chain=bindparam("digest")), links
            )
        return len(links)


def _head(connection: Connection) -> tuple[int, str]:
    """Return the newest chained entry and its digest."""
    newest = (
        select(_change.c.id, _change.c.chain)
        .where(_change.c.chain.is_not(None))
        .order_by(_change.c.id.desc())
        .limit(1)
    )
    found = connection.execute(newest).one_or_none()
    return (found.id, found.chain) if found else (0, "")


def _entries(connection: Connection, *, after: int, until: int) -> list[Row[tuple[object, ...]]]:
    portion = (
        select(*_kept, _change.c.chain)
        .where(_change.c.id > after, _change.c.id <= until)
        .order_by(_change.c.id)
        .limit(AT_ONCE)
    )
    return list(connection.execute(portion))


def _link(before: str, row: Row[tuple[object, ...]]) -> str:
    """Return the digest of an entry after the digest before it."""
    values = [
        value.isoformat() if isinstance(value, datetime) else value for value in row[: len(_kept)]
    ]
    text = json.dumps([before, *values], ensure_ascii=False)
    key = f"audit {current_app.config['BLIND_INDEX_KEY']}".encode()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def faults() -> Iterator[Fault]:
    """Yield every entry that does not fit into the chain, and every noted head that is gone."""
    heads = _noted_heads()
    with db.engine.connect() as connection:
        newest, _digest = _head(connection)
        last, digest = 0, ""
        while rows := _entries(connection, after=last, until=newest):
            for row in rows:
                if row.chain is None:
                    yield Fault(row.id, "was put in behind the chain's back")
                    continue
                if row.chain != _link(digest, row):
                    yield Fault(row.id, f"was changed, or entries between it and {last} were")
                digest, last = row.chain, row.id
                if heads.get(last) == digest:
                    del heads[last]
            last = rows[-1].id
    for change_id in heads:
        yield Fault(change_id, "was the newest once and is gone or replaced")


def _heads_file() -> Path:
    return Path(current_app.config["INSTANCE_DIR"]) / HEADS


def _note_head() -> None:
    with db.engine.connect() as connection:
        last, digest = _head(connection)
    with _heads_file().open("a", encoding="ascii") as file:
        file.write(f"{last} {digest}\n")


def _noted_heads() -> dict[int, str]:
    """Return the noted heads; of two with one number the older is right, a cut line is none."""
    if not _heads_file().is_file():
        return {}
    lines = (line.split() for line in _heads_file().read_text(encoding="ascii").splitlines())
    heads: dict[int, str] = {}
    for words in lines:
        if len(words) == 2 and words[0].isdigit():
            heads.setdefault(int(words[0]), words[1])
    return heads


def length() -> int:
    """Return how many entries are chained."""
    with db.engine.connect() as connection:
        return connection.scalar(select(func.count(_change.c.chain))) or 0
