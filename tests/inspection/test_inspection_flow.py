"""Part 6: an inspection from the empty form to the correction, as its inspector goes through it."""

from __future__ import annotations

import io
from datetime import date

import pytest
from sqlalchemy import func, select

from app.crud.inspection_view import TypedInspectionView
from app.extensions import db
from app.models import (
    Answer,
    Change,
    ChecklistItem,
    ClassLine,
    EvidenceFile,
    EvidenceSet,
    Finding,
    FindingState,
    Inspection,
    InspectionState,
    Verdict,
)
from app.security.guard import unrestricted
from app.workflow import inspection as flow
from app.workflow.capacity import capacities_of
from app.workflow.kind import Unit
from tests.inspection.conftest import TODAY, item, publish
from tests.visitor import read

ITEMS = [
    item("order", is_required=True),
    item("heads", "pair", minimum=0, maximum=500, label="学籍", label_other="在校"),
    item("wall", "plain"),
]
START = date(2026, 2, 24)


@pytest.fixture
def school(county):
    school = county.a_school
    for number in range(2):
        county.school_class(school, position=number)
    county.year  # noqa: B018  # the classes' year
    publish(county, "annex_1", [dict(one) for one in ITEMS], START)
    return school


@pytest.fixture
def leader(county, school):
    return county.person("王镇长", place=county.a_township)


@pytest.fixture
def visitor(login, county, leader):
    return login("township_leader", township=county.a_township, person=leader)


def open_draft(visitor, place, leader, **more) -> str:
    """Open a record and return the address of its form."""
    answer = visitor.submit(
        "/inspection/township-visit/add",
        {
            "school": str(place.id),
            "occurred_on": TODAY.isoformat(),
            "person_1": str(leader.id),
            "capacity_1": "township_leader",
            **more,
        },
        follow_redirects=False,
    )
    assert answer.status_code == 302, answer.get_data(as_text=True)[:3000]
    return answer.headers["Location"]


def stored(county) -> Inspection:
    return county.scalar(select(Inspection).order_by(Inspection.id.desc()))


def answer_of(county, key) -> Answer:
    return county.scalar(
        select(Answer).join(ChecklistItem, ChecklistItem.id == Answer.item_id).filter_by(key=key)
    )


def lines_of(county) -> set[int]:
    return set(county.all(select(ClassLine.class_id)))


def send(visitor, url, deed, **data):
    return visitor.submit(url, {"deed": deed, **data}, select="form.inspection-form")


def test_new_record_is_an_unchecked_draft_of_the_version_of_its_day(
    county, school, visitor, leader
):
    open_draft(visitor, school, leader)

    inspection = stored(county)
    assert inspection.type_key == "township_visit"
    assert inspection.state == InspectionState.DRAFT
    assert inspection.checklist_version.number == 90
    assert inspection.school_id == school.id
    assert {a.verdict for a in county.all(select(Answer))} == {Verdict.UNCHECKED}


def test_version_is_chosen_by_the_day_and_never_changes(county, school, visitor, leader):
    url = open_draft(visitor, school, leader, occurred_on="2026-02-20")

    publish(county, "annex_1", [item("later")], date(2026, 2, 1), number=95)
    page = visitor.get(url).get_data(as_text=True)

    assert stored(county).checklist_version.number != 95
    assert "检查later" not in page


def test_draft_is_saved_half_filled(county, school, visitor, leader):
    url = open_draft(visitor, school, leader)

    answer = send(visitor, url, "save", item_heads_number="120", item_wall_note="墙上有裂缝")

    assert answer.status_code == 200
    assert answer_of(county, "heads").number == 120
    assert answer_of(county, "wall").note == "墙上有裂缝"
    assert stored(county).state == InspectionState.DRAFT


def test_submit_names_the_required_item_and_keeps_what_was_typed(county, school, visitor, leader):
    url = open_draft(visitor, school, leader)

    page = send(visitor, url, "submit", item_wall_note="别丢了")

    text = page.get_data(as_text=True)
    assert "别丢了" in text
    assert 'id="item_order_verdict"' in text
    assert stored(county).state == InspectionState.DRAFT
    assert answer_of(county, "wall").note is None


@pytest.mark.parametrize(
    ("number", "accepted"), [("-1", False), ("0", True), ("500", True), ("501", False)]
)
def test_bounds_hold_on_submit(county, school, visitor, leader, number, accepted):
    url = open_draft(visitor, school, leader)

    send(
        visitor,
        url,
        "submit",
        item_order_verdict="conforms",
        item_heads_number=number,
        item_heads_number_other=number,
    )

    assert (stored(county).state == InspectionState.SUBMITTED) is accepted


def test_submit_confirms_the_inspectors_own_visit_and_makes_findings(
    county, school, visitor, leader
):
    url = open_draft(visitor, school, leader)

    send(
        visitor,
        url,
        "submit",
        item_order_verdict="fails",
        item_order_note="没有会议记录",
        item_order_opinion="补齐记录",
        item_heads_number="120",
        item_heads_number_other="118",
    )

    inspection = stored(county)
    assert inspection.state == InspectionState.SUBMITTED
    assert inspection.confirmed_by_id == leader.id
    findings = county.all(select(Finding).order_by(Finding.id))
    assert [f.item.key for f in findings] == ["order", "heads"]
    assert "没有会议记录" in findings[0].facts
    assert findings[0].opinion == "补齐记录"
    assert {f.state for f in findings} == {FindingState.OPEN}


def test_figures_speak_for_a_pair_until_somebody_explains(county, school, visitor, leader):
    url = open_draft(visitor, school, leader)
    send(visitor, url, "save", item_heads_number="9", item_heads_number_other="9")
    assert answer_of(county, "heads").verdict == Verdict.CONFORMS

    data = {
        "item_order_verdict": "conforms",
        "item_heads_number_other": "8",
        "item_heads_verdict": "conforms",
    }
    send(visitor, url, "submit", **data)
    assert stored(county).state == InspectionState.DRAFT

    send(visitor, url, "submit", **data, item_heads_note="一人请病假，有医院证明")
    assert stored(county).state == InspectionState.SUBMITTED
    assert county.scalar(select(func.count(Finding.id))) == 0


def test_submitted_record_changes_only_with_a_reason(county, school, visitor, leader):
    url = open_draft(visitor, school, leader)
    send(visitor, url, "submit", item_order_verdict="fails", item_order_note="没有")
    edit = f"/inspection/township-visit/edit/{stored(county).id}"

    assert visitor.soup(edit).select_one("label[for=reason] .required") is not None
    send(visitor, edit, "correct", item_order_verdict="conforms")
    assert answer_of(county, "order").verdict == Verdict.FAILS

    send(visitor, edit, "correct", item_order_verdict="conforms", reason="看错了柜子")

    inspection = stored(county)
    assert answer_of(county, "order").verdict == Verdict.CONFORMS
    assert inspection.correction_reason == "看错了柜子"
    assert county.scalar(select(Finding)).state == FindingState.WITHDRAWN
    trail = county.all(
        select(Change).where(Change.table_name == "answer", Change.action == "update")
    )
    both = [
        row for row in trail if "fails" in (row.before or "") and "conforms" in (row.after or "")
    ]
    assert len(both) == 1


def test_joint_inspection_names_several_offices(county, school, visitor, leader):
    inspector = county.person("督学甲")
    county.liaison(inspector, "liaison_department", county.a_township)
    url = open_draft(
        visitor, school, leader, person_2=str(inspector.id), capacity_2="liaison_department"
    )

    send(visitor, url, "submit", item_order_verdict="conforms")

    parts = {(p.person_id, p.capacity) for p in stored(county).participants}
    assert parts == {(leader.id, "township_leader"), (inspector.id, "liaison_department")}


def test_office_must_be_held_on_the_day(county, school, visitor, leader):
    inspector = county.person("督学乙")
    county.liaison(inspector, "liaison_department", county.a_township, valid_from=date(2026, 3, 6))

    page = visitor.submit(
        "/inspection/township-visit/add",
        {
            "school": str(school.id),
            "occurred_on": TODAY.isoformat(),
            "person_1": str(leader.id),
            "capacity_1": "township_leader",
            "person_2": str(inspector.id),
            "capacity_2": "liaison_department",
        },
    )

    assert page.status_code == 200
    assert 'id="capacity_2-error"' in page.get_data(as_text=True)
    assert county.scalar(select(func.count(Inspection.id))) == 0


def test_cadre_may_inspect_in_his_own_office_but_not_without_one(county, school, login):
    cadre = county.person("干事", place=county.a_township)
    visitor = login("township_cadre", township=county.a_township, person=cadre)
    form = visitor.soup("/inspection/township-visit/add")
    chosen = form.select_one("#capacity_1 option[selected]")
    assert chosen["value"] == "township_cadre"  # a visit under it meets no cadence
    url = open_draft(visitor, school, cadre, capacity_1="")

    send(visitor, url, "submit", item_order_verdict="conforms")
    assert stored(county).state == InspectionState.DRAFT
    send(visitor, url, "submit", item_order_verdict="conforms", capacity_1="township_cadre")

    assert stored(county).state == InspectionState.SUBMITTED
    assert [part.capacity for part in stored(county).participants] == ["township_cadre"]


def test_office_at_several_schools_is_none_for_a_township(app, county, school, leader):
    other = county.school(township=county.township("外镇"))
    clerk = county.person("校长", place=other)
    county.appointment(
        clerk, "school_leader", schools=(other, county.school(township=other.township))
    )
    with app.app_context(), unrestricted():
        units = [Unit.of(place) for place in (county.a_township, school, other)]
        held = [capacities_of(db.session(), clerk.id, unit, TODAY) for unit in units]

    assert held == [frozenset(), frozenset(), frozenset({"school_leader"})]


@pytest.mark.parametrize("day", ["2026-03-06", "1990-01-01", "0000-00-00", "2026-02-30", ""])
def test_impossible_day_is_named(county, school, visitor, leader, day):
    page = visitor.submit(
        "/inspection/township-visit/add",
        {
            "school": str(school.id),
            "occurred_on": day,
            "person_1": str(leader.id),
            "capacity_1": "township_leader",
        },
    )

    assert page.status_code == 200
    assert 'id="occurred_on-error"' in page.get_data(as_text=True)
    assert county.scalar(select(func.count(Inspection.id))) == 0


def test_foreign_school_is_refused_like_a_missing_one(county, school, visitor, leader):
    foreign = county.school("外镇中学", township=county.township("外镇"))
    opening = {
        "occurred_on": TODAY.isoformat(),
        "person_1": str(leader.id),
        "capacity_1": "township_leader",
    }
    pages = [
        visitor.submit("/inspection/township-visit/add", {"school": str(key), **opening}).get_data(
            as_text=True
        )
        for key in (foreign.id, 999999)
    ]

    assert all('id="school-error"' in page for page in pages)
    assert county.scalar(select(func.count(Inspection.id))) == 0


def test_foreign_record_does_not_exist(county, school, visitor, leader, login):
    url = open_draft(visitor, school, leader)
    number = stored(county).id
    other = login("township_leader", township=county.township("另镇"))

    assert other.get(url).status_code == 404
    assert other.get(f"/inspection/township-visit/show/{number}").status_code == 404
    answer = other.post_with_token(f"/inspection/township-visit/confirm/{number}")
    assert answer.status_code == 404


def test_second_submit_of_the_opening_form_makes_one_record(county, school, visitor, leader):
    page = visitor.get("/inspection/township-visit/add")
    form = read(page).select_one("main form[method=post]")
    data = {
        "school": str(school.id),
        "occurred_on": TODAY.isoformat(),
        "person_1": str(leader.id),
        "capacity_1": "township_leader",
    }
    first = visitor.send(form, "/inspection/township-visit/add", data, follow_redirects=False)
    second = visitor.send(form, "/inspection/township-visit/add", data, follow_redirects=False)

    assert first.headers["Location"] == second.headers["Location"]
    assert county.scalar(select(func.count(Inspection.id))) == 1


def test_assignment_covers_the_township_where_the_type_says_so(app, county, school):
    inspector, beside = county.person("督学"), county.school(township=county.a_township)
    for capacity in ("liaison_department", "liaison_leader"):
        county.liaison(inspector, capacity, school)
    with app.app_context(), unrestricted():
        units = [Unit.of(school), Unit.of(beside)]
        held = [capacities_of(db.session(), inspector.id, unit, TODAY) for unit in units]

    assert held == [{"liaison_department", "liaison_leader"}, {"liaison_department"}]


def test_both_of_two_simultaneous_submits_lead_to_the_record(
    county, school, visitor, leader, monkeypatch
):
    form = read(visitor.get("/inspection/township-visit/add")).select_one("main form[method=post]")
    data = {
        "school": str(school.id),
        "occurred_on": TODAY.isoformat(),
        "person_1": str(leader.id),
        "capacity_1": "township_leader",
    }
    looked: list[object] = []
    look = TypedInspectionView._result_of

    def before_the_other_committed(self, form):
        looked.append(form)
        return look(self, form) if len(looked) % 2 == 0 else None

    address = "/inspection/township-visit/add"
    first = visitor.send(form, address, data, follow_redirects=False)
    monkeypatch.setattr(TypedInspectionView, "_result_of", before_the_other_committed)
    second = visitor.send(form, address, data, follow_redirects=False)
    url = first.headers["Location"]
    old = read(visitor.get(url)).select_one("form.inspection-form")
    saved = visitor.send(old, url, {"deed": "save"}, follow_redirects=False)
    row_version = str(stored(county).row_version)
    again = visitor.send(
        old, url, {"deed": "save", "row_version": row_version}, follow_redirects=False
    )

    assert second.headers["Location"] == url
    assert again.headers["Location"] == saved.headers["Location"]
    assert county.scalar(select(func.count(Inspection.id))) == 1


def test_two_who_confirm_at_once_get_an_answer(county, school, visitor, leader, login, monkeypatch):
    url = open_draft(visitor, school, leader)
    send(visitor, url, "submit", item_order_verdict="conforms")
    number = stored(county).id
    principal = login("school_leader", school=school)
    confirm = flow.confirm

    def after_another(session, inspection):
        confirm(session, inspection)
        table = Inspection.__table__
        session.connection().execute(table.update().values(row_version=table.c.row_version + 1))
        inspection.note = "signed"

    monkeypatch.setattr(flow, "refusal_of_confirmation", lambda *_of: None)
    monkeypatch.setattr(flow, "confirm", after_another)
    page = principal.post_with_token(
        f"/inspection/township-visit/confirm/{number}", follow_redirects=True
    )

    assert page.status_code == 200
    assert stored(county).note is None


def test_draft_opened_by_mistake_is_discarded_with_its_files(
    county, school, visitor, leader, login
):
    url = open_draft(visitor, school, leader)
    number, drawn = stored(county).id, lines_of(county)
    send(visitor, url, "save", item_wall_evidence=(io.BytesIO(b"%PDF-1.7"), "证据.pdf"))
    path = f"/inspection/township-visit/discard/{number}"
    other = login("township_cadre", township=county.a_township)

    refused = other.post_with_token(path, follow_redirects=True)
    assert refused.status_code == 200
    assert stored(county).id == number
    button = visitor.soup(url).select_one(f"button[formaction='{path}'][data-confirm]")
    assert button is not None
    assert visitor.soup(f"/inspection/township-visit/show/{number}").select_one(
        f"button[formaction='{path}']"
    )
    visitor.post_with_token(path)

    for model in (Inspection, Answer, EvidenceSet, EvidenceFile):
        assert county.scalar(select(func.count(model.id))) == 0, model
    trail = select(Change).where(Change.table_name == "inspection", Change.action == "delete")
    assert len(county.all(trail)) == 1
    again = open_draft(visitor, school, leader)
    assert lines_of(county) == drawn  # to discard is no way to draw other classes
    send(visitor, again, "submit", item_order_verdict="conforms")
    visitor.post_with_token(f"/inspection/township-visit/discard/{stored(county).id}")
    assert stored(county).state == InspectionState.SUBMITTED


def test_stale_form_changes_nothing_and_keeps_the_text(county, school, visitor, leader):
    url = open_draft(visitor, school, leader)
    old = read(visitor.get(url)).select_one("form.inspection-form")
    send(visitor, url, "save", item_wall_note="甲")

    page = visitor.send(old, url, {"deed": "save", "item_wall_note": "乙"})

    assert answer_of(county, "wall").note == "甲"
    assert "乙" in page.get_data(as_text=True)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("item_order_verdict", "wonderful"),
        ("item_heads_number", "abc"),
        ("item_heads_number", "99999999999999999999"),
        ("item_heads_number", "1; DROP TABLE answer"),
        ("item_wall_note", "长" * 6000),
        ("general_note", "x" * 6000),
    ],
)
def test_hostile_values_come_back_with_the_field_named(
    county, school, visitor, leader, field, value
):
    url = open_draft(visitor, school, leader)

    page = send(visitor, url, "save", **{field: value, "item_wall_opinion": "留住我"})

    assert page.status_code == 200
    text = page.get_data(as_text=True)
    assert "留住我" in text
    assert f'href="#{field}"' in text
    assert answer_of(county, "wall").opinion is None


def test_script_and_nul_are_stored_as_plain_text(county, school, visitor, leader):
    url = open_draft(visitor, school, leader)

    page = send(visitor, url, "save", item_wall_note="<script>alert(1)</script>\x00")

    assert page.status_code == 200
    assert "<script>alert(1)</script>" not in page.get_data(as_text=True)
    assert answer_of(county, "wall").note == "<script>alert(1)</script>"


def test_files_stay_when_the_form_is_refused_and_belong_to_the_answer_afterwards(
    county, school, visitor, leader
):
    url = open_draft(visitor, school, leader)
    pdf = (io.BytesIO(b"%PDF-1.7 test"), "会议通知.pdf")

    refused = send(visitor, url, "submit", item_wall_evidence=pdf)

    assert "会议通知.pdf" in refused.get_data(as_text=True)
    kept = county.scalar(select(EvidenceSet))
    assert kept.is_staged
    assert kept.school_id == school.id
    assert answer_of(county, "wall").evidence_set_id is None

    form = read(refused).select_one("form.inspection-form")
    visitor.send(form, url, {"deed": "submit", "item_order_verdict": "conforms"})
    assert stored(county).state == InspectionState.SUBMITTED
    assert answer_of(county, "wall").evidence_set_id == kept.id
    assert county.scalar(select(EvidenceSet)).is_staged is False
    file = county.scalar(select(EvidenceFile))
    assert file.name == "会议通知.pdf"
    got = visitor.get(f"/evidence/{file.id}")
    assert got.data == b"%PDF-1.7 test"
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert got.headers["Content-Disposition"].startswith("attachment")


def test_refused_file_is_named_and_the_good_one_kept(county, school, visitor, leader):
    url = open_draft(visitor, school, leader)

    page = visitor.submit(
        url,
        {
            "deed": "save",
            "item_wall_evidence": [
                (io.BytesIO(b"<svg onload=alert(1)>"), "图.svg"),
                (io.BytesIO(b"%PDF-1.7 good"), "好.pdf"),
            ],
        },
        select="form.inspection-form",
    )

    text = page.get_data(as_text=True)
    assert "图.svg" in text
    assert "好.pdf" in text
    assert [f.name for f in county.all(select(EvidenceFile))] == ["好.pdf"]


def test_file_of_another_township_does_not_exist(county, school, visitor, leader, login):
    url = open_draft(visitor, school, leader)
    send(visitor, url, "save", item_wall_evidence=(io.BytesIO(b"%PDF-1.7 x"), "a.pdf"))
    number = county.scalar(select(EvidenceFile.id))
    other = login("township_leader", township=county.township("远镇"))

    assert visitor.get(f"/evidence/{number}").status_code == 200
    assert other.get(f"/evidence/{number}").status_code == 404
    assert other.get("/evidence/999999").status_code == 404


def test_another_persons_staged_set_cannot_be_taken(county, school, visitor, leader, login):
    url = open_draft(visitor, school, leader)
    send(visitor, url, "submit", item_wall_evidence=(io.BytesIO(b"%PDF-1.7 x"), "a.pdf"))
    staged = county.scalar(select(EvidenceSet.id))
    colleague = login("township_leader", township=county.a_township)
    file = county.scalar(select(EvidenceFile.id))

    assert colleague.get(f"/evidence/{file}").status_code == 404
    send(colleague, url, "save", item_wall_evidence_set=str(staged))

    assert answer_of(county, "wall").evidence_set_id is None


def test_school_signs_for_a_visit_that_another_typed_in(county, school, login, leader, visitor):
    cadre = login("township_cadre", township=county.a_township)
    url = open_draft(cadre, school, leader)
    send(cadre, url, "submit", item_order_verdict="conforms")
    number = stored(county).id
    assert stored(county).confirmed_at is None

    clerk = login("school_clerk", school=school)
    clerk.post_with_token(f"/inspection/township-visit/confirm/{number}")

    assert stored(county).confirmed_at is not None


def test_participant_confirms_with_his_own_login(county, school, login, leader, visitor):
    cadre = login("township_cadre", township=county.a_township)
    url = open_draft(cadre, school, leader)
    send(cadre, url, "submit", item_order_verdict="conforms")
    number = stored(county).id

    outsider = login("township_cadre", township=county.a_township)
    outsider.post_with_token(f"/inspection/township-visit/confirm/{number}")
    assert stored(county).confirmed_at is None
    visitor.post_with_token(f"/inspection/township-visit/confirm/{number}")

    assert stored(county).confirmed_by_id == leader.id


def test_plugin_may_refuse_in_the_same_transaction(
    app, county, school, visitor, leader, monkeypatch
):
    from app.base import Refused

    url = open_draft(visitor, school, leader)

    def refuse(session, inspection):
        raise Refused("插件不同意")

    monkeypatch.setattr(type(app.extensions["registry"]), "inspection_saved", staticmethod(refuse))
    page = send(visitor, url, "save", item_wall_note="不该存")

    assert "插件不同意" in page.get_data(as_text=True)
    assert "不该存" in page.get_data(as_text=True)
    assert answer_of(county, "wall").note is None


def test_list_of_all_types_and_show_page(county, school, visitor, leader):
    url = open_draft(visitor, school, leader)
    send(visitor, url, "submit", item_order_verdict="fails", item_order_note="缺会议记录")
    number = stored(county).id

    listed = visitor.get("/inspection/all/list/").get_data(as_text=True)
    shown = visitor.get(f"/inspection/all/show/{number}").get_data(as_text=True)

    assert school.name in listed
    assert "缺会议记录" in shown
    assert "王镇长" in shown


def test_record_of_a_type_whose_plugin_is_gone_stays_readable(county, school, visitor, leader):
    url = open_draft(visitor, school, leader)
    send(visitor, url, "save", item_wall_note="老记录")
    number = stored(county).id
    county.execute(
        db.update(Inspection).where(Inspection.id == number).values(type_key="vanished_type")
    )

    listed = visitor.get("/inspection/all/list/").get_data(as_text=True)
    shown = visitor.get(f"/inspection/all/show/{number}")

    assert "vanished_type" in listed
    assert shown.status_code == 200
    assert "老记录" in shown.get_data(as_text=True)


def test_correction_takes_a_file_out_and_the_record_keeps_it(app, county, school, visitor, leader):
    url = open_draft(visitor, school, leader)
    files = {"item_wall_evidence": (io.BytesIO(b"%PDF-1.7 x"), "证据.pdf")}
    send(visitor, url, "submit", item_order_verdict="conforms", **files)
    number = county.scalar(select(EvidenceFile.id))

    send(visitor, url, "correct", item_wall_evidence_drop=str(number), reason="照片拍错")

    assert county.scalar(select(EvidenceFile)).dropped_at is not None
    assert "证据.pdf" not in visitor.get(url).get_data(as_text=True)
    shown = visitor.soup(f"/inspection/township-visit/show/{stored(county).id}")
    assert shown.select_one(f"a[href='/evidence/{number}'] + .tone-warning") is not None
    assert visitor.get(f"/evidence/{number}").status_code == 200
    trail = select(Change).where(Change.table_name == "evidence_file", Change.action == "update")
    assert any("dropped_at" in (row.after or "") for row in county.all(trail))


def test_theme_is_asked_again_when_the_record_is_submitted(county, school, login):
    publish(county, "annex_1", [item("order")], START, number=91)
    person = county.person("专班")
    visitor = login("task_group", person=person)
    opened = visitor.submit(
        "/inspection/random-inspection/add",
        {
            "school": str(school.id),
            "occurred_on": TODAY.isoformat(),
            "person_1": str(person.id),
            "capacity_1": "task_group",
            "theme": "开学返校",
        },
        follow_redirects=False,
    )
    url = opened.headers["Location"]

    page = send(visitor, url, "submit", theme="", item_order_verdict="conforms")
    assert 'id="theme-error"' in page.get_data(as_text=True)
    assert stored(county).state == InspectionState.DRAFT

    send(visitor, url, "submit", theme="开学返校", item_order_verdict="conforms")
    assert stored(county).state == InspectionState.SUBMITTED
