"""The first page and the menu: what a role has to do, and only what it may open."""

from __future__ import annotations

import pytest

from app.security.roles import TEMPLATES
from tests.conftest import CountyBuilder, Login


@pytest.mark.parametrize("template", sorted(TEMPLATES))
def test_every_role_has_a_first_page_whose_links_open(
    template: str, login: Login, county: CountyBuilder
) -> None:
    visitor = login(template, **place(county, template))

    page = visitor.soup("/")

    links = [str(link["href"]) for link in page.select(".card-grid a, nav.sidebar a")]
    assert links
    for link in dict.fromkeys(links):
        assert visitor.get(link).status_code == 200, link


def place(county: CountyBuilder, template: str) -> dict:
    kind = TEMPLATES[template].scope_kind
    if kind == "schools":
        return {"school": county.a_school}
    return {"township": county.a_township} if kind == "township" else {}


def test_strangers_find_the_way_to_the_login(client):
    page = client.get("/", follow_redirects=True).get_data(as_text=True)

    assert "/login" in page


def test_the_menu_lists_each_name_once(app):
    with app.app_context():
        names = app.appbuilder.menu.get_flat_name_list()

    assert len(names) == len(set(names))


def test_the_home_page_runs_few_statements(login, county):
    from tests.crud.conftest import recorded

    office = login("supervision_office")
    office.get("/")
    with recorded(county.app) as baseline:
        office.get("/lookup/school?id=0")
    with recorded(county.app) as seen:
        office.get("/")

    assert len(seen) - len(baseline) <= 4
    (waiting,) = [one for one in seen if "count(late_entry.id)" in one]
    for table in ("late_entry", "visit_check", "enrolment_problem"):
        assert f"{table}.county_id = " in waiting  # each count is of the reader's own scope
