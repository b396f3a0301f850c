"""Work off what nobody waits for: jobs are rows, a queue wakes the workers, none runs twice."""

from __future__ import annotations

from app.jobs.queue import JobState, progress_of, state_of, submit
from app.jobs.work import Work, acting, handler, titles
from app.jobs.worker import init_app, serve

__all__ = [
    "JobState", "Work", "acting", "handler", "init_app", "progress_of", "serve", "state_of",
    "submit", "titles",
]  # fmt: skip
