"""Compare the folders with what the last deployment wrote into plugin_state."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
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

CORE = Path(__file__).resolve().parent.parent


States = Mapping[str, Any]
"""The rows of plugin_state, by the plugin's name."""


def states() -> States | None:
    """Return what the last deployment wrote; None where nothing is deployed yet."""
    table = PluginState.__table__
    names = ("name", "version", "digest", "migration_head", "error")
    try:
        with db.engine.connect() as connection:
            rows = connection.execute(select(*(table.c[name] for name in names)))
            return {row.name: row for row in rows}
    except DBAPIError:
        return None  # `flask deploy` makes this very table


def compare(plugins: Sequence[Plugin], states: States | None) -> list[Problem]:
    """Note what is not deployed at each plugin; return the plugins that were and are gone."""
    if states is None:
        return []
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


def is_unchanged(plugin: Plugin, states: States | None) -> bool:
    """Tell whether the last deployment found nothing wrong with these very files and this core."""
    state = (states or {}).get(plugin.name)
    return state is not None and not state.error and state.digest == digest(plugin.folder.path)


def digest(path: Path) -> str:
    """Return a fingerprint of a plugin's folder and of the core that it was checked with."""
    return hashlib.sha256(f"{_digest_of(path)} {_digest_of_core()}".encode()).hexdigest()


@cache
def _digest_of_core() -> str:
    return _digest_of(CORE, "*.py")


def _digest_of(path: Path, pattern: str = "*") -> str:
    """Return a fingerprint of a folder's files, compiled ones left out."""
    total = hashlib.sha256()
    for file in sorted(path.rglob(pattern)):
        if file.is_file() and "__pycache__" not in file.parts and file.suffix != ".mo":
            total.update(str(file.relative_to(path)).encode())
            total.update(file.read_bytes())
    return total.hexdigest()
