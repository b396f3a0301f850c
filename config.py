"""Settings of the product, and the only reader of the environment."""

from __future__ import annotations

import json
import os
import secrets
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

ROOT = Path(__file__).resolve().parent
MIB = 1024 * 1024
SMTP_PORTS = {"tls": 465, "starttls": 587, "none": 25}
"""The ways to send e-mails, each with the port that it usually has."""


class Misconfigured(click.ClickException):
    """Say in one line which setting is missing or wrong, and what to do."""


def _secrets(folder: Path, *, may_make: bool) -> dict[str, Any]:
    """Return the keys kept in the instance folder; make them at the first start."""
    path = folder / "secrets.json"
    if path.exists():
        return json.loads(path.read_text(encoding="utf-8"))
    if not may_make:
        return {}
    from cryptography.fernet import Fernet

    made = {
        "SECRET_KEY": secrets.token_urlsafe(48),
        "ENCRYPTION_KEYS": [Fernet.generate_key().decode()],
        "BLIND_INDEX_KEY": secrets.token_urlsafe(48),
    }
    folder.mkdir(parents=True, exist_ok=True)
    # Exclusive: of two processes that start together, one makes the keys and both read them.
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _secrets(folder, may_make=False)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(made, file)
    return made


def _smtp_security(text: str) -> str:
    """Return how e-mails are sent: over TLS, over STARTTLS or in the clear."""
    if text not in SMTP_PORTS:
        raise Misconfigured(f"SMTP_SECURITY is {text}; set it to one of: {', '.join(SMTP_PORTS)}")
    return text


class Config:
    """The embedded mode: SQLite in the instance folder, keys made at the first start."""

    TESTING = False
    IS_PRODUCTION = False
    APP_NAME = "控辍保学督导平台"
    TIME_ZONE = "Asia/Shanghai"
    BABEL_DEFAULT_LOCALE = "zh"
    BABEL_DEFAULT_TIMEZONE = "Asia/Shanghai"
    LANGUAGES = {"zh": {"flag": "cn", "name": "中文"}, "en": {"flag": "gb", "name": "English"}}

    PLUGIN_DIRS: tuple[Path, ...] = (ROOT / "plugins",)
    PLUGINS_STRICT = False
    SEED_DIR = ROOT / "seed"
    TRANSLATIONS_DIR = ROOT / "translations"

    AUTH_TYPE = 1
    AUTH_ROLE_ADMIN = "Admin"
    AUTH_ROLE_PUBLIC = "Public"
    FAB_CREATE_DB = False
    FAB_UPDATE_PERMS = False
    FAB_ADD_SECURITY_API = False
    FAB_ADD_OPENAPI_VIEWS = False
    FAB_API_SWAGGER_UI = False
    FAB_ADD_MENU_API = False
    FAB_ADD_SECURITY_PERMISSION_VIEW = False
    FAB_ADD_SECURITY_VIEW_MENU_VIEW = False
    FAB_ADD_SECURITY_PERMISSION_VIEWS_VIEW = False
    FAB_SAFE_REDIRECT_HOSTS: tuple[str, ...] = ()

    SQLALCHEMY_TRACK_MODIFICATIONS = False
    WTF_CSRF_TIME_LIMIT = None
    MAX_CONTENT_LENGTH = 32 * MIB
    MAX_FORM_MEMORY_SIZE = 4 * MIB
    MAX_FORM_PARTS = 20_000
    MAX_FILE_SIZE = 10 * MIB
    MAX_IMAGE_PIXELS = 60_000_000
    MAX_PAGE_SIZE = 100

    SESSION_COOKIE_NAME = "bureau"
    SESSION_COOKIE_HTTPONLY = True
    SESSION_COOKIE_SAMESITE = "Lax"
    SESSION_COOKIE_SECURE = False
    SESSION_IDLE = timedelta(minutes=30)
    PERMANENT_SESSION_LIFETIME = timedelta(hours=12)
    LOGIN_FAILURES = 5
    LOGIN_WINDOW = timedelta(minutes=10)
    LOGIN_LOCK = timedelta(minutes=15)
    LOGIN_TRIES_PER_ADDRESS = 60
    LOGIN_ADDRESS_WINDOW = timedelta(minutes=1)
    PASSWORD_MIN_LENGTH = 10
    PASSWORD_MAX_AGE = timedelta(days=90)
    CLOSES_DAYS = True
    """Whether requests close the daily checks whose hour has passed, where no timer did."""
    PROXY_HOPS = 0
    TRUSTED_HOSTS: list[str] | None = None

    def __init__(self, environment: dict[str, str] | None = None) -> None:
        env = dict(os.environ) if environment is None else environment
        self.INSTANCE_DIR = Path(env.get("INSTANCE_DIR") or ROOT / "instance").resolve()
        kept = _secrets(self.INSTANCE_DIR, may_make=self.makes_keys(env))
        self.SECRET_KEY = env.get("SECRET_KEY") or kept.get("SECRET_KEY")
        keys = env.get("ENCRYPTION_KEYS")
        self.ENCRYPTION_KEYS = keys.split(",") if keys else kept.get("ENCRYPTION_KEYS")
        self.BLIND_INDEX_KEY = env.get("BLIND_INDEX_KEY") or kept.get("BLIND_INDEX_KEY")
        self.SQLALCHEMY_DATABASE_URI = self.database_url(env)
        self.EVIDENCE_DIR = self.INSTANCE_DIR / "evidence"
        self.TRUSTED_HOSTS = env["TRUSTED_HOSTS"].split(",") if "TRUSTED_HOSTS" in env else None
        self.PROXY_HOPS = int(env.get("PROXY_HOPS", "0"))
        self.SMTP_HOST = env.get("SMTP_HOST", "")
        self.SMTP_SECURITY = _smtp_security(env.get("SMTP_SECURITY", "starttls"))
        self.SMTP_PORT = int(env.get("SMTP_PORT") or SMTP_PORTS[self.SMTP_SECURITY])
        self.SMTP_USER = env.get("SMTP_USER", "")
        self.SMTP_PASSWORD = env.get("SMTP_PASSWORD", "")
        self.MAIL_FROM = env.get("MAIL_FROM", "")
        self.PUBLIC_URL = env.get("PUBLIC_URL", "").rstrip("/")
        if self.SMTP_HOST and not self.MAIL_FROM:
            raise Misconfigured(
                "SMTP_HOST is set, but MAIL_FROM is not: set the address that e-mails come from"
            )

    def makes_keys(self, env: dict[str, str]) -> bool:
        """Return whether missing keys are made and kept in the instance folder."""
        return True

    def database_url(self, env: dict[str, str]) -> str:
        """Return the address of the embedded database."""
        self.INSTANCE_DIR.mkdir(parents=True, exist_ok=True)
        return f"sqlite:///{self.INSTANCE_DIR / 'bureau.db'}"


class Production(Config):
    """PostgreSQL named by ``DATABASE_URL``, several workers; ``SECRET_KEY`` comes from outside.

    The keys of the encrypted columns come from ``ENCRYPTION_KEYS`` and ``BLIND_INDEX_KEY``, or are
    made once in the instance folder, which all workers share and backups must hold.
    """

    IS_PRODUCTION = True
    SECRET_KEY_LENGTH = 20

    def __init__(self, environment: dict[str, str] | None = None) -> None:
        super().__init__(environment)
        env = dict(os.environ) if environment is None else environment
        key = env.get("SECRET_KEY", "")
        if len(key) < self.SECRET_KEY_LENGTH:
            raise Misconfigured(
                "SECRET_KEY is missing or shorter than 20 characters; set it, for example to the "
                'output of: python3 -c "import secrets; print(secrets.token_urlsafe(48))"'
            )
        self.SESSION_COOKIE_SECURE = env.get("INSECURE_HTTP") != "1"

    def database_url(self, env: dict[str, str]) -> str:
        """Return the address of the PostgreSQL database, with the driver that is shipped."""
        url = env["DATABASE_URL"]
        for plain in ("postgres://", "postgresql://"):
            if url.startswith(plain):
                return "postgresql+psycopg://" + url.removeprefix(plain)
        return url


class Testing(Config):
    """Tests: a database and an instance folder of their own, strict plugins."""

    TESTING = True
    PLUGINS_STRICT = True
    CLOSES_DAYS = False  # tests travel in time: those that close a day say so
    SERVER_NAME = None
    LOGIN_TRIES_PER_ADDRESS = 100_000

    def __init__(self, instance: Path, url: str) -> None:
        self._url = url
        super().__init__({"INSTANCE_DIR": str(instance)})

    def database_url(self, env: dict[str, str]) -> str:
        """Return the address that the test gave."""
        return self._url


def from_environment(**given: str) -> Config:
    """Return the configuration that the environment asks for, some of its variables given."""
    environment = {**os.environ, **given}
    return Production(environment) if environment.get("DATABASE_URL") else Config(environment)
