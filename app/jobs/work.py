"""Name the kinds of work and who does them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app import database
from app.extensions import db
from app.security import guard
from app.security.scope import Scope


@dataclass(frozen=True, slots=True)
class Work:
    """Hold one job as its handler sees it: what it is about and on whose behalf it runs."""

    id: int
    kind: str
    subject_id: int | None
    argument: str | None
    scope: Scope
    """What the person may touch who started the job, as of now; everything without a person."""
    progress: Callable[[int], None]
    """Gets how far the work is, in percent."""


Handler = Callable[[Work], None]
_handlers: dict[str, Handler] = {}
titles: dict[str, Any] = {}
"""What the kinds of work are called on screens."""


@contextmanager
def acting(work: Work) -> Iterator[Session]:
    """Yield a session that sees and writes what the starter of a job may, and commit at the end."""
    with database.writing(), guard.bound(work.scope):
        session = db.session()
        yield session
        session.commit()


def handler(kind: str, title: Any = None) -> Callable[[Handler], Handler]:
    """Let a function do the jobs of a kind; it commits, and must bear to be started again."""

    def register(function: Handler) -> Handler:
        _handlers[kind] = function
        titles[kind] = title or kind
        return function

    return register


def handler_of(kind: str) -> Handler:
    """Return who does the jobs of a kind; raise LookupError where nobody does."""
    try:
        return _handlers[kind]
    except KeyError:
        raise LookupError(f"no handler for jobs of kind {kind}") from None
