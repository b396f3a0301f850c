#!/usr/bin/env python3
"""Set up, start and check the platform; needs nothing but the standard library."""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent
OLDEST = (3, 11)
DEMO = ("--schools", "26", "--pupils", "2000", "--random-seed", "1", "--if-empty")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHECKS: dict[str, tuple[tuple[str, ...], ...]] = {
    "lint": (("ruff", "check", "."), ("ruff", "format", "--check", ".")),
    "types": (("mypy", "app", "plugins"),),
    "layers": (("lint-imports",),),
    "translations": (("flask", "translations", "check"),),
}
ENVIRONMENT = """\
environment:
  PORT            port of the web server on 127.0.0.1 (8080)
  DATABASE_URL    PostgreSQL address; set it for production: no demonstration county, gunicorn
  SECRET_KEY      signs sessions and encrypts; required with DATABASE_URL, else made at first start
  INSTANCE_DIR    folder of the embedded database, keys and files (instance)
  WEB_CONCURRENCY gunicorn's worker processes (2)
  ENCRYPTION_KEYS, BLIND_INDEX_KEY
                  keys of the encrypted columns (made once in INSTANCE_DIR)
  PROXY_HOPS      proxies in front whose X-Forwarded headers are believed (0)
  SMTP_HOST       sends the daily e-mails, with MAIL_FROM; also SMTP_PORT, SMTP_USER, SMTP_PASSWORD,
                  SMTP_SECURITY (starttls, tls or none)
  PUBLIC_URL      the site's address, as the e-mails name it
  TRUSTED_HOSTS   names that the site answers to, separated by commas (any)
  INSECURE_HTTP   1 lets production sign in without TLS (never on a network)
  CHROMIUM        browser of the tests (found on the PATH)
  TEST_POSTGRES_URL
                  PostgreSQL server of the tests (one is started from its wheel)
"""


class Stop(Exception):
    """End the program with one clear line."""


@dataclass(frozen=True)  # without slots, which Python 3.9 lacks: it shall read the line in main()
class Checkout:
    """Know the places inside one checkout of the platform."""

    root: Path

    @property
    def venv(self) -> Path:
        """Return the folder of the virtual environment."""
        return self.root / ".venv"

    @property
    def lock(self) -> Path:
        """Return the file of locked requirements."""
        return self.root / "requirements.lock"

    @property
    def stamp(self) -> Path:
        """Return the file that tells what is installed."""
        return self.venv / "installed"

    def program(self, name: str) -> str:
        """Return the path of a program inside the virtual environment."""
        return str(self.venv / "bin" / name)


def expected_stamp(checkout: Checkout) -> str:
    """Return what the stamp must hold for this lock and this Python."""
    digest = hashlib.sha256(checkout.lock.read_bytes()).hexdigest()
    return f"{digest} {sys.version.split()[0]} {checkout.venv}\n"


def found_stamp(checkout: Checkout) -> str:
    """Return what the stamp holds, or nothing where the virtual environment is not usable."""
    usable = Path(checkout.program("python")).exists() and checkout.stamp.is_file()
    return checkout.stamp.read_text() if usable else ""


def is_set_up(checkout: Checkout) -> bool:
    """Tell whether the virtual environment holds the locked requirements."""
    return found_stamp(checkout) == expected_stamp(checkout)


def set_up(checkout: Checkout) -> None:
    """Make the virtual environment and install the locked requirements, once."""
    if not is_set_up(checkout):
        say("Setting up .venv (once) …")
        make_venv(checkout)
        checkout.stamp.unlink(missing_ok=True)
        install(checkout)
        checkout.stamp.write_text(expected_stamp(checkout))
    compile_catalogues(checkout)


def make_venv(checkout: Checkout) -> None:
    """Make the virtual environment anew, unless only the lock has changed."""
    same_place = expected_stamp(checkout).partition(" ")[2]
    if found_stamp(checkout).partition(" ")[2] == same_place:
        return
    if checkout.venv.is_symlink():
        raise Stop(f"{checkout.venv} is a link, and clearing it would empty another's; remove it.")
    ensure_venv_module()
    # Another Python or a moved checkout cannot be mended in place: programs name both.
    call([sys.executable, "-m", "venv", "--clear", str(checkout.venv)])


def install(checkout: Checkout) -> None:
    """Install the lock by uv; where uv finds no index of its own, by pip as it is configured."""
    pip = [checkout.program("python"), "-m", "pip"]
    call([*pip, "install", "--quiet", "--disable-pip-version-check", "uv"])
    locked = ["--require-hashes", "-r", str(checkout.lock)]
    # Compiled now: a service may not write here, and every process would compile all by itself.
    by_uv = [checkout.program("uv"), "pip", "install", "--quiet", "--compile-bytecode"]
    target = ["--python", checkout.program("python")]
    # Like pip, trust what the system trusts: an office network may have an authority of its own.
    if status([*by_uv, *target, *locked], {**os.environ, "UV_SYSTEM_CERTS": "1"}, checkout.root):
        say("uv could not install; trying pip …")
        call([*pip, "install", "-qq", *locked])


def compile_catalogues(checkout: Checkout) -> None:
    """Compile every translation that is newer than its compiled form."""
    sources = [*checkout.root.glob("translations/*/LC_MESSAGES/*.po")]
    sources += checkout.root.glob("plugins/*/translations/*/LC_MESSAGES/*.po")
    for source in sources:
        compiled = source.with_suffix(".mo")
        if compiled.exists() and compiled.stat().st_mtime_ns >= source.stat().st_mtime_ns:
            continue
        babel = [checkout.program("python"), "-m", "babel.messages.frontend", "--quiet", "compile"]
        call([*babel, "-i", str(source), "-o", str(compiled)])


def ensure_venv_module() -> None:
    """Install Python's venv module where it is missing and we may."""
    if importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip"):
        return
    package = "python3-venv"
    if not install_packages([package]):
        raise Stop(f"Python's venv module is missing; run: apt-get install -y {package}")
    importlib.invalidate_caches()
    if not importlib.util.find_spec("ensurepip"):
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise Stop(f"Python's venv module is missing; run: apt-get install -y python{version}-venv")


def install_packages(names: Sequence[str]) -> bool:
    """Install system packages where root and apt allow it, and tell whether that was possible."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return False
    say(f"Installing {' '.join(names)} …")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    call(["apt-get", "update", "-qq"], quiet)
    call(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *names], quiet)
    return True


def missing_for_tests(environ: Mapping[str, str]) -> list[str]:
    """Return the system packages that the tests need and the machine lacks."""
    missing = []
    named = environ.get("CHROMIUM")
    if named and not Path(named).is_file():
        raise Stop(f"CHROMIUM names {named}, which does not exist")
    if not named and not any(map(shutil.which, BROWSERS)):
        missing.append("chromium")
    if not has_chinese_font():
        missing.append("fonts-noto-cjk")
    return missing


def has_chinese_font(folder: Path = Path("/usr/share/fonts")) -> bool:
    """Tell whether a font with Chinese characters is installed."""
    if shutil.which("fc-list"):
        found = subprocess.run(
            ["fc-list", ":lang=zh-cn", "family"], capture_output=True, text=True, check=False
        )
        if found.stdout.strip():
            return True
    return any(folder.rglob("*CJK*"))


def ensure_test_packages(environ: Mapping[str, str]) -> None:
    """Install what the browser tests need, or say exactly what to install."""
    missing = missing_for_tests(environ)
    if missing and not install_packages(missing):
        raise Stop(f"The tests need system packages; run: apt-get install -y {' '.join(missing)}")


def child_environment(checkout: Checkout, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment in which the platform's own programs run."""
    paths = (str(checkout.venv / "bin"), environ.get("PATH", os.defpath))
    return {
        **environ,
        "FLASK_APP": "app:create_app",
        "PATH": os.pathsep.join(paths),
        "PYTHONUTF8": "1",
        "VIRTUAL_ENV": str(checkout.venv),
    }


def test_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without what could lead a test to the real data, or slow it down.

    Without kept bytecode every program that a test starts would compile the product again.
    """
    left_out = {"DATABASE_URL", "INSTANCE_DIR", "SECRET_KEY", "PORT", "PYTHONDONTWRITEBYTECODE"}
    return {name: value for name, value in environ.items() if name not in left_out}


def port_of(environ: Mapping[str, str]) -> int:
    """Return the port to serve on."""
    text = environ.get("PORT") or "8080"
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise Stop(f"PORT must be a number from 1 to 65535, not {text!r}")
    return int(text)


def ensure_free(port: int) -> None:
    """Refuse a port on which something answers already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise Stop(f"Port {port} cannot be used ({error.strerror}); set PORT") from error


def instance_of(checkout: Checkout, environ: Mapping[str, str]) -> Path:
    """Return the folder of the embedded database."""
    return checkout.root / (environ.get("INSTANCE_DIR") or "instance")


def serve(checkout: Checkout, environ: Mapping[str, str]) -> None:
    """Set up, deploy and serve: a demonstration county, or production with DATABASE_URL."""
    port = port_of(environ)
    in_production = bool(environ.get("DATABASE_URL"))
    if in_production and not environ.get("SECRET_KEY"):
        raise Stop("SECRET_KEY is required with DATABASE_URL; set it to a long random text")
    ensure_free(port)
    set_up(checkout)
    child = child_environment(checkout, environ)
    call([checkout.program("flask"), "deploy"], child, checkout.root)
    if not in_production:
        seed_demonstration(checkout, child)
    say(f"http://127.0.0.1:{port}  (Ctrl-C stops)")
    command = production_server(port) if in_production else embedded_server(port)
    child.setdefault("WEB_CONCURRENCY", "2")
    become(checkout, command, child)


def embedded_server(port: int) -> list[str]:
    """Return the command that serves from one process."""
    return [
        "waitress-serve",
        f"--listen=127.0.0.1:{port}",
        "--threads=8",
        "--call",
        "app:create_app",
    ]


def production_server(port: int) -> list[str]:
    """Return the command that serves from several worker processes."""
    config = ".deploy/gunicorn.conf.py"
    return ["gunicorn", "--config", config, f"--bind=127.0.0.1:{port}", "app:create_app()"]


def seed_demonstration(checkout: Checkout, child: dict[str, str]) -> None:
    """Seed the demonstration county if there is none, and tell who can sign in."""
    logins = instance_of(checkout, child) / "logins.json"
    had_logins = logins.is_file()
    call([checkout.program("flask"), "seed", "demo", *DEMO], child, checkout.root)
    if had_logins:
        say(f"Logins: {logins}")
    elif logins.is_file():
        say(table_of(logins))
        say(f"Kept in {logins}")


def table_of(logins: Path) -> str:
    """Return the demonstration logins as lines of text."""
    rows = json.loads(logins.read_text(encoding="utf-8"))["logins"]
    lines = (f"  {r['username']:<24} {r['password']:<24} {r['title']} {r['person']}" for r in rows)
    return "\n".join(["Logins (username, password, role, person):", *lines])


def run_tests(checkout: Checkout, arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Set up and run the quick suite; `--long` adds the rest."""
    ensure_test_packages(environ)
    set_up(checkout)
    child = child_environment(checkout, test_environment(environ))
    return status([checkout.program("pytest"), *pytest_arguments(arguments)], child, checkout.root)


def pytest_arguments(arguments: Sequence[str]) -> list[str]:
    """Spread the tests over all cores unless the caller decides otherwise."""
    decided = any(
        word.startswith(("-n", "--numprocesses", "--pdb", "--dist")) or word == "no:xdist"
        for word in arguments
    )
    # One more than the cores: a worker waits for its database a quarter of the time.
    workers = (os.cpu_count() or 1) + 1
    spread = [] if decided else ["-n", str(workers), "--dist", "worksteal"]
    return [*spread, *arguments]


def check(checkout: Checkout, names: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run the named checks, all of them, and tell whether one failed."""
    set_up(checkout)
    child = child_environment(checkout, test_environment(environ))
    failed = []
    for name in names:
        say(f"== {name}")
        commands = CHECKS[name]
        if any(status([checkout.program(p), *rest], child, checkout.root) for p, *rest in commands):
            failed.append(name)
    if failed:
        say(f"Failed: {', '.join(failed)}")
    return int(bool(failed))


def pass_to_flask(checkout: Checkout, arguments: Sequence[str], environ: Mapping[str, str]) -> None:
    """Run any Flask command in the platform's environment."""
    set_up(checkout)
    become(checkout, ["flask", *arguments], child_environment(checkout, environ))


def become(checkout: Checkout, command: Sequence[str], environ: dict[str, str]) -> None:
    """Replace this process, so that signals and the exit status reach the program itself."""
    os.chdir(checkout.root)
    program, *arguments = command
    sys.stdout.flush()
    path = checkout.program(program)
    os.execve(path, [path, *arguments], environ)


def call(
    command: Sequence[str], environ: Mapping[str, str] | None = None, folder: Path | None = None
) -> None:
    """Run a command and stop with its name if it fails."""
    code = status(command, environ, folder)
    if code:
        raise Stop(f"Failed with status {code}: {shlex.join(command)}")


def status(
    command: Sequence[str], environ: Mapping[str, str] | None = None, folder: Path | None = None
) -> int:
    """Run a command and return its exit status."""
    sys.stdout.flush()
    return subprocess.run(command, env=environ, cwd=folder, check=False).returncode


def say(text: str) -> None:
    """Print a line for the person who started us."""
    print(text, flush=True)


def parse(arguments: Sequence[str]) -> tuple[str, list[str]]:
    """Return the command and what belongs to it; no command means serve."""
    parser = argparse.ArgumentParser(
        prog="run.py",
        description="控辍保学督导平台: set up, start and check.",
        epilog=ENVIRONMENT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", metavar="command")
    for name, text in COMMANDS.items():
        # The words after a command belong to pytest or Flask, `--help` included.
        commands.add_parser(name, help=text, add_help=False)
    known, rest = parser.parse_known_args(arguments[:1])
    command = known.command or "serve"
    rest += arguments[1:]
    if rest and command not in {"test", "flask"}:
        parser.error(f"{command} takes no arguments: {shlex.join(rest)}")
    return command, rest


COMMANDS = {
    "serve": "set up, deploy, seed a demonstration county and serve (the default)",
    "setup": "only set up .venv",
    "test": "set up and run the tests: [--long] [pytest arguments]",
    "flask": "run a Flask command, such as: flask --help",
    "check": "lint, types, layers and translations",
    "lint": "ruff check and ruff format",
    "types": "mypy",
    "layers": "import-linter",
    "translations": "every text has its Chinese",
}


def run(command: str, arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run one command and return the exit status."""
    checkout = Checkout(ROOT)
    if command == "test":
        return run_tests(checkout, arguments, environ)
    if command in {"check", *CHECKS}:
        names = list(CHECKS) if command == "check" else [command]
        return check(checkout, names, environ)
    actions: dict[str, Callable[[], None]] = {
        "setup": lambda: set_up(checkout),
        "flask": lambda: pass_to_flask(checkout, arguments, environ),
        "serve": lambda: serve(checkout, environ),
    }
    actions[command]()
    return 0


def main(arguments: Sequence[str]) -> int:
    """Start the platform from the command line."""
    if sys.version_info < OLDEST:
        found = sys.version.split()[0]
        print(f"Python {OLDEST[0]}.{OLDEST[1]} or newer is needed, this is {found}.")
        return 1
    command, rest = parse(arguments)
    try:
        return run(command, rest, os.environ)
    except Stop as stop:
        print(stop, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
