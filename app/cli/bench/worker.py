"""Run one application in a process of its own and measure what each request takes inside it."""

from __future__ import annotations

import cProfile
import io
import json
import os
import pstats
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from typing import Any

from app.cli.bench.application import application
from app.cli.bench.wire import FORM, Answer, Ask, Batch, Depth, Ready, Spec

TRANSACTION = ("BEGIN", "COMMIT", "ROLLBACK", "PRAGMA", "SAVEPOINT", "RELEASE")
LINES = 25


class Worker:
    """Answer what the benchmark asks, one line after the other."""

    def __init__(self, spec: Spec) -> None:
        self.seen: list[str] = []
        if spec.counts_start:
            with self._recorded():
                self.app = application(spec)
        else:
            self.app = application(spec)
        screens = self.app.extensions.get("appbuilder")
        self.ready = Ready(
            cpu=time.process_time(),
            statements=len(self.seen),
            rss_kib=resident_kib(),
            views=len(screens.baseviews) if screens else 0,
        )

    def answer(self, ask: Ask) -> Answer:
        """Run a request and return all of its answer."""
        status, headers, body = self._run(_environ(ask))
        pairs = [value.partition(";")[0] for name, value in headers if name == "Set-Cookie"]
        return Answer(
            status=status,
            body=body.decode(errors="replace"),
            size=len(body),
            cookie="; ".join(pairs),
            location=dict(headers).get("Location", ""),
        )

    def batch(self, *asks: Ask) -> Batch:
        """Run requests one after the other and measure them together, garbage included."""
        environs = [_environ(ask) for ask in asks]
        wall, cpu = time.perf_counter(), time.process_time()
        statuses = [self._run(environ)[0] for environ in environs]
        return Batch(time.process_time() - cpu, time.perf_counter() - wall, statuses)

    def depth(self, ask: Ask, more: Ask) -> Depth:
        """Run two equal requests: for the statements, then for the memory they hold."""
        floor = self.app.extensions.get("floor")
        if floor is not None:
            before = floor.statements
            self._run(_environ(ask))
            statements = ["…"] * (floor.statements - before)
        else:
            with self._recorded():
                self._run(_environ(ask))
            statements = self.seen
        environ = _environ(more)
        tracemalloc.start()
        tracemalloc.reset_peak()
        held = tracemalloc.get_traced_memory()[0]
        self._run(environ)
        peak = tracemalloc.get_traced_memory()[1] - held
        tracemalloc.stop()
        return Depth(statements, peak / 1024)

    def memory(self) -> int:
        """Return the resident memory now, in KiB."""
        return resident_kib()

    def profile(self, *asks: Ask) -> str:
        """Return where the time of some requests goes, by what is called and by itself."""
        environs = [_environ(ask) for ask in asks]
        profiler = cProfile.Profile()
        profiler.enable()
        for environ in environs:
            self._run(environ)
        profiler.disable()
        text = io.StringIO()
        figures = pstats.Stats(profiler, stream=text)
        text.write(f"{len(asks)} requests\n")
        for order in ("cumulative", "tottime"):
            figures.sort_stats(order).print_stats(LINES)
        return text.getvalue()

    def _run(self, environ: dict[str, Any]) -> tuple[int, list[tuple[str, str]], bytes]:
        begun: list[Any] = []

        def start(status: str, headers: list[tuple[str, str]], _error: Any = None) -> Any:
            begun[:] = [int(status[:3]), headers]

        answer: Any = self.app.wsgi_app(environ, start)
        body = b"".join(answer)
        if hasattr(answer, "close"):
            answer.close()
        return begun[0], begun[1], body

    @contextmanager
    def _recorded(self) -> Iterator[None]:
        from sqlalchemy import Engine, event

        self.seen = []

        def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            if not statement.startswith(TRANSACTION):
                self.seen.append(statement)

        event.listen(Engine, "before_cursor_execute", note)
        try:
            yield
        finally:
            event.remove(Engine, "before_cursor_execute", note)


def _environ(ask: Ask) -> dict[str, Any]:
    """Return what a server hands to the application."""
    path, _, query = ask.path.partition("?")
    body = ask.body.encode()
    environ = {
        "REQUEST_METHOD": ask.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "127.0.0.1",
        "HTTP_USER_AGENT": "bench",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    if ask.cookie:
        environ["HTTP_COOKIE"] = ask.cookie
    if ask.packed:
        environ["HTTP_ACCEPT_ENCODING"] = "gzip, deflate"
    if ask.method == "POST":
        environ["CONTENT_TYPE"] = FORM
        environ["CONTENT_LENGTH"] = str(len(body))
    return environ


def resident_kib(process: int | str = "self") -> int:
    """Return the resident memory of a process, in KiB."""
    pages = int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024


def main() -> None:
    """Serve the benchmark over standard input and output until it says no more."""
    wire = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    sys.stdout = sys.stderr  # what the application prints must not mix with the answers
    worker = Worker(Spec(**json.loads(sys.argv[1])))
    deeds: dict[str, Callable[..., Any]] = {
        "answer": worker.answer,
        "batch": worker.batch,
        "depth": worker.depth,
        "memory": worker.memory,
        "profile": worker.profile,
    }
    _say(wire, asdict(worker.ready))
    for line in sys.stdin:
        deed, *asks = json.loads(line)
        done = deeds[deed](*(Ask(**ask) for ask in asks))
        _say(wire, done if isinstance(done, (int, str)) else asdict(done))


def _say(wire: Any, values: Any) -> None:
    wire.write(json.dumps(values) + "\n")
    wire.flush()


if __name__ == "__main__":
    main()
