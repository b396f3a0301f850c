"""Work off what nobody waits for: jobs are rows, a queue wakes the workers, none runs twice."""

from __future__ import annotations

from app.jobs.queue import progress_of, submit
from app.jobs.work import Work, handler
from app.jobs.worker import init_app, serve

__all__ = ["Work", "handler", "init_app", "progress_of", "serve", "submit"]
