"""Hold what plugins add to a child's page and to his printed file 一生一案."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from app.base import registry
from app.models import Child
from app.security.permissions import current_permissions


@dataclass(frozen=True, slots=True)
class Due:
    """A next due thing of a child: the day, what, and where to do it."""

    on: date
    text: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class PanelRow:
    """A line of a panel: its cells, which the core formats, and the page that it leads to."""

    cells: Sequence[Any]
    url: str | None = None


@dataclass(frozen=True, slots=True)
class PanelContent:
    """What a panel shows of one child: a table, a sentence, next due things."""

    heads: Sequence[str] = ()
    rows: Sequence[PanelRow] = ()
    note: str = ""
    due: Sequence[Due] = ()


Content = Callable[[Session, Child], PanelContent | None]


@dataclass(frozen=True, slots=True)
class Panel:
    """A part of a child's page and of its printed file 一生一案 that a plugin adds."""

    key: str
    title: Any
    order: int
    view: str
    """The class of the screen whose ``can_list`` opens the panel."""
    content: Content
    """Reads the child's rows in at most two statements; None leaves the panel out."""


@dataclass(frozen=True, slots=True)
class ShownPanel:
    """A panel with what it shows of one child."""

    key: str
    title: Any
    view: str
    content: PanelContent


def panels_of(session: Session, child: Child, own: Sequence[Panel]) -> list[ShownPanel]:
    """Return the core's own panels and those of plugins, in order, that the reader may open."""
    held = current_permissions()
    shown = []
    for panel in sorted((*own, *registry.panels()), key=lambda one: (one.order, one.key)):
        if ("can_list", panel.view) not in held:
            continue
        ask = panel.content if panel in own else partial(registry.panel_content, panel)
        content = ask(session, child)
        if content is not None:
            shown.append(ShownPanel(panel.key, panel.title, panel.view, content))
    return shown
