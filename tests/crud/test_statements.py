"""Part 12: count statements: a list page needs few, whatever rows, views and plugins there are."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Boolean, Date, Integer

from app.base import Model
from app.columns import UtcDateTime
from app.crud.base import BureauModelView
from tests.conftest import CountyBuilder, Visitor
from tests.security.planting import Planter

ALLOWED = 4
A_PAGE = 25
FIRST_MARK = ord("一")
BASELINE = "/lookup/school?id=0"
"""A page that runs nothing but what every request runs: session, user, version, scope."""


def fill(county: CountyBuilder, rows: int) -> None:
    """Add rows to every table that a core list shows, straight into the database."""
    school, child, person = county.a_school, county.child(), county.person()
    school_class = county.school_class()
    place = county.scope_of(school)
    known = {
        "county_id": place["county_id"],
        "township_id": place["township_id"],
        "school_id": place["school_id"],
        "child_id": child.id,
        "person_id": person.id,
        "class_id": school_class.id,
        "school_year_id": county.year.id,
    }
    for table in Model.metadata.sorted_tables:
        if table.name in FILLED:
            county.execute(table.insert().values([row_of(table, n, known) for n in range(rows)]))


FILLED = {
    "township", "school", "school_class", "person", "child", "visit", "guardian", "liaison_contact",
    "enrolment", "status_event", "calendar_day", "liaison_assignment", "violation", "change",
    "policy_document", "appointment", "calendar_exception", "obligation", "evidence_set",
    "rule_run", "code", "parameter", "semester", "due_item", "digest",
}  # fmt: skip


def row_of(table, n: int, known: dict) -> dict:
    """Return a row with something plausible in every column that needs a value."""
    row = {}
    for column in table.columns:
        if column.primary_key:
            continue
        if column.name in known:
            row[column.name] = known[column.name]
        elif column.foreign_keys:
            if not column.nullable:
                row[column.name] = 1
        elif column.nullable:
            continue
        else:
            row[column.name] = value_of(column, n)
    if table.name == "obligation":
        row["period_start"] = date.fromordinal(735000 + n)
    return row


def value_of(column, n: int):
    plain = {"domain": "visit_reason", "search_key": f"bulk{n}"}
    if column.name in plain:
        return plain[column.name]
    for kind, value in (
        (UtcDateTime, datetime(2026, 1, 1, tzinfo=UTC)),
        (Boolean, True),
        (Integer, 1),
        (Date, date.fromordinal(736000 + n)),
    ):
        if isinstance(column.type, kind):
            return value
    return f"bulk{column.name[:4]}{n}"[: column.type.length or 40]


def plant(app, county: CountyBuilder, times: int) -> None:
    """Add rows to every other table of a place, plugins' tables included, each with its parents."""
    for number in range(times):
        Planter(app, county.a_school, chr(FIRST_MARK + number)).plant()


def every_list(app) -> list[BureauModelView]:
    """Return all views with a list, those of plugins included."""
    return [
        view
        for view in app.appbuilder.baseviews
        if isinstance(view, BureauModelView) and "list" not in view.exclude_route_methods
    ]


@pytest.mark.parametrize("rows", [10, 500])
def test_a_list_page_runs_at_most_four_statements(
    rows: int, admin: Visitor, county: CountyBuilder, app, statements
) -> None:
    fill(county, rows)
    plant(app, county, min(rows, A_PAGE))
    admin.get("/")
    every_request = len(statements(admin, BASELINE))

    too_many, empty, filled = {}, set(), set()
    for view in every_list(app):
        first = admin.get(f"{view.route_base}/list/")  # draws the search panel once
        shows_rows = "row-link" in first.get_data(as_text=True)
        (filled if shows_rows else empty).add(view.datamodel.obj.__tablename__)
        seen = statements(admin, f"{view.route_base}/list/")
        if len(seen) - every_request > ALLOWED:
            too_many[type(view).__name__] = seen

    assert not too_many
    # Those of a job come from the server alone; other lists of a table may show a part of its rows.
    assert empty - filled <= {"job"}


def test_no_page_loads_a_table_into_a_drop_down(admin: Visitor, county: CountyBuilder, app) -> None:
    fill(county, 300)

    for view in every_list(app):
        for page in ("list/", "add"):
            if page.strip("/") in view.exclude_route_methods:
                continue
            answer = admin.get(f"{view.route_base}/{page}", follow_redirects=True)
            assert answer.status_code in {200, 404}, (view.route_base, page)
            text = answer.get_data(as_text=True)
            options = text.count("<option") + text.count("\\u003coption")
            assert options < 150, (view.route_base, page, options)
            forms = text[: text.find("<tbody")] if "<tbody" in text else text
            assert "bulkname250" not in forms, (view.route_base, page)


def test_a_form_that_comes_back_loads_no_table(admin, county, statements):
    fill(county, 300)

    answer = admin.submit("/visitview/add", {"child": "", "kind": "home", "visited_on": "nonsense"})

    assert answer.get_data(as_text=True).count("<option") < 60


def test_the_count_stops_at_its_cap(admin, county, monkeypatch):
    from app.crud import interface

    fill(county, 60)
    monkeypatch.setattr(interface, "COUNT_CAP", 40)

    text = admin.get("/childview/list/").get_data(as_text=True)

    assert "40+" in text


def test_pages_hold_every_row_once(admin, county):
    fill(county, 60)
    seen: list[str] = []

    for page in range(3):
        soup = admin.soup(
            f"/childview/list/?page_ChildView={page}&_oc_ChildView=sex&_od_ChildView=asc"
        )
        seen += [str(link["href"]) for link in soup.select("td a.row-link")]

    assert len(seen) == len(set(seen)) == 61


def test_a_page_is_as_large_as_allowed_and_no_larger(admin, county):
    fill(county, 200)

    soup = admin.soup("/childview/list/?psize_ChildView=100000")

    assert len(soup.select("tbody tr")) == 100


@pytest.mark.parametrize(
    "query",
    [
        "page_ChildView=abc", "psize_ChildView=-1", "_oc_ChildView=id_number&_od_ChildView=asc",
        "_oc_ChildView=nothing&_od_ChildView=up", "_flt_9_name=x", "_flt_0_nothing=x",
        "_flt_0_born_on=2026-02-30", "_flt_0_school=abc", "_flt_0_school=99999999999999999999",
        "_flt_0_name=%00", "_flt_0_is_boarding=perhaps", "_flt_0_name=%ED%A0%80",
    ],
)  # fmt: skip
def test_an_address_that_makes_no_sense_is_no_error(query, admin, county):
    county.child()

    assert admin.get(f"/childview/list/?{query}").status_code == 200


def test_the_conditions_of_a_search_narrow_the_list(admin, county):
    other = county.school("马岭中学")
    here, there = (
        county.child("覃小明", born_on=date(2012, 5, 1)),
        county.child("韦大力", school=other),
    )
    wanted = {
        "_flt_0_name=覃": here,
        "_flt_0_name=qinxiaoming": here,
        "_flt_0_name=wdl": there,
        f"_flt_0_school={other.id}": there,
        f"_flt_1_school={other.id}": here,
        "_flt_0_born_on=2012-05-01&_flt_1_born_on=2012-05-01": here,
    }

    for query, child in wanted.items():
        links = admin.soup(f"/childview/list/?{query}").select("td a.row-link")
        assert [link.get_text(strip=True) for link in links] == [child.name], query


def test_conditions_of_one_request_do_not_stay(admin, county):
    county.child("覃小明")
    county.child("韦大力")

    admin.get("/childview/list/?_flt_0_name=覃")
    links = admin.soup("/childview/list/").select("td a.row-link")

    assert len(links) == 2


def test_rows_and_their_count_end_at_the_scope(login, county, statements):
    there = county.school("外镇中学", township=county.township("外镇"))
    for number in range(40):
        county.child(f"外{number}", school=there)
    for number in range(30):
        county.child(f"本{number}")
    leader = login("township_leader", township=county.a_township)

    soup = leader.soup("/childview/list/")

    assert "30" in soup.select_one(".record-count").get_text()
    assert not [link for link in soup.select("td a.row-link") if "外" in link.get_text()]
