"""Specify every hook that a plugin may implement: the whole Python half of the contract.

Each is collected once, when the product starts; values are frozen. A hook may take fewer
arguments than its specification has, never others.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from random import Random
from typing import TYPE_CHECKING

import pluggy
from click import Group
from sqlalchemy.orm import Session

from app.kit.hook import PROJECT
from app.kit.page import Grant, Page

if TYPE_CHECKING:
    from app.checklists.kind import FieldKind
    from app.crud.panel import Panel
    from app.documents.bulletin import Bulletin, Section
    from app.imports.entity import Entity
    from app.models import Inspection
    from app.notices.due import DueKind
    from app.notices.ladder import Ladder
    from app.rules.engine import RuleReport
    from app.rules.rule import Rule
    from app.workflow.ledger import Ledger, Opening

hookspec = pluggy.HookspecMarker(PROJECT)


@hookspec
def field_kinds() -> Iterable[type[FieldKind]]:
    """Return new kinds of checklist items, beside those that the core has."""


@hookspec
def rules() -> Iterable[Rule]:
    """Return the rules that judge the records; their keys begin with the plugin's name."""


@hookspec
def bulletins() -> Iterable[Bulletin]:
    """Return whole bulletins: workbooks that a reader makes for a month or a semester."""


@hookspec
def sections() -> Iterable[Section]:
    """Return sections for bulletins of other plugins, named by key; idle where those are gone."""


@hookspec
def entities() -> Iterable[Entity]:
    """Return what of the plugin's own tables can be imported and exported."""


@hookspec
def ledgers() -> Iterable[Ledger]:
    """Return ledgers of children: registers whose entries people follow and close."""


@hookspec
def openings() -> Iterable[Opening]:
    """Return what opens entries in ledgers, one's own and others', by key; idle without them."""


@hookspec
def dues() -> Iterable[DueKind]:
    """Return kinds of things to do: what is due by a day, and who answers for it."""


@hookspec
def ladders() -> Iterable[Ladder]:
    """Return ladders: who is told next, after how many days, when a thing stays undone."""


@hookspec
def views() -> Iterable[Page]:
    """Return the screens of the plugin's own tables, with their place in the menu."""


@hookspec
def panels() -> Iterable[Panel]:
    """Return parts of a child's page and of its printed file, each under a screen's right."""


@hookspec
def grants() -> Iterable[Grant]:
    """Return rights beyond those that [grants] in plugin.toml can say."""


@hookspec
def commands(group: Group) -> None:
    """Add commands to the group `flask <plugin>`."""


@hookspec
def seed(session: Session, random: Random) -> None:
    """Add rows for the demonstration county; use only `random`, so that runs repeat exactly."""


@hookspec
def inspection_saved(session: Session, inspection: Inspection) -> None:
    """Follow an inspection that was stored, in the same transaction; raise Refused to refuse it."""


@hookspec
def rules_finished(run: RuleReport) -> None:
    """Follow a run of the rules, after its results are stored."""


@hookspec
def nightly(session: Session, day: date) -> None:
    """Do the work of the night before a day, after the ledgers were opened; never commit."""
