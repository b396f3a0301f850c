"""Compare the folders with what the last deployment wrote into plugin_state."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from app.base import Problem
from app.extensions import db
from app.host import migrations
from app.host.plugin import Plugin
from app.host.problem import problem
from app.models import PluginState


def compare(plugins: Sequence[Plugin]) -> list[Problem]:
    """Note what is not deployed at each plugin; return the plugins that were and are gone."""
    try:
        with db.engine.connect() as connection:
            table = PluginState.__table__
            columns = (table.c.name, table.c.version, table.c.migration_head, table.c.error)
            states = {row.name: row for row in connection.execute(select(*columns))}
    except DBAPIError:
        return []  # nothing is deployed yet: `flask deploy` makes this very table
    for plugin in plugins:
        if plugin.is_active:
            plugin.late_problems.extend(_differences(plugin, states.get(plugin.name)))
    folders = {plugin.name for plugin in plugins}
    return [problem("W092", name) for name in sorted(states.keys() - folders)]


def _differences(plugin: Plugin, state: Any) -> list[Problem]:
    """Return what of a plugin is not deployed."""
    if state is None:
        return [problem("W091", plugin.name)]
    head = migrations.head(plugin.folder)
    if state.error:
        return [problem("E037", plugin.name, detail=state.error)]
    if head != state.migration_head:
        detail = f"{state.migration_head or '-'} → {head or '-'}"
        return [problem("E036", plugin.name, detail=detail, name=plugin.name)]
    return [] if state.version == plugin.version else [problem("W091", plugin.name)]


def digest(path: Path) -> str:
    """Return a fingerprint of a folder's files, compiled ones left out."""
    total = hashlib.sha256()
    for file in sorted(path.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts and file.suffix != ".mo":
            total.update(str(file.relative_to(path)).encode())
            total.update(file.read_bytes())
    return total.hexdigest()
