"""Make cases in every state for the demonstration county; all of it is made up."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any, Final

from sqlalchemy import func, select

from app.kit import (
    Child,
    ChildStatus,
    EvidenceFile,
    EvidenceSet,
    Session,
    StatusEvent,
)

from .kinds import (
    APPLIED,
    APPROVED,
    CONFIRMED,
    CONSENT,
    DECLINED,
    DEFERRALS,
    FORMS,
    HOSPITAL,
    KINDS,
    MEDICAL,
    POLICY,
    PROOFS,
)
from .models import SuspensionCase, SuspensionPaper

WORDS: Final = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
COMPLETE: Final = 0.85
"""Share of the papers that lie in the files."""
WAITING: Final = 12
"""Applications that are not approved."""
APPLIED_BEFORE, ABSENT_BEFORE = (8, 20), (45, 80)
TERMS: Final = (150, 180, 300, 364)
"""Days for which cases are approved."""


def fill(session: Session, random: Random) -> None:
    """Add a case for each child that is suspended or deferred, and some that wait."""
    files = _Files(session, random)
    for child, key, since in _children(session, tuple(KINDS)):
        record = _approved(random, child, key, since)
        files.add(record, (HOSPITAL,) if key in MEDICAL else (*FORMS, *PROOFS, CONSENT))
    away = _children(session, ("suspected", "pending_determination", "dropped_out"))
    for number, (child, _key, since) in enumerate(away[:WAITING]):
        files.add(_waiting(random, child, since, number), FORMS)
    files.store()


def _children(session: Session, statuses: Sequence[str]) -> Sequence[Any]:
    """Return the children of some statuses with the day since which each has it."""
    query = (
        select(Child, ChildStatus.key, func.max(StatusEvent.happened_on))
        .join(ChildStatus, ChildStatus.id == Child.status_id)
        .join(StatusEvent, StatusEvent.child_id == Child.id)
        .where(ChildStatus.key.in_(statuses))
        .group_by(Child.id, ChildStatus.key)
        .order_by(Child.id)
    )
    return session.execute(query).all()


def _approved(random: Random, child: Child, kind: str, since: date) -> SuspensionCase:
    applied = since - timedelta(days=random.randint(*APPLIED_BEFORE))
    record = _case(child, kind, applied, random)
    record.state, record.approved_on = APPROVED, since
    record.confirmed_on = None if kind in MEDICAL else applied + timedelta(days=4)
    record.ends_on = since + timedelta(days=random.choice(TERMS))
    return record


def _waiting(random: Random, child: Child, since: date, number: int) -> SuspensionCase:
    record = _case(child, POLICY[0], since, random)
    record.state = (APPLIED, APPLIED, CONFIRMED, DECLINED)[number % 4]
    if record.state != APPLIED:
        record.confirmed_on = record.applied_on
    if record.state == DECLINED:
        record.decision_note = WORDS["declined"]
    return record


def _case(child: Child, kind: str, applied: date, random: Random) -> SuspensionCase:
    absent = applied - timedelta(days=random.randint(*ABSENT_BEFORE))
    return SuspensionCase(
        child=child,
        child_id=child.id,
        kind=kind,
        applied_on=applied,
        absent_from=None if kind in DEFERRALS else absent,
        counted_from=absent,
        **_place(child),
    )


class _Files:
    """Put papers with a scan into the files of cases, and store all of them at once."""

    def __init__(self, session: Session, random: Random) -> None:
        self.session = session
        self.random = random
        self.scan = session.scalar(select(EvidenceFile).order_by(EvidenceFile.id).limit(1))
        self.held: list[tuple[SuspensionPaper, EvidenceSet]] = []

    def add(self, record: SuspensionCase, kinds: Sequence[str]) -> None:
        """Add a case with most of its papers."""
        self.session.add(record)
        for kind in kinds:
            if self.random.random() < COMPLETE:
                scanned = EvidenceSet(is_staged=False, **_place(record.child))
                self.held.append((self._paper(record, kind), scanned))

    def store(self) -> None:
        """Store the papers with their scans."""
        self.session.add_all(scanned for _paper, scanned in self.held)
        self.session.flush()
        for paper, scanned in self.held:
            paper.evidence_set_id = scanned.id
            self.session.add(paper)
            if self.scan is not None:
                self.session.add(self._copy(paper))
        self.session.flush()

    def _paper(self, record: SuspensionCase, kind: str) -> SuspensionPaper:
        paper = SuspensionPaper(
            case=record,
            child=record.child,
            child_id=record.child_id,
            kind=kind,
            dated_on=record.applied_on,
            **_place(record.child),
        )
        if kind == CONSENT:
            facts = {"year": record.applied_on.year, "number": self.random.randint(1, 90)}
            paper.issued_by, paper.number = WORDS["issuer"], WORDS["number"] % facts
        return paper

    def _copy(self, paper: SuspensionPaper) -> EvidenceFile:
        """Return a file of the paper's set with a content that the county has stored already."""
        names = "media_type", "size", "stored_sha256"
        content = {name: getattr(self.scan, name) for name in names}
        title = f"{paper.kind} {paper.evidence_set_id}"
        content["original_sha256"] = hashlib.sha256(title.encode()).hexdigest()
        place = _place(paper.child)
        return EvidenceFile(
            evidence_set_id=paper.evidence_set_id, name=WORDS["scan"], **content, **place
        )


def _place(child: Child) -> dict[str, int | None]:
    return {name: getattr(child, name) for name in ("county_id", "township_id", "school_id")}
