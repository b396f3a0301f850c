"""Import files, export entities, and work off the jobs that wait."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext
from rich.console import Console
from rich.table import Table

from app import database, imports, jobs
from app.base import Refused
from app.extensions import db
from app.imports.entity import Entity
from app.imports.report import Result, header_of
from app.security.scope import EVERYTHING

FAULTS_SHOWN = 20
FILE = click.Path(dir_okay=False, path_type=Path)


def _entity(key: str) -> Entity:
    """Return the entity of a key, or end with the list of those that there are."""
    found = imports.find_entity(key)
    if found is None:
        known = ", ".join(entity.key for entity in imports.entities())
        raise click.BadParameter(f"no entity {key}; there are: {known}")
    return found


@click.command("import")
@click.argument("entity")
@click.argument(
    "file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--dry-run", is_flag=True, help="Only judge the file; store nothing.")
@click.option("--backfilled", is_flag=True, help="Mark the rows as of the time before go-live.")
@click.option("--errors", type=FILE, help="Write the rows that failed to this workbook.")
@click.option("--template", type=FILE, help="Write the workbook to be filled in; import nothing.")
@with_appcontext
def import_(
    entity: str,
    file: Path | None,
    dry_run: bool,
    backfilled: bool,
    errors: Path | None,
    template: Path | None,
) -> None:
    """Import a file of one entity: .xlsx, .xls, .ods or .csv; good rows load, others are told."""
    found = _entity(entity)
    if template is not None:
        template.write_bytes(imports.template(db.session(), found, EVERYTHING))
        click.echo(str(template))
        return
    if file is None:
        raise click.UsageError("name a file, or --template OUT.xlsx")
    content = file.read_bytes()
    try:
        opened = imports.open_file(found, content, file.name)
        result = _run(opened, dry_run=dry_run, backfilled=backfilled)
    except Refused as refusal:
        raise click.ClickException(refusal.message) from None
    told = (*result.faults, *result.warnings)
    if errors is not None and told:
        again = imports.open_file(found, content, file.name)
        errors.write_bytes(imports.error_workbook(found, again.table, told))
    _print(found, result, errors)
    if result.failed:
        sys.exit(1)


def _run(opened: imports.Opened, *, dry_run: bool, backfilled: bool) -> Result:
    session = db.session()
    try:
        if dry_run:
            return imports.check(session, opened, scope=EVERYTHING)
        with database.writing():
            result = imports.store(session, opened, scope=EVERYTHING, is_backfilled=backfilled)
            session.commit()
            return result
    finally:
        session.rollback()


def _print(entity: Entity, result: Result, errors: Path | None) -> None:
    """Print the counts and the first faults."""
    console = Console()
    batch = f"batch {result.batch_id}: " if result.batch_id else ""
    console.print(
        f"{batch}{result.total} rows: {result.added} added, {result.changed} changed, "
        f"{result.skipped} skipped, {result.failed} failed, {result.warned} to look at"
    )
    if result.ignored:
        console.print(f"columns not read: {', '.join(result.ignored)}", markup=False)
    told = (*result.faults, *result.warnings)
    if not told:
        return
    table = Table("Row", "Column", "Reason", "")
    for fault in told[:FAULTS_SHOWN]:
        head, kind = header_of(entity, fault.column), "imported" if fault.is_warning else "failed"
        table.add_row(str(fault.number), head, fault.message, kind)
    console.print(table)
    if len(told) > FAULTS_SHOWN or errors is not None:
        console.print(f"{len(told)} reasons{f', all in {errors}' if errors else ''}")


@click.command("export")
@click.argument("entity")
@click.option("--out", required=True, type=FILE, help="The file to write, .xlsx or .csv.")
@with_appcontext
def export(entity: str, out: Path) -> None:
    """Export all rows of one entity as a file that import reads."""
    found = _entity(entity)
    try:
        content = imports.export(db.session(), found, out.suffix.lower())
    except Refused as refusal:
        raise click.ClickException(refusal.message) from None
    out.write_bytes(content)
    db.session.commit()
    click.echo(str(out))


@click.command("undo-import")
@click.argument("batch", type=int)
@with_appcontext
def undo(batch: int) -> None:
    """Take a batch back while nothing depends on its rows."""
    try:
        with database.writing():
            imports.undo(db.session(), batch, EVERYTHING)
            db.session.commit()
    except Refused as refusal:
        db.session.rollback()
        raise click.ClickException(refusal.message) from None
    click.echo(f"batch {batch} taken back")


@click.command()
@click.option("--workers", default=1, show_default=True, help="Jobs at the same time.")
@with_appcontext
def worker(workers: int) -> None:
    """Work off jobs until stopped; PostgreSQL is all that it needs."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # the real application
    if not jobs.serve(app, workers):
        raise click.ClickException("another process of this installation works off the jobs")
