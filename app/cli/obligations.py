"""Write down which inspections are due and tell how they stand on a day."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime

import click
from flask.cli import with_appcontext
from rich.console import Console
from rich.table import Table
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock, database
from app.cadence.fulfilment import Fulfilment, judged
from app.cadence.judge import load_judge
from app.cadence.obligation import settle
from app.cadence.period import WEEK, load_terms
from app.extensions import db
from app.models import Person, School, Township
from app.models.inspection import type_title


@dataclass(frozen=True, slots=True)
class Line:
    """An obligation as it is printed."""

    type: str
    capacity: str
    township: str
    school: str
    period_start: date
    due_on: date
    person: str | None
    status: str
    done_on: date | None
    is_joint: bool | None


@click.command("obligations")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="The judging day; today if left.")
@click.option("--json", "as_json", is_flag=True, help="Print each obligation as JSON.")
@with_appcontext
def obligations(as_of: datetime | None, as_json: bool) -> None:
    """Bring the inspections that are due in step with the calendar, and judge them as of a day."""
    day = as_of.date() if as_of else clock.today()
    session = db.session()
    with database.writing():
        settled = settle(session, day)
        session.commit()
    lines = _lines(session, day)
    if as_json:
        click.echo(json.dumps([asdict(line) for line in lines], ensure_ascii=False, default=str))
        return
    click.echo(f"{settled.added} added, {settled.changed} changed, {settled.removed} taken back")
    Console().print(_table(lines))


def _lines(session: Session, day: date) -> list[Line]:
    terms = load_terms(session, day)
    if terms.year is None:
        raise click.ClickException(f"No school year holds {day}. Enter one under Calendar.")
    # The first fortnight begins on the Monday of its week, before the school year does.
    found = judged(load_judge(session, day, terms.year[0] - WEEK, terms.year[1])).subquery()
    rows = session.execute(
        select(
            found.c.type_key, found.c.capacity, Township.name, School.name, found.c.period_start,
            found.c.due_on, Person.name, found.c.status, found.c.done_on, found.c.is_joint,
        )
        .join(Township, Township.id == found.c.township_id)
        .join(School, School.id == found.c.school_id)
        .outerjoin(Person, Person.id == found.c.person_id)
        .order_by(found.c.type_key, found.c.period_start, Township.position, School.name)
    )  # fmt: skip
    return [Line(*row) for row in rows]


def _table(lines: Sequence[Line]) -> Table:
    """Count the obligations of each inspection type by how they stand."""
    table = Table("Inspection", *(status.value for status in Fulfilment))
    counts = Counter((line.type, line.status) for line in lines)
    for key in sorted({line.type for line in lines}):
        table.add_row(type_title(key), *(str(counts[key, status]) for status in Fulfilment))
    return table
