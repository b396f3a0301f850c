"""Follow each finding to where it stands today: served, objected, claimed, visited, closed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date

from sqlalchemy import update

from app.cli.demo.case import Case, Deadlines, Taken
from app.cli.demo.course import EVIDENCE, Chooser, Course
from app.cli.demo.days import at
from app.cli.demo.evidence import Album
from app.cli.demo.plan import Hand, World
from app.cli.demo.reviews import Reviewer, Stored
from app.cli.demo.visit import Found, Inspected
from app.models import (
    Answer,
    Feedback,
    Finding,
    FindingState,
    FindingStep,
    Inspection,
    ReturnVisit,
    Verdict,
)
from app.parameters.value import load_parameters
from app.workflow import deadline
from app.workflow.party import INSPECTORS

SERVED_AFTER, RECEIVED_AFTER = (0, 0, 1, 1, 2, 3), (0, 0, 1, 1)
SAME_DAY = 0.75
LATE_CLAIM = 0.1
KEYS = (deadline.RECTIFICATION, deadline.RECTIFICATION_CAP, deadline.URGENT_REPORT)


def follow_findings(world: World, found: list[Found]) -> None:
    """Store the findings with feedback, steps and return visits."""
    Follower(world).follow(found)
    world.store.flush()


class Follower:
    """Follow findings; what is due later than today has not happened yet."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.random = world.random("findings")
        self.album = Album(world.store, world.days, world.words.steps.evidence)
        parameters = load_parameters(world.store.session, KEYS)
        self.deadlines = Deadlines(world.days, parameters)
        self.chooser = Chooser(self.random)

    def follow(self, found: list[Found]) -> None:
        """Follow the findings of each inspection together: one feedback covers them."""
        groups: dict[int, list[Found]] = defaultdict(list)
        for one in found:
            groups[one.inspected.id].append(one)
        outside = [key for key, held in groups.items() if not held[0].is_self_found]
        unserved = outside[-1] if outside else None
        followed = []
        for key, held in groups.items():
            cases = [Case(one, self.deadlines) for one in held]
            for case in cases:
                case.begin()
            self._run(cases, is_served=key != unserved)
            followed.append(cases)
        reviewer = Reviewer(self.world, self.album)
        reviews = reviewer.look([case for cases in followed for case in cases])
        stored: dict[int, Stored] = {}
        for cases in followed:
            stored.update(self._store(cases))
        reviewer.store(reviews, stored)

    def _run(self, cases: list[Case], *, is_served: bool) -> None:
        if cases[0].found.is_self_found:
            for case in cases:
                self._run_own(case)
            return
        courses = [
            self.chooser.choose(case.found) if is_served else Course("visit") for case in cases
        ]
        inspected = cases[0].found.inspected
        for case, course in zip(cases, courses, strict=True):
            if course.way == "withdraw":
                note = self.world.words.notes.correction
                case.take("withdraw", self._after(inspected.day, 1), inspected.hand, note)
        if not is_served:
            return
        served_on = self._after(inspected.day, self.random.choice(SERVED_AFTER))
        if any(course.way == "withdraw" for course in courses):
            served_on = max(served_on, self._after(inspected.day, 1))
        received_on = self._after(served_on, self.random.choice(RECEIVED_AFTER))
        for case, course in zip(cases, courses, strict=True):
            if (
                course.way != "withdraw"
                and case.take("serve", served_on, inspected.hand)
                and case.take("receive", received_on, self._unit(inspected))
            ):
                self._rectify(case, course, received_on)

    def _rectify(self, case: Case, course: Course, day: date) -> None:
        """Let the inspected unit object, rectify and claim, and the inspectors look again."""
        words, inspected = self.world.words.steps, case.found.inspected
        unit = self._unit(inspected)
        if course.stops == "served":
            return
        if course.way in {"uphold", "dismiss"}:
            day = self._after(day, self.random.randint(1, 3))
            if not case.take("object", day, unit, words.object) or course.stops == "objected":
                return
            day = self._after(day, self.random.randint(1, 5))
            note = words.uphold if course.way == "uphold" else words.dismiss
            if not case.take(course.way, day, self._other(inspected), note) or (
                course.way == "uphold"
            ):
                return
        day = self._claim_day(case, day)
        if not self._claim(case, day, unit) or course.stops == "claimed":
            return
        self._look_again(case, course, day)

    def _look_again(self, case: Case, course: Course, day: date) -> None:
        words, inspected = self.world.words.steps, case.found.inspected
        if course.way == EVIDENCE:
            day = self._after(day, self.random.randint(1, 5))
            case.take("accept", day, self._other(inspected))
            return
        day = self._after(day, self.random.randint(2, 10))
        if course.way == "reopen":
            if not case.take("reopen", day, inspected.hand, words.reopen):
                return
            day = self._after(day, self.random.randint(3, 8))
            if course.stops == "reopened" or not self._claim(case, day, self._unit(inspected)):
                return
            day = self._after(day, self.random.randint(2, 8))
        case.take("verify", day, inspected.hand, words.verify)

    def _run_own(self, case: Case) -> None:
        """Let the school close what it found itself; what stays open overnight is ordered."""
        inspected = case.found.inspected
        assert inspected.campus is not None
        leader = inspected.campus.leaders[0]
        day = inspected.day
        if self.random.random() >= SAME_DAY:
            served_on = self._after(day, 1)
            if not case.take("serve", served_on, leader) or not case.take(
                "receive", served_on, inspected.campus.clerks[0]
            ):
                return
            day = self._after(served_on, self.random.randint(0, 6))
        if day <= self.world.days.as_of:
            case.take("close", day, leader, evidence=self.album.add(inspected.scope))

    def _claim(self, case: Case, day: date, unit: Hand) -> bool:
        if day > self.world.days.as_of:
            return False
        evidence = self.album.add(case.found.inspected.scope)
        return case.take("claim", day, unit, evidence=evidence)

    def _claim_day(self, case: Case, day: date) -> date:
        """Return when the unit claims: mostly in time."""
        left = self.world.days.elapsed(day, case.due_on) if case.due_on else 10
        if self.random.random() < LATE_CLAIM:
            return self._after(day, left + self.random.randint(1, 8))
        return self._after(day, self.random.randint(min(2, max(left, 0)), max(left, 0)))

    def _after(self, day: date, count: int) -> date:
        return self.world.days.after(day, count)

    def _unit(self, inspected: Inspected) -> Hand:
        """Return who signs and claims for the inspected unit."""
        if inspected.campus is None:
            return inspected.town.staff["township_clerk"][0]
        return inspected.campus.clerks[0]

    def _other(self, inspected: Inspected) -> Hand:
        """Return somebody of the finder's unit or above, other than the finder."""
        finder = inspected.hand
        rank = INSPECTORS.get(finder.template, 0)
        staff = (*inspected.town.staff.values(), *self.world.bureau.staff.values())
        able = [
            hand
            for held in staff
            for hand in held
            if INSPECTORS.get(hand.template, 0) >= max(rank, 1)
            and hand.person_id != finder.person_id
        ]
        return min(able, key=lambda hand: (INSPECTORS[hand.template], hand.person_id))

    def _store(self, cases: list[Case]) -> Iterator[tuple[int, Stored]]:
        covered = [case for case in cases if _needs_paper(case)]
        feedback_id = self._store_feedback(covered) if covered else None
        for case in cases:
            yield id(case), self._store_case(case, feedback_id if case in covered else None)
            if _is_withdrawn_unserved(case):
                self._correct(case)

    def _store_feedback(self, cases: list[Case]) -> int:
        inspected = cases[0].found.inspected
        served, received = _first(cases, "serve"), _first(cases, "receive")
        return self.world.store.add(
            Feedback,
            **inspected.scope,
            created_at=at(inspected.day, 17),
            inspection_id=inspected.id,
            kind=inspected.kind.feedback,
            opinion="\n".join(
                f"{number}. {case.found.facts}\n{case.found.opinion}"
                for number, case in enumerate(cases, start=1)
            ),
            served_on=served.day if served else None,
            served_by_id=served.hand.person_id if served else None,
            received_on=received.day if received else None,
            received_by_id=received.hand.person_id if received else None,
        )

    def _store_case(self, case: Case, feedback_id: int | None) -> Stored:
        found, store = case.found, self.world.store
        inspected, item = found.inspected, found.item
        finding_id = store.add(
            Finding,
            **inspected.scope,
            inspection_id=inspected.id,
            answer_id=found.answer_id,
            item_id=item.id,
            child_id=found.child_id,
            feedback_id=feedback_id,
            clause_key=item.clause_key,
            facts=found.facts,
            opinion=found.opinion,
            state=case.state,
            closing=item.closing,
            is_urgent=item.is_urgent,
            needs_pupils=item.needs_pupils,
            is_self_found=found.is_self_found,
            found_on=inspected.day,
            found_by_id=inspected.hand.person_id,
            due_on=case.due_on,
            claimed_on=case.claimed_on,
            closed_on=case.closed_on,
            reopened=case.reopened,
        )
        steps = {
            id(taken): self._store_step(inspected, finding_id, taken, order)
            for order, taken in enumerate(case.steps)
        }
        for taken in case.visits:
            store.add(
                ReturnVisit,
                **inspected.scope,
                finding_id=finding_id,
                inspection_id=None,
                visited_on=taken.day,
                person_id=taken.hand.person_id,
                is_on_site=True,
                is_rectified=taken.key == "verify",
                note=taken.note,
                evidence_set_id=None,
            )
        return Stored(finding_id, steps)

    def _store_step(self, inspected: Inspected, finding_id: int, taken: Taken, order: int) -> int:
        return self.world.store.add(
            FindingStep,
            **inspected.scope,
            finding_id=finding_id,
            step=taken.key,
            from_state=taken.from_state,
            to_state=taken.to_state,
            happened_on=taken.day,
            happened_at=at(taken.day, 16, order),
            person_id=taken.hand.person_id,
            appointment_id=taken.hand.appointment_id,
            note=taken.note,
            due_on=taken.due_on,
            evidence_set_id=taken.evidence_set_id,
        )

    def _correct(self, case: Case) -> None:
        """Correct the record of a finding that was withdrawn: the answer conforms."""
        session, found = self.world.store.session, case.found
        step = case.steps[-1]
        session.execute(
            update(Inspection.__table__)  # type: ignore[arg-type]  # a table
            .where(Inspection.__table__.c.id == found.inspected.id)
            .values(corrected_at=at(step.day, 16), correction_reason=step.note)
        )
        session.execute(
            update(Answer.__table__)  # type: ignore[arg-type]  # a table
            .where(Answer.__table__.c.id == found.answer_id)
            .values(verdict=str(Verdict.CONFORMS), note=None, opinion=None)
        )


def _needs_paper(case: Case) -> bool:
    """Tell whether a finding waits to be served, or was: what ended before has no paper."""
    return case.state == FindingState.OPEN or _first([case], "serve") is not None


def _is_withdrawn_unserved(case: Case) -> bool:
    return case.steps[-1].key == "withdraw"


def _first(cases: Iterable[Case], key: str) -> Taken | None:
    return next(_all(cases, key), None)


def _all(cases: Iterable[Case], key: str) -> Iterator[Taken]:
    return (step for case in cases for step in case.steps if step.key == key)
