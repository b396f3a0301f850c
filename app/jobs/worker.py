"""Start the workers: inside the web process in the embedded mode, or as a process of their own."""

from __future__ import annotations

import logging
import sqlite3
import threading
from typing import Any

from flask import Flask
from huey.consumer import Consumer

from app.extensions import db
from app.jobs.queue import queue_of
from app.jobs.run import recover

log = logging.getLogger(__name__)
LOCK_FILE = "worker.lock"
_starting = threading.Lock()


class _Threads(Consumer):
    """A consumer that leaves the signals of the web server alone."""

    def _set_signal_handlers(self) -> None:
        pass


def init_app(app: Flask) -> None:
    """Let the embedded server work off its jobs itself, from its first request on."""
    app.config.setdefault("JOBS_IMMEDIATE", app.testing)
    app.config.setdefault("JOBS_EMBEDDED", not app.config["IS_PRODUCTION"])
    if app.config["JOBS_IMMEDIATE"] or not app.config["JOBS_EMBEDDED"]:
        return
    app.before_request(lambda: start_embedded(app))


def start_embedded(app: Flask) -> None:
    """Start the workers of this process, once, unless another process has them."""
    if "jobs_consumer" in app.extensions:
        return
    with _starting:
        if "jobs_consumer" in app.extensions:
            return
        app.extensions["jobs_consumer"] = None
        if not _is_alone(app):
            return
        consumer = _Threads(queue_of(app).huey, workers=1, periodic=False)
        app.extensions["jobs_consumer"] = consumer
        # In a thread of its own: the request that comes first does not wait for it.
        threading.Thread(target=_begin, args=(app, consumer), daemon=True).start()


def _begin(app: Flask, consumer: Any) -> None:
    with app.app_context():
        recover(app)
    consumer.start()


def _is_alone(app: Flask) -> bool:
    """Take the lock of the only consumer on SQLite; the system frees it when the process dies."""
    with app.app_context():
        if db.engine.dialect.name != "sqlite":
            return True
    path = app.config["INSTANCE_DIR"] / LOCK_FILE
    lock = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError:
        lock.close()
        return False
    app.extensions["jobs_lock"] = lock
    return True


def serve(app: Flask, workers: int) -> bool:
    """Work off jobs until the process is told to stop; False where another process does it."""
    if not _is_alone(app):
        return False
    with app.app_context():
        recover(app)
    Consumer(queue_of(app).huey, workers=workers, periodic=False).run()
    return True
