"""Measure all rules over a county's year beside the same selects with plain inserts."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import click

from app.cli.bench.rules_worker import Judged
from app.cli.bench.site import ROOT, Known, Site, prepare, site_at
from app.cli.bench.wire import Spec

WAYS = ("product", "floor")


@dataclass(frozen=True, slots=True)
class RulesResult:
    """What all rules of a county's year take, beside their floor."""

    pupils: int
    made: dict[str, int]
    """Rows of the year, by table."""
    product: Judged
    floor: Judged

    @property
    def ratio(self) -> float:
        """Return how many times the floor's work a first run is."""
        return self.product.work_ms / self.floor.work_ms

    @property
    def again_ratio(self) -> float:
        """Return how many times the floor's work a run is that finds the same."""
        return self.product.again_ms / self.floor.again_ms

    @property
    def verdicts(self) -> int:
        """Return how many verdicts there are, the same on both."""
        return sum(self.product.found.values())


def measure_rules(folder: Path, database: str | None, pupils: int, rounds: int) -> RulesResult:
    """Return the medians over some rounds; both ways take turns on the same county."""
    site = site_at(folder, database, f"year_{pupils}", pupils)
    known = prepare(site)
    made = _ask("fill", site, known)
    turns: dict[str, list[Judged]] = {way: [] for way in WAYS}
    for turn in range(rounds):
        for way in WAYS if turn % 2 else reversed(WAYS):
            turns[way].append(Judged(**_ask(way, site, known)))
    product, floor = (_median(turns[way]) for way in WAYS)
    if product.failed or floor.failed:
        raise click.ClickException(f"rules failed: {product.failed or floor.failed}")
    if product.found != floor.found:
        raise click.ClickException("product and floor find different verdicts")
    return RulesResult(pupils, made, product, floor)


def _ask(way: str, site: Site, known: Known) -> dict[str, Any]:
    spec = Spec(
        "product", site.url, site.folder, site.driver_address, known.county_id, known.user_id
    )
    done = subprocess.run(  # noqa: S603  # ours
        [sys.executable, "-m", "app.cli.bench.rules_worker", way, json.dumps(asdict(spec))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise click.ClickException(f"the rules could not be run:\n{done.stderr[-3000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _median(turns: list[Judged]) -> Judged:
    last = turns[-1]
    return Judged(
        work_ms=median(turn.work_ms for turn in turns),
        again_ms=median(turn.again_ms for turn in turns),
        peak_mib=max(turn.peak_mib for turn in turns),
        statements=last.statements,
        found=last.found,
        failed=last.failed,
    )
