"""The panels of plugins on a child's page: in order, under a right, and without harm to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.base import registry
from app.crud.panel import Due, Panel, PanelContent, PanelRow
from app.extensions import db
from app.host.loader import host_of
from app.host.plugin import Plugin
from app.models import Child, PageFailure
from tests.conftest import CountyBuilder


def places(session: Session, child: Child) -> PanelContent:
    """Return where the child lives."""
    lives = session.scalar(select(Child.village).where(Child.id == child.id))
    return PanelContent(["Village"], [PanelRow([lives])], due=[Due(date(2026, 3, 2), "ask")])


def nothing(_session: Session, _child: Child) -> None:
    """Have nothing to say."""


def misspelt(session: Session, _child: Child) -> PanelContent:
    """Break the transaction."""
    session.execute(text("SELECT misspelt FROM child"))
    return PanelContent()


def words(_session: Session, _child: Child) -> str:
    """Return what is no content."""
    return "secret words"


def panel(name: str, order: int, content: Callable[..., object]) -> Panel:
    """Return a panel of the plugin that the test borrows."""
    return Panel(f"daily_check.{name}", name, order, "ChildView", content)  # type: ignore[arg-type]


@pytest.fixture
def plugin(app: Flask) -> Iterator[Plugin]:
    """Yield a plugin whose panels the test sets."""
    found = host_of(app).find("daily_check")
    assert found is not None
    before = found.offers.panels
    yield found
    found.offers.panels = before
    found.late_problems.clear()


def test_panels_stand_in_their_order(app: Flask, plugin: Plugin) -> None:
    plugin.offers.panels = (panel("b", 20, nothing), panel("z", 10, nothing), panel("a", 20, words))

    with app.app_context():
        keys = [one.key for one in registry.panels() if one.key.startswith("daily_check.")]

    assert keys == ["daily_check.z", "daily_check.a", "daily_check.b"]


def test_panel_reads_through_the_session(app: Flask, county: CountyBuilder) -> None:
    child = county.child(village="大榕村")

    with app.app_context():
        session = db.session()
        row = session.get(Child, child.id)
        content = registry.panel_content(panel("places", 1, places), session, row)
        empty = registry.panel_content(panel("nothing", 1, nothing), session, row)

    assert content == PanelContent(
        ["Village"], [PanelRow(["大榕村"])], due=[Due(date(2026, 3, 2), "ask")]
    )
    assert empty is None


@pytest.mark.parametrize(
    ("content", "error"), [(misspelt, "OperationalError|ProgrammingError"), (words, "TypeError")]
)
def test_panel_that_fails_is_a_problem_and_the_page_reads_on(
    app: Flask, county: CountyBuilder, plugin: Plugin, monkeypatch, content, error: str
) -> None:
    monkeypatch.setitem(app.config, "PLUGINS_STRICT", False)
    child = county.child(village="大榕村")

    with app.app_context():
        session = db.session()
        row = session.get(Child, child.id)
        failed = registry.panel_content(panel("broken", 1, content), session, row)
        after = registry.panel_content(panel("places", 2, places), session, row)
        told = [str(one.message) for one in plugin.problems if one.id == "E063"]

    assert failed is None
    assert after is not None
    assert len(told) == 1
    assert "daily_check.broken" in told[0]
    assert "secret" not in told[0]
    noted = county.all(select(PageFailure))
    assert [(row.plugin, row.page) for row in noted] == [("daily_check", "daily_check.broken")]
    assert noted[0].error in error.split("|")


def test_panel_that_fails_stops_a_strict_page(app: Flask, county: CountyBuilder) -> None:
    child = county.child()

    with app.app_context(), pytest.raises(TypeError):
        registry.panel_content(panel("words", 1, words), db.session(), child)
