"""Keep the queue: huey on SQLite in the embedded mode, on PostgreSQL in production."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Flask, current_app
from huey import Huey, MemoryHuey, PostgresHuey, SqliteHuey
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from app import clock
from app.base import actor
from app.extensions import db
from app.models import Job
from app.security.scope import table_of

NAME = "bureau"
SCHEMA = "jobs"
"""The PostgreSQL schema of the queue's own tables, apart from the product's."""
_job = table_of(Job)
_making = threading.Lock()


@dataclass(frozen=True, slots=True)
class Queue:
    """Hold the queue of one application, and what puts a job's key into it."""

    huey: Huey
    run: Callable[[int], Any]


def queue_of(app: Flask) -> Queue:
    """Return the application's queue, made when first asked for."""
    with _making:
        queue: Queue | None = app.extensions.get("jobs")
        if queue is None:
            huey = _made(app)
            huey.on_shutdown()(huey.storage.close)
            queue = Queue(huey, huey.task(name="run")(_runner(app)))
            app.extensions["jobs"] = queue
    return queue


def _made(app: Flask) -> Huey:
    if app.config["JOBS_IMMEDIATE"]:
        return MemoryHuey(NAME, results=False)
    with app.app_context():
        url = db.engine.url
    if url.get_backend_name() == "postgresql":
        return PostgresHuey(NAME, connection=_connection(url), results=False)
    return SqliteHuey(NAME, filename=str(app.config["INSTANCE_DIR"] / "jobs.db"), results=False)


def _connection(url: Any) -> Any:
    """Return a function that connects to the schema of the queue, made where it is missing."""
    import psycopg

    address = url.set(drivername="postgresql").render_as_string(hide_password=False)

    def connect() -> Any:
        connection = psycopg.connect(address, autocommit=True)
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        connection.execute(f"SET search_path TO {SCHEMA}")
        return connection

    return connect


def _runner(app: Flask) -> Callable[[int], None]:
    def run(job_id: int) -> None:
        from app.jobs.run import run_job

        with app.app_context():
            run_job(app, job_id)

    return run


def submit(session: Session, kind: str, subject_id: int | None, argument: str | None = None) -> int:
    """Store a job for whoever acts now, commit, and wake the workers; return the job's key."""
    who = actor.get()
    made = session.connection().execute(
        insert(_job).values(
            kind=kind,
            subject_id=subject_id,
            argument=argument,
            user_id=who.user_id,
            person_id=who.person_id,
            appointment_id=who.appointment_id,
            created_at=clock.now(),
        )
    )
    assert made.inserted_primary_key is not None
    job_id: int = made.inserted_primary_key[0]
    session.commit()
    wake(current_app._get_current_object(), job_id)  # type: ignore[attr-defined]  # the real one
    return job_id


def wake(app: Flask, job_id: int) -> None:
    """Tell the workers of a job; told twice, it still runs once."""
    if app.config["JOBS_IMMEDIATE"]:
        # In a thread: a job does not see the request that started it.
        thread = threading.Thread(target=_runner(app), args=(job_id,))
        thread.start()
        thread.join()
        return
    queue_of(app).run(job_id)


def note_progress(app: Flask, job_id: int, percent: int) -> None:
    """Keep how far a job is, outside the database that it may hold locked."""
    queue_of(app).huey.put(f"progress:{job_id}", percent)


def progress_of(job_id: int) -> int:
    """Return how far a job is, in percent."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # the real one
    return int(queue_of(app).huey.get(f"progress:{job_id}", peek=True) or 0)


@dataclass(frozen=True, slots=True)
class JobState:
    """Tell whoever waits for a job how it stands."""

    state: str
    progress: int
    error: str | None

    @property
    def is_busy(self) -> bool:
        """Tell whether the job is still to be done."""
        return self.state in {"waiting", "running"}


def state_of(session: Session, kind: str, subject_id: int) -> JobState | None:
    """Return how the last job of a kind about a row stands; None where there was none.

    Jobs are the county's; who sees the row sees what becomes of it.
    """
    query = select(_job.c.id, _job.c.state, _job.c.error).where(
        _job.c.kind == kind, _job.c.subject_id == subject_id
    )
    found = session.connection().execute(query.order_by(_job.c.id.desc()).limit(1)).first()
    if found is None:
        return None
    is_done = found.state == "done"
    return JobState(found.state, 100 if is_done else progress_of(found.id), found.error)
