"""Do the work of the night: what is due, what is in the ledgers, what the rules find."""

from __future__ import annotations

import sys
from datetime import date, datetime

import click
from flask.cli import with_appcontext
from sqlalchemy.orm import Session

from app import clock, database
from app.base import registry
from app.cadence.obligation import settle
from app.extensions import db
from app.notices.collect import Collected, collect
from app.notices.digest import send_digests, write_digests
from app.notices.notify import Told, notify
from app.rules.engine import run_rules
from app.rules.obstacle import obstacles
from app.rules.openings import open_entries
from app.workflow.enrolment_problem import close_stale


@click.command()
@click.option(
    "--as-of", type=click.DateTime(["%Y-%m-%d"]), help="The day whose night it is; today if left."
)
@with_appcontext
def nightly(as_of: datetime | None) -> None:
    """Bring obligations, ledgers and violations up to date: for a timer, once a day."""
    day = as_of.date() if as_of else clock.today()
    if day > clock.today():
        raise click.BadParameter("the day lies in the future", param_hint="--as-of")
    with database.writing():
        failed = work(db.session(), day)
        db.session.commit()
        tell(day)
    for one in obstacles(db.session(), day, registry.rules()):
        click.echo(f"{one.message} — {one.hint}", err=True)
    for name in failed:
        click.echo(f"failed: {name}", err=True)
    if failed:
        sys.exit(1)


def work(session: Session, day: date) -> list[str]:
    """Work in this transaction and say what was done; return the names of what failed.

    The plugins work before the rules, which judge what they leave.
    """
    settled = settle(session, day)
    close_stale(session)
    opened = open_entries(session, day)
    failed = [one.opening for one in opened if one.error]
    failed += registry.nightly(session, day)
    report = run_rules(session, day)
    failed += [result.rule for result in report.results if result.error]
    collected, told = Collected(), Told()
    if report.is_stored:  # an earlier day is past: nobody is told of it any more
        collected = collect(session, day)
        told = notify(session, day)
        write_digests(session, day)
        failed += collected.failed
    click.echo(
        f"obligations: {settled.added} added, {settled.changed} changed, "
        f"{settled.removed} taken back; ledgers: {sum(one.count for one in opened)} opened; "
        f"violations: {sum(one.opened for one in report.results)} opened, "
        f"{sum(one.resolved for one in report.results)} resolved; "
        f"things to do: {collected.added} added, {collected.changed} changed, "
        f"{collected.ended} ended; notifications: {told.count}, to nobody: {told.unheard}"
    )
    return failed


def tell(day: date) -> None:
    """Send the e-mails that wait, and say how many went; one that fails is tried again later."""
    posted = send_digests(db.session(), day)
    if posted.sent or posted.failed:
        click.echo(f"e-mails: {posted.sent} sent, {posted.failed} failed")


@click.command()
@with_appcontext
def digest() -> None:
    """Send the daily e-mails that wait or failed: for a timer, besides the night."""
    with database.writing():
        tell(clock.today())
