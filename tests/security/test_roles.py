"""Part 8: templates, three administrators, acting appointments, roles per township."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.base import Refused
from app.extensions import db
from app.models import Appointment, RoleScope
from app.security import appointments
from app.security.permissions import granted
from app.security.roles import TEMPLATES, role_for, sync, template_of
from tests.builder import CountyBuilder
from tests.conftest import Login, log_in
from tests.visitor import Visitor, read

DUTIES = {
    "system_administrator": ("can_edit", "CodeView"),
    "security_administrator": ("can_configure", "RoleScopeView"),
    "audit_administrator": ("can_list", "ChangeView"),
}


def test_every_role_key_has_a_template() -> None:
    assert set(TEMPLATES) == {
        "task_group", "supervision_office", "liaison_leader", "liaison_department",
        "township_leader", "township_cadre", "education_assistant", "school_leader",
        "class_teacher", "school_clerk", "township_clerk", "system_administrator",
        "security_administrator", "audit_administrator",
    }  # fmt: skip


def test_grants_name_views_that_exist(app: Flask) -> None:
    with app.app_context():
        known = {view.class_permission_name for view in app.extensions["appbuilder"].baseviews}

    missing = {
        grant.view for one in TEMPLATES.values() for grant in one.grants if grant.view not in known
    }
    assert missing == set()


def test_three_administrators_hold_exactly_one_duty_each(app: Flask) -> None:
    with app.app_context():
        held = {
            key: {duty for duty, pair in DUTIES.items() if pair in granted(key)}
            for key in TEMPLATES
        }

    for key, duties in held.items():
        assert duties == ({key} if key in DUTIES else set()), key


def test_the_audit_administrator_reads_and_changes_nothing(app: Flask) -> None:
    with app.app_context():
        pairs = granted("audit_administrator")

    changing = ("can_add", "can_edit", "can_delete", "can_new", "can_configure")
    assert not [pair for pair in pairs if pair[0] in changing]


def test_the_system_administrator_cannot_appoint_himself(
    app: Flask, county: CountyBuilder, login: Login
) -> None:
    visitor = login("system_administrator")

    for path in ("/roles/", "/roles/configure", "/accounts/new", "/accounts/list/"):
        assert visitor.get(path).status_code in {403, 404}, path
    assert (
        visitor.post_with_token("/roles/configure", {"template": "task_group"}).status_code == 403
    )


def test_nobody_appoints_himself_or_resets_himself(
    app: Flask, county: CountyBuilder, login: Login
) -> None:
    person = county.person("安全员")
    visitor = login("security_administrator", person=person)
    count = county.scalar(select(func.count()).select_from(Appointment))

    answer = visitor.submit(
        "/roles/configure", {"template": "task_group", "persons": [str(person.id)]}
    )

    assert read(answer).select_one(".field-error") is not None
    assert county.scalar(select(func.count()).select_from(Appointment)) == count
    for name in ("reset", "lock", "close"):
        visitor.post_with_token(f"/accounts/action/{name}/{person.user_id}", follow_redirects=True)
    assert visitor.get("/account/").status_code == 200


def test_one_screen_configures_townships_and_appoints(
    app: Flask, county: CountyBuilder, login: Login
) -> None:
    towns = [county.township("甲镇"), county.township("乙镇")]
    people = [county.person("王一", towns[0]), county.person("王二", towns[1])]
    visitor = login("security_administrator")

    answer = visitor.submit(
        "/roles/configure",
        {
            "template": "township_leader",
            "townships": [str(town.id) for town in towns],
            "persons": [str(people[0].id)],
        },
    )

    assert answer.status_code == 200
    made = county.all(select(RoleScope.township_id).where(RoleScope.template == "township_leader"))
    assert set(made) >= {town.id for town in towns}
    held = county.all(select(Appointment).where(Appointment.person_id == people[0].id))
    assert {row.township_id for row in held} == {town.id for town in towns}
    assert {row.scope_kind for row in held} == {"township"}
    assert {row.capacity for row in held} == {"township_leader"}
    listed = visitor.get("/roles/").get_data(as_text=True)
    assert "甲镇" in listed


def test_forms_of_offices_and_accounts_that_are_sent_twice_do_their_work_once(
    app: Flask, county: CountyBuilder, login: Login
) -> None:
    person = county.person("王三", county.a_school)
    schools = [county.a_school, county.school()]
    visitor = login("security_administrator")
    office = {
        "template": "school_clerk",
        "schools": [str(one.id) for one in schools],
        "persons": [str(person.id)],
    }
    account = {"person": str(person.id), "username": "wang.san"}

    for url, typed in (("/roles/configure", office), ("/accounts/new", account)):
        form = read(visitor.get(url)).select_one("main form[method=post]")
        for _press in range(2):
            answer = visitor.send(form, url, typed)
            assert read(answer).select_one(".field-error, .has-error") is None
        assert answer.request.path != url
    again = read(visitor.submit("/roles/configure", office))

    held = county.all(select(Appointment).where(Appointment.person_id == person.id))
    assert [{one.school_id for one in row.schools} for row in held] == [{one.id for one in schools}]
    assert again.select_one(".field-error, .has-error") is not None
    office["schools"] = office["schools"][:1]
    visitor.submit("/roles/configure", office)
    assert len(county.all(select(Appointment).where(Appointment.person_id == person.id))) == 2


@pytest.mark.parametrize(
    ("absent", "until", "is_made"),
    [
        ("校长", "2099-01-31", True),
        ("校长", "", False),
        ("专干", "2099-01-31", False),
        ("代理人", "2099-01-31", False),
    ],
)
def test_an_office_is_held_for_somebody_who_is_away_for_a_time_only(
    county: CountyBuilder, login: Login, absent: str, until: str, is_made: bool
) -> None:
    people = {name: county.person(name, county.a_school) for name in ("校长", "专干", "代理人")}
    own = county.appointment(people["校长"], "school_leader", school=county.a_school)
    county.appointment(people["专干"], "school_clerk", school=county.a_school)
    visitor = login("security_administrator")

    answer = visitor.submit(
        "/roles/configure",
        {
            "template": "school_leader",
            "schools": [str(county.a_school.id)],
            "persons": [str(people["代理人"].id)],
            "acting_for": str(people[absent].id),
            "valid_to": until,
        },
    )

    held = county.all(select(Appointment).where(Appointment.person_id == people["代理人"].id))
    assert [row.acting_for_id for row in held] == ([own.id] if is_made else [])
    assert (read(answer).select_one(".field-error") is None) is is_made
    if is_made:
        shown = visitor.get(f"/appointmentview/show/{held[0].id}")
        assert "代理对象" in shown.get_data(as_text=True)


def test_the_command_line_configures_and_appoints(app: Flask, county: CountyBuilder) -> None:
    town, school = county.township("丙镇"), county.school("丙中学")
    county.person("赵六", school)
    run = app.test_cli_runner().invoke

    made = run(args=["roles", "configure", "township_clerk", "--township", "丙镇"])
    given = run(args=["roles", "assign", "赵六", "school_leader", "--school", "丙中学"])
    wrong = run(args=["roles", "assign", "赵六", "school_leader", "--township", "丙镇"])
    nobody = run(args=["roles", "assign", "没有", "school_leader", "--school", "丙中学"])
    county.person("代理人", school)
    stand_in = ["代理人", "school_leader", "--school", "丙中学", "--acting-for", "赵六"]
    acting = run(args=["roles", "assign", *stand_in, "--to", "2099-01-31"])
    listed = run(args=["roles", "list"])

    assert made.exit_code == 0, made.output
    assert given.exit_code == 0, given.output
    assert acting.exit_code == 0, acting.output
    assert wrong.exit_code != 0
    assert nobody.exit_code != 0
    assert "丙镇" in listed.output
    leaders = select(Appointment).where(Appointment.template == "school_leader")
    row, for_him = county.all(leaders.order_by(Appointment.id))
    assert (row.township_id, row.school_id) == (school.township_id, school.id)
    assert for_him.acting_for_id == row.id
    assert town.id in county.all(select(RoleScope.township_id))


def test_configuring_again_changes_nothing(app: Flask, county: CountyBuilder) -> None:
    town = county.township("丁镇")

    with app.app_context():
        for _run in range(2):
            appointments.configure(db.session(), "township_leader", [town])
            sync(db.session())
            db.session.commit()

    rows = county.all(select(RoleScope).where(RoleScope.template == "township_leader"))
    assert len(rows) == 2


def test_audit_stays_apart_from_the_other_duties(app: Flask, county: CountyBuilder) -> None:
    person = county.person()
    county.appointment(person, "audit_administrator")

    office = appointments.Office(template_of("system_administrator"))

    with app.app_context(), pytest.raises(Refused):
        appointments.appoint(db.session(), person, office)


def test_a_person_acts_under_the_appointment_that_he_chooses(
    app: Flask, client: Visitor, county: CountyBuilder
) -> None:
    person = county.person("双职", county.a_school)
    user = county.account(person)
    leader = county.appointment(person, "school_leader", school=county.a_school, title="校长")
    there = county.township("外镇")
    other = county.appointment(person, "township_leader", township=there, title="镇长")
    county.child("近童")
    county.child("远童", county.school("外校", there))
    log_in(client, user.username)

    def children() -> str:
        text = client.get("/childview/list/").get_data(as_text=True)
        return "".join(name for name in ("近童", "远童") if name in text)

    assert children() == "近童"
    client.post_with_token("/acting/choose", {"appointment_id": other.id})
    assert children() == "远童"
    client.post_with_token(f"/acting/choose/{leader.id}")
    assert children() == "近童"


def test_nobody_acts_under_an_appointment_of_others(
    client: Visitor, county: CountyBuilder, login: Login
) -> None:
    foreign = county.appointment(county.person("别人"), "task_group")
    visitor = login("school_leader", school=county.a_school)

    assert visitor.post_with_token(f"/acting/choose/{foreign.id}").status_code == 404
    assert visitor.post(f"/acting/choose/{foreign.id}").status_code == 400


def test_without_an_appointment_only_the_own_account_shows(
    client: Visitor, county: CountyBuilder
) -> None:
    user = county.account(county.person("闲人"))
    log_in(client, user.username)

    assert client.get("/").location == "/account/"
    assert client.get("/account/").status_code == 200
    for path in ("/childview/list/", "/schoolview/list/", "/lookup/school?q=", "/bulletin/"):
        assert client.get(path).status_code == 403, path


def test_an_ended_appointment_acts_no_more_at_once(
    app: Flask, client: Visitor, county: CountyBuilder
) -> None:
    person = county.person("退休", county.a_school)
    user = county.account(person)
    row = county.appointment(person, "school_leader", school=county.a_school)
    log_in(client, user.username)
    assert client.get("/childview/list/").status_code == 200

    with app.app_context():
        appointments.end(db.session.get(Appointment, row.id))  # type: ignore[arg-type]
        db.session.commit()

    assert client.get("/childview/list/").status_code in {302, 403}


def test_extra_grants_of_a_role_hold_at_once_and_only_there(
    app: Flask, client: Visitor, county: CountyBuilder
) -> None:
    person = county.person("校长", county.a_school)
    user = county.account(person)
    with app.app_context():
        role = role_for(db.session(), "school_leader", county.a_township.id, "修仁镇")
        db.session.commit()
        role_id = role.id
    county.appointment(person, "school_leader", school=county.a_school, role_id=role_id)
    log_in(client, user.username)
    assert client.get("/codeview/add").status_code == 403

    with app.app_context():
        sm = app.extensions["appbuilder"].sm
        pair = sm.find_permission_view_menu("can_add", "CodeView")
        sm.add_permission_role(sm.find_role("school_leader@修仁镇"), pair)

    assert client.get("/codeview/add").status_code == 200
    with app.app_context():
        sm = app.extensions["appbuilder"].sm
        sm.del_permission_role(
            sm.find_role("school_leader@修仁镇"),
            sm.find_permission_view_menu("can_add", "CodeView"),
        )
    assert client.get("/codeview/add").status_code == 403


def test_menus_follow_from_the_views(app: Flask, county: CountyBuilder, login: Login) -> None:
    leader = read(login("school_leader", school=county.a_school).get("/", follow_redirects=True))
    auditor = read(login("audit_administrator").get("/", follow_redirects=True))

    def links(page: object) -> set[str]:
        return {a["href"] for a in page.select("nav a")}  # type: ignore[attr-defined]

    assert "/childview/list/" in links(leader)
    assert "/changeview/list/" not in links(leader)
    assert "/changeview/list/" in links(auditor)
    assert "/childview/list/" not in links(auditor)


def test_the_security_administrator_creates_and_resets_accounts(
    app: Flask, county: CountyBuilder, login: Login
) -> None:
    person = county.person("新人", county.a_school)
    visitor = login("security_administrator")

    shown = read(visitor.submit("/accounts/new", {"person": str(person.id), "username": "Xin.Ren"}))
    password = shown.select_one("main code").get_text()  # type: ignore[union-attr]
    user_id = county.scalar(select(type(person).user_id).where(type(person).id == person.id))
    newcomer = app.test_client()
    log_in(newcomer, "xin.ren", password)  # type: ignore[arg-type]

    assert newcomer.get("/").location == "/account/password"
    reset = visitor.post_with_token(f"/accounts/action/reset/{user_id}")
    assert read(reset).select_one("main code").get_text() != password  # type: ignore[union-attr]
    assert newcomer.get("/account/").status_code == 302


def test_the_emergency_account_is_out_of_reach(
    app: Flask, county: CountyBuilder, login: Login
) -> None:
    user = county.account(county.person("应急"))
    with app.app_context():
        sm = app.extensions["appbuilder"].sm
        held = db.session.get(sm.user_model, user.id)
        held.roles = [sm.find_role("Admin")]
        db.session.commit()
        before = held.password
    visitor = login("security_administrator")

    visitor.post_with_token(f"/accounts/action/reset/{user.id}", follow_redirects=True)

    assert county.scalar(select(type(user).password).where(type(user).id == user.id)) == before


def test_every_group_of_the_menu_has_a_sign_of_its_own(app: Flask) -> None:
    with app.app_context():
        groups = [one for one in app.extensions["appbuilder"].menu.menu if one.childs]

    assert len(groups) > 10
    assert [one.name for one in groups if not one.icon] == []
