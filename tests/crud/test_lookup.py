"""Lookups: by characters, pinyin and initials, within the scope, in one statement."""

from __future__ import annotations

import pytest
from flask_appbuilder.security.sqla.models import Permission, PermissionView, Role, ViewMenu
from sqlalchemy import select

from app.models import ChildStatus, ChildStatusStep, Code
from tests.conftest import CountyBuilder, Login, Visitor, log_in


def texts(visitor, url: str) -> list[str]:
    answer = visitor.get(url)
    assert answer.status_code == 200, answer.status_code
    return [row["text"] for row in answer.get_json()["results"]]


@pytest.mark.parametrize(
    "typed", ["覃小明", "小明", "qinxiaoming", "qxm", "QinXiao", "tanxiaoming"]
)
def test_a_child_is_found_by_characters_pinyin_and_initials(
    typed: str, login: Login, county: CountyBuilder
) -> None:
    county.child("覃小明")
    county.child("韦大力")
    office = login("supervision_office")

    found = texts(office, f"/lookup/child?q={typed}")

    assert found == ["覃小明 · 修仁中学"]


def test_a_lookup_ends_at_the_scope(login, county):
    county.child("覃小明", school=county.school(township=county.township("外镇")))
    own = county.child("覃大力")
    leader = login("township_leader", township=county.a_township)

    assert texts(leader, "/lookup/child?q=覃") == ["覃大力 · 修仁中学"]
    foreign = [texts(leader, f"/lookup/child?id={key}") for key in range(1, own.id + 1)]
    assert sum(map(len, foreign)) == 1


def test_a_lookup_runs_one_statement(login, county, statements):
    for number in range(60):
        county.child(f"学生{number}")
    office = login("supervision_office")
    office.get("/")
    every_request = len(statements(office, "/lookup/school?id=0"))

    assert len(statements(office, "/lookup/child?q=xs")) - every_request == 1


def test_pages_tell_whether_there_are_more(login, county):
    for number in range(45):
        county.child(f"学生{number}")
    office = login("supervision_office")

    pages = [office.get(f"/lookup/child?q=学生&page={page}").get_json() for page in (1, 2, 3)]

    assert [len(page["results"]) for page in pages] == [20, 20, 5]
    assert [page["more"] for page in pages] == [True, True, False]
    assert len({row["id"] for page in pages for row in page["results"]}) == 45


def test_one_row_is_named_by_its_key(login, county):
    office = login("supervision_office")

    assert texts(office, f"/lookup/school?id={county.a_school.id}") == ["修仁中学"]
    assert texts(office, "/lookup/school?id=abc") == []


def test_codes_are_narrowed_to_a_domain(login, county):
    office = login("supervision_office")
    county.add(Code(domain="visit_reason", key="only_here", name="独此一项"))

    assert texts(office, "/lookup/code?domain=visit_reason&q=独此一项") == ["独此一项"]
    assert texts(office, "/lookup/code?domain=special_group&q=独此一项") == []


def test_statuses_are_narrowed_to_those_that_a_child_may_take(login, county):
    foreign = county.child(school=county.school(township=county.township("外镇")))
    own = county.child()
    leader = login("township_leader", township=county.a_township)
    steps = select(ChildStatus.name).join(ChildStatusStep, ChildStatusStep.to_id == ChildStatus.id)
    allowed = county.all(steps.where(ChildStatusStep.from_id == own.status_id))

    offered = texts(leader, f"/lookup/child_status?child_id={own.id}")

    assert sorted(offered) == sorted(allowed)
    assert texts(leader, f"/lookup/child_status?child_id={foreign.id}") == []
    assert texts(leader, "/lookup/child_status?child_id=x") == []
    assert len(texts(leader, "/lookup/child_status")) > len(allowed)


def test_the_status_of_a_change_is_looked_up_beside_its_child(admin):
    form = admin.soup("/statuseventview/add")

    assert form.select_one("select#status")["data-beside"] == "child_id=child"


def test_a_code_of_another_domain_is_refused(login, county):
    office = login("supervision_office")
    child = county.child()
    wrong = county.add(Code(domain="special_group", key="not_a_method", name="不是方式"))
    data = {"child": child.id, "kind": "home", "visited_on": "2025-11-03", "method": wrong.id}

    answer = office.submit("/visitview/add", data)

    assert answer.request.path == "/visitview/add"
    assert "method-error" in answer.get_data(as_text=True)


def test_a_lookup_is_open_to_those_who_read_the_rows_or_name_them_in_a_form(login, county):
    county.child("覃小明")
    entry = county.scalar(select(ViewMenu).filter_by(name="AttendanceEntryView"))
    may_list = county.scalar(
        select(PermissionView)
        .join(PermissionView.permission)
        .where(Permission.name == "can_list", PermissionView.view_menu_id == entry.id)
    )
    role = county.add(Role(name="考勤员", permissions=[may_list]))
    clerk = county.person()
    tables = {
        "system_administrator": ("school", "child", "enrolment", "finding"),
        "security_administrator": ("person", "child", "guardian", "inspection"),
        "class_teacher": ("visit", "finding", "obligation", "appointment"),
    }

    for template, (own, *others) in tables.items():
        place = county.a_school if template == "class_teacher" else None
        visitor = login(template, school=place)
        assert visitor.get(f"/lookup/{own}").status_code == 200
        for table in others:
            for query in ("q=覃", "id=1"):
                answer = visitor.get(f"/lookup/{table}?{query}")
                assert answer.status_code == 404, f"{template} {table}"
    user = county.account(clerk)
    county.appointment(clerk, "system_administrator", role_id=role.id)

    assert texts(log_in(client_of(county), user.username), "/lookup/child?q=覃") == [
        "覃小明 · 修仁中学"
    ]


def client_of(county: CountyBuilder) -> Visitor:
    county.app.test_client_class = Visitor
    return county.app.test_client()  # type: ignore[return-value]


@pytest.mark.parametrize(
    "table", ["account", "change", "submit_token", "ab_user", "nothing", "plugin_state"]
)
def test_tables_that_are_nobodys_to_read_have_no_lookup(table, admin):
    assert admin.get(f"/lookup/{table}").status_code == 404


@pytest.mark.parametrize(
    "query", ["q=%00", "page=abc", "page=-1", "page=99999999999", "domain=%00", "q=%25"]
)
def test_an_address_that_makes_no_sense_finds_nothing_wrong(query, login, county):
    county.child("覃小明")

    assert login("supervision_office").get(f"/lookup/code?{query}").status_code == 200


def test_a_school_id_that_is_no_number_finds_nothing(login, county):
    county.school_class()

    assert texts(login("supervision_office"), "/lookup/school_class?school_id=x") == []


def test_strangers_are_sent_to_the_login(client):
    answer = client.get("/lookup/child?q=a")

    assert answer.status_code in {302, 401}
