"""Texts, menus and templates that are kept say the same as those that are made anew."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from bs4 import BeautifulSoup
from flask import Flask, render_template_string
from flask_babel import Domain, force_locale, gettext, lazy_gettext
from jinja2 import DictLoader, Environment, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from app.crud.menu import BureauMenu
from app.crud.texts import KeptTemplates
from tests.conftest import CountyBuilder, Login

CATALOGUES = sorted(Path("translations").rglob("messages.po"))


def msgids() -> list[str]:
    """Return the texts of the core, and some that no catalogue holds."""
    found = {"100 %", "%(a)s", "Nobody translated this"}
    for path in CATALOGUES:
        with path.open("rb") as file:
            found |= {str(one.id) for one in read_po(file) if isinstance(one.id, str) and one.id}
    return sorted(found)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_kept_text_is_the_text_of_the_catalogue(app: Flask, language: str) -> None:
    fresh = Domain(domain="messages")

    with app.test_request_context("/"), force_locale(language):
        for msgid in msgids():
            expected = fresh.gettext(msgid)
            assert gettext(msgid) == gettext(msgid) == str(lazy_gettext(msgid)) == expected
            if "%" not in msgid:
                assert render_template_string("{{ _(msgid) }}|{{ _(msgid) }}", msgid=msgid) == (
                    render_template_string("{{ one }}|{{ one }}", one=Markup(expected))
                )


def test_two_languages_do_not_mix(app: Flask) -> None:
    with app.test_request_context("/"):
        said = []
        for language in ("zh", "en", "zh", "en"):
            with force_locale(language):
                said.append((gettext("Children"), str(lazy_gettext("Children"))))

    assert said[0] == said[2] != said[1] == said[3] == ("Children", "Children")


def test_a_variable_is_put_into_a_kept_text_and_escaped(app: Flask) -> None:
    text = "{{ _('%(count)s records', count=count) }}"

    with app.test_request_context("/"), force_locale("en"):
        drawn = [render_template_string(text, count=count) for count in (1, 2, "<b>")]

    assert drawn == ["1 records", "2 records", "&lt;b&gt; records"]


def test_the_code_of_templates_is_kept_where_only_we_write(app: Flask, login: Login) -> None:
    login("supervision_office").get("/childview/list/")

    folder = Path(app.config["INSTANCE_DIR"]) / "templates"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert list(folder.iterdir())


def test_the_kept_menu_is_the_menu(login: Login, county: CountyBuilder, app: Flask) -> None:
    office, leader = login("supervision_office"), login("school_leader", school=county.a_school)
    menu: BureauMenu = app.appbuilder.menu  # type: ignore[attr-defined]
    pages = ("/", "/childview/list/", "/visitview/list/", "/account/")

    for visitor in (office, leader, office):
        for language in ("en", "zh"):
            visitor.get(f"/lang/{language}")
            for url in (*pages, *pages):
                with visitor:
                    answer = visitor.get(url)
                    if answer.status_code != 200:
                        continue  # the page of a refusal has no menu
                    page = answer.get_data(as_text=True)
                    kept = menu.drawn()
                    menu._drawn.clear()
                    assert menu.drawn() == kept
                    assert kept in page
                    assert_shows_the_place(kept, url)


def assert_shows_the_place(menu: str, url: str) -> None:
    """See that the page's own entry is marked, and that the group around a mark is open."""
    tree = BeautifulSoup(menu, "html.parser")
    links = {str(link["href"]) for link in tree.select("a")}
    marked = tree.select("a[aria-current]")

    assert [link["href"] for link in marked if link["aria-current"] == "page"] == [
        link for link in (url,) if link in links
    ]
    for group in tree.select("details"):
        assert group.has_attr("open") == bool(group.select("a[aria-current]"))
    assert not {"\x00", "\x01"} & set(menu)


def test_the_names_of_a_menu_are_listed_once_however_many_groups_there_are() -> None:
    menu = BureauMenu()
    for group in range(20):
        for entry in range(3):
            menu.add_link(f"{group}.{entry}", href="/", category=f"group {group}")

    assert len(menu.get_flat_name_list()) == 80


def test_kept_templates_follow_the_filters(tmp_path: Path) -> None:
    def plain(value: str) -> str:
        return f"plain {value}"

    @pass_context
    def knowing(_context: Context, value: str) -> str:
        return f"knowing {value}"

    for shout in (plain, knowing, plain):
        environment = Environment(loader=DictLoader({"page": "{{ 'row' | shout }}"}))
        environment.filters["shout"] = shout
        environment.bytecode_cache = KeptTemplates(tmp_path, environment)

        assert environment.get_template("page").render() == f"{shout.__name__} row"

    assert list(tmp_path.iterdir())
