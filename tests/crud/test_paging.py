"""Long lists: pages go on from row to row, rows are read as tuples, an index holds their order."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from flask import Flask, g
from flask_babel import force_locale
from sqlalchemy import insert, text

from app.crud import interface
from app.crud.arguments import LAST_PAGE
from app.crud.base import BureauModelView
from app.crud.interface import BureauInterface
from app.crud.paging import Cursor, Part
from app.extensions import db
from app.models import Child, Visit
from app.security.scope import EVERYTHING, Scope
from tests.conftest import CountyBuilder, Login, Visitor
from tests.crud.test_statements import every_list, fill

ROWS, SIZE = 47, 10
DAY = date(2026, 3, 2)


@pytest.fixture
def visits(county: CountyBuilder) -> list[int]:
    """Add visits, some on the same day; return their keys, the newest first."""
    child = county.child("覃小明")
    place = county.scope_of(county.a_school)
    rows = [
        Visit(child_id=child.id, kind="home", visited_on=DAY + timedelta(days=n // 3), **place)
        for n in range(ROWS)
    ]
    for row in rows:
        county.session.add(row)
    county.session.commit()
    return [row.id for row in sorted(rows, key=lambda row: (row.visited_on, row.id), reverse=True)]


def keys_of(page) -> list[int]:
    """Return the keys of the rows that a list shows."""
    return [int(link["href"].rpartition("/")[2]) for link in page.select("td a.row-link")]


def step(page, label: str) -> str | None:
    """Return the address of a step to another page."""
    link = page.select_one(f'.pages a[aria-label="{label}"]')
    return str(link["href"]) if link else None


def walk(visitor: Visitor, url: str | None, label: str) -> list[list[int]]:
    """Return the keys of a page and of all that follow by one kind of step."""
    pages = []
    while url:
        assert len(pages) < ROWS
        page = visitor.soup(url)
        pages.append(keys_of(page))
        url = step(page, label)
    return pages


@pytest.mark.parametrize(
    "order", ["", "&_oc_VisitView=visited_on&_od_VisitView=asc", "&_oc_VisitView=next_on"]
)
def test_pages_beyond_the_count_hold_every_row_once(
    order: str, admin: Visitor, visits: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interface, "COUNT_CAP", 2 * SIZE)
    admin.get("/lang/en")

    pages = walk(admin, f"/visitview/list/?psize_VisitView={SIZE}{order}", "Next page")

    assert [len(page) for page in pages] == [10, 10, 10, 10, 7]
    keys = [key for page in pages for key in page]
    assert sorted(keys) == sorted(visits)
    expected = {"": visits, "&_oc_VisitView=next_on": sorted(visits)}
    assert keys == expected.get(order, visits[::-1])


def test_the_last_page_leads_back_to_the_first(
    admin: Visitor, visits: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interface, "COUNT_CAP", 2 * SIZE)
    admin.get("/lang/en")
    first = admin.soup(f"/visitview/list/?psize_VisitView={SIZE}")

    last = admin.soup(str(step(first, "Last page")))
    pages = walk(admin, str(step(first, "Last page")), "Previous page")

    assert "20+" in first.select_one(".record-count").get_text()
    assert keys_of(last) == visits[-SIZE:]
    assert step(last, "Next page") is None
    assert [key for page in reversed(pages) for key in page] == visits
    assert keys_of(admin.soup(str(step(last, "First page")))) == visits[:SIZE]


def test_a_place_in_a_list_that_is_gone_or_foreign_shows_no_foreign_row(
    login: Login, county: CountyBuilder, visits: list[int]
) -> None:
    other = county.school(township=county.township("外镇"))
    child = county.child(school=other)
    foreign = county.add(
        Visit(child_id=child.id, kind="home", visited_on=DAY, **county.scope_of(other))
    )
    leader = login("township_leader", township=county.a_township)

    for place in (foreign.id, 999_999, "x", -1, "1%20OR%201=1", "end"):
        for side in ("after", "before"):
            page = leader.soup(f"/visitview/list/?{side}_VisitView={place}&page_VisitView=3")
            assert foreign.id not in keys_of(page), (side, place)


def test_pages_of_a_short_list_are_numbered(admin: Visitor, visits: list[int]) -> None:
    admin.get("/lang/en")

    page = admin.soup(f"/visitview/list/?psize_VisitView={SIZE}&page_VisitView=4")

    assert keys_of(page) == visits[-7:]
    assert step(page, "Next page") is None
    assert step(page, "Page 3")
    assert not re.search("(after|before)_VisitView", str(page.select_one(".pages")))


def parts(view: BureauModelView) -> list[Part]:
    """Return some parts of a view's list: near, far, and from a place on."""
    order = view.base_order or ("", "asc")
    return [Part(0, 7, *order), Part(2, 7, *order), Part(1, 7, *order, Cursor(5))]


def test_tuples_say_what_the_rows_would_say(
    admin: Visitor, county: CountyBuilder, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(county, 30)
    admin.get("/")
    read = 0

    for language in ("zh", "en"):
        with app.test_request_context("/"), force_locale(language):
            g.scope = EVERYTHING
            for view in every_list(app):
                datamodel: BureauInterface = view.datamodel
                columns = tuple(view.list_columns)
                reading = datamodel._reading(columns, view.formatters_columns)
                if reading is None:
                    continue
                read += 1
                for part in parts(view)[: 3 if language == "zh" else 1]:
                    assert said(view, part) == said(view, part, by_rows=True, patch=monkeypatch)

    assert read > 20


def said(
    view: BureauModelView,
    part: Part,
    *,
    by_rows: bool = False,
    patch: pytest.MonkeyPatch | None = None,
) -> list[tuple[int, list[str]]]:
    """Return the keys and texts of a part, read as tuples or as rows."""
    filters = view._filter_prototype.none()
    arguments = (part, filters, view.list_columns, view.list_joins, view.formatters_columns)
    if by_rows and patch is not None:
        with patch.context() as rows_only:
            rows_only.setattr(BureauInterface, "_reading", lambda *_args: None)
            found = view.datamodel.find(*arguments)
    else:
        found = view.datamodel.find(*arguments)
    return [
        (key, [str(value) for value in values.values()])
        for key, values in zip(found.keys, found.values, strict=True)
    ]


@pytest.mark.parametrize(
    "scope",
    [
        EVERYTHING,
        Scope("county", 1),
        Scope("township", 1, frozenset({1})),
        Scope("schools", 1, school_ids=frozenset({1})),
    ],
    ids=lambda scope: scope.kind,
)
def test_the_children_of_a_scope_stand_in_an_index_in_their_order(
    scope: Scope, app: Flask, county: CountyBuilder, explain: Callable[..., str]
) -> None:
    child = county.child()
    table = Child.__table__
    same = {c.name: getattr(child, c.key) for c in table.columns if c.name != "id"}
    # A county of one school is walked in any order: there is nothing to choose.
    schools = [county.a_school, *(county.school(f"学校{n}", county.township()) for n in range(4))]
    places = [{"school_id": one.id, "township_id": one.township_id} for one in schools]
    for place in places:
        rows = [{**same, **place, "name": f"学生{n}"} for n in range(600)]
        county.execute(insert(table).values(rows))

    with app.test_request_context("/"):
        g.scope = scope
        for part in (Part(0, 25, "", "asc"), Part(1, 25, "", "asc", Cursor(300))):
            plan = explain(lambda part=part: list_children(app, part))
            assert not re.search("TEMP B-TREE|Sort", plan), (part, plan)
        plan = explain(lambda: list_children(app, Part(20, 25, "", "asc")))

    assert re.search("COVERING INDEX ix_child|Index Only Scan", plan), plan


def list_children(app: Flask, part: Part) -> None:
    """List children as the page does."""
    view = next(v for v in every_list(app) if type(v).__name__ == "ChildView")
    filters = view._filter_prototype.none()
    view.datamodel.find(part, filters, view.list_columns, (), view.formatters_columns)


@pytest.fixture
def explain(app: Flask) -> Callable[..., str]:
    """Return a function that gives the plans of what another one reads from child."""

    def run(read: Callable[[], None]) -> str:
        from tests.crud.conftest import recorded_with_values

        with recorded_with_values(app) as seen:
            read()
        engine = db.engine
        asked = "EXPLAIN QUERY PLAN" if engine.dialect.name == "sqlite" else "EXPLAIN"
        plans = []
        with engine.connect() as connection:
            connection.execute(text("ANALYZE"))
            if engine.dialect.name == "postgresql":
                connection.execute(text("SET LOCAL enable_seqscan = off"))
                connection.execute(text("SET LOCAL enable_bitmapscan = off"))
                connection.execute(text("SET LOCAL enable_hashjoin = off"))
            for statement, values in seen:
                if "FROM child" in statement:
                    rows = connection.exec_driver_sql(f"{asked} {statement}", values)
                    plans += [str(row[-1]) for row in rows]
        return "\n".join(plans)

    return run


def test_beyond_the_end_stands_the_last_page(admin: Visitor, visits: list[int]) -> None:
    page = admin.soup(f"/visitview/list/?page_VisitView={LAST_PAGE * 10}")

    assert keys_of(page) == visits[-(ROWS % 25) :]
