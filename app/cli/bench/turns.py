"""Let several workers take turns at the same page, and return the medians of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import median

import click

from app.cli.bench.backend import Backends
from app.cli.bench.remote import Remote
from app.cli.bench.wire import Ask

BATCH_SECONDS = 0.04
MOST = 40
WARM_UP = 3


@dataclass(frozen=True, slots=True)
class Figures:
    """What one request of a page takes."""

    cpu_ms: float
    """Processor time of the worker."""
    database_ms: float
    """Processor time of the database's own processes, where it has some on this machine."""
    wall_ms: float
    statements: int
    bytes: int
    sent_bytes: int
    """What goes over the wire to a browser that takes compressed answers."""
    peak_kib: float
    """The most memory that one request holds at once."""

    @property
    def work_ms(self) -> float:
        """Return the processor time of worker and database together."""
        return self.cpu_ms + self.database_ms


@dataclass(frozen=True, slots=True)
class Turn:
    """What one request of a batch took on average, in milliseconds."""

    cpu: float
    database: float
    wall: float


@dataclass(frozen=True, slots=True)
class Side:
    """A worker and what it is asked; every answer must have the same status."""

    worker: Remote
    asks: Callable[[int], list[Ask]]
    """Returns so many requests."""
    status: int = 200

    def run(self, number: int, backends: Backends | None = None) -> Turn:
        """Ask so many times and return what a request took."""
        before = backends.milliseconds() if backends else {}
        done = self.worker.batch(self.asks(number))
        of_database = backends.since(before) if backends else 0.0
        wrong = [status for status in done.statuses if status != self.status]
        if wrong:
            path = self.asks(1)[0].path
            raise click.ClickException(f"{path} answered {wrong[0]} instead of {self.status}")
        each = number / 1000
        return Turn(done.cpu / each, of_database / number, done.wall / each)


def take_turns(sides: Sequence[Side], rounds: int) -> list[Figures]:
    """Return the figures of each side; the order changes with every round."""
    sizes = [_batch_size(side) for side in sides]
    backends = Backends(sides[0].worker.spec.url)
    turns: list[list[Turn]] = [[] for _side in sides]
    for turn in range(rounds):
        order = range(len(sides)) if turn % 2 else reversed(range(len(sides)))
        for at in order:
            turns[at].append(sides[at].run(sizes[at], backends))
    return [_figures(side, taken) for side, taken in zip(sides, turns, strict=True)]


def _batch_size(side: Side) -> int:
    """Return how many requests fill a batch, after some that warm caches."""
    side.run(WARM_UP)
    trial = side.run(WARM_UP)
    return max(2, min(MOST, round(BATCH_SECONDS * 1000 / max(trial.wall, 1e-3))))


def _figures(side: Side, taken: Sequence[Turn]) -> Figures:
    first, second, plain, packed = side.asks(4)
    depth = side.worker.depth(first, second)
    return Figures(
        cpu_ms=median(turn.cpu for turn in taken),
        database_ms=median(turn.database for turn in taken),
        wall_ms=median(turn.wall for turn in taken),
        statements=len(depth.statements),
        bytes=side.worker.answer(replace(plain, packed=False)).size,
        sent_bytes=side.worker.answer(packed).size,
        peak_kib=depth.peak_kib,
    )
