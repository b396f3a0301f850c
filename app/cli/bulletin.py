"""Make bulletins from the command line, for the whole county."""

from __future__ import annotations

from pathlib import Path

import click
from flask.cli import with_appcontext

from app.base import registry
from app.documents import bulletin as documents
from app.extensions import db
from app.security import audit
from app.security.scope import EVERYTHING


@click.group()
def bulletin() -> None:
    """List and make bulletins."""


@bulletin.command("list")
@with_appcontext
def list_bulletins() -> None:
    """List the bulletins that the plugins bring."""
    for found in registry.bulletins():
        click.echo(f"{found.key}  {found.title}")


@bulletin.command()
@click.argument("key")
@click.option("--period", required=True, metavar="YYYY-MM", help="The month to report.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="The folder for the workbook.",
)
@with_appcontext
def make(key: str, period: str, out: Path) -> None:
    """Write the workbook of one bulletin and one month, and record the export."""
    found = documents.find_bulletin(key)
    if found is None:
        raise click.BadParameter(f"no bulletin {key}; see: flask bulletin list")
    month = documents.parse_month(period)
    if month is None:
        raise click.BadParameter("write the month as YYYY-MM", param_hint="--period")
    out.mkdir(parents=True, exist_ok=True)
    path = out / documents.file_name(found, month)
    path.write_bytes(documents.render(db.session(), found, month, EVERYTHING))
    audit.record("export", note=f"bulletin {found.key} {month.key}")
    db.session.commit()
    click.echo(str(path))
