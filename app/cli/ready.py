"""Say in one line why the database cannot be served from; asked once, before workers start."""

from __future__ import annotations

import sys
from pathlib import Path

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError

from config import Misconfigured, from_environment

MIGRATIONS = Path(__file__).parents[1] / "migrations"


def fault(url: str) -> str | None:
    """Return what is wrong with a database, or None where it is in step with this code."""
    engine = create_engine(url, hide_parameters=True)
    try:
        with engine.connect() as connection:
            found = set(MigrationContext.configure(connection).get_current_heads())
    except DBAPIError:
        return "The database does not answer; look at DATABASE_URL and at the server."
    finally:
        engine.dispose()
    if not found:
        return "The database is empty; run: flask deploy"
    scripts = ScriptDirectory(str(MIGRATIONS))
    if found != set(scripts.get_heads()):
        return "The database is not in step with this version; run: flask deploy"
    return None


def main() -> int:
    """Print what is wrong with the settings or the database; return the exit status."""
    try:
        found = fault(from_environment().SQLALCHEMY_DATABASE_URI)
    except Misconfigured as error:
        found = error.message
    except OSError as error:
        found = f"INSTANCE_DIR cannot be used: {error.strerror}"
    if found:
        sys.stderr.write(f"{found}\n")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
