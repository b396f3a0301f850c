"""Register the hooks of one plugin and collect, once, what they return."""

from __future__ import annotations

from collections.abc import Iterable
from types import ModuleType
from typing import Any, Final

import pluggy
from pluggy import PluginValidationError

from app.crud.panel import Panel
from app.documents.bulletin import Bulletin, Section
from app.host import hookspecs
from app.host.fault import Broken
from app.host.plugin import Contributions, Plugin
from app.host.problem import brief, problem
from app.imports.entity import Entity
from app.kit.hook import PROJECT
from app.kit.page import Grant, Page
from app.notices.due import DueKind
from app.notices.ladder import Ladder
from app.rules.cadence import cadence_rules
from app.rules.rule import Rule
from app.workflow.ledger import Ledger, Opening

TYPES: Final[dict[str, type[Any]]] = {
    "rules": Rule,
    "bulletins": Bulletin,
    "sections": Section,
    "entities": Entity,
    "ledgers": Ledger,
    "openings": Opening,
    "dues": DueKind,
    "ladders": Ladder,
    "views": Page,
    "panels": Panel,
    "grants": Grant,
}
COLLECTED: Final = (
    "field_kinds",
    "rules",
    "bulletins",
    "sections",
    "entities",
    "ledgers",
    "openings",
    "dues",
    "ladders",
    "views",
    "panels",
    "grants",
)


def hook_names() -> list[str]:
    """Return the names of all hooks, in the order of their specification."""
    return [name for name, value in vars(hookspecs).items() if hasattr(value, f"{PROJECT}_spec")]


def register_hooks(plugin: Plugin) -> pluggy.PluginManager:
    """Register each module; raise Broken for hooks or arguments that do not exist."""
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(hookspecs)
    for name, module in plugin.modules.items():
        _register(manager, plugin, name, module)
    return manager


def _register(manager: pluggy.PluginManager, plugin: Plugin, name: str, module: ModuleType) -> None:
    """Register one module."""
    facts = {"module": f"{name}.py"}
    where = f"{plugin.name}/{name}.py"
    try:
        manager.register(module, name=where)
    except PluginValidationError as error:
        raise Broken(problem("E012", where, detail=_last_line(error), **facts)) from error
    try:
        manager.check_pending()
    except PluginValidationError as error:
        raise Broken(problem("E011", where, detail=_last_line(error), **facts)) from error


def collect(plugin: Plugin) -> Contributions:
    """Call the collecting hooks of one plugin; raise Broken where one fails.

    To its rules come those that the core makes of the cadence in its manifest.
    """
    offers = Contributions()
    if plugin.hooks is not None:
        offers = Contributions(**{name: _call(plugin, name) for name in COLLECTED})
    spec = plugin.manifest.inspection
    if spec is not None:
        offers.rules = (*offers.rules, *cadence_rules(plugin.name, spec))
    return offers


def _call(plugin: Plugin, name: str) -> tuple[Any, ...]:
    """Return what one hook of one plugin gives, as a flat tuple."""
    where = plugin.name
    try:
        answers = getattr(plugin.hooks.hook, name)()  # type: ignore[union-attr]  # checked above
        values = tuple(value for answer in answers for value in _many(plugin, name, answer))
    except Broken:
        raise
    except (Exception, SystemExit) as error:
        raise Broken(problem("E013", where, hook=name, detail=brief(error))) from error
    wanted = TYPES.get(name)
    for value in values:
        if wanted is not None and not isinstance(value, wanted):
            facts = {"hook": name, "found": type(value).__name__, "wanted": wanted.__name__}
            raise Broken(problem("E014", where, **facts))
    return values


def _many(plugin: Plugin, name: str, answer: object) -> Iterable[Any]:
    """Return the answer of a hook as it is promised: several values."""
    if isinstance(answer, str) or not isinstance(answer, Iterable):
        facts = {"hook": name, "found": type(answer).__name__, "wanted": "list"}
        raise Broken(problem("E014", plugin.name, **facts))
    return answer


def _last_line(error: PluginValidationError) -> str:
    """Return the sentence in which pluggy says what is wrong."""
    return str(error).strip().splitlines()[-1]
