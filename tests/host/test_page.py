"""Read the plugin page and the health check beside a broken plugin: the rest serves on."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

import config as settings
from app import create_app, database, host
from app.extensions import db
from app.host import imports
from app.host.loader import host_of
from app.host.problem import problem
from tests.conftest import log_in
from tests.host.conftest import CHECKLIST, INSPECTION, MANIFEST
from tests.visitor import Visitor

VIEWS = """
from flask_appbuilder import BaseView, expose, has_access
from flask_appbuilder.utils.limit import Limit
from app.kit import Page, hookimpl

class TramView(BaseView):
    route_base = "/tram"
    default_view = "list"
    limits = [Limit("2 per hour", lambda: "everybody")]

    @expose("/")
    @has_access
    def list(self):
        raise ValueError("secret words")

@hookimpl
def views():
    return [Page(TramView, "Trams", "Trams")]
"""
FERRIES = """
from flask_appbuilder import BaseView, expose, has_access
from sqlalchemy import text
from app.kit import BureauModelView, Page, Refused, Township, hookimpl, interface

class FerryView(BureauModelView):
    datamodel = interface(Township)
    route_base = "/ferries"
    list_columns = show_columns = search_columns = ["name"]
    add_columns = edit_columns = []

    def pre_delete(self, item):
        if item.name == "kept":
            raise Refused("not this one")
        self.datamodel.session.execute(text("SELECT misspelt FROM township"))

class QuayView(BaseView):
    route_base = "/quays"
    default_view = "list"

    @expose("/")
    @has_access
    def list(self):
        FerryView.datamodel.session.execute(text("SELECT misspelt FROM township"))

@hookimpl
def views():
    return [Page(FerryView, "Ferries", "Ferries"), Page(QuayView, "Quays", "Ferries")]
"""
FERRY_GRANT = "".join(
    f'[[grants.view]]\nname = "{name}"\nwrite = ["system_administrator"]\n'
    for name in ("FerryView", "QuayView")
)
GRANT = '[[grants.view]]\nname = "TramView"\nread = ["system_administrator"]\n'
GUIDE = Path(__file__).parents[2] / "plugins" / "README.md"
PLUGINS = {
    "aa_tram": {"plugin.toml": MANIFEST + GRANT, "views.py": VIEWS},
    "bb_unbuilt": {
        "plugin.toml": MANIFEST,
        "views.py": VIEWS.replace("TramView", "UnbuiltView").replace(
            'route_base = "/tram"',
            "def __init__(self):\n        raise RuntimeError('cannot be built')\n",
        ),
    },
    "cc_taken": {"plugin.toml": MANIFEST, "views.py": VIEWS.replace("TramView", "OtherTramView")},
    "dd_toml": {"plugin.toml": "name = ["},
    "ee_import": {"plugin.toml": MANIFEST, "rules.py": "import nothing_of_this_name"},
    "gg_ferry": {"plugin.toml": MANIFEST + FERRY_GRANT, "views.py": FERRIES},
    "ff_good": {"plugin.toml": INSPECTION, "checklist.toml": CHECKLIST},
}


@pytest.fixture
def crowded(app: Flask, tmp_path):
    """Return an application with the shipped plugins, one more that is good, and broken ones."""
    for name, files in PLUGINS.items():
        for file, text in files.items():
            path = tmp_path / "more" / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.replace("{name}", name), encoding="utf-8")
    made = settings.Testing(app.config["INSTANCE_DIR"], app.config["SQLALCHEMY_DATABASE_URI"])
    made.PLUGIN_DIRS = (*made.PLUGIN_DIRS, tmp_path / "more")
    made.PLUGINS_STRICT = False
    application = create_app(made)
    application.config["PROPAGATE_EXCEPTIONS"] = False
    application.test_client_class = Visitor
    yield application
    with application.app_context():
        db.session.remove()
        db.engine.dispose()
    for name in PLUGINS:
        imports.forget(name)


@pytest.fixture
def administrator(crowded: Flask, county) -> Visitor:
    """Return the system administrator, logged in to that application."""
    person = county.person(place=county.a_township)
    user = county.account(person)
    county.appointment(person, "system_administrator")
    return log_in(crowded.test_client(), user.username)


def test_page_says_what_is_broken_and_how_to_mend_it(crowded, administrator) -> None:
    page = administrator.soup("/plugins/").get_text(" ", strip=True)

    for name, number in {
        "bb_unbuilt": "E060",
        "cc_taken": "E061",
        "dd_toml": "E002",
        "ee_import": "E010",
    }.items():
        found = {one.id: one for one in host_of(crowded).find(name).problems}
        with crowded.test_request_context():
            assert str(found[number].message) in page
            assert str(found[number].hint) in page
    assert str(crowded.config["INSTANCE_DIR"]) not in page


def test_page_stands_in_the_menu_where_the_guide_says(crowded, administrator) -> None:
    links = administrator.soup("/").select(".nav-group a[href='/plugins/']")

    groups = [link.find_parent("details").summary.get_text(strip=True) for link in links]
    path = f"{groups[0]} → {links[0].get_text(strip=True)}"
    assert len(groups) == 1
    assert f"The page {path} shows" in GUIDE.read_text(encoding="utf-8")


def test_core_and_other_plugins_serve_on(crowded, administrator) -> None:
    for url in ("/", "/plugins/", "/inspection/ff-good/list/", "/inspection/leader-visit/list/"):
        assert administrator.get(url).status_code in {200, 302, 403, 404}, url
    with crowded.app_context():
        names = {type(view).__name__ for view in crowded.appbuilder.baseviews}
    assert "TramView" in names
    assert names.isdisjoint({"UnbuiltView", "OtherTramView"})
    assert {plugin.name for plugin in host_of(crowded).active()} >= {"ff_good", "leader_visit"}


def test_page_that_raises_is_an_incident_and_a_problem(crowded, administrator) -> None:
    answer = administrator.get("/tram/")

    page = administrator.soup("/plugins/").get_text(" ", strip=True)
    assert answer.status_code == 500
    assert "secret words" not in answer.get_data(as_text=True)
    assert [one.id for one in host_of(crowded).find("aa_tram").late_problems][-1:] == ["E062"]
    with crowded.test_request_context():
        facts = {"view": "TramView.list", "detail": "ValueError"}
        assert str(problem("E062", "aa_tram/views.py", **facts).message) in page


def test_page_that_declares_a_limit_has_it_and_no_other_page(crowded, administrator) -> None:
    assert [administrator.get("/tram/").status_code for _try in range(3)] == [500, 500, 429]
    assert {administrator.get("/plugins/").status_code for _try in range(4)} == {200}


def told(crowded: Flask, name: str) -> list[str]:
    """Return what the plugin page says of pages that failed, read by another worker."""
    plugin = host_of(crowded).find(name)
    with crowded.test_request_context():
        return [str(one.message) for one in plugin.late_problems if one.id == "E062"]


def test_database_errors_are_told_by_every_worker_until_the_next_deployment(
    crowded, administrator, county
) -> None:
    kept, other = county.township("kept"), county.township("other")
    for url in (f"/ferries/delete/{kept.id}", f"/ferries/delete/{other.id}"):
        administrator.post_with_token(url)
    answer = administrator.get("/quays/")
    host_of(crowded).find("gg_ferry").late_problems.clear()  # as in a worker that saw none of it

    page = administrator.soup("/plugins/").get_text(" ", strip=True)

    assert answer.status_code == 500
    assert "misspelt" not in answer.get_data(as_text=True)
    messages = told(crowded, "gg_ferry")
    assert [text for text in messages if text in page] == messages
    assert [("FerryView.delete" in text, "QuayView.list" in text) for text in messages] == [
        (True, False),
        (False, True),
    ]
    with crowded.app_context(), database.writing():
        host.deploy(db.session)
        db.session.remove()
    administrator.get("/plugins/")
    assert told(crowded, "gg_ferry") == []


def test_banner_is_for_those_who_may_mend(crowded, administrator, county) -> None:
    person = county.person(place=county.a_township)
    user = county.account(person)
    county.appointment(person, "township_leader", township=county.a_township)
    leader = log_in(crowded.test_client(), user.username)

    assert administrator.soup("/").select(".problem-banner")
    assert not leader.soup("/").select(".problem-banner")
    assert leader.get("/plugins/").status_code in {302, 403, 404}


def test_health_tells_no_internals(crowded) -> None:
    answer = crowded.test_client().get("/healthz")

    assert answer.status_code == 200
    assert set(answer.json) == {"status", "problems"}
    assert answer.json["status"] == "degraded"
    assert answer.json["problems"] >= 4
