"""Check plugins stage by stage; each check yields problems and changes nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import Table
from sqlalchemy.orm import RelationshipProperty as Relationship

from app.base import Model, Problem, Shared, TownshipScoped
from app.checklists.definition import ChecklistDefinition
from app.host.imports import PACKAGE
from app.host.plugin import Plugin
from app.host.problem import brief, problem
from app.imports.core import CORE
from app.models import School, SchoolClass
from app.notices.due import DUE_COLUMNS
from app.notices.ladder import Ladder
from app.rules.check import SelectFault, check_opening, check_rule, check_select, names_of

Stage = Literal["read", "models", "collected", "selects"]
FORM_NAMES: Final = ("meta", "data", "errors", "process", "validate", "populate_obj")


@dataclass(frozen=True, slots=True)
class World:
    """Hold what a plugin is compared with: the other plugins and what the core has."""

    plugins: tuple[Plugin, ...]
    kinds: frozenset[str]
    roles: frozenset[str]

    def others(self, plugin: Plugin) -> Iterator[Plugin]:
        """Yield the active plugins that were loaded before this one."""
        for other in self.plugins:
            if other is plugin:
                return
            if other.is_active:
                yield other

    def checklists(self) -> Iterator[ChecklistDefinition]:
        """Yield the checklists of the active plugins."""
        for plugin in self.plugins:
            if plugin.is_active and plugin.folder.checklist:
                yield plugin.folder.checklist


Check = Callable[[Plugin, World], Iterator[Problem]]
_KEYED: Final = (
    "field_kinds", "bulletins", "panels", "entities", "ledgers", "openings", "dues", "ladders",
)  # fmt: skip
_CHECKS: Final[dict[Stage, list[Check]]] = {
    "read": [],
    "models": [],
    "collected": [],
    "selects": [],
}


def register(stage: Stage) -> Callable[[Check], Check]:
    """Add a check to a stage."""

    def add(check: Check) -> Check:
        _CHECKS[stage].append(check)
        return check

    return add


def run(stage: Stage, plugin: Plugin, world: World) -> list[Problem]:
    """Return what the checks of a stage find."""
    found: list[Problem] = []
    for check in _CHECKS[stage]:
        found.extend(check(plugin, world))
        if found and check in _ENDING:
            break  # the checks after it would trip over what this one found
    return found


@register("read")
def checklist_is_the_only_one_of_its_key(plugin: Plugin, world: World) -> Iterator[Problem]:
    """Refuse a checklist key that another plugin brings."""
    checklist = plugin.folder.checklist
    for other in world.others(plugin) if checklist else ():
        theirs = other.folder.checklist
        if checklist and theirs and theirs.key == checklist.key:
            yield problem("E023", _file(plugin, "checklist"), key=checklist.key, other=other.name)


@register("read")
def roles_are_known(plugin: Plugin, world: World) -> Iterator[Problem]:
    """Refuse role keys that no template has, in the grants and in the inspection type."""
    spec = plugin.manifest.inspection
    named = plugin.manifest.grants.roles()
    if spec is not None:
        named |= {spec.capacity, *spec.excused_by}
    for role in sorted(named - world.roles):
        known = ", ".join(sorted(world.roles))
        yield problem("E070", _file(plugin, "plugin"), role=role, known=known)


@register("read")
def cadence_asks_for_what_there_is(plugin: Plugin, world: World) -> Iterator[Problem]:  # noqa: ARG001
    """Refuse a cadence that is narrowed by what neither a school nor a class has."""
    spec = plugin.manifest.inspection
    for name in sorted(spec.cadence.only) if spec else ():
        if not any(name in place.__table__.columns for place in (School, SchoolClass)):
            yield problem("E025", _file(plugin, "plugin"), name=name)


@register("read")
def full_wording_is_in_the_folder(plugin: Plugin, world: World) -> Iterator[Problem]:  # noqa: ARG001
    """Refuse a policy whose full wording is missing, or would be read from elsewhere."""
    policy, home = plugin.folder.policy, plugin.folder.path.resolve()
    name = policy.document.text_file if policy else ""
    path = (home / name).resolve()
    if name and not (path.is_file() and path.is_relative_to(home)):
        yield problem("E026", _file(plugin, "policy"), file=name)


@register("models")
def core_classes_stay_as_they_are(plugin: Plugin, world: World) -> Iterator[Problem]:  # noqa: ARG001
    """Refuse relationships that hang an attribute onto a core class.

    Mapping would do it, and it could not be undone: this is asked before.
    """
    for model in plugin.models:
        for key, relation in _declared_relations(model):
            target = _declared_target(relation)
            if target is not None and (relation.backref or relation.back_populates):
                facts = {"model": model.__name__, "relation": key, "target": target.__name__}
                yield problem("E035", f"{plugin.name}/models.py", **facts)


@register("models")
def models_are_mapped(plugin: Plugin, world: World) -> Iterator[Problem]:  # noqa: ARG001
    """Refuse models whose relationships or columns do not fit."""
    if plugin.base is None:
        return
    try:
        plugin.base.registry.configure(cascade=True)
    except Exception as error:  # noqa: BLE001  # the plugin loader may; a mapper raises anything
        yield problem("E033", f"{plugin.name}/models.py", detail=brief(error))


_ENDING: Final = (core_classes_stay_as_they_are, models_are_mapped)


@register("models")
def models_declare_their_scope(plugin: Plugin, world: World) -> Iterator[Problem]:  # noqa: ARG001
    """Refuse models without scope, and models on the core's own base."""
    for model in plugin.models:
        where = f"{plugin.name}/models.py"
        if plugin.base is None or not issubclass(model, plugin.base):
            yield problem("E038", where, model=model.__name__, name=plugin.name)
        if not issubclass(model, TownshipScoped | Shared):
            yield problem("E030", where, model=model.__name__)


@register("models")
def tables_bear_the_prefix(plugin: Plugin, world: World) -> Iterator[Problem]:  # noqa: ARG001
    """Refuse tables outside the plugin's own names, and columns that break forms."""
    for table in plugin.tables:
        where = f"{plugin.name}/models.py"
        if not table.name.startswith(plugin.prefix):
            yield problem("E031", where, table=table.name, prefix=plugin.prefix)
        for column in table.columns:
            if column.name in FORM_NAMES:
                names = ", ".join(FORM_NAMES)
                facts = {"table": table.name, "column": column.name, "names": names}
                yield problem("E041", where, **facts)


@register("models")
def tables_point_to_core_tables(plugin: Plugin, world: World) -> Iterator[Problem]:  # noqa: ARG001
    """Refuse foreign keys to tables of other plugins, and to tables that do not exist."""
    for table in plugin.tables:
        for target in sorted(_targets(table)):
            is_core = target in Model.metadata.tables and not target.startswith("plg_")
            if not is_core and not target.startswith(plugin.prefix):
                where = f"{plugin.name}/models.py"
                yield problem("E034", where, table=table.name, target=target)


@register("collected")
def items_have_known_kinds(plugin: Plugin, world: World) -> Iterator[Problem]:
    """Refuse item kinds that neither the core nor a plugin knows."""
    for item in plugin.folder.checklist.items() if plugin.folder.checklist else ():
        if item.kind not in world.kinds:
            facts = {"item": item.key, "kind": item.kind, "known": ", ".join(sorted(world.kinds))}
            yield problem("E020", _file(plugin, "checklist"), **facts)


@register("collected")
def inspection_has_its_checklist(plugin: Plugin, world: World) -> Iterator[Problem]:
    """Refuse an inspection whose checklist nobody brings."""
    spec = plugin.manifest.inspection
    if spec and spec.checklist not in {checklist.key for checklist in world.checklists()}:
        yield problem("E024", _file(plugin, "plugin"), key=spec.checklist)


@register("collected")
def rules_bear_keys_of_their_own(plugin: Plugin, world: World) -> Iterator[Problem]:
    """Refuse rules with foreign keys."""
    taken = {rule.key for other in world.others(plugin) for rule in other.offers.rules}
    for rule in plugin.offers.rules:
        if rule.key in taken or not rule.key.startswith(f"{plugin.name}."):
            where = f"{plugin.name}/rules.py"
            yield problem("E052", where, rule=rule.key, prefix=f"{plugin.name}.")
        taken.add(rule.key)


@register("selects")
def rules_can_be_asked(plugin: Plugin, world: World) -> Iterator[Problem]:  # noqa: ARG001
    """Refuse rules with unknown words, wrong columns or names that the database lacks."""
    where = f"{plugin.name}/rules.py"
    for rule in plugin.offers.rules:
        try:
            check_rule(rule, plugin.manifest.parameters)
        except SelectFault as fault:
            yield problem(fault.number, where, rule=rule.key, **fault.facts)


@register("selects")
def sections_can_be_asked(plugin: Plugin, world: World) -> Iterator[Problem]:  # noqa: ARG001
    """Refuse bulletin sections whose select cannot be compiled or lacks a column."""
    own = (section for bulletin in plugin.offers.bulletins for section in bulletin.sections)
    for section in (*plugin.offers.sections, *own):
        facts = {"key": section.key, "bulletin": section.bulletin}
        where = f"{plugin.name}/bulletins.py"
        try:
            query = check_select(section.select, plugin.manifest.parameters)
        except SelectFault as fault:
            detail = fault.facts.get("detail") or fault.facts.get("parameter", "")
            yield problem("E057", where, detail=detail, **facts)
            continue
        wanted = {"township_id", "school_id"}
        if not callable(section.columns):
            wanted |= {column.key for column in section.columns}
        lacking = sorted(wanted - set(names_of(query)))
        if lacking:
            yield problem("E057", where, detail=", ".join(lacking), **facts)


@register("collected")
def openings_bear_the_prefix(plugin: Plugin, world: World) -> Iterator[Problem]:  # noqa: ARG001
    """Refuse ledgers and openings with foreign keys."""
    where, prefix = f"{plugin.name}/hooks.py", f"{plugin.name}."
    keys = [ledger.key for ledger in plugin.offers.ledgers]
    for key in (*keys, *(opening.key for opening in plugin.offers.openings)):
        if not key.startswith(prefix):
            yield problem("E059", where, opening=key, detail=f"{prefix}…")


@register("selects")
def openings_can_be_asked(plugin: Plugin, world: World) -> Iterator[Problem]:  # noqa: ARG001
    """Refuse openings that cannot be asked."""
    where = f"{plugin.name}/hooks.py"
    for opening in plugin.offers.openings:
        try:
            check_opening(opening, plugin.manifest.parameters)
        except SelectFault as fault:
            yield problem("E059", where, opening=opening.key, detail=fault.said)


@register("collected")
def ladders_can_be_climbed(plugin: Plugin, world: World) -> Iterator[Problem]:
    """Refuse dues and ladders with foreign keys; ladders of unknown roles, offices, parameters."""
    where, prefix = f"{plugin.name}/hooks.py", f"{plugin.name}."
    keys = [kind.key for kind in plugin.offers.dues]
    for key in (*keys, *(ladder.key for ladder in plugin.offers.ladders)):
        if not key.startswith(prefix):
            yield problem("E065", where, key=key, detail=f"{prefix}…")
    for ladder in plugin.offers.ladders:
        for detail in _wrong_rungs(ladder, plugin, world):
            yield problem("E065", where, key=ladder.key, detail=detail)


@register("selects")
def dues_can_be_asked(plugin: Plugin, world: World) -> Iterator[Problem]:  # noqa: ARG001
    """Refuse kinds of things to do whose select cannot be compiled or lacks a column."""
    for kind in plugin.offers.dues:
        try:
            query = check_select(kind.select, plugin.manifest.parameters)
        except SelectFault as fault:
            found = fault.said
        else:
            names = names_of(query)
            found = "" if names == DUE_COLUMNS else ", ".join(names)
        if found:
            yield problem("E065", f"{plugin.name}/hooks.py", key=kind.key, detail=found)


def _wrong_rungs(ladder: Ladder, plugin: Plugin, world: World) -> Iterator[str]:
    named = {*ladder.of, *(role for rung in ladder.rungs for role in rung.roles)}
    yield from sorted(named - world.roles)
    for rung in ladder.rungs[1:]:
        if rung.days not in plugin.manifest.parameters:
            yield f"{rung.key}: days = “{rung.days}”"
    for rung in ladder.rungs:
        try:
            re.compile(rung.office)
        except re.error as error:
            yield f"{rung.key}: office: {error}"


@register("collected")
def keys_are_used_once(plugin: Plugin, world: World) -> Iterator[Problem]:
    """Refuse what bears a key that is taken."""
    for noun in _KEYED:
        taken = {value.key: "app" for value in (CORE if noun == "entities" else ())}
        taken |= {
            value.key: other.name
            for other in world.others(plugin)
            for value in getattr(other.offers, noun)
        }
        for value in getattr(plugin.offers, noun):
            if value.key in taken:
                facts = {"noun": noun, "key": value.key, "other": taken[value.key]}
                yield problem("E058", plugin.name, **facts)
            taken[value.key] = plugin.name


@register("collected")
def panels_bear_the_prefix(plugin: Plugin, world: World) -> Iterator[Problem]:  # noqa: ARG001
    """Refuse panels whose key does not name the plugin."""
    prefix = f"{plugin.name}."
    for panel in plugin.offers.panels:
        if not panel.key.startswith(prefix):
            yield problem("E064", plugin.name, panel=panel.key, prefix=prefix)


@register("collected")
def granted_views_exist(plugin: Plugin, world: World) -> Iterator[Problem]:  # noqa: ARG001
    """Refuse grants on views that the plugin does not have."""
    own = {page.view.__name__ for page in plugin.offers.views}
    for grant in plugin.manifest.grants.view:
        if grant.name not in own:
            yield problem("E071", _file(plugin, "plugin"), view=grant.name)


def _file(plugin: Plugin, name: str) -> str:
    """Name one of the plugin's TOML files."""
    return f"{plugin.name}/{name}.toml"


def _targets(table: Table) -> set[str]:
    """Return the names of the tables that a table points to."""
    return {key.target_fullname.partition(".")[0] for key in table.foreign_keys}


def _declared_relations(model: type[Any]) -> Iterator[tuple[str, Relationship[Any]]]:
    """Yield the relationships of a class without configuring its mapper."""
    for key, attribute in vars(model).items():
        relation = getattr(getattr(attribute, "comparator", None), "prop", None)
        if isinstance(relation, Relationship):
            yield key, relation


def _declared_target(relation: Relationship[Any]) -> type[Any] | None:
    """Return the core class that a relationship points to; None where it is the plugin's own.

    A name in quotes is looked up among the plugin's own classes only.
    """
    target = relation.argument
    if callable(target) and not isinstance(target, type):
        target = target()
    is_core = isinstance(target, type) and not target.__module__.startswith(f"{PACKAGE}.")
    return target if is_core else None  # type: ignore[return-value]  # a class, asked above
