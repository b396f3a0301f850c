"""Compare lists as a job: the files wait on the disk, and whoever waits sees how far it is."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from sqlalchemy import select

from app.kit import (
    JobState,
    Kept,
    Session,
    Work,
    _l,
    acting,
    content_of,
    forget,
    job_handler,
    job_state,
    submit_job,
)

from .catalogue import FROM_FILE, own_lists
from .lists import entries_of_children, entries_of_file
from .models import Comparison, Residual
from .outcome import Lists, compare

KIND: Final = "reconciliation.compare"
SIDES: Final = ("left", "right")
NO_FILE: Final = "-"


def begin(session: Session, comparison: Comparison, kept: dict[str, Kept | None]) -> None:
    """Let a stored comparison be worked off with the files of its sides."""
    keys = [found.key if (found := kept.get(side)) else NO_FILE for side in SIDES]
    submit_job(session, KIND, comparison.id, " ".join(keys))


def state(session: Session, comparison: Comparison) -> JobState | None:
    """Return how the work stands; None for a comparison that was made without a job."""
    return job_state(session, KIND, comparison.id)


@job_handler(KIND, _l("Compare lists"))
def run(work: Work) -> None:
    """Read both lists, compare them and keep the lines; started again, it changes nothing."""
    keys = dict(zip(SIDES, (work.argument or "").split(), strict=True))
    with acting(work) as session:
        comparison = session.get(Comparison, work.subject_id)
        if comparison is None or _is_done(session, comparison):
            return
        read: dict[str, tuple[Any, Any]] = {}
        for number, side in enumerate(SIDES, 1):
            read[side] = _list_of(session, comparison, side, keys[side])
            work.progress(30 * number)
        (left, unread_left), (right, unread_right) = (read[side] for side in SIDES)
        compare(session, comparison, Lists(left, right, unread_left, unread_right))
        work.progress(95)
    for key in keys.values():
        if key != NO_FILE:
            forget(key)


def _is_done(session: Session, comparison: Comparison) -> bool:
    lines = select(Residual.id).where(Residual.comparison_id == comparison.id).limit(1)
    return bool(comparison.left_count or comparison.right_count) or bool(session.scalar(lines))


def _list_of(session: Session, comparison: Comparison, side: str, key: str) -> tuple[Any, Any]:
    source = getattr(comparison, f"{side}_source")
    if source == FROM_FILE:
        name = getattr(comparison, f"{side}_file") or ""
        return entries_of_file(session, content_of(key), name)
    on: date = comparison.compared_on
    return entries_of_children(session, own_lists()[source], on), ()
