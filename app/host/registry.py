"""Answer what the lower layers ask of the plugins."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from app.base import Problem, Refused
from app.checklists.definition import ChecklistDefinition
from app.crud.panel import Panel, PanelContent
from app.host import failure
from app.host.inspection_type import InspectionType
from app.imports.entity import Entity
from app.notices.due import DueKind
from app.notices.ladder import Ladder
from app.rules.rule import Rule
from app.workflow.ledger import Ledger, Opening

if TYPE_CHECKING:
    from app.host.loader import Host
    from app.host.plugin import Plugin

READ: Final = ("can_list", "can_show")
FILL: Final = ("can_list", "can_show", "can_add", "can_edit")
ASK: Final = ("can_list", "can_show", "can_add")
DECIDE: Final = ("can_list", "can_show", "can_decide")
EXCUSES: Final = "ExcuseView"
WRITE: Final = ("can_list", "can_show", "can_add", "can_edit", "can_delete")


class HostRegistry:
    """Answer from the plugins that serve; frozen once the application has started."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._granted: dict[str, tuple[tuple[str, str], ...]] = {}

    def plugins(self) -> tuple[Plugin, ...]:
        """Return all plugins, broken ones too."""
        return tuple(self._host.plugins)

    def inspection_types(self) -> tuple[InspectionType, ...]:
        """Return the inspection types of the active plugins, in menu order."""
        return tuple(plugin.inspection for plugin in self._host.active() if plugin.inspection)

    def inspection_type(self, key: str) -> InspectionType | None:
        """Return one inspection type, or None where its plugin is gone."""
        return next((kind for kind in self.inspection_types() if kind.key == key), None)

    def checklists(self) -> tuple[ChecklistDefinition, ...]:
        """Return the checklist definitions of the active plugins."""
        read = (plugin.folder.checklist for plugin in self._host.active())
        return tuple(checklist for checklist in read if checklist)

    def field_kinds(self) -> tuple[Any, ...]:
        """Return the field kinds that plugins add."""
        return self._offers("field_kinds")

    def rules(self) -> tuple[Rule, ...]:
        """Return the rules of the active plugins."""
        return self._offers("rules")

    def bulletins(self) -> tuple[Any, ...]:
        """Return the bulletins of the active plugins."""
        return self._offers("bulletins")

    def sections(self, bulletin: str) -> tuple[Any, ...]:
        """Return the sections that plugins add to a bulletin, in order."""
        added = (one for one in self._offers("sections") if one.bulletin == bulletin)
        return tuple(sorted(added, key=lambda section: (section.order, section.key)))

    def panels(self) -> tuple[Panel, ...]:
        """Return the panels that plugins add to a child's page, in order."""
        return tuple(sorted(self._offers("panels"), key=lambda panel: (panel.order, panel.key)))

    def panel_content(self, panel: Panel, session: Any, child: Any) -> PanelContent | None:
        """Return what a panel shows of a child; where it fails, a problem of its plugin is left.

        The rollback gives the page a connection that works again: it has only read.
        """
        try:
            content = panel.content(session, child)
            if not isinstance(content, PanelContent | None):
                raise TypeError(type(content).__name__)
        except Exception as error:
            if self._host.app.config["PLUGINS_STRICT"]:
                raise
            session.rollback()
            failure.note_panel(self._host, panel.key, error)
            return None
        return content

    def entities(self) -> tuple[Entity, ...]:
        """Return what can be imported into the tables of the active plugins."""
        return self._offers("entities")

    def ledgers(self) -> tuple[Ledger, ...]:
        """Return the ledgers of the active plugins."""
        return self._offers("ledgers")

    def openings(self) -> tuple[Opening, ...]:
        """Return what opens entries in ledgers, of the active plugins."""
        return self._offers("openings")

    def dues(self) -> tuple[DueKind, ...]:
        """Return the kinds of things to do that the active plugins bring."""
        return self._offers("dues")

    def ladders(self) -> tuple[Ladder, ...]:
        """Return the ladders of escalation of the active plugins."""
        return self._offers("ladders")

    def parameter_names(self, plugin: str) -> tuple[str, ...]:
        """Return the short names of the parameters that a plugin declares."""
        found = self._host.find(plugin)
        return tuple(found.manifest.parameters) if found and found.is_active else ()

    def grants(self, template: str) -> tuple[tuple[str, str], ...]:
        """Return the (permission, view) pairs that plugins grant to a role template."""
        if template not in self._granted:
            pairs = {pair for plugin in self._host.active() for pair in _grants(plugin, template)}
            self._granted[template] = tuple(sorted(pairs))
        return self._granted[template]

    def forget_grants(self) -> None:
        """Compute the grants anew: a plugin was dropped after they were asked for."""
        self._granted.clear()

    def page_failed(self, error: BaseException) -> None:
        """Note at the plugin whose page or code it is that the request's page raised."""
        failure.note(self._host, error)

    def problems(self) -> tuple[Problem, ...]:
        """Return what is wrong with the plugins."""
        of_plugins = (found for plugin in self._host.plugins for found in plugin.problems)
        return (*of_plugins, *self._host.missing)

    def inspection_saved(self, session: Any, inspection: Any) -> None:
        """Tell every plugin that an inspection was stored; Refused goes through.

        What else a plugin raises takes back its own writes only, and is noted as its problem.
        """
        for plugin in self._host.active():
            if plugin.hooks is not None and plugin.hooks.hook.inspection_saved.get_hookimpls():
                self._tell_saved(plugin, session, inspection)

    def _tell_saved(self, plugin: Plugin, session: Any, inspection: Any) -> None:
        assert plugin.hooks is not None
        try:
            with session.begin_nested():
                plugin.hooks.hook.inspection_saved(session=session, inspection=inspection)
        except Refused:
            raise
        except Exception as error:
            if self._host.app.config["PLUGINS_STRICT"]:
                raise
            failure.note_hook(session, plugin, "inspection_saved", error)

    def rules_finished(self, run: Any) -> None:
        """Tell every plugin that the rules were run."""
        for plugin in self._host.active():
            if plugin.hooks is not None:
                plugin.hooks.hook.rules_finished(run=run)

    def nightly(self, session: Any, day: date) -> list[str]:
        """Let every plugin do its work of the night; return the names of those that failed.

        What a plugin raises takes back its own writes only, and is noted as its problem.
        """
        return [
            plugin.name for plugin in self._host.active() if not self._did(plugin, session, day)
        ]

    def _did(self, plugin: Plugin, session: Any, day: date) -> bool:
        if plugin.hooks is None:
            return True
        try:
            with session.begin_nested():
                plugin.hooks.hook.nightly(session=session, day=day)
        except Exception as error:
            if self._host.app.config["PLUGINS_STRICT"]:
                raise
            failure.note_hook(session, plugin, "nightly", error)
            return False
        return True

    def seed(self, session: Any, random: Any) -> None:
        """Let every plugin add its rows to the demonstration county."""
        for plugin in self._host.active():
            if plugin.hooks is not None:
                plugin.hooks.hook.seed(session=session, random=random)

    def _offers(self, noun: str) -> tuple[Any, ...]:
        """Return what the hooks of this name gave, of the active plugins."""
        return tuple(value for plugin in self._host.active() for value in _offer(plugin, noun))


def _offer(plugin: Plugin, noun: str) -> Iterator[Any]:
    """Yield one kind of a plugin's contributions."""
    yield from getattr(plugin.offers, noun)


def _grants(plugin: Plugin, template: str) -> Iterator[tuple[str, str]]:
    """Yield the pairs that one plugin grants to one role template."""
    spec = plugin.manifest.grants
    if plugin.inspection is not None:
        view = plugin.inspection.class_name
        names = _rights(template, (spec.fill, FILL), (spec.read, READ))
        yield from ((name, view) for name in names)
        yield from _excuses(plugin.inspection, template)
    for granted in spec.view:
        names = _rights(template, (granted.write, WRITE), (granted.read, READ))
        yield from ((name, granted.name) for name in names)
    for grant in plugin.offers.grants:
        if grant.role == template:
            yield grant.permission, grant.view


def _excuses(kind: InspectionType, template: str) -> Iterator[tuple[str, str]]:
    """Yield the rights to ask to be excused from an inspection that is due, and to decide on it."""
    if kind.excused_by and template == kind.capacity:
        yield from ((name, EXCUSES) for name in ASK)
    if template in kind.excused_by:
        yield from ((name, EXCUSES) for name in DECIDE)


def _rights(template: str, *offers: tuple[Sequence[str], Sequence[str]]) -> Sequence[str]:
    """Return the rights of the first offer that names the role template, or none."""
    return next((rights for roles, rights in offers if template in roles), ())


def core_kinds() -> set[str]:
    """Return the item kinds that the core has."""
    from app.checklists.kinds import CORE_KINDS

    return {kind.key for kind in CORE_KINDS}


def core_roles() -> set[str]:
    """Return the keys of the role templates."""
    from app.security.roles import TEMPLATES

    return set(TEMPLATES)
