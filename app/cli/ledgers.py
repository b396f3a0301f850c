"""Open what is missing in the ledgers of children."""

from __future__ import annotations

import sys
from datetime import date, datetime

import click
from flask.cli import AppGroup
from rich.console import Console
from rich.table import Table

from app import clock, database
from app.extensions import db
from app.rules.openings import Opened, open_entries

DAY = click.DateTime(["%Y-%m-%d"])

ledgers = AppGroup("ledgers", help="Open what is missing in the ledgers of children.")


@ledgers.command("open")
@click.option("--as-of", type=DAY, help="The judging day; today if left.")
def open_missing(as_of: datetime | None) -> None:
    """Open an entry for every child that a ledger must hold; nothing is closed by itself."""
    with database.writing():
        opened = open_entries(db.session(), _day(as_of))
        db.session.commit()
    _print(opened)
    if any(one.error for one in opened):
        sys.exit(1)


def _day(as_of: datetime | None) -> date:
    day = as_of.date() if as_of else clock.today()
    if day > clock.today():
        raise click.BadParameter("the day lies in the future", param_hint="--as-of")
    return day


def _print(opened: tuple[Opened, ...]) -> None:
    table = Table("Ledger", "Opening", "Opened", "Error")
    for one in opened:
        table.add_row(one.ledger, one.opening, str(one.count), one.error or "")
    Console().print(table)
