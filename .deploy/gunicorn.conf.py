"""Configure gunicorn; address and number of workers come from command and environment."""

from __future__ import annotations

import subprocess
import sys

worker_class = "gthread"
threads = 4
timeout = 60
graceful_timeout = 30
keepalive = 5
# A worker is renewed now and then, at different times, so that no leak grows for months.
max_requests = 5000
max_requests_jitter = 500
accesslog = "-"
# The path without its query: a search may hold a child's name.
access_log_format = '%(h)s %(t)s %(p)s "%(m)s %(U)s" %(s)s %(B)s %(M)sms'


def on_starting(_server: object) -> None:
    """Refuse, before any worker starts, a database that is not deployed or settings that lack."""
    # In a process of its own: what the master has imported, workers would keep after a reload.
    ready = [sys.executable, "-m", "app.cli.ready"]
    if subprocess.run(ready, check=False).returncode:  # noqa: S603  # our own module
        sys.exit(1)
