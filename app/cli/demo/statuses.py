"""Know the statuses of children, the way to each, and who has which."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass

from sqlalchemy import select

from app.cli.demo.plan import Pupil, Room, World
from app.models import ChildStatus, ChildStatusStep

ENROLLED, NOT_ENROLLED, GRADUATED = "enrolled", "not_enrolled", "graduated"
SHARES = {
    "suspected": 0.002,
    "pending_determination": 0.001,
    "dropped_out": 0.001,
    "returned": 0.004,
    "medical_suspension": 0.003,
    "policy_suspension": 0.004,
    "home_taught": 0.003,
    "transfer_under_way": 0.002,
    "out_of_county": 0.006,
    "transferred": 0.003,
    "not_enrolled": 0.002,
    "abroad": 0.001,
}
"""Shares of the children; every other status has one child."""


@dataclass(frozen=True, slots=True)
class Status:
    """A status as the demonstration uses it."""

    id: int
    key: str
    is_enrolled: bool
    is_monitored: bool


class Statuses:
    """Know the statuses and the shortest allowed way to each."""

    def __init__(self, world: World) -> None:
        session = world.store.session
        rows = session.scalars(select(ChildStatus).order_by(ChildStatus.position, ChildStatus.id))
        self.by_key = {
            row.key: Status(row.id, row.key, row.is_enrolled, row.is_monitored) for row in rows
        }
        names = {status.id: key for key, status in self.by_key.items()}
        self._next: dict[str, list[str]] = defaultdict(list)
        columns = ChildStatusStep.from_id, ChildStatusStep.to_id
        for start, end in session.execute(select(*columns).order_by(*columns)):
            self._next[names[start]].append(names[end])

    def path(self, key: str) -> list[str]:
        """Return the statuses that a child goes through, the last included."""
        ways = [way for start in (ENROLLED, NOT_ENROLLED) if (way := self._way(start, key))]
        return min(ways, key=len) if ways else [key]

    def _way(self, start: str, end: str) -> list[str]:
        if start not in self.by_key:
            return []
        waiting, seen = deque([[start]]), {start}
        while waiting:
            way = waiting.popleft()
            if way[-1] == end:
                return way
            for following in self._next[way[-1]]:
                if following not in seen:
                    seen.add(following)
                    waiting.append([*way, following])
        return []


def quotas(statuses: Statuses, count: int, *, inside: bool) -> list[str]:
    """Return the statuses to give out, of children with or without a seat; one of each at least."""
    wanted: list[str] = []
    for key, status in statuses.by_key.items():
        if key == ENROLLED or status.is_enrolled is not inside:
            continue
        wanted += [key] * max(1, round(count * SHARES.get(key, 0)))
    return wanted


def settle_children(world: World, statuses: Statuses, away: list[Pupil], count: int) -> None:
    """Decide who has which status; of those outside, most sat in a class before."""
    random = world.random("statuses")
    outside = quotas(statuses, count, inside=False)
    for pupil, key in zip(away, outside, strict=True):
        pupil.status = key
        if key != GRADUATED and statuses.path(key)[0] == ENROLLED:
            pupil.room = random.choice(_rooms_of(world, pupil))
            pupil.campus = pupil.room.campus
            pupil.room.pupils.append(pupil)
    seated = [pupil for pupil in world.pupils if pupil.status == ENROLLED and pupil.room]
    inside = quotas(statuses, count, inside=True)
    for pupil, key in zip(random.sample(seated, k=len(inside)), inside, strict=True):
        pupil.status = key


def _rooms_of(world: World, pupil: Pupil) -> list[Room]:
    year = world.days.years[-1][0]
    rooms = [room for campus in pupil.town.schools for room in campus.rooms(year)]
    fitting = [room for room in rooms if pupil.grade in room.grades]
    return fitting or rooms
