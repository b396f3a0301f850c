"""Migrate plugins: each has a version table of its own, so that a folder may go at any time."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection

from app.base import Model
from app.columns import BlindIndex, Encrypted, UtcDateTime
from app.host.discovery import Folder

ENVIRONMENT: Final = Path(__file__).parent / "environment"
COLUMN_TYPES: Final[dict[type[Any], str]] = {
    UtcDateTime: "sa.DateTime(timezone=True)",
    Encrypted: "sa.LargeBinary()",
    BlindIndex: "sa.String(length=64)",
}


def version_table(name: str) -> str:
    """Return the name of the table that holds a plugin's revision."""
    return f"alembic_version_plg_{name}"


def head(folder: Folder) -> str | None:
    """Return the newest revision in the folder, or None where it has none."""
    if folder.subfolder("migrations") is None:
        return None
    return ScriptDirectory.from_config(_config(folder)).get_current_head()


def current(connection: Connection, folder: Folder) -> str | None:
    """Return the revision that the database is at."""
    options = {"version_table": version_table(folder.name)}
    return MigrationContext.configure(connection, opts=options).get_current_revision()


def upgrade(connection: Connection, folder: Folder) -> str | None:
    """Bring the tables of one plugin to its newest revision; return it."""
    newest = head(folder)
    if newest is not None and current(connection, folder) != newest:
        config = _config(folder)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return newest


def write_revision(connection: Connection, folder: Folder, message: str) -> Path:
    """Write a revision that brings the database in step with the models; return its file."""
    (folder.path / "migrations").mkdir(exist_ok=True)
    config = _config(folder)
    config.attributes["connection"] = connection
    number = len(list((folder.path / "migrations").glob("*.py"))) + 1
    script = command.revision(
        config, message, autogenerate=True, rev_id=f"{folder.name}_{number:04}"[-32:]
    )
    if not isinstance(script, Script):
        raise LookupError(folder.name)
    return Path(script.path)


def differences(connection: Connection, folder: Folder) -> list[Any]:
    """Return what the database lacks or has too much, compared with the plugin's models."""
    context = MigrationContext.configure(connection, opts=configure_arguments(folder))
    return list(compare_metadata(context, Model.metadata))


def configure_arguments(folder: Folder) -> dict[str, Any]:
    """Return how Alembic is set up for one plugin."""
    prefix = f"plg_{folder.name}_"

    def is_own(name: str | None, kind: str) -> bool:
        return kind != "table" or (name or "").startswith(prefix)

    return {
        "target_metadata": Model.metadata,
        "version_table": version_table(folder.name),
        "render_as_batch": True,
        "compare_type": True,
        "include_name": lambda name, kind, _parents: is_own(name, kind),
        "include_object": lambda _object, name, kind, _reflected, _to: is_own(name, kind),
        "render_item": render_type,
    }


def render_type(kind: str, value: Any, _context: Any) -> str | bool:
    """Write our column types as the plain types that they store."""
    return COLUMN_TYPES.get(type(value), False) if kind == "type" else False


def _config(folder: Folder) -> Config:
    """Return Alembic's configuration for one folder; no file is read."""
    config = Config()
    config.set_main_option("script_location", _escaped(ENVIRONMENT))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", _escaped(folder.path / "migrations"))
    config.attributes["folder"] = folder
    return config


def _escaped(path: Path) -> str:
    """Write a path for a configuration parser that interpolates per cent signs."""
    return str(path).replace("%", "%%")
