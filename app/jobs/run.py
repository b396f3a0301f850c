"""Run one job: claim it, act for who started it, and write down how it ended."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import select, text, update

from app import clock, database
from app.base import Actor, Refused, actor
from app.extensions import db
from app.jobs.queue import note_progress, wake
from app.jobs.work import Work, handler_of
from app.models import Job
from app.security.acting import scope_of
from app.security.errors import incident
from app.security.holder import holder_of
from app.security.scope import EVERYTHING, Scope, table_of

log = logging.getLogger(__name__)
ATTEMPTS = 3
LOCK = 4_201
"""The first half of the PostgreSQL locks that the owners of running jobs hold."""
_job = table_of(Job)


def run_job(app: Flask, job_id: int) -> None:
    """Run a waiting job; one that somebody else has claimed is left alone."""
    with force_locale(app.config["BABEL_DEFAULT_LOCALE"]), _owned(job_id) as is_owner:
        job = _claim(job_id) if is_owner else None
        if job is None:
            return
        token = actor.set(Actor(job.user_id, job.person_id, job.appointment_id))
        try:
            error = _work(app, job)
        finally:
            actor.reset(token)
        _finish(job_id, error)
        if error is None:
            note_progress(app, job_id, 100)


def _work(app: Flask, job: Any) -> str | None:
    """Do the work; return what went wrong, in words for the person who waits for it."""
    try:
        scope = _scope(job)
        db.session.rollback()  # the handler begins without a lock
        work = Work(
            job.id,
            job.kind,
            job.subject_id,
            job.argument,
            scope,
            lambda percent: note_progress(app, job.id, percent),
        )
        handler_of(job.kind)(work)
    except Refused as refusal:
        return refusal.message
    except Exception as error:
        log.exception("Job %s of kind %s failed", job.id, job.kind)
        return _(
            "The work failed. Nothing was changed. Incident: %(number)s", number=incident(error)
        )
    finally:
        db.session.rollback()
        db.session.remove()
    return None


def _scope(job: Any) -> Scope:
    """Return what the starter may touch now, under the office in which he started the job."""
    if job.user_id is None:
        return EVERYTHING
    holder = holder_of(job.user_id)
    if holder is not None and holder.is_break_glass:
        return EVERYTHING
    held = holder.appointments if holder is not None else ()
    for one in held:
        if one.id == job.appointment_id:
            return scope_of(one, job.user_id)
    raise Refused(_("The office under which this was started is no longer held."))


def _claim(job_id: int) -> Any:
    """Take a waiting job; return its row, or None where it is not waiting any more."""
    with database.writing(), db.engine.begin() as connection:
        taken = connection.execute(
            update(_job)
            .where(_job.c.id == job_id, _job.c.state == "waiting")
            .values(state="running", attempts=_job.c.attempts + 1, started_at=clock.now())
        )
        if not taken.rowcount:
            return None
        return connection.execute(select(_job).where(_job.c.id == job_id)).one()


def _finish(job_id: int, error: str | None) -> None:
    with database.writing(), db.engine.begin() as connection:
        connection.execute(
            update(_job)
            .where(_job.c.id == job_id)
            .values(state="failed" if error else "done", error=error, finished_at=clock.now())
        )


@contextmanager
def _owned(job_id: int) -> Iterator[bool]:
    """Hold a job as long as this process lives; the database lets go of it when the process dies.

    SQLite has one consumer at a time, which holds a lock of its own.
    """
    if db.engine.dialect.name != "postgresql":
        yield True
        return
    with db.engine.connect() as connection:
        keys = {"kind": LOCK, "job": job_id}
        is_owner = connection.scalar(text("SELECT pg_try_advisory_lock(:kind, :job)"), keys)
        connection.commit()
        try:
            yield bool(is_owner)
        finally:
            if is_owner:
                connection.execute(text("SELECT pg_advisory_unlock(:kind, :job)"), keys)


def recover(app: Flask) -> list[int]:
    """Wake the jobs that wait, and those whose worker died; give up after some attempts."""
    with db.engine.connect() as connection:
        waiting = list(connection.scalars(select(_job.c.id).where(_job.c.state == "waiting")))
        running = connection.execute(
            select(_job.c.id, _job.c.attempts).where(_job.c.state == "running")
        ).all()
    orphans = []
    for job in running:
        with _owned(job.id) as is_orphan:
            if is_orphan:
                _release(job)
                orphans.append(job.id)
    for job_id in sorted({*waiting, *orphans}):
        wake(app, job_id)
    return orphans


def _release(job: Any) -> None:
    gives_up = job.attempts >= ATTEMPTS
    values = {"state": "failed" if gives_up else "waiting"}
    if gives_up:
        values["error"] = _("The server stopped during the work, several times.")
    with database.writing(), db.engine.begin() as connection:
        connection.execute(
            update(_job).where(_job.c.id == job.id, _job.c.state == "running").values(**values)
        )
