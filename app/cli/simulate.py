"""Try draft values of parameters, or a draft version of a plugin, on what is recorded."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click
from flask import current_app
from flask.cli import with_appcontext
from rich.console import Console
from rich.table import Table
from sqlalchemy import select

from app import clock
from app.base import Refused, registry
from app.extensions import db
from app.models import Parameter
from app.parameters.draft import draft_of
from app.parameters.value import Dated
from app.rules.judge import judge_on
from app.rules.record import Verdict, as_json
from app.rules.simulate import Found, Simulation, compare, found_on
from app.rules.simulate import simulate as simulated

ROOT = Path(__file__).resolve().parent.parent.parent


@click.command()
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="The judging day; today if left.")
@click.option("--set", "settings", multiple=True, help="A draft value: plugin.name=216@2025-09-01.")
@click.option(
    "--plugin",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The folder of a draft version; its name is the plugin's.",
)
@click.option("--json", "out", type=click.Path(dir_okay=False, path_type=Path), help="Where to.")
@with_appcontext
def simulate(
    as_of: datetime | None, settings: tuple[str, ...], folder: Path | None, out: Path | None
) -> None:
    """Tell what drafts would find anew and no more on the records there are; write nothing."""
    if bool(settings) == (folder is not None):
        raise click.UsageError("give either --set or --plugin")
    day = as_of.date() if as_of else clock.today()
    if folder is not None:
        found = with_plugin(day, folder.resolve())
    else:
        found = simulated(db.session(), day, [_draft(text) for text in settings])
    db.session.rollback()
    _print(found)
    if out is not None:
        new, vanished = (json.loads(as_json(part)) for part in (found.new, found.vanished))
        text = json.dumps({"new": new, "vanished": vanished}, ensure_ascii=False, indent=1)
        out.write_text(f"{text}\n", encoding="utf-8")
    for key, error in found.errors.items():
        click.echo(f"{key}: {error}", err=True)
    if found.errors:
        sys.exit(1)


def _draft(text: str) -> Dated:
    """Return the draft value that an option names."""
    key, _equals, rest = text.partition("=")
    typed, _at, day = rest.rpartition("@")
    unit = db.session.scalar(select(Parameter.unit).where(Parameter.key == key))
    if unit is None:
        raise click.UsageError(f"no such parameter: {key}")
    try:
        return draft_of(key, unit, typed, date.fromisoformat(day))
    except ValueError:
        raise click.UsageError(f"{text}: write it as {key}=216@2025-09-01") from None
    except Refused as refused:
        raise click.UsageError(f"{key}: {refused.message}") from None


def with_plugin(day: date, folder: Path) -> Simulation:
    """Compare the rules of a plugin with those of a draft version of it.

    The draft is read in a process of its own, in the place of the plugin that serves.
    """
    rules = [rule for rule in registry.rules() if rule.plugin == folder.name]
    now = found_on(judge_on(db.session(), day), rules)
    db.session.rollback()
    with _overlay(folder) as plugins:
        then = _ask(plugins, folder.name, day)
    return compare(day, now, then)


@contextmanager
def _overlay(folder: Path) -> Iterator[Path]:
    """Make a folder of all plugins with the draft among them."""
    with tempfile.TemporaryDirectory() as made:
        place = Path(made) / "plugins"
        place.mkdir()
        (place / "__init__.py").touch()
        for directory in current_app.config["PLUGIN_DIRS"]:
            for path in sorted(directory.iterdir()):
                if path.is_dir() and path.name != folder.name and path.name[0] not in "._":
                    (place / path.name).symlink_to(path, target_is_directory=True)
        shutil.copytree(folder, place / folder.name, ignore=shutil.ignore_patterns("__pycache__"))
        yield place


def _ask(plugins: Path, name: str, day: date) -> Found:
    """Ask a process that has the draft for what it finds."""
    wish = {
        "plugins": str(plugins),
        "name": name,
        "day": day.isoformat(),
        "url": current_app.config["SQLALCHEMY_DATABASE_URI"],
        "instance": str(current_app.config["INSTANCE_DIR"]),
    }
    done = subprocess.run(  # ours
        [sys.executable, "-m", "app.cli.draft"],
        input=json.dumps(wish),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:]
        raise click.ClickException(f"the draft cannot be read: {''.join(last)}")
    answer = json.loads(done.stdout.splitlines()[-1])
    return Found([_verdict(one) for one in answer["verdicts"]], answer["errors"])


def _verdict(values: dict[str, Any]) -> Verdict:
    days = ("period_start", "effective_from", "first_seen", "changed_on", "last_seen")
    read = {name: date.fromisoformat(values[name]) for name in days if values[name]}
    return Verdict(**{**values, **read, "records": ()})


def as_values(verdicts: Sequence[Verdict]) -> list[dict[str, Any]]:
    """Return verdicts as plain values, for the process that asked."""
    return [
        {
            name: value.isoformat() if isinstance(value, date) else value
            for name, value in asdict(one).items()
        }
        for one in verdicts
    ]


def _print(found: Simulation) -> None:
    """Print the figures by township, and who is newly affected."""
    console = Console()
    table = Table("Township", "New", "Vanished")
    for one in found.townships():
        table.add_row(one.name, str(one.new), str(one.vanished))
    table.add_row("Total", str(len(found.new)), str(len(found.vanished)))
    console.print(table)
    affected = Table("Newly affected", "Rule", "School", "How it comes about")
    for verdict in found.affected:
        subject = f"{verdict.subject_type} {verdict.subject_id}"
        place = verdict.school or verdict.township
        affected.add_row(subject, verdict.rule_key, place, verdict.message)
    if found.affected:
        console.print(affected)
    console.print(f"{found.as_of}: nothing was written")
