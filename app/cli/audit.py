"""Verify the audit trail."""

from __future__ import annotations

import sys

import click
from flask.cli import with_appcontext

from app.security import chain


@click.group()
def audit() -> None:
    """Verify the audit trail."""


@audit.command()
@with_appcontext
def verify() -> None:
    """Compare every chained entry with its digest; fail where one was edited or removed."""
    found = list(chain.faults())
    for fault in found:
        click.echo(f"entry {fault.change_id} {fault.text}", err=True)
    click.echo(f"{chain.length()} entries are chained, {len(found)} do not fit")
    if found:
        sys.exit(1)
