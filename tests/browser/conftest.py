"""Fixtures of the browser tests: the served demonstration county, a page of Chromium, sign-in."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests import database

ROOT = Path(__file__).resolve().parent.parent.parent
DEMO = ["seed", "demo", "--schools", "14", "--pupils", "300", "--random-seed", "1"]
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
START_SECONDS = 60


def _flask(instance: Path, *arguments: str) -> None:
    environment = _environment(instance)
    command = [sys.executable, "-m", "flask", *arguments]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)


def _environment(instance: Path) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
    return {**kept, "FLASK_APP": "app:create_app", "INSTANCE_DIR": str(instance)}


def _demo() -> Path:
    """Return the instance folder of the demonstration county, made once in the whole run."""
    with database.locked("demo") as folder:
        instance = folder / "demo"
        if not (instance / "ready").exists():
            _flask(instance, "deploy")
            _flask(instance, *DEMO)
            (instance / "ready").touch()
    return instance


@pytest.fixture(scope="session")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return this worker's own copy of the demonstration county."""
    folder = tmp_path_factory.mktemp("served") / "instance"
    shutil.copytree(_demo(), folder)
    return folder


@pytest.fixture(scope="session")
def live(instance: Path) -> Iterator[str]:
    """Serve the demonstration county as `run.py` does, and yield its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = (instance / "server.log").open("wb")
    command = [sys.executable, "-m", "waitress", f"--listen=127.0.0.1:{port}", "--call"]
    server = subprocess.Popen(
        [*command, "app:create_app"],
        cwd=ROOT,
        env=_environment(instance),
        stdout=log,
        stderr=log,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(address, server, instance / "server.log")
        yield address
    finally:
        server.terminate()
        server.wait(10)
        log.close()


def _wait(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if server.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{address}/healthz", timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"the server did not start:\n{log.read_text(errors='replace')[-4000:]}")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Start Debian's Chromium; fail with what to install where it is missing."""
    path = os.environ.get("CHROMIUM", "/usr/bin/chromium")
    if not Path(path).exists():
        pytest.fail(f"{path} is missing: apt-get install chromium, or set CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    """Yield a fresh browser profile that speaks Chinese."""
    context = chromium.new_context(locale="zh-CN", timezone_id="Asia/Shanghai")
    context.set_default_timeout(15_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """Return a page of a fresh profile."""
    return context.new_page()


SignIn = Callable[[Page, str], None]


@pytest.fixture
def sign_in(live: str, instance: Path) -> SignIn:
    """Return a function that logs a page in with the demonstration account of a role."""
    logins = json.loads((instance / "logins.json").read_text(encoding="utf-8"))["logins"]

    def enter(page: Page, role: str) -> None:
        login = next(login for login in logins if login["role"] == role)
        page.goto(f"{live}/login/")
        page.fill("#username", login["username"])
        page.fill("#password", login["password"])
        page.locator("form button[type=submit], form input[type=submit]").first.click()
        page.wait_for_url(lambda url: "/login" not in url)

    return enter
