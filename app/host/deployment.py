"""Deploy the plugins: tables, policies, parameters, checklists; each alone, none stops another."""

from __future__ import annotations

import logging

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock
from app.base import Problem
from app.checklists.publish import ChangedKind, ChangedVersion, publish
from app.extensions import db
from app.host import failure, migrations
from app.host.deployed import compare, digest, states
from app.host.discovery import Folder
from app.host.loader import host_of
from app.host.plugin import Plugin
from app.host.problem import brief, problem
from app.models import PluginState
from app.parameters.policy import sync_policy
from app.parameters.sync import sync_parameters

log = logging.getLogger(__name__)


def deploy(session: Session) -> list[Problem]:
    """Bring the database in step with every plugin; return what is wrong. Safe to run again.

    Commits after each plugin. One that fails is rolled back, reported and skipped.
    """
    host = host_of()
    failure.forget(session)
    for plugin in host.plugins:
        plugin.late_problems.clear()
        if plugin.is_active:
            _deploy_one(session, plugin)
    failures = {plugin.name: list(plugin.late_problems) for plugin in host.plugins}
    host.missing = compare(host.plugins, states())
    for plugin in host.plugins:
        plugin.late_problems[:] = failures[plugin.name] or plugin.late_problems
    return list(host.registry.problems())


def _deploy_one(session: Session, plugin: Plugin) -> None:
    """Migrate and fill the tables for one plugin, then note the state."""
    error = None
    try:
        head = _migrate(plugin.folder)
        plugin.late_problems.extend(_publish(session, plugin))
    except Exception as failure:  # part of the loader: the others go on
        session.rollback()
        log.exception("plugin %s was not deployed", plugin.name)
        head, error = None, brief(failure)
        plugin.late_problems.append(problem("E037", plugin.name, detail=error))
    _note_state(session, plugin, head, error)
    session.commit()


def _migrate(folder: Folder) -> str | None:
    """Migrate over a connection of its own: a half-done step is rolled back as a whole."""
    with db.engine.begin() as connection:
        return migrations.upgrade(connection, folder)


def _publish(session: Session, plugin: Plugin) -> list[Problem]:
    """Store the plugin's policy, parameters and checklist; return what was refused."""
    folder = plugin.folder
    if folder.policy is not None:
        sync_policy(session, folder.policy, text=_full_text(folder), plugin=folder.name)
    declared = plugin.manifest.parameters
    differences = sync_parameters(session, folder.name, declared, plugin=folder.name)
    session.commit()
    kept = [
        problem("W093", f"{folder.name}/plugin.toml", key=one.key, day=one.valid_from.isoformat())
        for one in differences
    ]
    return kept + _publish_checklist(session, plugin)


def _publish_checklist(session: Session, plugin: Plugin) -> list[Problem]:
    """Publish the plugin's checklist; return why it was refused."""
    folder = plugin.folder
    if folder.checklist is None:
        return []
    where = f"{folder.name}/checklist.toml"
    try:
        publish(session, folder.checklist, title=plugin.title, plugin=folder.name)
        session.commit()
    except ChangedVersion as changed:
        session.rollback()
        facts = {"key": changed.key, "version": changed.version, "next": changed.next_version}
        return [problem("E021", where, **facts)]
    except ChangedKind as changed:
        session.rollback()
        facts = {"item": changed.item, "before": changed.before, "after": changed.after}
        return [problem("E022", where, **facts)]
    return []


def _full_text(folder: Folder) -> str | None:
    """Return the full wording of the plugin's policy document, if a file holds it."""
    name = folder.policy.document.text_file if folder.policy else ""
    path = folder.path / name
    return path.read_text(encoding="utf-8") if name and path.is_file() else None


def _note_state(session: Session, plugin: Plugin, head: str | None, error: str | None) -> None:
    """Write the plugin's row of plugin_state; an unchanged one is not touched."""
    state = session.scalar(select(PluginState).where(PluginState.name == plugin.name))
    fingerprint = digest(plugin.folder.path)
    known = (state.version, state.digest, state.migration_head, state.error) if state else None
    if known == (plugin.version, fingerprint, head, error):
        return
    if state is None:
        state = PluginState(name=plugin.name)
        session.add(state)
    state.version, state.digest = plugin.version, fingerprint
    state.migration_head, state.error = head, error
    state.deployed_at = clock.now()
