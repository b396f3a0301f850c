"""Measure a province of many counties beside one of them, product and floor in turn."""

from __future__ import annotations

import os
import platform
from contextlib import ExitStack
from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy.engine import make_url

from app.cli.bench.goal import goals_of_scales
from app.cli.bench.report import Report, show
from app.cli.bench.scale import Scale, measure_scales
from app.cli.bench.server import server_in
from app.cli.bench.site import PREFIX, prepare, site_at


@click.command("province")
@click.option("--counties", type=click.IntRange(2, 1000), default=100, show_default=True)
@click.option("--pupils", type=click.IntRange(100, 1_000_000), default=40_000, show_default=True)
@click.option("--database", help="A PostgreSQL database; without one a server of its own starts.")
@click.option("--json", "kept", type=click.Path(dir_okay=False, path_type=Path), help="Where to.")
@click.option("--rounds", type=click.IntRange(1, 1000), default=15, show_default=True)
@with_appcontext
def province(
    counties: int, pupils: int, database: str | None, kept: Path | None, rounds: int
) -> None:
    """Measure lists and searches of many counties in one PostgreSQL database.

    The first county is made as ever, the others are copied from it by SQL; both databases are kept
    for the next run.
    """
    if database is not None and make_url(database).get_backend_name() != "postgresql":
        raise click.BadParameter("a province needs PostgreSQL", param_hint="--database")
    folder = Path(current_app.config["INSTANCE_DIR"])
    with ExitStack() as stack:
        address = database or stack.enter_context(server_in(folder.resolve() / PREFIX))
        report = run(folder, address, counties, pupils, rounds)
    show(report)
    if kept is not None:
        report.write(kept)


def run(folder: Path, database: str, counties: int, pupils: int, rounds: int) -> Report:
    """Make what is missing and measure."""
    one = site_at(folder, database, f"county_{pupils}", pupils)
    name = f"province_{counties}_{pupils}"
    many = site_at(folder, database, name, pupils, counties=counties)
    known_of_one, known_of_many = prepare(one), prepare(many)
    report = Report(
        database=one.kind,
        pupils=pupils,
        counties=counties,
        rounds=rounds,
        cores=os.cpu_count() or 1,
        python=platform.python_version(),
        load_before=os.getloadavg()[0],
    )
    with ExitStack() as stack:
        scales = Scale(stack, one, known_of_one), Scale(stack, many, known_of_many)
        report.scales.extend(measure_scales(*scales, rounds))
    report.goals = list(goals_of_scales(report.scales))
    report.load_after = os.getloadavg()[0]
    return report
