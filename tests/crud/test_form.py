"""Bad input: the form comes back, the field named and everything typed, nothing stored."""

from __future__ import annotations

from datetime import date

import pytest
import time_machine
from sqlalchemy import func, select

from app.clock import now
from app.models import Change, Child, Guardian, Person, School, StatusEvent, Township
from tests.conftest import CountyBuilder, Login, Visitor
from tests.visitor import read

SCHOOL = {"name": "青山小学", "code": "QS1", "kind": "primary"}


def field_errors(response) -> dict[str, str]:
    """Return the error text beside each field."""
    found = read(response).select("[id$=-error]")
    return {
        str(part["id"]).removesuffix("-error"): part.get_text(" ", strip=True) for part in found
    }


def typed(response, name: str) -> str:
    field = read(response).select_one(f"[name={name}]")
    if field.name == "select":
        chosen = field.select_one("option[selected]")
        return str(chosen["value"]) if chosen else ""
    return (
        field.get_text().strip("\r\n") if field.name == "textarea" else str(field.get("value", ""))
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("code", "x" * 21),
        ("name", ""),
        ("name", "a\x00b"),
        ("name", "a\x07b"),
        ("name", "x" * 5000),
        ("kind", "palace"),
        ("township", "999999"),
        ("township", "-1"),
        ("township", "abc"),
        ("township", "99999999999999999999"),
        ("township", ""),
        ("opened_on", "2026-02-30"),
        ("opened_on", "yesterday"),
        ("opened_on", "0001-01-01"),
        ("opened_on", "9999-12-31"),
        ("closed_on", "2020-01-01"),
    ],
)
def test_a_refused_form_names_the_field_and_keeps_the_rest(
    field: str, value: str, admin: Visitor, county: CountyBuilder
) -> None:
    data = {
        **SCHOOL,
        "township": str(county.a_township.id),
        "opened_on": "2024-09-01",
        field: value,
    }

    answer = admin.submit("/schoolview/add", data)

    assert answer.status_code == 200
    assert field in field_errors(answer)
    for name in ("name", "code", "opened_on"):
        if name != field:
            assert typed(answer, name) == data[name]
    assert county.scalar(select(func.count(School.id)).where(School.code == "QS1")) == 0


@pytest.mark.parametrize(
    "name", ["'; DROP TABLE school; --", "<script>alert(1)</script>", "%_\\", "𠮷野家", "{{7*7}}"]
)
def test_hostile_texts_are_stored_and_shown_as_they_are(name, admin, county):
    data = {**SCHOOL, "township": county.a_township.id, "name": name}

    answer = admin.submit("/schoolview/add", data)

    assert "/show/" in answer.request.path
    assert read(answer).find(string=lambda text: text and name in text)
    assert county.scalar(select(School.name).where(School.code == "QS1")) == name
    found = admin.soup(f"/schoolview/list/?_flt_0_name={name.replace('%', '%25')}")
    assert len(found.select("tbody tr")) == 1


def test_an_optional_text_left_empty_is_nothing(admin, county):
    admin.submit("/schoolview/add", {**SCHOOL, "township": county.a_township.id, "address": "  "})

    assert county.scalar(select(School.address).where(School.code == "QS1")) is None


def test_a_code_that_exists_is_said_beside_the_field(admin, county):
    school = county.school()

    data = {**SCHOOL, "township": county.a_township.id, "code": school.code}
    answer = admin.submit("/schoolview/add", data)

    assert list(field_errors(answer)) == ["code"]
    assert typed(answer, "name") == SCHOOL["name"]


def test_a_foreign_key_reads_like_a_missing_one_and_both_are_logged(
    login: Login, county: CountyBuilder
) -> None:
    other = county.school(township=county.township("外镇"))
    clerk = login("school_clerk", school=county.a_school)
    data = {"school_person": "李", "township_person": "王", "valid_from": "2026-03-05"}

    foreign = clerk.submit("/liaisoncontactview/add", {**data, "school": other.id})
    missing = clerk.submit("/liaisoncontactview/add", {**data, "school": 999999})

    assert field_errors(foreign) == field_errors(missing) != {}
    logged = select(func.count(Change.id)).where(
        Change.action == "refuse", Change.table_name == "school"
    )
    assert county.scalar(logged) == 2


def test_foreign_rows_are_not_found_on_any_method(login, county):
    other = county.school(township=county.township("外镇"))
    clerk = login("supervision_office")
    own = login("school_clerk", school=county.a_school)
    contact = clerk.submit(
        "/liaisoncontactview/add",
        {
            "school": other.id,
            "school_person": "李",
            "township_person": "王",
            "valid_from": "2026-03-05",
        },
    ).request.path.rsplit("/", 1)[1]

    assert own.get(f"/liaisoncontactview/show/{contact}").status_code == 404
    assert own.get(f"/liaisoncontactview/edit/{contact}").status_code == 404
    assert own.post_with_token(f"/liaisoncontactview/edit/{contact}").status_code == 404
    assert own.get(f"/schoolview/show/{other.id}").status_code == 404
    assert str(other) not in own.get("/schoolview/list/").get_data(as_text=True)


def test_a_second_submit_of_the_same_form_leads_to_the_first_record(admin, county):
    page = admin.get("/schoolview/add")
    form = read(page).select_one("main form[method=post]")
    data = {**SCHOOL, "township": county.a_township.id}

    first = admin.send(form, "/schoolview/add", data)
    second = admin.send(form, "/schoolview/add", data)

    assert first.request.path == second.request.path
    assert county.scalar(select(func.count(School.id)).where(School.code == "QS1")) == 1


def test_a_change_in_between_is_told_and_nothing_typed_is_lost(admin, county):
    school = county.school(address="旧址")
    url = f"/schoolview/edit/{school.id}"
    form = read(admin.get(url)).select_one("main form[method=post]")
    admin.submit(url, {"address": "别人的新址"})

    answer = admin.send(form, url, {"address": "我的新址"})

    assert "别人的新址" in field_errors(answer)["address"]
    assert typed(answer, "address") == "我的新址"
    assert county.scalar(select(School.address).where(School.id == school.id)) == "别人的新址"

    again = admin.send(read(answer).select_one("main form[method=post]"), url)

    assert again.request.path == f"/schoolview/show/{school.id}"
    assert county.scalar(select(School.address).where(School.id == school.id)) == "我的新址"


def test_a_form_without_its_version_stores_nothing(admin, county):
    school = county.school(address="旧址")

    admin.submit(f"/schoolview/edit/{school.id}", {"address": "新址", "row_version": None})

    assert county.scalar(select(School.address).where(School.id == school.id)) == "旧址"


def test_a_database_error_shows_a_fixed_text_and_a_number(admin, county, app, monkeypatch, caplog):
    view = next(v for v in app.appbuilder.baseviews if type(v).__name__ == "SchoolView")
    secret = "四小李"[::-1]

    def fail(_item):
        from app.extensions import db

        asked = f"SELECT secret_column FROM nowhere WHERE name = '{secret}'"
        db.session.execute(db.text(asked))

    monkeypatch.setattr(view, "pre_add", fail)

    answer = admin.submit("/schoolview/add", {**SCHOOL, "township": county.a_township.id})

    text = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert typed(answer, "name") == SCHOOL["name"]
    number = caplog.records[-1].args[0]
    assert number in text
    for hidden in ("nowhere", "secret_column", secret, "Error"):
        assert hidden not in text
    assert secret not in caplog.text


def test_a_refusal_rolls_back_what_was_changed(admin, county, app, monkeypatch):
    from app.base import Refused

    school = county.school(address="旧址")
    view = next(v for v in app.appbuilder.baseviews if type(v).__name__ == "SchoolView")

    def refuse(item, *, is_new):
        raise Refused("今天不办理")

    monkeypatch.setattr(view, "saved", refuse)
    answer = admin.submit(f"/schoolview/edit/{school.id}", {"address": "新址"})

    assert "今天不办理" in answer.get_data(as_text=True)
    assert typed(answer, "address") == "新址"
    assert county.scalar(select(School.address).where(School.id == school.id)) == "旧址"


def test_a_referenced_row_is_not_deleted_and_says_what_refers_to_it(admin, county):
    county.school_class()

    answer = admin.post_with_token(
        f"/schoolview/delete/{county.a_school.id}", follow_redirects=True
    )

    assert "班级" in answer.get_data(as_text=True) or "Classes" in answer.get_data(as_text=True)
    assert county.scalar(select(School.id).where(School.id == county.a_school.id))


def test_nothing_is_deleted_without_a_token(admin, county):
    school = county.school()

    assert admin.post(f"/schoolview/delete/{school.id}").status_code == 400
    assert county.scalar(select(School.id).where(School.id == school.id))


def test_a_school_moves_with_its_place(admin, county):
    there = county.township("新镇")
    school = county.school()

    admin.submit(f"/schoolview/edit/{school.id}", {"township": there.id})

    assert county.scalar(select(School.township_id).where(School.id == school.id)) == there.id


def test_a_person_takes_the_place_of_who_enters_him(login, county):
    clerk = login("school_clerk", school=county.a_school)

    clerk.submit("/personview/add", {"name": "新教师"})

    row = county.scalar(select(Person).where(Person.name == "新教师"))
    assert (row.school_id, row.township_id) == (county.a_school.id, county.a_township.id)


def test_unknown_actions_and_rows_are_not_found(admin, county):
    assert admin.post_with_token("/schoolview/action/nothing/1").status_code == 404
    assert admin.post_with_token("/schoolview/action_post", {"action": "x"}).status_code == 404
    assert admin.get("/schoolview/action/nothing/1").status_code == 405


ID_NUMBER = "000000201203150019"


def test_an_id_number_is_checked_masked_and_found(admin, county):
    data = {"name": "莫小明", "id_kind": "resident", "school": county.a_school.id}
    data["status"] = county.scalar(select(Child.status_id).where(Child.id == county.child().id))

    wrong = admin.submit("/childview/add", {**data, "id_number": ID_NUMBER[:-1] + "8"})
    assert "id_number" in field_errors(wrong)
    right = admin.submit("/childview/add", {**data, "id_number": ID_NUMBER})

    shown = right.get_data(as_text=True)
    assert "000000********0019" in shown
    assert ID_NUMBER not in shown
    with county.context():
        child = county.scalar(select(Child).where(Child.name == "莫小明"))
        assert (child.sex, child.born_on) == ("male", date(2012, 3, 15))
    listed = admin.get(f"/childview/list/?_flt_0_id_number={ID_NUMBER}").get_data(as_text=True)
    assert f"/childview/show/{child.id}" in listed
    assert ID_NUMBER not in admin.get(f"/childview/edit/{child.id}").get_data(as_text=True)
    admin.submit(f"/childview/edit/{child.id}", {"village": "大榕村"})
    with county.context():
        kept = county.scalar(select(Child).where(Child.name == "莫小明"))
        assert (kept.id_number, kept.village) == (ID_NUMBER, "大榕村")


def test_a_second_child_with_the_same_number_is_refused_at_the_field(admin, county):
    child = county.child(id_number=ID_NUMBER)
    data = {
        "name": "同号",
        "id_kind": "resident",
        "id_number": ID_NUMBER,
        "school": county.a_school.id,
        "status": child.status_id,
    }

    answer = admin.submit("/childview/add", data)

    assert list(field_errors(answer)) == ["id_number"]


def test_a_status_changes_by_allowed_steps_only(admin, county):
    from tests.crud.example import status

    child = county.child()
    data = {"child": child.id, "happened_on": "2025-10-10", "basis": "家访"}

    refused = admin.submit("/statuseventview/add", {**data, "status": status(county, "returned")})
    assert "status" in field_errors(refused)
    allowed = admin.submit("/statuseventview/add", {**data, "status": status(county, "suspected")})

    assert "/show/" in allowed.request.path
    assert county.scalar(select(func.count(StatusEvent.id))) == 1
    now = county.scalar(select(Child.status_id).where(Child.id == child.id))
    assert now == status(county, "suspected")
    assert "status" not in {
        str(field["name"]) for field in admin.soup(f"/childview/edit/{child.id}").select("[name]")
    }


def test_a_new_child_begins_its_history(admin, county):
    from tests.crud.example import EXAMPLES

    admin.submit("/childview/add", EXAMPLES["ChildView"].add(county))

    assert county.scalar(select(func.count(StatusEvent.id))) == 1


def test_a_read_of_a_child_is_recorded(login, county):
    child = county.child()
    office = login("supervision_office")

    office.get(f"/childview/show/{child.id}")

    read_entries = select(func.count(Change.id)).where(
        Change.action == "read", Change.table_name == "child", Change.row_id == child.id
    )
    assert county.scalar(read_entries) == 1


def test_related_lists_need_their_own_permission(login, county, monkeypatch):
    from app.security import roles

    person = county.person("班主任", place=county.a_school)
    own_class = county.school_class(teacher_id=person.id)
    child = county.child(school_class=own_class)
    county.add(Guardian(child_id=child.id, name="莫大", **county.scope_of(county.a_school)))
    teacher = login("class_teacher", school=county.a_school, person=person)
    url = f"/childview/show/{child.id}"
    assert "莫大" in teacher.get(url).get_data(as_text=True)

    kept = roles.RoleTemplate.allows
    monkeypatch.setattr(
        roles.RoleTemplate,
        "allows",
        lambda self, permission, view: view != "GuardianView" and kept(self, permission, view),
    )
    county.app.extensions.pop("permission_sets", None)

    assert "莫大" not in teacher.get(url).get_data(as_text=True)
    assert teacher.get("/guardianview/list/").status_code == 403
    county.app.extensions.pop("permission_sets", None)


def test_a_township_without_schools_is_deleted(admin, county):
    township = county.township("空镇")

    admin.post_with_token(f"/townshipview/delete/{township.id}")

    assert county.scalar(select(Township.id).where(Township.id == township.id)) is None


def test_an_empty_form_that_is_kept_is_the_form_with_tokens_of_its_own(admin, county, app):
    views = {type(view).__name__: view for view in app.appbuilder.baseviews}

    for language in ("en", "zh"):
        admin.get(f"/lang/{language}")
        for name in ("VisitView", "ChildView", "SchoolView"):
            view = views[name]
            view._blank_form._kept.clear()
            with time_machine.travel(now(), tick=False):  # tokens against forgery hold the second
                pages = [admin.get(f"{view.route_base}/add") for _ in range(2)]
                plain = admin.get(f"{view.route_base}/add?_flt_0_nothing=1")  # not the kept one
            forms = [read(page).select_one("main form[method=post]") for page in [*pages, plain]]
            tokens = [str(form.select_one("[name=submit_token]")["value"]) for form in forms]
            bare = [str(form).replace(token, "") for form, token in zip(forms, tokens, strict=True)]

            assert view._blank_form._kept[language] is not None
            assert len(set(tokens)) == 3
            assert bare[0] == bare[1] == bare[2]


def test_a_form_begins_with_the_only_place_of_its_reader_and_with_the_row_it_came_from(
    login, admin, county
):
    child = county.child("覃小明")
    admin.get("/visitview/add")

    opened = admin.soup(f"/visitview/add?_flt_0_child={child.id}")
    clerk = login("school_clerk", school=county.a_school).soup("/liaisoncontactview/add")

    assert "覃小明" in opened.select_one("#child option[selected]").get_text()
    assert clerk.select_one("#school option[selected]")["value"] == str(county.a_school.id)
