"""Seed the county of the policy document, and a made-up one for demonstrations."""

from __future__ import annotations

from datetime import date, datetime

import click
from flask import current_app
from flask.cli import AppGroup

from app import clock, database
from app.cli import demo, nightly, reference
from app.cli.demo import logins
from app.extensions import db

LARGEST = (2000, 5_000_000)
SMALLEST_COUNTY = 100

seed = AppGroup("seed", help="Fill an empty database: the county, or a demonstration.")


@seed.command("county")
def seed_county() -> None:
    """Load the county, its townships, the liaison assignments and the calendar."""
    with database.writing():
        county = reference.load_county(db.session(), current_app.config["SEED_DIR"])
        db.session.commit()
    click.echo(f"loaded {county.name}")


@seed.command("demo")
@click.option("--schools", type=click.IntRange(1, LARGEST[0]), default=26, show_default=True)
@click.option(
    "--pupils",
    type=click.IntRange(SMALLEST_COUNTY, LARGEST[1]),
    default=2000,
    show_default=True,
    help="All children, with and without a seat in a class.",
)
@click.option("--random-seed", type=int, default=1, show_default=True)
@click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    help="The day on which the county stands; today where none is given.",
)
@click.option("--if-empty", is_flag=True, help="Do nothing where there are schools already.")
def seed_demo(
    schools: int, pupils: int, random_seed: int, as_of: datetime | None, if_empty: bool
) -> None:
    """Make a county of any size with half a year of records and a login for each role."""
    if current_app.config["IS_PRODUCTION"]:
        raise click.ClickException(
            "demonstration accounts are refused in production: unset DATABASE_URL"
        )
    if demo.exists(db.session()):
        if if_empty:
            return
        raise click.ClickException("there are schools already: seed into an empty database")
    with database.writing():
        day = _day(as_of.date() if as_of else None)
        request = demo.Request(schools, pupils, random_seed, day)
        summary = demo.make(db.session(), current_app.config["SEED_DIR"], request)
        nightly.work(db.session(), min(summary.as_of, clock.today()))
        path = logins.write_logins(current_app.config["INSTANCE_DIR"], summary.logins)
        database.count_up(db.session())
        db.session.commit()
    for table, count in sorted(summary.rows.items()):
        click.echo(f"{count:>8} {table}")
    click.echo(f"as of {summary.as_of}; logins in {path}")


def _day(asked: date | None) -> date:
    """Return the day to stand on: within the calendar, which ends where nobody has entered more."""
    first, last = demo.known_days(db.session(), current_app.config["SEED_DIR"])
    day = asked or clock.today()
    if first <= day <= last:
        return day
    if asked:
        raise click.BadParameter(f"the calendar knows {first} to {last}", param_hint="--as-of")
    return max(first, min(day, last))
