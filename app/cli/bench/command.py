"""Measure pages, throughput, starts, imports and memory, each beside a floor in the same run."""

from __future__ import annotations

import os
import platform
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext

from app.cli.bench.goal import (
    goals_of_load,
    goals_of_page,
    goals_of_roster,
    goals_of_rules,
    goals_of_starts,
)
from app.cli.bench.load import measure_load
from app.cli.bench.measure import Pair, measure, sweep
from app.cli.bench.page import PAGES, Page, pages
from app.cli.bench.province import province
from app.cli.bench.remote import Remote
from app.cli.bench.report import Report, show
from app.cli.bench.rosters import measure_roster
from app.cli.bench.rules import measure_rules
from app.cli.bench.site import EVERYWHERE, Known, Site, prepare, site_at
from app.cli.bench.start import measure_starts
from app.cli.bench.wire import Spec

PROFILED = 100
PARTS = ("pages", "load", "starts", "import", "rules")
LOADED = "children"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be measured, and how long."""

    rounds: int
    pages: tuple[str, ...]
    parts: tuple[str, ...]
    views: tuple[int, ...]
    seconds: float
    profiles: Path | None


@click.group("bench", invoke_without_command=True)
@click.option("--pupils", type=click.IntRange(100, 1_000_000), default=40_000, show_default=True)
@click.option("--database", help="A PostgreSQL database; SQLite in the instance folder if left.")
@click.option("--json", "kept", type=click.Path(dir_okay=False, path_type=Path), help="Where to.")
@click.option("--rounds", type=click.IntRange(1, 1000), default=15, show_default=True)
@click.option("--part", "parts", type=click.Choice(PARTS), multiple=True, help="Only these parts.")
@click.option("--page", "chosen", type=click.Choice(PAGES), multiple=True, help="Only these pages.")
@click.option(
    "--views",
    type=click.IntRange(0, 200),
    multiple=True,
    default=(10, 40, 70),
    show_default=True,
    help="Screens beyond the product's own, at which starts are measured.",
)
@click.option("--seconds", type=float, default=3.0, show_default=True, help="A turn of load.")
@click.option(
    "--profile",
    type=click.Path(file_okay=False, path_type=Path),
    help="A folder for profiles of the pages.",
)
@click.pass_context
@with_appcontext
def bench(
    context: click.Context,
    pupils: int,
    database: str | None,
    kept: Path | None,
    rounds: int,
    parts: tuple[str, ...],
    chosen: tuple[str, ...],
    views: tuple[int, ...],
    seconds: float,
    profile: Path | None,
) -> None:
    """Measure the product beside its floor on a county of any size.

    The county is made in a database of its own, or in a schema of its own, and kept for the next
    run. Choosing pages measures nothing else unless parts are chosen, too.
    """
    if context.invoked_subcommand:
        return
    parts = parts or (("pages",) if chosen else PARTS)
    wish = Wish(rounds, chosen or PAGES, parts, views, seconds, profile)
    report = run(Path(current_app.config["INSTANCE_DIR"]), database, pupils, wish)
    show(report)
    if kept is not None:
        report.write(kept)


bench.add_command(province)


def run(folder: Path, database: str | None, pupils: int, wish: Wish) -> Report:
    """Measure what is wished for."""
    site = site_at(folder, database, f"county_{pupils}", pupils)
    known = prepare(site)
    report = Report(
        database=site.kind,
        pupils=pupils,
        rounds=wish.rounds,
        cores=os.cpu_count() or 1,
        python=platform.python_version(),
        load_before=os.getloadavg()[0],
    )
    if {"pages", "load"} & set(wish.parts):
        _serve(site, known, wish, report)
    if "starts" in wish.parts:
        starts = measure_starts(folder, database, wish.views, max(1, min(wish.rounds, 5)))
        report.starts.extend(starts)
    if "import" in wish.parts:
        report.roster = measure_roster(folder, database, pupils, max(1, min(wish.rounds, 3)))
    if "rules" in wish.parts:
        report.rules = measure_rules(folder, database, pupils, max(1, min(wish.rounds, 5)))
    report.goals = [goal for page in report.pages for goal in goals_of_page(page)]
    report.goals += goals_of_starts(report.starts)
    report.goals += goals_of_load(report.load, report.starts, report.worker_rss_mib)
    report.goals += goals_of_roster(report.roster)
    report.goals += goals_of_rules(report.rules)
    report.load_after = os.getloadavg()[0]
    return report


def _serve(site: Site, known: Known, wish: Wish, report: Report) -> None:
    """Measure pages and throughput, and leave the county as it was."""
    with ExitStack() as stack:
        pair = pair_on(stack, site, known)
        stack.callback(sweep, site, known)
        named = {page.key: page for page in pages(known)}
        if "pages" in wish.parts:
            for key in wish.pages:
                report.pages.append(measure(pair, named[key], site, wish.rounds))
                if wish.profiles is not None:
                    _profile(pair, named[key], site, wish.profiles)
            report.worker_rss_mib = pair.product.memory() / 1024
            report.floor_rss_mib = pair.floor.memory() / 1024
        if "load" in wish.parts:
            page = named[LOADED]
            pair.product.renew()
            report.load = measure_load(
                (pair.product.spec, page.product, pair.product.cookie),
                (pair.floor.spec, page.floor, pair.floor.cookie),
                wish.seconds,
                max(1, min(wish.rounds, 5)),
            )


def pair_on(stack: ExitStack, site: Site, known: Known) -> Pair:
    """Start both workers and sign in."""
    product = stack.enter_context(Remote(Spec("product", site.url, site.folder)))
    product.sign_in(EVERYWHERE, known.password)
    spec = Spec("floor", site.url, site.folder, site.driver_address, known.county_id, known.user_id)
    floor = stack.enter_context(Remote(spec))
    floor.cookie = floor.get("/enter").cookie
    return Pair(product, floor)


def _profile(pair: Pair, page: Page, site: Site, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    text = pair.product.profile(pair.asks(page, PROFILED, of_product=True))
    path = folder / f"profile_{page.key}_{site.kind}.txt"
    path.write_text(text, encoding="utf-8")
