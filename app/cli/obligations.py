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
from app.cadence.coverage import DIMENSIONS, Dimension, coverage
from app.cadence.coverage import Line as Counted
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
@click.option("--by", type=click.Choice(list(DIMENSIONS)), help="Count by this instead.")
@click.option("--json", "as_json", is_flag=True, help="Print each obligation, or count, as JSON.")
@with_appcontext
def obligations(as_of: datetime | None, by: str | None, as_json: bool) -> None:
    """Bring the inspections that are due in step with the calendar, and judge them as of a day."""
    day = as_of.date() if as_of else clock.today()
    session = db.session()
    with database.writing():
        settled = settle(session, day)
        session.commit()
    if by is not None:
        _print_counts(_counts(session, day, DIMENSIONS[by]), DIMENSIONS[by], as_json=as_json)
        return
    lines = _lines(session, day)
    if as_json:
        click.echo(json.dumps([asdict(line) for line in lines], ensure_ascii=False, default=str))
        return
    click.echo(f"{settled.added} added, {settled.changed} changed, {settled.removed} taken back")
    Console().print(_table(lines))


def _year(session: Session, day: date) -> tuple[date, date]:
    terms = load_terms(session, day)
    if terms.year is None:
        raise click.ClickException(f"No school year holds {day}. Enter one under Calendar.")
    return terms.year


def _counts(session: Session, day: date, by: Dimension) -> Sequence[Counted]:
    first, last = _year(session, day)
    return coverage(session, day, first, last, by, 0).lines


def _print_counts(lines: Sequence[Counted], by: Dimension, *, as_json: bool) -> None:
    """Print how the inspections due in the school year stand, group by group."""
    if as_json:
        rows = [
            {
                by.key: line.title,
                **{status.value: line.share.counts[status] for status in Fulfilment},
                "rate": line.share.rate,
                "joint": line.share.joint,
            }
            for line in lines
        ]
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    table = Table(by.key, *(status.value for status in Fulfilment), "rate", "joint")
    for line in lines:
        share = line.share
        rate = "" if share.rate is None else f"{share.rate}%"
        counts = (str(share.counts[status]) for status in Fulfilment)
        table.add_row(line.title, *counts, rate, str(share.joint))
    Console().print(table)


def _lines(session: Session, day: date) -> list[Line]:
    first, last = _year(session, day)
    # The first fortnight begins on the Monday of its week, before the school year does.
    found = judged(load_judge(session, day, first - WEEK, last)).subquery()
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
