"""Measure the import of a roster beside its floor, each import in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import click
from sqlalchemy import create_engine, text

from app.cli.bench.roster import write_roster
from app.cli.bench.roster_worker import Taken
from app.cli.bench.site import ROOT, Known, Site, prepare, site_at
from app.cli.bench.wire import Spec

PUPILS = 2000
"""Children of the county into which the roster comes."""
WAYS = ("product", "dry", "floor")
CLASSES = text(
    "SELECT school.name AS school, school_class.name AS class"
    " FROM school_class JOIN school ON school.id = school_class.school_id"
    " WHERE school_class.is_active ORDER BY school_class.id"
)


@dataclass(frozen=True, slots=True)
class RosterResult:
    """What the import of a roster takes, stored and only judged, beside its floor."""

    rows: int
    bad: int
    product: Taken
    dry: Taken
    floor: Taken

    @property
    def ratio(self) -> float:
        """Return how many times the floor's work the import is."""
        return self.product.work_ms / self.floor.work_ms

    @property
    def dry_ratio(self) -> float:
        """Return how many times the reading of the cells a dry run is."""
        return self.dry.work_ms / self.floor.read_ms


def measure_roster(folder: Path, database: str | None, rows: int, rounds: int) -> RosterResult:
    """Return the medians over some rounds; the ways take turns."""
    site = site_at(folder, database, f"county_{PUPILS}", PUPILS)
    known = prepare(site)
    path = Path(site.folder) / f"roster_{rows}.xlsx"
    bad = write_roster(path, rows, _classes(site))
    taken: dict[str, list[Taken]] = {way: [] for way in WAYS}
    for turn in range(rounds):
        for way in WAYS if turn % 2 else reversed(WAYS):
            taken[way].append(_import(way, site, known, path))
    found = {way: _median(turns) for way, turns in taken.items()}
    if found["product"].left != found["floor"].left:
        told = f"product leaves {found['product'].left}, floor {found['floor'].left}"
        raise click.ClickException(f"roster: {told}")
    return RosterResult(rows, bad, **found)


def _classes(site: Site) -> list[tuple[str, str]]:
    engine = create_engine(site.url)
    with engine.connect() as connection:
        found = [(row.school, row[1]) for row in connection.execute(CLASSES)]
    engine.dispose()
    return found


def _import(way: str, site: Site, known: Known, path: Path) -> Taken:
    spec = Spec("floor", site.url, site.folder, site.driver_address, known.county_id, known.user_id)
    command = [sys.executable, "-m", "app.cli.bench.roster_worker", way, json.dumps(asdict(spec))]
    done = subprocess.run(  # noqa: S603  # ours
        [*command, str(path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise click.ClickException(f"the import failed:\n{done.stderr[-3000:]}")
    return Taken(**json.loads(done.stdout.splitlines()[-1]))


def _median(turns: list[Taken]) -> Taken:
    last = turns[-1]
    return Taken(
        read_ms=median(turn.read_ms for turn in turns),
        work_ms=median(turn.work_ms for turn in turns),
        peak_mib=max(turn.peak_mib for turn in turns),
        statements=last.statements,
        left=last.left,
    )
