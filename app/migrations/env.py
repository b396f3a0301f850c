"""Run the core's migrations: its own tables and Flask-AppBuilder's, never a plugin's."""

from __future__ import annotations

from typing import Any, Literal

import flask_appbuilder.security.sqla.models  # noqa: F401  # the ab_* tables join the metadata
from alembic import context
from flask import current_app

import app.models  # noqa: F401  # so do ours
from app import names
from app.columns import BlindIndex, Encrypted, UtcDateTime
from app.extensions import db

OTHERS = ("plg_", "alembic_version_", *map(names.index_of, names.INDEXED))
"""Begin the names of tables of plugins, and of the index of names, which no model declares."""
COLUMN_TYPES = {
    UtcDateTime: "sa.DateTime(timezone=True)",
    Encrypted: "sa.LargeBinary()",
    BlindIndex: "sa.String(length=64)",
}


def is_core(_object: Any, name: str | None, kind: str, _reflected: bool, _to: Any) -> bool:
    """Tell whether a table or an index is the core's and stands in its models."""
    return kind not in {"table", "index"} or not (name or "").startswith(OTHERS)


def render_type(kind: str, value: Any, _context: Any) -> str | Literal[False]:
    """Write our column types as the plain types that they store."""
    return COLUMN_TYPES.get(type(value), False) if kind == "type" else False


def run() -> None:
    """Migrate over one connection, in one transaction."""
    with db.engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            include_object=is_core,
            render_item=render_type,
            **current_app.extensions["migrate"].configure_args,
        )
        with context.begin_transaction():
            context.run_migrations()


run()
