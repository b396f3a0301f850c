"""Part 2: several gunicorn workers over one PostgreSQL database, as `run.py serve` starts them."""

from __future__ import annotations

import http.cookiejar
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from bs4 import BeautifulSoup

import run
from tests import database

PROGRAMS = Path(sys.executable).parent
WORKERS = 2
VISITORS = 4  # fewer than lock an account while their passwords are being compared
LIMIT = 60
NEW_PASSWORD = "Neues-Wort-77"


def start(name: str, arguments: list[str], environ: dict[str, str], log: Path) -> subprocess.Popen:
    """Start one of the product's programs as the launcher does."""
    command = [str(PROGRAMS / name), *arguments]
    with log.open("w") as output:
        return subprocess.Popen(
            command, cwd=run.ROOT, env=environ, stdout=output, stderr=subprocess.STDOUT
        )


def environment(url: str, folder: Path, **more: str) -> dict[str, str]:
    """Return the environment in which the launcher starts production."""
    checkout = run.Checkout(run.ROOT)
    given = {
        **run.test_environment(os.environ),
        "DATABASE_URL": url.replace("postgresql+psycopg", "postgresql"),
        "SECRET_KEY": "x" * 40,
        "INSTANCE_DIR": str(folder),
        "INSECURE_HTTP": "1",
        "PROXY_HOPS": "1",
        **more,
    }
    return run.child_environment(checkout, given)


def serve(environ: dict[str, str], port: int, log: Path) -> subprocess.Popen:
    """Start the server by the launcher's own command."""
    name, *arguments = run.production_server(port)
    return start(name, arguments, environ, log)


def free_port() -> int:
    """Return a port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Browser:
    """Keep cookies and read answers, from an address that the proxy names."""

    base: str
    address: str = "198.51.100.7"

    def __post_init__(self) -> None:
        jar = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))

    def ask(self, path: str, data: bytes | None = None, **headers: str) -> tuple[int, str, str]:
        """Return status, address and text of the page at the end of all redirects."""
        request = urllib.request.Request(self.base + path, data)
        request.add_header("X-Forwarded-For", self.address)
        for name, value in headers.items():
            request.add_header(name.replace("_", "-"), value)
        try:
            with self.opener.open(request, timeout=30) as answer:
                return answer.status, answer.url, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, path, error.read().decode()

    def submit(self, path: str, **values: str) -> tuple[int, str, str]:
        """Fill the form of a page and send it."""
        page = BeautifulSoup(self.ask(path)[2], "html.parser")
        token = page.select_one("main input[name=csrf_token]")
        assert token is not None, page
        filled = {"csrf_token": str(token["value"]), **values}
        return self.ask(path, urllib.parse.urlencode(filled).encode())

    def try_api(self, username: str) -> int:
        """Return what the API answers to a wrong password; each try claims another address."""
        body = json.dumps({"username": username, "password": "wrong", "provider": "db"}).encode()
        claimed = f"10.9.8.{username[1:]}, {self.address}"
        headers = {"Content_Type": "application/json", "X_Forwarded_For": claimed}
        return self.ask("/api/v1/security/login", body, **headers)[0]


@dataclass
class Production:
    """A deployed installation that serves."""

    base: str
    database: str
    deployment: str
    log: Path

    @property
    def password(self) -> str:
        """Return the first administrator's password, which the deployment printed."""
        found = re.search(r"^administrator: admin  password: (\S+)", self.deployment, re.MULTILINE)
        assert found is not None, self.deployment
        return found[1]

    def workers(self, since: int = 0) -> set[str]:
        """Return the processes that have answered, as the access log tells from a byte on."""
        return set(re.findall(r"\] (<\d+>) \"", self.log.read_text()[since:]))


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    """Deploy on an empty database, then serve from two workers."""
    folder = tmp_path_factory.mktemp("production")
    environ = environment(
        database.create("production"), folder / "instance", WEB_CONCURRENCY=str(WORKERS)
    )
    deployed, log = folder / "deploy.log", folder / "serve.log"
    assert start("flask", ["deploy"], environ, deployed).wait(120) == 0, deployed.read_text()
    port = free_port()
    server = serve(environ, port, log)
    url = environ["DATABASE_URL"]
    made = Production(f"http://127.0.0.1:{port}", url, deployed.read_text(), log)
    try:
        wait_for(made, server)
        yield made
    finally:
        server.send_signal(signal.SIGTERM)
        ended = server.wait(30)
    assert ended == 0
    assert "Shutting down: Master" in log.read_text()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
    database.drop("production")


def wait_for(made: Production, server: subprocess.Popen) -> None:
    """Wait until both workers answer."""
    end = time.monotonic() + 90
    with ThreadPoolExecutor(VISITORS) as crowd:
        while time.monotonic() < end:
            assert server.poll() is None, made.log.read_text()
            list(crowd.map(lambda _number: is_well(made.base), range(VISITORS)))
            if len(made.workers()) == WORKERS:
                return
            time.sleep(0.1)
    raise AssertionError(made.log.read_text())


def is_well(base: str) -> bool:
    """Tell whether a server answers that it is well."""
    try:
        return Browser(base).ask("/healthz")[0] == 200
    except urllib.error.URLError:
        return False


def test_deployment_prints_the_first_administrator_and_no_noise(production: Production) -> None:
    lines = production.deployment.splitlines()

    assert lines == [
        f"administrator: admin  password: {production.password}  (shown once)",
        "deployed",
    ]


def test_workers_share_sessions_under_parallel_visitors(production: Production) -> None:
    def visit(number: int) -> list[tuple[int, str]]:
        browser = Browser(production.base)
        health = browser.ask("/healthz")
        browser.submit("/login/", username="admin", password=production.password)
        pages = [browser.ask("/account/") for _ in range(4)]
        return [health[:2], *((code, url) for code, url, _text in pages)]

    before = production.log.stat().st_size
    with ThreadPoolExecutor(VISITORS) as crowd:
        answers = [answer for found in crowd.map(visit, range(VISITORS)) for answer in found]

    assert {code for code, _url in answers} == {200}
    assert not [url for _code, url in answers if "login" in url]
    assert len(production.workers(before)) == WORKERS


def test_workers_share_the_limit_of_an_address(production: Production) -> None:
    guesser = Browser(production.base, address="203.0.113.9")
    with psycopg.connect(production.database) as connection:  # fifty tries that took no time
        connection.execute(
            "INSERT INTO login_address VALUES (%s, now(), %s)", [guesser.address, LIMIT - 10]
        )

    with ThreadPoolExecutor(VISITORS) as crowd:
        codes = Counter(crowd.map(guesser.try_api, (f"u{n}" for n in range(24))))
    neighbour = Browser(production.base, address="203.0.113.10")
    signed_in = neighbour.submit("/login/", username="admin", password=production.password)

    assert codes == {401: 10, 429: 14}
    assert signed_in[0] == 200
    assert "login" not in signed_in[1]


def refused(environ: dict[str, str], log: Path) -> list[str]:
    """Start a server that must refuse; return what it said besides gunicorn's own greeting."""
    server = serve(environ, free_port(), log)
    assert server.wait(60) != 0
    return [line for line in log.read_text().splitlines() if "Starting gunicorn" not in line]


def tables(url: str) -> int:
    """Return how many tables a database has."""
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        found = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
        return int(found.fetchone()[0])  # type: ignore[index]  # a count


def test_workers_refuse_a_database_that_is_not_deployed(tmp_path: Path) -> None:
    url = database.create("not_deployed")
    environ = environment(url, tmp_path / "instance", WEB_CONCURRENCY="4")

    said = refused(environ, tmp_path / "log")

    assert len(said) == 1
    assert "flask deploy" in said[0]
    assert tables(url) == 0


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY"),
        ({"INSTANCE_DIR": "/proc/nowhere"}, "INSTANCE_DIR"),
        ({"DATABASE_URL": "postgresql://127.0.0.1:1/none"}, "DATABASE_URL"),
    ],
)
@pytest.mark.long
def test_workers_refuse_wrong_settings_in_one_line(tmp_path: Path, change, word: str) -> None:
    environ = environment("postgresql://127.0.0.1:1/none", tmp_path / "instance", **change)

    said = refused(environ, tmp_path / "log")

    assert len(said) == 1
    assert word in said[0]


@pytest.mark.long
def test_four_deployments_at_once_make_one_administrator(tmp_path: Path) -> None:
    url = database.create("first_boot")
    environ = environment(url, tmp_path / "instance")
    logs = [tmp_path / f"{number}.log" for number in range(4)]

    deployments = [start("flask", ["deploy"], environ, log) for log in logs]

    assert [one.wait(240) for one in deployments] == [0] * 4
    texts = "".join(log.read_text() for log in logs)
    assert len(re.findall(r"password: \S+", texts)) == 1
    assert "Traceback" not in texts
