"""Note when a page of a plugin raises while it serves, so that the plugin page can say so."""

from __future__ import annotations

from typing import Any

from flask import Flask, got_request_exception, request

from app.host.imports import PACKAGE
from app.host.loader import host_of
from app.host.plugin import Plugin
from app.host.problem import problem


def start(app: Flask) -> None:
    """Listen for pages that raise."""
    got_request_exception.connect(_note, app)


def report_view(error: BaseException, endpoint: str | None = None) -> None:
    """Note that a page raised: for base views that answer with an incident number themselves."""
    endpoint = endpoint or request.endpoint or ""
    plugin = _owner(error, endpoint)
    if plugin is None:
        return
    facts = {"view": endpoint, "detail": type(error).__name__}
    found = problem("E062", f"{plugin.name}/views.py", **facts)
    known = {(one.id, str(one.message)) for one in plugin.late_problems}
    if (found.id, str(found.message)) not in known:
        plugin.late_problems.append(found)


def _note(_sender: Flask, exception: BaseException, **_extra: Any) -> None:
    """Receive Flask's signal."""
    report_view(exception)


def _owner(error: BaseException, endpoint: str) -> Plugin | None:
    """Return the plugin whose view was asked, or whose code the error passed through."""
    view = endpoint.partition(".")[0]
    for plugin in host_of().active():
        if any(type(built).__name__ == view for _, built in plugin.built):
            return plugin
    return next((found for name in _passed(error) if (found := host_of().find(name))), None)


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
