"""Promote all classes at the year's turn, or take the last promotion back."""

from __future__ import annotations

import click
from flask.cli import with_appcontext
from rich.console import Console
from rich.table import Table
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import database
from app.base import Refused
from app.extensions import db
from app.models import Promotion, School
from app.workflow.promote import promote as promote_classes
from app.workflow.promote import undo as take_back
from app.workflow.promotion import Plan, plan


@click.command("promote")
@click.option("--school", "code", help="The code of one school; all schools if left.")
@click.option("--dry-run", is_flag=True, help="Show what would be done; change nothing.")
@click.option("--undo", is_flag=True, help="Take the last promotion back.")
@with_appcontext
def promote(code: str | None, *, dry_run: bool, undo: bool) -> None:
    """Promote the classes of all schools, or of one, into the next school year."""
    session = db.session()
    try:
        school = _school(session, code)
        if dry_run:
            _print(plan(session, None if school is None else [school.id]))
            return
        with database.writing():
            done = _undo(session) if undo else promote_classes(session, school)
            session.commit()
    except Refused as refusal:
        session.rollback()
        raise click.ClickException(refusal.message) from None
    word = "taken back" if undo else "promoted"
    click.echo(f"{word}: {done.moved} up, {done.graduated} graduated, {done.left} go on elsewhere")


def _school(session: Session, code: str | None) -> School | None:
    if code is None:
        return None
    found = session.scalar(select(School).filter_by(code=code))
    if found is None:
        raise click.BadParameter(f"there is no school {code}", param_hint="--school")
    return found


def _undo(session: Session) -> Promotion:
    last = select(Promotion).where(Promotion.undone_at.is_(None)).order_by(Promotion.id.desc())
    done = session.scalars(last.limit(1)).first()
    if done is None:
        raise click.ClickException("there is no promotion to take back")
    take_back(session, done)
    return done


def _print(planned: Plan) -> None:
    title = f"{planned.from_year} → {planned.to_year}"
    table = Table("School", "Class", "Becomes", "Children", "To decide", title=title)
    for one in planned.classes:
        leaves = "graduates" if one.ends else "goes on elsewhere"
        becomes = one.name if one.grades else leaves
        numbers = str(one.moving), str(one.staying)
        table.add_row(one.school.name, one.source.name, becomes, *numbers)
    Console().print(table)
    click.echo(
        f"{planned.moved} up, {planned.graduated} graduate, {planned.left} go on elsewhere, "
        f"{planned.staying} to decide"
    )
