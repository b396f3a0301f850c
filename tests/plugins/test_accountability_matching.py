"""What a superior finds is compared with the clean inspections before, clause by clause."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app import clock, database
from app.models import (
    Answer,
    AnswerChild,
    Checklist,
    ChecklistItem,
    ChecklistSection,
    ChecklistVersion,
    Finding,
    Inspection,
    InspectionParticipant,
    RequestState,
    Semester,
    Violation,
    VisitCheck,
)
from app.parameters.settings import settings_of
from plugins.accountability.matching import matches
from plugins.accountability.models import AccountabilityCase, SuperiorFinding
from plugins.accountability.steps import open_cases

FOUND_ON = date(2026, 5, 20)
VISITED_ON = date(2026, 5, 6)
SINCE = date(2026, 4, 1)


class World:
    """A school, two versions of a checklist, inspectors, and what superiors find."""

    def __init__(self, county: Any) -> None:
        self.county = county
        for first, last in (
            (date(2025, 9, 1), date(2026, 1, 20)),
            (date(2026, 3, 2), date(2026, 7, 10)),
        ):
            county.add(
                Semester(
                    county_id=county.here.id, school_year_id=county.year.id, name="学期",
                    starts_on=first, ends_on=last,
                )
            )  # fmt: skip
        checklist = county.add(Checklist(key="matching", plugin="annex_1", title="表"))
        self.items = {}
        for number in (1, 2):
            version = county.add(
                ChecklistVersion(
                    checklist_id=checklist.id, number=number, digest=f"m{number}",
                    valid_from=date(2024, 2, 26), published_at=clock.now(),
                )
            )  # fmt: skip
            for project in (1, 2):
                section = county.add(
                    ChecklistSection(
                        version_id=version.id, key=f"project{project}", title="项目",
                        project=project, position=project,
                    )
                )  # fmt: skip
                for name in ("leave", "seats", "plan"):
                    key = f"{name}{project}"
                    self.items[key, number] = county.add(
                        ChecklistItem(
                            version_id=version.id, section_id=section.id, key=key, kind="plain",
                            position=1, text=key, is_point_in_time=name == "seats",
                        )
                    )  # fmt: skip
        self.begin()

    def begin(self) -> None:
        """Take a school of its own for the next case, with people and a child of its own."""
        self.school = self.county.school()
        self.person, self.other = self.county.person("督导员"), self.county.person("同行人")
        self.child = self.county.child(school=self.school)

    def inspected(
        self,
        day: date = VISITED_ON,
        *,
        item: str = "leave1",
        verdict: str = "conforms",
        capacity: str = "liaison_department",
        answered_by: str = "person",
        school: Any = None,
        **values: Any,
    ) -> Inspection:
        """Store an inspection with two participants and one answer of the older version."""
        county, scope = self.county, self.county.scope_of(school or self.school)
        values.setdefault("state", "submitted")
        row = county.add(
            Inspection(
                type_key="department_visit", occurred_on=day,
                checklist_version_id=self.items[item, 1].version_id,
                submitted_at=clock.now(), **values, **scope,
            )
        )  # fmt: skip
        for person in (self.person, self.other):
            county.add(
                InspectionParticipant(
                    inspection_id=row.id, person_id=person.id, capacity=capacity, **scope
                )
            )
        county.add(
            Answer(
                inspection_id=row.id, item_id=self.items[item, 1].id, verdict=verdict,
                answered_by_id={"person": self.person.id, "nobody": None}[answered_by], **scope,
            )
        )  # fmt: skip
        return row

    def finding(self, inspection: Inspection, item: str = "leave1", **values: Any) -> Finding:
        """Store a finding of the county's own."""
        values.setdefault("found_on", inspection.occurred_on)
        return self.county.add(
            Finding(
                inspection_id=inspection.id, item_id=self.items[item, 1].id, facts="问题",
                **values, **self.county.scope_of(self.school),
            )
        )  # fmt: skip

    def found(self, item: str = "leave1", **values: Any) -> SuperiorFinding:
        """Store what a superior found on the newer version of an item."""
        values.setdefault("found_on", FOUND_ON)
        values.setdefault("condition_since", SINCE)
        return self.county.add(
            SuperiorFinding(
                source="covert", issuer="自治区督导组", item_id=self.items[item, 2].id,
                facts="请假手续不全", **values, **self.county.scope_of(self.school),
            )
        )  # fmt: skip

    def compared(self, finding: SuperiorFinding) -> list[tuple[int, str]]:
        """Return who is matched, and how."""
        with self.county.context():
            session = self.county.session
            query = matches(settings_of(session, "accountability", finding.found_on))
            rows = session.execute(query.where(SuperiorFinding.id == finding.id)).all()
            session.rollback()
        return [(row.person_id, row.result) for row in rows]


@pytest.fixture
def world(county) -> World:
    return World(county)


def child_answer(world: World, **values: Any) -> None:
    """Say something of the child in an inspection before."""
    answer = world.county.scalar(
        select(Answer).where(Answer.inspection_id == world.inspected(item="plan2").id)
    )
    world.county.add(
        AnswerChild(
            answer_id=answer.id, child_id=world.child.id, **values,
            **world.county.scope_of(world.school),
        )
    )  # fmt: skip


def upheld(world: World) -> None:
    """Let the bureau find that nobody came to the inspection."""
    world.county.add(
        VisitCheck(
            inspection_id=world.inspected().id, reason="未到校", state=RequestState.APPROVED,
            decided_at=clock.now(), **world.county.scope_of(world.school),
        )
    )  # fmt: skip


def later(days: int) -> date:
    return VISITED_ON + timedelta(days=days)


CASES: dict[str, tuple[Any, Any, str | None]] = {
    # name: (what the county did, what the superior found, how it is matched)
    "a clean inspection": (lambda w: w.inspected(), lambda w: w.found(), "held"),
    "thirty days before": (lambda w: w.inspected(), lambda w: w.found(found_on=later(30)), "held"),
    "thirty-one days before": (
        lambda w: w.inspected(), lambda w: w.found(found_on=later(31)), None,
    ),
    "on the same day": (lambda w: w.inspected(), lambda w: w.found(found_on=VISITED_ON), "held"),
    "after what was found": (lambda w: w.inspected(), lambda w: w.found(found_on=later(-1)), None),
    "in the semester before": (
        lambda w: w.inspected(date(2026, 1, 19)),
        lambda w: w.found(found_on=date(2026, 3, 2)),
        None,
    ),
    "found in the vacation": (
        lambda w: w.inspected(date(2026, 7, 9)),
        lambda w: w.found(found_on=date(2026, 7, 12)),
        None,
    ),
    "of another school": (
        lambda w: w.inspected(school=w.county.school("外校")), lambda w: w.found(), None,
    ),
    "still a draft": (lambda w: w.inspected(state="draft"), lambda w: w.found(), None),
    "of the township": (
        lambda w: w.inspected(capacity="township_leader"), lambda w: w.found(), None,
    ),
    "of the office": (
        lambda w: w.inspected(capacity="supervision_office"), lambda w: w.found(), "held",
    ),
    "to which nobody came": (upheld, lambda w: w.found(), None),
    "a finding on the project": (
        lambda w: w.finding(w.inspected(), "plan1"), lambda w: w.found(), None,
    ),
    "a finding on another project": (
        lambda w: w.finding(w.inspected(), "plan2"), lambda w: w.found(), "held",
    ),
    "another item": (lambda w: w.inspected(item="plan1"), lambda w: w.found(), None),
    "not due": (lambda w: w.inspected(verdict="not_applicable"), lambda w: w.found(), None),
    "not checked": (lambda w: w.inspected(verdict="unchecked"), lambda w: w.found(), None),
    "answered by nobody": (lambda w: w.inspected(answered_by="nobody"), lambda w: w.found(), None),
    "a matter of that day, another day": (
        lambda w: w.inspected(item="seats1"), lambda w: w.found("seats1"), None,
    ),
    "a matter of that day, the same day": (
        lambda w: w.inspected(FOUND_ON, item="seats1"), lambda w: w.found("seats1"), "held",
    ),
    "stood so since that day": (
        lambda w: w.inspected(), lambda w: w.found(condition_since=VISITED_ON), "held",
    ),
    "stood so since the day after": (
        lambda w: w.inspected(), lambda w: w.found(condition_since=later(1)), None,
    ),
    "nobody knows since when": (
        lambda w: w.inspected(), lambda w: w.found(condition_since=None), "unclear",
    ),
    "the matter stood in a finding": (
        lambda w: (w.inspected(), w.finding(w.inspected(date(2025, 10, 9), verdict="fails"))),
        lambda w: w.found(),
        None,
    ),
    "the matter stood in a later finding": (
        lambda w: (
            w.inspected(),
            w.finding(w.inspected(FOUND_ON + timedelta(days=1), verdict="fails")),
        ),
        lambda w: w.found(),
        "held",
    ),
    "the child stood in a finding": (
        lambda w: (
            w.inspected(),
            w.finding(w.inspected(date(2026, 4, 9)), "plan2", child_id=w.child.id),
        ),
        lambda w: w.found(child_id=w.child.id),
        None,
    ),
    "another child stood in a finding": (
        lambda w: (
            w.inspected(),
            w.finding(w.inspected(date(2026, 4, 9)), "plan2", child_id=w.county.child().id),
        ),
        lambda w: w.found(child_id=w.child.id),
        "held",
    ),
    "the matter stood in a note": (
        lambda w: w.county.execute(
            Answer.__table__.update()
            .where(Answer.inspection_id == w.inspected().id)
            .values(note="手续正在补办")
        ),
        lambda w: w.found(),
        None,
    ),
    "the child stood in a note": (
        lambda w: (w.inspected(), child_answer(w, verdict="conforms", note="当日未到校")),
        lambda w: w.found(child_id=w.child.id),
        None,
    ),
    "the child was listed without a word": (
        lambda w: (w.inspected(), child_answer(w, verdict="conforms")),
        lambda w: w.found(child_id=w.child.id),
        "held",
    ),
}  # fmt: skip


def test_superior_findings_are_matched_as_decided(world):
    said, expected = {}, {}
    for name, (did, found, result) in CASES.items():
        world.begin()
        did(world)
        said[name] = world.compared(found(world))
        # Only who answered the item: never who came along.
        expected[name] = [(world.person.id, result)] if result else []

    assert said == expected


def test_what_holds_opens_a_case_and_a_violation_and_what_is_unclear_neither(
    world, county, run_rule
):
    world.inspected()
    held, unclear = world.found(), world.found("plan1", condition_since=None)
    world.inspected(item="plan1")
    with county.context(), database.writing():
        for row in (held, unclear, held):
            open_cases(county.session, county.session.get(SuperiorFinding, row.id))
            county.session.commit()

    run_rule("accountability.clean_inspection", FOUND_ON)

    (case,) = county.all(select(AccountabilityCase))
    assert (case.superior_finding_id, case.person_id, case.state, case.kind) == (
        held.id, world.person.id, "opened", "overlooked",
    )  # fmt: skip
    (violation,) = county.all(select(Violation).where(Violation.code == "ACC-1"))
    assert (violation.subject_id, violation.period_start, violation.observed) == (
        held.id, FOUND_ON, "1",
    )  # fmt: skip
    assert world.person.name not in violation.message

    with county.context(), database.writing():
        county.session.get(SuperiorFinding, held.id).condition_since = None
        county.session.flush()
        open_cases(county.session, county.session.get(SuperiorFinding, held.id))
        county.session.commit()
    assert county.all(select(AccountabilityCase.state)) == ["dismissed"]
