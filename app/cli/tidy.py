"""Remove what is used up and chain the audit trail: for a timer, once a day."""

from __future__ import annotations

from datetime import timedelta

import click
from flask.cli import with_appcontext
from sqlalchemy import delete

from app import clock, database
from app.extensions import db
from app.models import SubmitToken
from app.security import chain, tries
from app.security.scope import table_of

TOKENS_KEPT = timedelta(days=7)
"""Older than any form that is still open: sessions end within hours."""
TRIES_KEPT = timedelta(days=1)


@click.command()
@with_appcontext
def tidy() -> None:
    """Remove used form tokens and old counts of logins, chain the audit trail; safe while serving.

    Nothing of the audit trail is ever removed.
    """
    token = table_of(SubmitToken)
    session = db.session()
    with database.writing():
        old = token.c.used_at < clock.now() - TOKENS_KEPT
        tokens = len(session.execute(delete(token).where(old).returning(token.c.token)).all())
        addresses = tries.forget(session, clock.now() - TRIES_KEPT)
        database.count_up(session)
        session.commit()
    db.session.remove()
    click.echo(f"removed: {tokens} form tokens, {addresses} counts of logins")
    click.echo(f"chained: {chain.extend()} entries of the audit trail")
