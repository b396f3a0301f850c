"""Run the migrations of one plugin: its own tables, its own version table."""

from __future__ import annotations

from alembic import context

from app.host.migrations import configure_arguments

arguments = configure_arguments(context.config.attributes["folder"])
context.configure(connection=context.config.attributes["connection"], **arguments)
with context.begin_transaction():
    context.run_migrations()
