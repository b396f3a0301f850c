"""An inspection from the empty form to the correction, as its inspector goes through it."""

from __future__ import annotations

import io
from datetime import date

import pytest
from sqlalchemy import func, select

from app.extensions import db
from app.models import (
    Answer,
    Change,
    ChecklistItem,
    EvidenceFile,
    EvidenceSet,
    Finding,
    FindingState,
    Inspection,
    InspectionState,
    Verdict,
)
from tests.inspection.conftest import TODAY, item, publish

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


def test_cadre_may_inspect_but_somebody_must_hold_the_office(county, school, login):
    cadre = county.person("干事", place=county.a_township)
    visitor = login("township_cadre", township=county.a_township, person=cadre)
    url = open_draft(visitor, school, cadre, capacity_1="township_cadre")

    send(visitor, url, "submit", item_order_verdict="conforms")

    assert stored(county).state == InspectionState.DRAFT


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
    from tests.visitor import read

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


def test_stale_form_changes_nothing_and_keeps_the_text(county, school, visitor, leader):
    from tests.visitor import read

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

    from tests.visitor import read

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
