"""Judge records by hand: ledger entries, monthly reports, documents at the last look."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, timedelta

from tests.rules.oracle import DAY, Campus, Frame, Verdicts, days, speaks

DOCUMENTS = 2
"""Items that ask for a document once a semester, in both versions of the checklist."""
PARTS = 4
"""An entry needs a reason, a next action, and a responsible person of school and township."""


@dataclass(eq=False)
class Entry:
    """An entry in a ledger, with those of its parts that are there."""

    campus: Campus
    opened: date
    closed: date | None
    parts: frozenset[int]
    id: int = 0


@dataclass(eq=False)
class Look:
    """An inspection that looked for documents; a missing one's finding may have ended."""

    campus: Campus
    day: date
    version: int
    is_submitted: bool
    verdicts: dict[int, str]
    ended: dict[int, date] = field(default_factory=dict)


@dataclass(eq=False)
class Papers:
    """What a county keeps of these."""

    campuses: list[Campus]
    entries: list[Entry]
    reports: set[tuple[int, date]]
    """School (its place in the list) and first day of each reported month."""
    looks: list[Look]


def made_papers(dice: random.Random, frame: Frame, campuses: list[Campus]) -> Papers:
    """Make records of which some are incomplete or missing."""
    span = days(frame.year[0], frame.as_of)
    entries = [
        Entry(
            dice.choice(campuses), frame.as_of - timedelta(days=dice.randint(-1, 9)),
            dice.choice([None, None, frame.as_of]),
            frozenset(part for part in range(PARTS) if dice.random() < 0.85),
        )
        for _ in range(6)
    ]  # fmt: skip
    reports = {
        (place, month)
        for place in range(len(campuses))
        for month in _months(frame)
        if dice.random() < 0.8
    }
    looks = []
    for day in sorted(dice.choices(span, k=10)):
        verdicts = {
            item: dice.choice(["fails", "fails", "conforms", "unchecked"])
            for item in range(DOCUMENTS)
        }
        ended = {
            item: day + timedelta(days=dice.randint(0, 20))
            for item, verdict in verdicts.items()
            if verdict == "fails" and dice.random() < 0.3
        }
        looks.append(
            Look(
                dice.choice(campuses), day, dice.randrange(2), dice.random() < 0.9, verdicts, ended
            )
        )
    return Papers(campuses, entries, reports, looks)


def _months(frame: Frame) -> list[date]:
    return [day for day in days(frame.year[0], frame.as_of) if day.day == 1]


def judged_papers(frame: Frame, held: Papers) -> Verdicts:
    """Return what the rules say."""
    found: Verdicts = {}
    for one in held.entries:
        is_open = one.closed is None and one.opened <= frame.as_of
        if speaks("records.incomplete_ledger_entry", is_open and len(one.parts) < PARTS):
            key = "records.incomplete_ledger_entry", one.id, one.opened
            found[key] = (len(one.parts), PARTS)
    for place, campus in enumerate(held.campuses):
        for month in _months(frame):
            found |= _of_month(frame, campus, month, (place, month) in held.reports)
        for semester in frame.semesters:
            found |= _of_documents(frame, campus, held, semester)
    return found


def _of_month(frame: Frame, campus: Campus, month: date, is_filed: bool) -> Verdicts:
    """MON-1: a school reports each month by the fifth of the next."""
    following = (month + timedelta(days=31)).replace(day=1)
    is_due = following - DAY + timedelta(days=5) < frame.as_of and campus.town.live <= month
    is_there = (campus.opened is None or campus.opened <= month) and (
        campus.closed is None or campus.closed > month
    )
    if speaks("records.monthly_report_missing", is_due and is_there and not is_filed):
        key = "records.monthly_report_missing", campus.id, month
        return {key: (month.isoformat()[:7], 5)}
    return {}


def _of_documents(
    frame: Frame, campus: Campus, held: Papers, semester: tuple[date, date]
) -> Verdicts:
    """DOC-SCH: the last look of the semester missed a document, and its finding has not ended."""
    missing = 0
    for item in range(DOCUMENTS):
        looks = [
            one
            for one in held.looks
            if one.campus is campus
            and one.is_submitted
            and semester[0] <= one.day <= min(semester[1], frame.as_of)
            and one.verdicts[item] != "unchecked"
        ]
        if not looks:
            continue
        last = looks[-1]
        ended = last.ended.get(item, date.max) <= frame.as_of
        lacks = last.verdicts[item] == "fails" and not ended
        missing += lacks and campus.town.live <= last.day
    fires = missing > 0 and semester[0] <= frame.as_of
    if speaks("records.documents_missing", fires):
        return {("records.documents_missing", campus.id, semester[0]): (missing, 0)}
    return {}
