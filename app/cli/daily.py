"""Close the daily checks whose day is over; a timer runs it every hour."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from app import database
from app.extensions import db
from app.workflow.closing import close_due

daily = AppGroup("daily", help="Close the daily checks whose day is over.")


@daily.command("close")
def close() -> None:
    """Submit what was checked by the closing hour; what nobody began to check lapses."""
    with database.writing():
        closed = close_due(db.session())
        db.session.commit()
    click.echo(f"{closed.submitted} submitted, {closed.lapsed} lapsed, {closed.refused} refused")
