"""Start workers, ask them, and sign in to them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from typing import Any, Self

import click

from app.cli.bench.site import ROOT
from app.cli.bench.wire import Answer, Ask, Batch, Depth, Ready, Spec, form_body

RENEWING = "/lookup/school?id=0"
"""A page that runs nothing but what every request runs: session, user, version, scope."""
RENEW_SECONDS = 5
CSRF = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


class Remote:
    """A worker process, as the benchmark sees it."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.cookie = ""
        self._renewed = 0.0
        self._errors = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115  # lives on
        begun = time.perf_counter()
        self._process = subprocess.Popen(  # noqa: S603  # our own module
            [sys.executable, "-m", "app.cli.bench.worker", json.dumps(asdict(spec))],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        self.ready = Ready(**self._hear())
        self.start_wall = time.perf_counter() - begun

    def answer(self, ask: Ask) -> Answer:
        """Return all of one request's answer."""
        return Answer(**self._ask("answer", ask))

    def get(self, path: str) -> Answer:
        """Return a page for whoever is signed in, uncompressed."""
        return self.answer(Ask(path, cookie=self.cookie, packed=False))

    def batch(self, asks: list[Ask]) -> Batch:
        """Return what some requests took."""
        return Batch(**self._ask("batch", *asks))

    def depth(self, ask: Ask, more: Ask) -> Depth:
        """Return what a request does inside."""
        return Depth(**self._ask("depth", ask, more))

    def memory(self) -> int:
        """Return the worker's resident memory in KiB."""
        return int(self._ask("memory"))

    def profile(self, asks: list[Ask]) -> str:
        """Return where the time of some requests goes."""
        return str(self._ask("profile", *asks))

    def sign_in(self, username: str, password: str) -> None:
        """Sign in through the form and keep the session."""
        page = self.answer(Ask("/login/", packed=False))
        found = CSRF.search(page.body)
        token = found[1] if found else ""
        body = form_body({"csrf_token": token, "username": username, "password": password})
        done = self.answer(Ask("/login/", "POST", body, page.cookie))
        if done.status != 302 or "/login" in done.location:
            raise click.ClickException(f"{username} could not sign in to the benchmark")
        self.cookie = done.cookie

    def renew(self) -> None:
        """Take over a new session cookie where one is sent, as browsers do with each answer.

        Else every request would sign the session anew once it is older than a minute.
        """
        now = time.monotonic()
        if self.cookie and now - self._renewed > RENEW_SECONDS:
            self.cookie = self.get(RENEWING).cookie or self.cookie
            self._renewed = now

    def close(self) -> None:
        """End the worker."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()
        self._errors.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _ask(self, deed: str, *asks: Ask) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([deed, *map(asdict, asks)]) + "\n")
        self._process.stdin.flush()
        return self._hear()

    def _hear(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._errors.seek(0)
            raise click.ClickException(f"a worker ended:\n{self._errors.read()[-3000:]}")
        return json.loads(line)
