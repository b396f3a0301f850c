"""Load plugins stage by stage, each in its own guard: one that fails is undone, the rest serve."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from flask import Flask, current_app
from flask.cli import AppGroup
from flask_appbuilder import AppBuilder

from app import __version__
from app.base import Problem
from app.host import checks, deployed, imports, texts
from app.host.collect import collect, register_hooks
from app.host.discovery import Folder, discover
from app.host.fault import Broken, BrokenPlugins
from app.host.inspection_type import inspection_type
from app.host.plugin import Plugin
from app.host.problem import brief, problem
from app.host.registry import HostRegistry, core_kinds, core_roles
from app.host.view import build_views, place_of, place_view

log = logging.getLogger(__name__)


class Host:
    """Keep the plugins of one application."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.plugins: list[Plugin] = []
        self.missing: list[Problem] = []
        """Problems that belong to no folder: what was deployed once and is gone."""
        self.tracebacks: dict[str, str] = {}
        self.states: deployed.States | None = None
        """What the last deployment knew of each plugin."""
        self.registry = HostRegistry(self)

    def read(self) -> None:
        """Read the folders; nothing of the plugins is imported."""
        folders = discover(self.app.config["PLUGIN_DIRS"], __version__)
        self.plugins = [Plugin(folder) for folder in folders]
        for plugin in self.plugins:
            if plugin.folder.problems:
                self._drop(plugin, "read")

    def load(self) -> None:
        """Check, import and collect; core models must be imported before."""
        self.states = deployed.states()
        self._stage("check", lambda plugin: self._check("read", plugin))
        self._stage("import", self._import)
        self._stage("collect", self._collect)
        self._stage("check", lambda plugin: self._check("collected", plugin))
        self._stage("check", self._check_selects)
        self._stage("types", self._make_type)
        self._stage("texts", self._note_texts)
        self._refuse_if_strict()

    def add_views(self, appbuilder: AppBuilder) -> None:
        """Build all views, then add them: a view that fails leaves nothing behind."""
        self._stage("build views", build_views)
        taken = place_of(appbuilder)
        self._stage("add views", lambda plugin: place_view(appbuilder, plugin, taken))
        self._refuse_if_strict()

    def freeze(self) -> None:
        """Compare with the last deployment and add the plugins' commands; nothing changes after."""
        self.missing = deployed.compare(self.plugins, self.states)
        self._stage("commands", self._add_commands)
        for found in self.registry.problems():
            log.warning("plugin problem %s in %s", found.id, found.where)

    def active(self) -> Iterator[Plugin]:
        """Yield the plugins that serve."""
        return (plugin for plugin in self.plugins if plugin.is_active)

    def find(self, name: str) -> Plugin | None:
        """Return a plugin by name."""
        return next((plugin for plugin in self.plugins if plugin.name == name), None)

    def _stage(self, name: str, work: Callable[[Plugin], None]) -> None:
        """Do one stage for each active plugin; drop those that fail and those that need them."""
        for plugin in self.plugins:
            if plugin.is_active and self._has_requirements(plugin):
                with self._guarded(plugin, name):
                    work(plugin)

    def _has_requirements(self, plugin: Plugin) -> bool:
        """Drop a plugin whose requirement is broken; requirements come first in the order."""
        for required in plugin.manifest.requires:
            needed = self.find(required)
            if needed is None or not needed.is_active:
                where = f"{plugin.name}/plugin.toml"
                plugin.folder.problems.append(problem("E007", where, required=required))
                self._drop(plugin, "check")
                return False
        return True

    @contextmanager
    def _guarded(self, plugin: Plugin, stage: str) -> Iterator[None]:
        """Turn whatever a stage raises into problems of the plugin, and undo the plugin."""
        try:
            yield
        except Broken as broken:
            self.tracebacks[plugin.name] = traceback.format_exc()
            plugin.folder.problems.extend(broken.problems)
            self._drop(plugin, stage)
        except (Exception, SystemExit) as error:  # noqa: BLE001  # the loader is where it must be caught
            self.tracebacks[plugin.name] = traceback.format_exc()
            facts = {"stage": stage, "detail": brief(error)}
            plugin.folder.problems.append(problem("E090", plugin.name, **facts))
            self._drop(plugin, stage)

    def _drop(self, plugin: Plugin, stage: str) -> None:
        """Undo what a plugin brought so far."""
        log.warning("plugin %s left out at stage %s", plugin.name, stage)
        plugin.is_active = False
        self.registry.forget_grants()
        plugin.inspection = None
        plugin.hooks = None
        plugin.tables, plugin.models, plugin.base = (), (), None
        # In one process another application may serve a plugin of this name from its own folder.
        if imports.is_imported_from_elsewhere(plugin.folder) is None:
            imports.forget(plugin.name)
        plugin.modules = {}

    def _world(self) -> checks.World:
        """Return what plugins are compared with."""
        added = {kind.key for plugin in self.active() for kind in plugin.offers.field_kinds}
        return checks.World(
            tuple(self.plugins), frozenset(core_kinds() | added), frozenset(core_roles())
        )

    def _check(self, stage: checks.Stage, plugin: Plugin) -> None:
        """Raise what the checks of a stage find."""
        found = checks.run(stage, plugin, self._world())
        if found:
            raise Broken(*found)

    def _check_selects(self, plugin: Plugin) -> None:
        """Compile every select for both databases, unless the deployment did with these files.

        It is two fifths of a start with thirteen plugins, and grows with every rule.
        """
        if not deployed.is_unchanged(plugin, self.states):
            self._check("selects", plugin)

    def _note_texts(self, plugin: Plugin) -> None:
        """Note what the catalogues translate that is not the plugin's to translate."""
        core = self.app.config["TRANSLATIONS_DIR"]
        plugin.late_problems.extend(texts.problems_of(plugin.folder.path, core))

    def _import(self, plugin: Plugin) -> None:
        """Import the conventional modules, register their hooks, check their models."""
        _import_modules(plugin)
        plugin.tables = imports.tables_of(plugin.name)
        plugin.models = tuple(imports.plugin_classes(plugin.name))
        plugin.base = next(iter(imports.plugin_bases(plugin.name)), None)
        self._check("models", plugin)
        plugin.hooks = register_hooks(plugin)

    def _collect(self, plugin: Plugin) -> None:
        """Call the collecting hooks."""
        plugin.offers = collect(plugin)

    def _make_type(self, plugin: Plugin) -> None:
        """Make the class of the inspection type."""
        plugin.inspection = inspection_type(plugin.manifest)

    def _add_commands(self, plugin: Plugin) -> None:
        """Add the plugin's own commands as flask <plugin> <command>."""
        group = AppGroup(plugin.name, help=plugin.title)  # its commands enter the application
        if plugin.hooks is not None:
            plugin.hooks.hook.commands(group=group)
        if group.commands:
            self.app.cli.add_command(group)

    def _refuse_if_strict(self) -> None:
        """Raise every problem where the configuration asks for it."""
        found = [found for plugin in self.plugins for found in plugin.folder.problems]
        if found and self.app.config["PLUGINS_STRICT"]:
            raise BrokenPlugins(found)


def host_of(app: Flask | None = None) -> Host:
    """Return the host of an application, by default the running one."""
    return (app or current_app).extensions["host"]


def folders_of(app: Flask) -> list[Folder]:
    """Return the folders that were read without a problem."""
    return [plugin.folder for plugin in host_of(app).active()]


def _import_modules(plugin: Plugin) -> None:
    """Import each conventional module; raise Broken with the one that fails."""
    elsewhere = imports.is_imported_from_elsewhere(plugin.folder)
    if elsewhere is not None:
        raise Broken(problem("E009", plugin.name, other=str(elsewhere)))
    for name in plugin.folder.modules:
        try:
            plugin.modules[name] = imports.import_module(plugin.folder, name)
        except (Exception, SystemExit) as error:
            raise Broken(_import_problem(plugin, name, error)) from error


def _import_problem(plugin: Plugin, module: str, error: BaseException) -> Problem:
    """Say why a module cannot be imported."""
    where = f"{plugin.name}/{module}.py"
    text = str(error)
    if "is already defined for this MetaData" in text:
        return problem("E032", where, table=text.split("'")[1])
    return problem("E010", where, module=f"{module}.py", detail=brief(error))
