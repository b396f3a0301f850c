"""Note which pages and hooks of plugins raised, in the database: another worker may be asked."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from flask import request
from sqlalchemy import Connection, delete, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app import clock, database
from app.base import Problem
from app.extensions import db
from app.host.imports import PACKAGE
from app.host.plugin import Plugin
from app.host.problem import problem
from app.models import PageFailure
from app.security.scope import table_of

if TYPE_CHECKING:
    from app.host.loader import Host

PAGE, PANEL, HOOK = "E062", "E063", "E013"
log = logging.getLogger(__name__)
_failure = table_of(PageFailure)


def note(host: Host, error: BaseException) -> None:
    """Note that the request's page raised, if it is a plugin's or the error came through one."""
    page = request.endpoint or ""
    plugin = _owner(host, error, page)
    if plugin is None:
        return
    _keep(host, plugin.name, page, error)


def note_panel(host: Host, key: str, error: Exception) -> None:
    """Note that a panel raised; the page that goes on without it holds no transaction now."""
    log.error("the panel %s failed", key, exc_info=error)
    _keep(host, key.partition(".")[0], key, error)


def note_hook(session: Session, plugin: Plugin, hook: str, error: Exception) -> None:
    """Note that a hook raised, in the transaction of the record that goes on without it."""
    log.error("the hook %s of %s failed", hook, plugin.name, exc_info=error)
    kind = type(error).__name__
    _store(session.connection(), plugin.name, hook, kind)
    told = _problem(plugin, hook, kind)
    others = [one for one in plugin.late_problems if str(one.message) != str(told.message)]
    plugin.late_problems[:] = [*others, told]


def read(host: Host) -> None:
    """Tell at each plugin which of its pages raised since the last deployment."""
    failed: dict[str, dict[str, str]] = {}
    for name, page, error in db.session.execute(
        select(_failure.c.plugin, _failure.c.page, _failure.c.error).order_by(_failure.c.page)
    ):
        failed.setdefault(name, {})[page] = error
    for plugin in host.plugins:
        _tell(plugin, failed.get(plugin.name, {}))


def forget(session: Session) -> None:
    """Forget all failures: what is deployed now has not failed yet."""
    session.execute(delete(_failure))
    session.commit()


def _keep(host: Host, plugin: str, name: str, error: BaseException) -> None:
    """Store a failure on a connection of its own: the request's transaction is rolled back."""
    try:
        with database.writing(), db.engine.begin() as connection:
            _store(connection, plugin, name, type(error).__name__)
        read(host)
    except DBAPIError:
        log.exception("the failure of %s was not stored", name)


def _store(connection: Connection, plugin: str, page: str, error: str) -> None:
    values = {"error": error[:120], "at": clock.now()}
    insert = database.insert_into(connection, _failure)
    row = insert.values(plugin=plugin, page=page[:120], **values)
    key = [_failure.c.plugin, _failure.c.page]
    connection.execute(row.on_conflict_do_update(index_elements=key, set_=values))


def _tell(plugin: Plugin, failed: dict[str, str]) -> None:
    """Put the failures in the place of those that were told before."""
    others = [one for one in plugin.late_problems if one.id not in {PAGE, PANEL, HOOK}]
    plugin.late_problems[:] = others + [_problem(plugin, name, failed[name]) for name in failed]


def _problem(plugin: Plugin, name: str, error: str) -> Problem:
    """Return the problem of a panel, of a page (view and method), or of a hook."""
    if name.startswith(f"{plugin.name}."):
        return problem(PANEL, plugin.name, panel=name, detail=error)
    if "." in name:
        return problem(PAGE, f"{plugin.name}/views.py", view=name, detail=error)
    return problem(HOOK, plugin.name, hook=name, detail=error)


def _owner(host: Host, error: BaseException, endpoint: str) -> Plugin | None:
    """Return the plugin whose view was asked, or whose code the error passed through."""
    view = endpoint.partition(".")[0]
    for plugin in host.active():
        if any(type(built).__name__ == view for _, built in plugin.built):
            return plugin
    return next((found for name in _passed(error) if (found := host.find(name))), None)


def _passed(error: BaseException) -> list[str]:
    """Return the names of the plugins whose modules the error passed through, innermost first."""
    names = []
    trace = error.__traceback__
    while trace is not None:
        module = str(trace.tb_frame.f_globals.get("__name__", ""))
        if module.startswith(f"{PACKAGE}."):
            names.append(module.split(".")[1])
        trace = trace.tb_next
    return names[::-1]
