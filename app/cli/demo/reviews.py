"""Let the outside visits of the demonstration look at what schools closed by themselves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from app.cli.demo.case import Case, Taken
from app.cli.demo.evidence import Album
from app.cli.demo.plan import World
from app.cli.demo.visit import Inspected
from app.models import FindingReview, FindingState, ReviewOutcome
from app.parameters.value import load_parameters
from app.workflow.review import COUNT

OUTCOMES = (ReviewOutcome.HOLDS, ReviewOutcome.FAILS, None)
WEIGHTS = (80, 8, 12)
STAYS_OPEN = 0.3


@dataclass(frozen=True, slots=True)
class Stored:
    """The keys that a finding and its steps were stored with."""

    finding_id: int
    steps: Mapping[int, int]
    """By the identity of the step in memory."""


@dataclass(frozen=True, slots=True)
class Review:
    """What one visit says of one closing, and the step that this led to."""

    visit: Inspected
    case: Case
    outcome: ReviewOutcome | None
    step: Taken | None


class Reviewer:
    """Draw closings for visits as the product does; the first that is seen does not hold."""

    def __init__(self, world: World, album: Album) -> None:
        self.world = world
        self.album = album
        self.random = world.random("reviews")
        self.parameters = load_parameters(world.store.session, (COUNT,))
        self.is_first = True

    def look(self, cases: list[Case]) -> list[Review]:
        """Go through the visits of each school in the order of their days."""
        own: dict[int, list[Case]] = defaultdict(list)
        visits: dict[int, Inspected] = {}
        for case in cases:
            inspected = case.found.inspected
            if inspected.campus is None:
                continue
            if case.found.is_self_found:
                own[inspected.campus.id].append(case)
            else:
                visits[inspected.id] = inspected
        reviews = []
        for visit in sorted(visits.values(), key=lambda visit: (visit.day, visit.id)):
            assert visit.campus is not None
            reviews += self._visit(visit, own[visit.campus.id])
        return reviews

    def store(self, reviews: list[Review], stored: Mapping[int, Stored]) -> None:
        """Store the reviews beside the findings that they are about."""
        for review in reviews:
            kept = stored[id(review.case)]
            self.world.store.add(
                FindingReview,
                **review.visit.scope,
                inspection_id=review.visit.id,
                finding_id=kept.finding_id,
                outcome=review.outcome and str(review.outcome),
                note=review.step.note if review.step else None,
                reviewed_by_id=review.visit.hand.person_id if review.outcome else None,
                step_id=kept.steps[id(review.step)] if review.step else None,
            )

    def _visit(self, visit: Inspected, own: list[Case]) -> list[Review]:
        waiting = [case for case in own if _waits(case, visit)]
        count = int(self.parameters.on(COUNT, visit.day) or 0)
        drawn = self.random.sample(waiting, min(count, len(waiting)))
        return [self._look_at(visit, case) for case in drawn]

    def _look_at(self, visit: Inspected, case: Case) -> Review:
        outcome = self.random.choices(OUTCOMES, WEIGHTS)[0]
        if self.is_first:
            outcome, self.is_first = ReviewOutcome.FAILS, False
        if outcome is None:
            return Review(visit, case, None, None)
        if outcome is ReviewOutcome.HOLDS:
            case.take("confirm", visit.day, visit.hand)
            return Review(visit, case, outcome, case.steps[-1])
        case.take("recall", visit.day, visit.hand, self.world.words.steps.recall)
        review = Review(visit, case, outcome, case.steps[-1])
        self._close_again(case)
        return review

    def _close_again(self, case: Case) -> None:
        campus = case.found.inspected.campus
        assert campus is not None
        day = self.world.days.after(case.steps[-1].day, self.random.randint(1, 5))
        if day <= self.world.days.as_of and self.random.random() >= STAYS_OPEN:
            evidence = self.album.add(case.found.inspected.scope)
            case.take("close", day, campus.leaders[0], evidence=evidence)


def _waits(case: Case, visit: Inspected) -> bool:
    if case.state != FindingState.CLOSED or case.closed_on is None or case.closed_on > visit.day:
        return False
    return all(step.key != "confirm" for step in case.steps)
