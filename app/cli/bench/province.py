"""Make a province out of a county: further counties are copies with keys of their own, by SQL."""

from __future__ import annotations

from sqlalchemy.orm import Session


def multiply(session: Session, counties: int) -> None:
    """Copy the first county until there are so many."""
    raise NotImplementedError
