"""Say where a benchmark county lives, and have it made there unless it stands already."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import click
from sqlalchemy import create_engine
from sqlalchemy.engine import URL, make_url

ROOT = Path(__file__).resolve().parents[3]
PREFIX = "bench"
CHILDREN_PER_SCHOOL = 400
DAY = date(2026, 6, 15)
"""The day on which the county stands: always the same, so that the same rows are made."""


@dataclass(frozen=True, slots=True)
class Site:
    """A database with an instance folder, for one county."""

    url: str
    folder: str
    pupils: int
    plugins: str | None = None
    """A folder with further plugins."""
    counties: int = 1
    """How many counties of this size there are, all but the first copied by SQL."""

    @property
    def kind(self) -> str:
        """Return ``sqlite`` or ``postgresql``."""
        return make_url(self.url).get_backend_name()

    @property
    def driver_address(self) -> str:
        """Return what the driver itself takes: a path, or the address of a server."""
        url = make_url(self.url)
        if self.kind == "sqlite":
            return str(url.database)
        return url.set(drivername="postgresql").render_as_string(hide_password=False)

    @property
    def schools(self) -> int:
        """Return how many schools a county of this size has."""
        return max(1, min(2000, self.pupils // CHILDREN_PER_SCHOOL))


@dataclass(frozen=True, slots=True)
class Known:
    """What the pages of a benchmark need to know of the county: sizes, keys, who signs in."""

    password: str
    children: int
    visits: int
    inspections: int
    county_id: int
    user_id: int
    school_id: int
    child_id: int
    last_visit_id: int
    method_id: int
    reason_id: int
    outcome_id: int
    term: str
    """Two characters of a given name."""


EVERYWHERE = "bench"
"""The account that sees every row and has every right."""
COUNTY_WIDE = "bench_county"
"""The account that sees the first county."""


def site_at(folder: Path, database: str | None, name: str, pupils: int, **more: int | str) -> Site:
    """Return a site beside others: a file of its own on SQLite, a schema of its own elsewhere."""
    home = folder.resolve() / PREFIX
    home.mkdir(parents=True, exist_ok=True)
    url = _url(home, database, f"{PREFIX}_{name}")
    address = url.render_as_string(hide_password=False)
    return Site(address, str(home), pupils, **more)  # type: ignore[arg-type]  # by name


def _url(home: Path, database: str | None, name: str) -> URL:
    if database is None:
        return make_url(f"sqlite:///{home / name}.db")
    url = make_url(database)
    if url.get_backend_name() == "sqlite":
        path = Path(str(url.database)).resolve()
        return url.set(database=str(path.with_name(f"{path.stem}_{name}.db")))
    if url.get_backend_name() not in {"postgresql", "postgres"}:
        raise click.BadParameter("name a SQLite file or a PostgreSQL database")
    # A schema of its own needs no right to create databases, and never touches another's tables.
    own = url.set(drivername="postgresql+psycopg")
    return own.update_query_dict({"options": f"-csearch_path={name}"})


def clear(site: Site) -> None:
    """Take away what stands there: the site's own file or schema and nothing else."""
    if site.kind == "sqlite":
        for side in ("", "-wal", "-shm"):
            Path(f"{site.driver_address}{side}").unlink(missing_ok=True)
        return
    engine = create_engine(site.url)
    with engine.begin() as connection:
        connection.exec_driver_sql(f'DROP SCHEMA IF EXISTS "{_schema(site)}" CASCADE')
    engine.dispose()
    make_room(site)


def make_room(site: Site) -> None:
    """Make the schema of a site where there is none."""
    if site.kind == "sqlite":
        return
    engine = create_engine(site.url)
    with engine.begin() as connection:
        connection.exec_driver_sql(f'CREATE SCHEMA IF NOT EXISTS "{_schema(site)}"')
    engine.dispose()


def _schema(site: Site) -> str:
    return str(make_url(site.url).query["options"]).rpartition("=")[2]


def prepare(site: Site) -> Known:
    """Make the county where it is missing or of other code, and return what is known of it."""
    command = [sys.executable, "-m", "app.cli.bench.build", json.dumps(asdict(site))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603  # ours
    if done.returncode:
        raise click.ClickException(f"the county could not be made:\n{done.stderr[-3000:]}")
    return Known(**json.loads(done.stdout.splitlines()[-1]))
