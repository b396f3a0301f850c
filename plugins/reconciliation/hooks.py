"""Grant what the manifest cannot say, and compare the lists of the demonstration county."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from random import Random

from sqlalchemy import func, select

from app.kit import AttendanceReport, County, Grant, Session, blind_indexes, hookimpl, today

from .catalogue import FROM_FILE, methods, own_lists
from .lists import entries_of_children, with_numbers
from .matching import Entry
from .models import Comparison
from .outcome import Lists, compare

EXPORTING = (
    "task_group", "supervision_office", "education_assistant", "township_clerk", "school_leader",
    "school_clerk",
)  # fmt: skip
SLIPS = 300
REOPENING = ("task_group", "supervision_office", "education_assistant")


@hookimpl
def grants() -> Iterable[Grant]:
    """Return the rights."""
    for role in EXPORTING:
        yield Grant(role, "can_export", "ComparisonView")
        yield Grant(role, "can_export", "HeadcountView")
    for role in REOPENING:
        yield Grant(role, "can_reopen", "ResidualView")


@hookimpl
def seed(session: Session, random: Random) -> None:
    """Compare the enrolment with a list of who is at school, slips of the pen included."""
    county = session.scalar(select(County.id).limit(1))
    on = session.scalar(select(func.max(AttendanceReport.day))) or today()
    method = methods()["enrolment_school"]
    enrolled = entries_of_children(session, own_lists()[method.left.own], on)
    there = entries_of_children(session, own_lists()[method.right.own], on)
    slips = with_numbers(session, [one for one in there if random.randrange(SLIPS) == 0])
    wrong = {one.child_id: _with_slip(one) for one in slips if one.number}
    listed = [
        replace(wrong.get(one.child_id, one), child_id=None, row=row)
        for row, one in enumerate(there, 2)
    ]
    comparison = Comparison(
        county_id=county,
        method=method.key,
        compared_on=on,
        left_source=method.left.own,
        right_source=FROM_FILE,
        right_file="在校学生名单.xlsx",
    )
    session.add(comparison)
    session.flush()
    compare(session, comparison, Lists(enrolled, listed))


def _with_slip(child: Entry) -> Entry:
    """Return a child with a wrong check digit."""
    right = child.number or ""
    number = f"{right[:-1]}{'1' if right.endswith('0') else '0'}"
    return replace(child, number=number, index=blind_indexes([number])[0])
