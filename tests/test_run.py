"""Part 1: test the launcher without setting anything up, and once for real behind `--long`."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

import pytest

import run

SECRET = {"SECRET_KEY": "x" * 40}
POSTGRES = {"DATABASE_URL": "postgresql://localhost/bureau"}


class Recorder:
    """Note the commands that the launcher would run, and let chosen ones fail."""

    def __init__(self) -> None:
        self.commands: list[list[str]] = []
        self.environments: list[dict[str, str]] = []
        self.failing: tuple[str, ...] = ()
        self.became: list[str] = []

    def status(self, command: Sequence[str], environ=None, folder=None) -> int:
        self.commands.append([Path(command[0]).name, *command[1:]])
        self.environments.append(dict(environ or {}))
        return int(any(word in command for word in self.failing))

    def become(self, checkout: run.Checkout, command: Sequence[str], environ) -> None:
        self.became = list(command)
        self.environments.append(dict(environ))


@pytest.fixture
def checkout(tmp_path: Path) -> run.Checkout:
    made = run.Checkout(tmp_path)
    made.lock.write_text("flask==3.1.3\n")
    return made


@pytest.fixture
def installed(checkout: run.Checkout) -> run.Checkout:
    python = Path(checkout.program("python"))
    python.parent.mkdir(parents=True)
    python.touch()
    checkout.stamp.write_text(run.expected_stamp(checkout))
    return checkout


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    made = Recorder()
    monkeypatch.setattr(run, "status", made.status)
    monkeypatch.setattr(run, "become", made.become)
    monkeypatch.setattr(run, "ensure_free", lambda port: None)
    return made


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], ("serve", [])),
        (["test"], ("test", [])),
        (["test", "--long", "-k", "scope"], ("test", ["--long", "-k", "scope"])),
        (["flask", "--help"], ("flask", ["--help"])),
        (
            ["flask", "seed", "demo", "--schools", "3"],
            ("flask", ["seed", "demo", "--schools", "3"]),
        ),
        (["lint"], ("lint", [])),
    ],
)
def test_arguments_name_one_command_and_pass_the_rest_on(words, expected):
    assert run.parse(words) == expected


@pytest.mark.parametrize("words", [["dance"], ["--long"], ["lint", "app"], ["serve", "now"]])
def test_unknown_arguments_are_refused(words, capsys):
    with pytest.raises(SystemExit) as refusal:
        run.parse(words)

    assert refusal.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_help_names_every_variable(capsys):
    with pytest.raises(SystemExit):
        run.parse(["--help"])

    text = capsys.readouterr().out
    for name in ("PORT", "DATABASE_URL", "INSTANCE_DIR", "SECRET_KEY", "CHROMIUM"):
        assert name in text


def test_set_up_is_skipped_while_the_stamp_fits(installed, recorder):
    run.set_up(installed)

    assert recorder.commands == []


@pytest.mark.parametrize("change", ["lock", "python", "missing stamp", "missing interpreter"])
def test_set_up_runs_again_when_something_changed(installed, change):
    if change == "lock":
        installed.lock.write_text("flask==3.1.4\n")
    elif change == "python":
        installed.stamp.write_text(installed.stamp.read_text().replace("3.", "2.", 1))
    elif change == "missing stamp":
        installed.stamp.unlink()
    else:
        Path(installed.program("python")).unlink()

    assert not run.is_set_up(installed)


def test_a_new_lock_keeps_the_environment_and_a_moved_checkout_renews_it(installed, recorder):
    installed.lock.write_text("flask==3.1.4\n")
    run.make_venv(installed)
    kept = list(recorder.commands)

    installed.stamp.write_text(run.expected_stamp(installed).replace(str(installed.venv), "/old"))
    run.make_venv(installed)

    assert kept == []
    assert recorder.commands[0][1:4] == ["-m", "venv", "--clear"]


def test_a_linked_environment_is_never_cleared(checkout, recorder, tmp_path):
    (tmp_path / "another").mkdir()
    checkout.venv.symlink_to(tmp_path / "another")

    with pytest.raises(run.Stop, match="is a link"):
        run.make_venv(checkout)

    assert recorder.commands == []


def test_the_stamp_is_written_only_after_the_whole_installation(checkout, recorder, monkeypatch):
    recorder.failing = ("uv",)
    monkeypatch.setattr(run, "ensure_venv_module", lambda: None)

    with pytest.raises(run.Stop, match=r"Failed with status 1: .*pip install"):
        run.set_up(checkout)

    assert not checkout.stamp.exists()


def test_pip_installs_the_lock_where_uv_cannot(installed, recorder):
    recorder.failing = ("--python",)

    run.install(installed)

    last = recorder.commands[-1]
    assert last[:4] == ["python", "-m", "pip", "install"]
    assert last[-3:] == ["--require-hashes", "-r", str(installed.lock)]


def test_only_stale_catalogues_are_compiled(installed, recorder):
    fresh = installed.root / "translations/zh/LC_MESSAGES/messages.po"
    stale = installed.root / "plugins/annex/translations/zh/LC_MESSAGES/messages.po"
    for source in (fresh, stale):
        source.parent.mkdir(parents=True)
        source.touch()
        source.with_suffix(".mo").touch()
    os.utime(stale, (4e9, 4e9))

    run.compile_catalogues(installed)

    assert [command[-3] for command in recorder.commands] == [str(stale)]


def without(monkeypatch: pytest.MonkeyPatch, *modules: str) -> None:
    found = run.importlib.util.find_spec
    answer = lambda name: None if name in modules else found(name)  # noqa: E731
    monkeypatch.setattr(run.importlib.util, "find_spec", answer)


def test_a_missing_venv_module_prints_the_one_line_to_run(monkeypatch):
    without(monkeypatch, "ensurepip")
    monkeypatch.setattr(run.os, "geteuid", lambda: 1000)

    with pytest.raises(run.Stop, match=r"run: apt-get install -y python3-venv$"):
        run.ensure_venv_module()


def test_root_gets_the_missing_venv_module_installed(monkeypatch, recorder):
    without(monkeypatch, "ensurepip")
    monkeypatch.setattr(run.os, "geteuid", lambda: 0)
    monkeypatch.setattr(run.shutil, "which", lambda name: f"/usr/bin/{name}")

    # The recorder installs nothing, so that the second look names the exact package.
    with pytest.raises(run.Stop, match=r"python3\.\d+-venv$"):
        run.ensure_venv_module()

    assert recorder.commands[0][:2] == ["apt-get", "update"]
    assert recorder.commands[1][-1] == "python3-venv"


def test_missing_browser_and_font_are_named_and_stop_the_tests(monkeypatch, recorder):
    monkeypatch.setattr(run.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(run.shutil, "which", lambda name: None)
    monkeypatch.setattr(run, "has_chinese_font", lambda: False)

    with pytest.raises(run.Stop, match="apt-get install -y chromium fonts-noto-cjk"):
        run.ensure_test_packages({})

    assert recorder.commands == []


def test_a_wrong_browser_path_is_told(tmp_path):
    with pytest.raises(run.Stop, match=r"CHROMIUM names .*absent"):
        run.missing_for_tests({"CHROMIUM": str(tmp_path / "absent")})


def test_a_font_is_found_by_its_file(tmp_path, monkeypatch):
    monkeypatch.setattr(run.shutil, "which", lambda name: None)
    before = run.has_chinese_font(tmp_path)

    (tmp_path / "opentype").mkdir()
    (tmp_path / "opentype" / "NotoSansCJK-Regular.ttc").touch()

    assert (before, run.has_chinese_font(tmp_path)) == (False, True)


@pytest.mark.parametrize("text", ["0", "65536", "http", "-1", "８０８０x"])
def test_an_impossible_port_is_refused(text):
    with pytest.raises(run.Stop, match="PORT must be a number"):
        run.port_of({"PORT": text})


@pytest.mark.parametrize(
    ("environ", "port"), [({}, 8080), ({"PORT": ""}, 8080), ({"PORT": "9"}, 9)]
)
def test_port_comes_from_the_environment(environ, port):
    assert run.port_of(environ) == port


def test_a_port_in_use_is_refused_with_a_clear_line():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()

        with pytest.raises(run.Stop, match=r"cannot be used .*set PORT"):
            run.ensure_free(other.getsockname()[1])


def test_the_embedded_mode_deploys_seeds_and_serves_one_process(installed, recorder):
    run.serve(installed, {"PORT": "8123"})

    assert recorder.commands == [["flask", "deploy"], ["flask", "seed", "demo", *run.DEMO]]
    assert recorder.became[0] == "waitress-serve"
    assert "--listen=127.0.0.1:8123" in recorder.became
    assert recorder.environments[0]["FLASK_APP"] == "app:create_app"


def test_production_serves_several_workers_and_never_seeds(installed, recorder):
    run.serve(installed, POSTGRES | SECRET)

    assert recorder.commands == [["flask", "deploy"]]
    assert recorder.became[0] == "gunicorn"
    assert recorder.environments[-1]["WEB_CONCURRENCY"] == "2"


def test_production_takes_the_number_of_workers_from_the_environment(installed, recorder):
    run.serve(installed, POSTGRES | SECRET | {"WEB_CONCURRENCY": "4"})

    assert recorder.environments[-1]["WEB_CONCURRENCY"] == "4"


def test_production_requires_a_secret_key_before_anything_is_done(installed, recorder):
    with pytest.raises(run.Stop, match="SECRET_KEY is required with DATABASE_URL"):
        run.serve(installed, POSTGRES)

    assert recorder.commands == []


def test_a_failed_deployment_serves_nothing(installed, recorder):
    recorder.failing = ("deploy",)

    with pytest.raises(run.Stop, match="flask deploy"):
        run.serve(installed, {})

    assert recorder.became == []


def test_logins_are_printed_at_the_first_start_and_their_place_later(
    installed, recorder, monkeypatch, capsys
):
    logins = installed.root / "instance" / "logins.json"
    login = {
        "role": "class_teacher",
        "title": "班主任",
        "username": "teacher1",
        "password": "secret-word",
        "person": "黄老师",
    }

    def seed(command, environ=None, folder=None):
        logins.parent.mkdir(exist_ok=True)
        logins.write_text(json.dumps({"logins": [login]}), encoding="utf-8")
        return 0

    monkeypatch.setattr(run, "status", seed)
    run.seed_demonstration(installed, {})
    first = capsys.readouterr().out
    run.seed_demonstration(installed, {})
    second = capsys.readouterr().out

    assert all(word in first for word in ("teacher1", "secret-word", "班主任", str(logins)))
    assert "secret-word" not in second
    assert str(logins) in second


@pytest.mark.parametrize(
    ("words", "spread"),
    [([], True), (["--long"], True), (["-n", "0"], False), (["-p", "no:xdist"], False)],
)
def test_tests_use_all_cores_unless_told_otherwise(words, spread):
    arguments = run.pytest_arguments(words)

    assert ("-n" in arguments and "worksteal" in arguments) is spread
    assert arguments[len(arguments) - len(words) :] == words


def test_tests_never_see_the_real_database(installed, recorder, monkeypatch):
    monkeypatch.setattr(run, "missing_for_tests", lambda environ: [])

    code = run.run_tests(installed, ["-x"], POSTGRES | SECRET | {"INSTANCE_DIR": "/srv", "A": "b"})

    seen = recorder.environments[-1]
    assert code == 0
    assert recorder.commands[-1][0] == "pytest"
    assert seen["A"] == "b"
    assert not {"DATABASE_URL", "SECRET_KEY", "INSTANCE_DIR"} & set(seen)


def test_check_runs_every_check_and_fails_when_one_does(installed, recorder, capsys):
    recorder.failing = ("format",)

    code = run.check(installed, list(run.CHECKS), {})

    assert code == 1
    assert [command[0] for command in recorder.commands] == [
        "ruff",
        "ruff",
        "mypy",
        "lint-imports",
        "flask",
    ]
    assert "Failed: lint" in capsys.readouterr().out


def test_an_old_python_is_told_so(monkeypatch, capsys):
    monkeypatch.setattr(run, "OLDEST", (99, 0))

    assert run.main([]) == 1
    assert "Python 99.0 or newer is needed" in capsys.readouterr().out


def test_a_refusal_is_one_line_and_status_one(monkeypatch, capsys):
    monkeypatch.setenv("PORT", "none")

    assert run.main([]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_the_lock_has_hashes_and_no_address():
    text = (run.ROOT / "requirements.lock").read_text()

    entries = re.findall(r"^\S+==\S+.*?(?=^\S|\Z)", text, re.MULTILINE | re.DOTALL)
    assert entries
    assert all("--hash=sha256:" in entry for entry in entries)
    assert "://" not in text


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_fresh_clone_serves_a_page_and_a_second_start_changes_nothing(tmp_path):
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(run.ROOT), str(clone)], check=True)

    first = answer_of(clone)
    logins = clone / "instance" / "logins.json"
    before = logins.read_bytes()
    second = answer_of(clone)

    assert "<html" in first
    assert "<html" in second
    assert logins.read_bytes() == before
    assert logins.stat().st_mode & 0o777 == 0o600


def answer_of(clone: Path) -> str:
    """Start a checkout, return its first page and stop it as Ctrl-C does."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    inherited = {"PATH", "HOME", "LANG"} | {n for n in os.environ if n.startswith(("PIP_", "SSL_"))}
    environ = {name: os.environ[name] for name in inherited if name in os.environ}
    log = clone.with_suffix(".log")
    with log.open("w") as output:
        server = subprocess.Popen(
            [shutil.which("python3") or sys.executable, "run.py"],
            cwd=clone,
            env={**environ, "PORT": str(port)},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        return wait_for_page(f"http://127.0.0.1:{port}/", server, log)
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(timeout=30)


def wait_for_page(url: str, server: subprocess.Popen[bytes], log: Path) -> str:
    """Return the page as soon as it answers."""
    end = time.monotonic() + 400
    while time.monotonic() < end:
        assert server.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError:
            raise
        except OSError:
            time.sleep(0.5)
    raise AssertionError(log.read_text())
