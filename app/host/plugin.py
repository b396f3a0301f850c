"""Hold one plugin while it is loaded and after: its folder, its Python, its contributions."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import pluggy
from flask_appbuilder.baseviews import BaseView
from flask_babel import lazy_gettext
from sqlalchemy import Table
from sqlalchemy.orm import DeclarativeBase

from app.base import Problem
from app.crud.panel import Panel
from app.host.discovery import Folder
from app.host.inspection_type import InspectionType
from app.host.manifest import Manifest
from app.imports.entity import Entity
from app.kit.page import Grant, Page
from app.notices.due import DueKind
from app.notices.ladder import Ladder
from app.rules.rule import Rule
from app.workflow.ledger import Ledger, Opening


@dataclass(slots=True)
class Contributions:
    """Hold what the hooks of one plugin returned."""

    field_kinds: tuple[Any, ...] = ()
    rules: tuple[Rule, ...] = ()
    bulletins: tuple[Any, ...] = ()
    sections: tuple[Any, ...] = ()
    entities: tuple[Entity, ...] = ()
    ledgers: tuple[Ledger, ...] = ()
    openings: tuple[Opening, ...] = ()
    dues: tuple[DueKind, ...] = ()
    ladders: tuple[Ladder, ...] = ()
    views: tuple[Page, ...] = ()
    panels: tuple[Panel, ...] = ()
    grants: tuple[Grant, ...] = ()


@dataclass(slots=True)
class Plugin:
    """Hold one plugin of this application."""

    folder: Folder
    is_active: bool = True
    modules: dict[str, ModuleType] = field(default_factory=dict)
    hooks: pluggy.PluginManager | None = None
    tables: tuple[Table, ...] = ()
    models: tuple[type[Any], ...] = ()
    base: type[DeclarativeBase] | None = None
    offers: Contributions = field(default_factory=Contributions)
    inspection: InspectionType | None = None
    built: list[tuple[Page, BaseView]] = field(default_factory=list)
    late_problems: list[Problem] = field(default_factory=list)
    """Problems that leave the plugin active: tables to migrate, rules and pages that failed."""

    @property
    def name(self) -> str:
        """Return the name of the folder, which is the plugin's."""
        return self.folder.name

    @property
    def title(self) -> str:
        """Return the plugin's title."""
        return self.folder.title

    @property
    def label(self) -> str:
        """Return the title in the reader's language."""
        return lazy_gettext(self.title)

    @property
    def manifest(self) -> Manifest:
        """Return the manifest; only plugins that have one are loaded further."""
        if self.folder.manifest is None:
            raise LookupError(self.name)
        return self.folder.manifest

    @property
    def version(self) -> str:
        """Return the plugin's version, or nothing while the manifest is unreadable."""
        return self.folder.manifest.version if self.folder.manifest else ""

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Return everything that is wrong with the plugin."""
        return (*self.folder.problems, *self.late_problems)

    @property
    def prefix(self) -> str:
        """Return what the names of the plugin's tables begin with."""
        return f"plg_{self.name}_"
