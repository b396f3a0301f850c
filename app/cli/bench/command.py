"""Measure pages, throughput, start and memory, each beside a floor in the same run."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext

from app.cli.bench import report
from app.cli.bench.measure import Pair, measure, sweep
from app.cli.bench.page import pages
from app.cli.bench.remote import Remote
from app.cli.bench.site import EVERYWHERE, Known, Site, prepare, site_at
from app.cli.bench.wire import Spec


@click.group("bench", invoke_without_command=True)
@click.option("--pupils", type=click.IntRange(100, 1_000_000), default=40_000, show_default=True)
@click.option("--database", help="A PostgreSQL database; SQLite in the instance folder if left.")
@click.option("--rounds", type=click.IntRange(1, 1000), default=15, show_default=True)
@click.option("--page", "chosen", multiple=True, help="Only these pages, and nothing else.")
@click.option("--profile", type=click.Path(file_okay=False, path_type=Path), help="…")
@click.pass_context
@with_appcontext
def bench(
    context: click.Context,
    pupils: int,
    database: str | None,
    rounds: int,
    chosen: tuple[str, ...],
    profile: Path | None,
) -> None:
    """Measure the product beside its floor on a county of any size."""
    if context.invoked_subcommand:
        return
    folder = Path(current_app.config["INSTANCE_DIR"])
    site = site_at(folder, database, f"county_{pupils}", pupils)
    known = prepare(site)
    with ExitStack() as stack:
        pair = pair_on(stack, site, known)
        try:
            for page in pages(known):
                if chosen and page.key not in chosen:
                    continue
                click.echo(report.line(measure(pair, page, site, rounds)))
                if profile is not None:
                    profile.mkdir(parents=True, exist_ok=True)
                    text = pair.product.profile(pair.asks(page, 50, of_product=True))
                    (profile / f"profile_{page.key}_{site.kind}.txt").write_text(text)
        finally:
            sweep(site, known)


def pair_on(stack: ExitStack, site: Site, known: Known) -> Pair:
    """Start both workers and sign in."""
    product = stack.enter_context(Remote(Spec("product", site.url, site.folder)))
    product.sign_in(EVERYWHERE, known.password)
    spec = Spec("floor", site.url, site.folder, site.driver_address, known.county_id, known.user_id)
    floor = stack.enter_context(Remote(spec))
    floor.cookie = floor.get("/enter").cookie
    return Pair(product, floor)
