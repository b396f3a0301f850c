"""List the rules and run them."""

from __future__ import annotations

import dataclasses
import json
import sys
from datetime import datetime

import click
from flask.cli import with_appcontext
from rich.console import Console
from rich.table import Table

from app import clock, database
from app.base import registry
from app.extensions import db
from app.rules.engine import RuleReport, run_rules
from app.rules.rule import Rule


@click.group()
def rules() -> None:
    """List the rules and run them."""


@rules.command("list")
@with_appcontext
def list_rules() -> None:
    """List the rules of the active plugins."""
    table = Table("Rule", "Code", "Clause", "Period", "Severity")
    for rule in registry.rules():
        table.add_row(rule.key, rule.code, rule.clause, rule.period, rule.severity)
    Console().print(table)


@rules.command("run")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="The judging day; today if left.")
@click.option("--rule", "keys", multiple=True, help="A rule's key or code; all rules if left.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_appcontext
def run(as_of: datetime | None, keys: tuple[str, ...], as_json: bool) -> None:
    """Judge the records; a day before the newest judged one is only counted, never stored."""
    day = as_of.date() if as_of else clock.today()
    with database.writing():
        report = run_rules(db.session, day, rules=_chosen(keys))  # type: ignore[arg-type]  # scoped
        db.session.commit()
    _print_json(report) if as_json else _print_table(report)
    if any(result.error for result in report.results):
        sys.exit(1)


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


def _print_json(report: RuleReport) -> None:
    """Print a report for machines."""
    body = dataclasses.asdict(report) | {"as_of": report.as_of.isoformat()}
    click.echo(json.dumps(body, ensure_ascii=False, indent=2))


def _print_table(report: RuleReport) -> None:
    """Print a report for people."""
    table = Table("Rule", "Found", "Opened", "Changed", "Resolved", "Error")
    for result in report.results:
        counts = (result.found, result.opened, result.changed, result.resolved)
        table.add_row(result.rule, *map(str, counts), result.error or "")
    console = Console()
    console.print(table)
    if not report.is_stored:
        console.print(f"{report.as_of}: counted only, a later day was judged already")
