"""Measure throughput: two workers behind gunicorn, product and floor in turn, a small client."""

from __future__ import annotations

import json
import os
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import click

from app.cli.bench.site import ROOT
from app.cli.bench.wire import Spec
from app.cli.bench.worker import resident_kib

WORKERS, THREADS, CONNECTIONS = 2, 4, 8
START_SECONDS = 60
END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class LoadResult:
    """Requests a second of the children's list, and what a request takes of the workers."""

    workers: int
    connections: int
    product_per_s: float
    floor_per_s: float
    share: float
    product_cpu_ms: float
    """Processor time of the workers for a request, the server's own work included."""
    floor_cpu_ms: float
    product_rss_mib: float
    """Resident memory of a worker after the load."""
    floor_rss_mib: float


@dataclass(frozen=True, slots=True)
class Server:
    """A running gunicorn and the request that is sent to it."""

    pid: int
    port: int
    request: bytes

    def workers(self) -> list[int]:
        """Return the processes of the workers."""
        path = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        return [int(pid) for pid in path.read_text(encoding="ascii").split()]

    def cpu_seconds(self) -> float:
        """Return the processor time that the workers took so far."""
        ticks = 0
        for pid in self.workers():
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2]
            ticks += sum(map(int, fields.split()[11:13]))
        return ticks / os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class Tally:
    """What came of some turns."""

    rates: list[float]
    costs: list[float]


def measure_load(
    product: tuple[Spec, str, str], floor: tuple[Spec, str, str], seconds: float, rounds: int
) -> LoadResult:
    """Return the throughput of two (application, path, cookie), each loaded in its turn."""
    with serving(*product) as first, serving(*floor) as second:
        tallies = [Tally([], []), Tally([], [])]
        for turn in range(rounds + 1):  # the first only warms
            for server, tally in zip((first, second), tallies, strict=True):
                before = server.cpu_seconds()
                done, took = pour(server, seconds)
                if turn:
                    tally.rates.append(done / took)
                    tally.costs.append((server.cpu_seconds() - before) / done * 1000)
        memory = [max(map(resident_kib, server.workers())) / 1024 for server in (first, second)]
    rates = [median(tally.rates) for tally in tallies]
    costs = [median(tally.costs) for tally in tallies]
    return LoadResult(
        workers=WORKERS,
        connections=CONNECTIONS,
        product_per_s=rates[0],
        floor_per_s=rates[1],
        share=rates[0] / rates[1],
        product_cpu_ms=costs[0],
        floor_cpu_ms=costs[1],
        product_rss_mib=memory[0],
        floor_rss_mib=memory[1],
    )


@contextmanager
def serving(spec: Spec, path: str, cookie: str) -> Iterator[Server]:
    """Run an application as it is deployed, on a port that is free."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        port = listener.getsockname()[1]
        called = f"app.cli.bench.application:served({json.dumps(asdict(spec))!r})"
        command = [
            *(sys.executable, "-m", "gunicorn", f"--workers={WORKERS}", "--worker-class=gthread"),
            *(f"--threads={THREADS}", "--keep-alive=30", "--log-level=warning"),
            *(f"--bind=fd://{listener.fileno()}", called),
        ]
        process = subprocess.Popen(  # noqa: S603  # our own server
            command, cwd=ROOT, pass_fds=[listener.fileno()], stderr=subprocess.DEVNULL
        )
    request = (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: bench\r\nCookie: {cookie}\r\n"
        "Accept-Encoding: gzip, deflate\r\n\r\n"
    )
    try:
        server = Server(process.pid, port, request.encode())
        _wait(server)
        yield server
    finally:
        process.terminate()
        process.wait(30)


def _wait(server: Server) -> None:
    """Wait until the server answers, once for each worker and some times more."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        try:
            for _ in range(WORKERS * THREADS):
                pour(server, 0.0)
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise click.ClickException("the server did not answer")


def pour(server: Server, seconds: float) -> tuple[int, float]:
    """Send requests over several connections, each after the answer before; return how many."""
    begun = time.perf_counter()
    done, left = 0, CONNECTIONS
    with selectors.DefaultSelector() as selector:
        for _ in range(CONNECTIONS):
            one = socket.create_connection(("127.0.0.1", server.port), 30)
            selector.register(one, selectors.EVENT_READ, bytearray())
            one.sendall(server.request)
        while left:
            for key, _mask in selector.select(30):
                answer: bytearray = key.data
                one = key.fileobj  # type: ignore[assignment]  # what was registered
                answer += _received(one)
                if not _is_whole(answer):
                    continue
                done += 1
                answer.clear()
                if time.perf_counter() - begun < seconds:
                    one.sendall(server.request)
                else:
                    selector.unregister(one)
                    one.close()
                    left -= 1
    return done, time.perf_counter() - begun


def _received(connection: socket.socket) -> bytes:
    some = connection.recv(1 << 18)
    if not some:
        raise ConnectionError("the server closed a connection")
    return some


def _is_whole(answer: bytearray) -> bool:
    """Tell whether an answer has come to its end; refuse anything but a page."""
    head, found, body = bytes(answer).partition(END)
    if not found:
        return False
    if not head.startswith(b"HTTP/1.1 200"):
        raise click.ClickException(f"under load: {head[:60]!r}")
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return len(body) >= int(value)
    raise click.ClickException("under load: an answer without its length")
