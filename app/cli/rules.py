"""List the rules, run them, and explain what they found."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

import click
from flask.cli import with_appcontext
from rich.console import Console
from rich.table import Table
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app import clock, database
from app.base import registry
from app.cli.simulate import simulate
from app.extensions import db
from app.models import School, Violation
from app.parameters.clause import clause_on
from app.rules.account import account_of
from app.rules.engine import RuleReport, run_rules
from app.rules.judge import judge_on
from app.rules.obstacle import obstacles
from app.rules.record import as_json, found_verdicts, stored_verdicts
from app.rules.rule import Rule
from app.workflow.violation import TAKEN

FAILED, HINDERED = 1, 3
"""Exit codes: a rule failed; all rules ran, but data is missing that some of them need."""
AS_OF = click.option(
    "--as-of", type=click.DateTime(["%Y-%m-%d"]), help="The judging day; today if left."
)
RULES = click.option("--rule", "keys", multiple=True, help="A rule's key or code; all if left.")
SCHOOLS = click.option("--school", "schools", multiple=True, help="A school's name or code.")


@click.group()
def rules() -> None:
    """List the rules, run them, and explain what they found."""


@rules.command("list")
@with_appcontext
def list_rules() -> None:
    """List the rules of the active plugins."""
    table = Table("Rule", "Code", "Clause", "Period", "Severity", "Absent data")
    for rule in registry.rules():
        table.add_row(rule.key, rule.code, rule.clause, rule.period, rule.severity, rule.absent)
    Console().print(table)


@rules.command("run")
@AS_OF
@RULES
@SCHOOLS
@click.option(
    "--json",
    "out",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    help="Write what is known as JSON; - for the screen.",
)
@with_appcontext
def run(
    as_of: datetime | None, keys: tuple[str, ...], schools: tuple[str, ...], out: Path | None
) -> None:
    """Judge the records; a day before the newest judged one is written out, never stored.

    The exit code is 1 where a rule failed, and 3 where all ran but data is missing that some of
    them need: calendar, assignments, values of parameters.
    """
    day = as_of.date() if as_of else clock.today()
    session = db.session()
    chosen = _chosen(keys)
    with database.writing():
        school_ids = _schools(session, schools)
        report = run_rules(session, day, rules=chosen, school_ids=school_ids)
        session.commit()
    if out is not None:
        _write(out, _json(session, report, chosen, school_ids))
    if out is None or str(out) != "-":
        _print_table(report)
    hindered = obstacles(session, day, chosen)
    for one in hindered:
        click.echo(f"{one.message} — {one.hint}", err=True)
    if any(result.error for result in report.results):
        sys.exit(FAILED)
    if hindered:
        sys.exit(HINDERED)


@rules.command("explain")
@click.argument("violation", type=int)
@with_appcontext
def explain(violation: int) -> None:
    """Explain a violation, named by its number: how it comes about and what it rests on."""
    session = db.session()
    row = session.get(Violation, violation)
    if row is None:
        raise click.UsageError(f"no such violation: {violation}")
    for head, value in _facts(session, row):
        if value:
            click.echo(f"{head}: {value}")


def _facts(session: Session, row: Violation) -> list[tuple[str, str]]:
    """Return everything that is known of a violation, in the order of its page."""
    account = account_of(session, row)
    clause = clause_on(session, row.clause_key, row.period_start)
    parameters = [(f"parameter {key}", value) for key, value in account.parameters.items()]
    records = [
        (
            "evidence",
            f"{one.record_type} {one.record_id} {one.day or ''} {one.detail or ''}".strip(),
        )
        for one in account.records
    ]
    said = [
        (
            str(TAKEN.get(step.state, step.state)),
            " ".join(str(part) for part in (step.until, step.person, step.note) if part),
        )
        for step in row.steps
    ]
    return [
        ("rule", f"{row.code} {row.rule_key} ({row.severity})"),
        ("clause", f"{clause}\n  {clause.text}" if clause else row.clause_key or ""),
        ("place", " ".join(str(place) for place in (row.township, row.school) if place)),
        ("subject", f"{row.subject_type} {row.subject_id}"),
        ("found", account.message),
        ("arithmetic", account.arithmetic),
        ("observed", row.observed or ""),
        ("required", row.required or ""),
        *parameters,
        ("effective from", _day(row.effective_from)),
        ("absent data", account.rule.absent if account.rule else ""),
        ("period from", _day(row.period_start)),
        ("first seen", _day(row.first_seen)),
        ("last seen", _day(account.last_seen)),
        ("changed on", _day(row.changed_on)),
        ("resolved on", _day(row.resolved_on)),
        ("state", row.state),
        *records,
        ("evidence error", account.error or ""),
        *said,
    ]


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""


def _json(
    session: Session, report: RuleReport, chosen: Sequence[Rule], school_ids: frozenset[int] | None
) -> str:
    """Return all that is known of the rules; what holds on an earlier day, judged for this alone.

    Rules that failed have no verdicts of that day.
    """
    judge = judge_on(session, report.as_of, school_ids=school_ids)
    if report.is_stored:
        return as_json(stored_verdicts(session, chosen, judge))
    failed = {result.rule for result in report.results if result.error}
    return as_json(found_verdicts(judge, [rule for rule in chosen if rule.key not in failed]))


def _write(out: Path, text: str) -> None:
    if str(out) == "-":
        click.echo(text, nl=False)
    else:
        out.write_text(text, encoding="utf-8")


def _chosen(keys: tuple[str, ...]) -> list[Rule]:
    """Return the rules of these keys or codes, or all."""
    known = list(registry.rules())
    if not keys:
        return known
    chosen = [rule for rule in known if rule.key in keys or rule.code in keys]
    unknown = set(keys) - {name for rule in chosen for name in (rule.key, rule.code)}
    if unknown:
        raise click.UsageError(f"no such rule: {', '.join(sorted(unknown))}")
    return chosen


def _schools(session: Session, names: tuple[str, ...]) -> frozenset[int] | None:
    """Return the schools of these names or codes; None for all."""
    if not names:
        return None
    query = select(School.id, School.name, School.code)
    found = session.execute(query.where(or_(School.name.in_(names), School.code.in_(names)))).all()
    unknown = set(names) - {name for row in found for name in (row[1], row[2])}
    if unknown:
        raise click.UsageError(f"no such school: {', '.join(sorted(unknown))}")
    return frozenset(row[0] for row in found)


def _print_table(report: RuleReport) -> None:
    """Print a report for people."""
    table = Table("Rule", "Found", "Opened", "Changed", "Resolved", "Error")
    for result in report.results:
        counts = (result.found, result.opened, result.changed, result.resolved)
        table.add_row(result.rule, *map(str, counts), result.error or "")
    console = Console()
    console.print(table)
    if not report.is_stored:
        console.print(f"{report.as_of}: not stored, a later day was judged already")


rules.add_command(simulate)
