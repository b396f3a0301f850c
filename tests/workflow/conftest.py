"""Fixtures of the findings loop: an inspection with failed items, and hands of every role."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from itertools import count
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from app.models import (
    Answer,
    AnswerChild,
    CalendarDay,
    Checklist,
    ChecklistItem,
    ChecklistVersion,
    Child,
    EvidenceFile,
    EvidenceSet,
    Feedback,
    Finding,
    FindingStep,
    Inspection,
    InspectionParticipant,
    InspectionState,
    Person,
    School,
    SchoolYear,
    Semester,
    Township,
    Verdict,
)
from app.workflow import feedback as feedbacks
from app.workflow import finding as findings
from app.workflow.party import SCHOOL_SIDE, Hand
from tests.builder import CountyBuilder

FOUND = date(2026, 3, 3)
"""A Tuesday."""


class Loop:
    """Make inspections and lead their findings into any state."""

    def __init__(self, county: CountyBuilder) -> None:
        self.county = county
        self.session = county.session
        self._number = count(1)
        self._hands: dict[str, Hand] = {}

    def run(self, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call within the application and keep what it did."""
        with self.county.context():
            try:
                result = call(self.session, *args, **kwargs)
                self.session.commit()
            except BaseException:
                self.session.rollback()
                raise
        return result

    def person(self, template: str) -> Person:
        place = (
            self.county.a_school
            if template in SCHOOL_SIDE | {"class_teacher"}
            else self.county.a_township
            if template.startswith(("township", "education"))
            else None
        )
        return self.county.person(place=place)

    def hand(self, template: str, person: Person | None = None) -> Hand:
        """Return the hand of a role; the same person each time unless one is given."""
        if person is not None:
            return Hand(person.id, None, template)
        if template not in self._hands:
            self._hands[template] = Hand(self.person(template).id, None, template)
        return self._hands[template]

    def item(self, checklist: str, key: str) -> ChecklistItem:
        return self.county.scalar(
            select(ChecklistItem)
            .join(ChecklistVersion, ChecklistVersion.id == ChecklistItem.version_id)
            .join(Checklist, Checklist.id == ChecklistVersion.checklist_id)
            .where(Checklist.key == checklist, ChecklistItem.key == key)
        )

    def inspection(
        self,
        answers: Mapping[str, str] | None = None,
        *,
        type_key: str = "township_visit",
        checklist: str = "annex_1",
        finder: Hand | None = None,
        day: date = FOUND,
        place: School | Township | None = None,
        state: str = InspectionState.SUBMITTED,
        children: Mapping[str, Mapping[Child, str]] | None = None,
    ) -> Inspection:
        """Store an inspection with these verdicts by item key."""
        hand = finder or self.hand("township_leader")
        scope = self.county.scope_of(place or self.county.a_school)
        given = {"meeting_notice": Verdict.FAILS} if answers is None else answers
        items = {key: self.item(checklist, key) for key in given}
        version = self.county.scalar(
            select(ChecklistVersion).join(Checklist).where(Checklist.key == checklist)
        )
        row = Inspection(
            type_key=type_key,
            checklist_version_id=version.id,
            occurred_on=day,
            state=state,
            submitted_by_id=hand.person_id,
            **scope,
        )
        row.participants = [
            InspectionParticipant(person_id=hand.person_id, capacity=hand.template, **scope)
        ]
        row.answers = [
            Answer(
                item_id=items[key].id,
                verdict=verdict,
                note=f"事实 {key}",
                children=[
                    AnswerChild(child_id=child.id, verdict=of_child, **scope)
                    for child, of_child in (children or {}).get(key, {}).items()
                ],
                **scope,
            )
            for key, verdict in given.items()
        ]
        return self.county.add(row)

    def finding(self, key: str = "meeting_notice", **kwargs: Any) -> Finding:
        """Store an inspection with one failed item; return its finding, not served yet."""
        inspection = self.inspection({key: Verdict.FAILS}, **kwargs)
        return self.run(findings.findings_from, inspection)[0]

    def evidence(self) -> int:
        """Store a set with one file."""
        scope = self.county.scope_of(self.county.a_school)
        held = self.county.add(EvidenceSet(is_staged=False, **scope))
        name = f"file{next(self._number)}.pdf"
        self.county.add(
            EvidenceFile(
                evidence_set_id=held.id,
                name=name,
                media_type="application/pdf",
                size=1,
                original_sha256="0" * 64,
                stored_sha256="0" * 64,
                **scope,
            )
        )
        return held.id

    def take(self, finding: Finding, key: str, template: str, **kwargs: Any) -> FindingStep:
        return self.run(findings.take, finding, key, self.hand(template), **kwargs)

    def feedback_of(self, finding: Finding) -> Feedback:
        return self.county.scalar(select(Feedback).where(Feedback.id == finding.feedback_id))

    def into(self, finding: Finding, state: str, day: date | None = None) -> Finding:
        """Lead a finding into a state by legal steps."""
        if state == "open":
            return finding
        if state == "withdrawn_unserved":
            raise ValueError(state)
        server = "school_leader" if finding.is_self_found else "township_leader"
        self.run(feedbacks.serve, self.feedback_of(finding), self.hand(server), day=day)
        self.run(feedbacks.receive, self.feedback_of(finding), self.hand("school_clerk"), day=day)
        if state == "served":
            return finding
        if state in {"objected", "withdrawn"}:
            self.take(finding, "object", "school_clerk", note="事实有误", day=day)
            if state == "withdrawn":
                self.take(finding, "uphold", "liaison_leader", note="成立", day=day)
            return finding
        if finding.is_self_found:
            self.take(finding, "close", "school_leader", evidence_set_id=self.evidence(), day=day)
            return finding
        self.take(
            finding,
            "claim",
            "school_clerk",
            note="已整改",
            evidence_set_id=self.evidence(),
            day=day,
        )
        if state == "closed":
            self.run(
                findings.visit_again,
                finding,
                self.hand("township_leader"),
                is_rectified=True,
                note="属实",
                visited_on=day,
            )
        return finding

    def calendar(
        self,
        *,
        working: tuple[date, ...] = (),
        off: tuple[date, ...] = (),
    ) -> None:
        """Mark make-up days and holidays."""
        for day, is_working in [*((d, True) for d in working), *((d, False) for d in off)]:
            self.county.add(
                CalendarDay(
                    county_id=self.county.here.id,
                    day=day,
                    is_working_day=is_working,
                    is_school_day=is_working,
                )
            )

    def semesters(self, *spans: tuple[date, date]) -> SchoolYear:
        """Add semesters to the school year."""
        for first, last in spans:
            self.county.add(
                Semester(
                    county_id=self.county.here.id,
                    school_year_id=self.county.year.id,
                    name=f"{first}",
                    starts_on=first,
                    ends_on=last,
                )
            )
        return self.county.year


@pytest.fixture
def loop(county: CountyBuilder) -> Loop:
    return Loop(county)


@pytest.fixture
def today() -> Iterator[Callable[[date], None]]:
    """Return a function that sets the day."""
    travel: list[Any] = []

    def go(day: date) -> None:
        while travel:
            travel.pop().stop()
        traveller = time_machine.travel(f"{day.isoformat()}T02:00:00+00:00", tick=False)
        traveller.start()
        travel.append(traveller)

    go(date(2026, 3, 5))
    yield go
    while travel:
        travel.pop().stop()
