"""Enter a visit with everybody who went in one form; read on its page what it counts as."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import func, select

from app.models import Code, Visit, VisitParticipant
from tests.visits import visit

DAY = date(2026, 3, 2)


def kind_of(county, key):
    """Return the key of a kind of organisation, as forms send it."""
    found = county.scalar(select(Code.id).filter_by(domain="organisation_kind", key=key))
    return str(found)


def typed(county, child, **values):
    """Return a persuasion visit of two people, as it is typed."""
    return {
        "child": str(child.id),
        "kind": "persuasion",
        "visited_on": DAY.isoformat(),
        "participants-0-organisation_kind": kind_of(county, "school"),
        "participants-0-name": "罗燕",
        "participants-1-organisation_kind": kind_of(county, "police_station"),
        "participants-1-name": "韦警官",
        **values,
    }


def went(county):
    """Return who took part, in the order of entry."""
    return county.all(select(VisitParticipant.name).order_by(VisitParticipant.id))


@pytest.fixture
def clerk(county, login):
    """Return the visitor of the school's clerk."""
    return login("school_clerk", school=county.a_school)


def test_visit_and_its_participants_are_entered_in_one_form(county, clerk):
    child, cadre = county.child(), county.person("雷新", county.a_school)
    known = {
        "participants-2-organisation_kind": kind_of(county, "township_government"),
        "participants-2-person": str(cadre.id),
    }

    page = clerk.submit("/visitview/add", typed(county, child, **known))

    assert page.status_code == 200
    assert went(county) == ["罗燕", "韦警官", "雷新"]
    last = county.all(select(VisitParticipant))[-1]
    assert (last.person_id, last.school_id) == (cadre.id, county.a_school.id)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"participants-1-organisation_kind": ""}, "请选择该人员代表的单位类别"),
        ({"participants-1-name": ""}, "请填写姓名，或从人员名单中选择"),
        ({"participants-1-organisation_kind": "999999"}, "没有这条记录"),
        ({"participants-1-name": "长" * 61}, "60"),
    ],
)
def test_bad_line_is_named_and_everything_typed_stays(county, clerk, values, words):
    answer = clerk.submit("/visitview/add", typed(county, county.child(), **values))

    page = answer.get_data(as_text=True)
    assert words in page
    assert 'value="罗燕"' in page
    assert county.scalar(select(func.count()).select_from(Visit)) == 0


def test_persuasion_visit_needs_somebody_who_went(county, clerk):
    nobody = {
        f"participants-{number}-{name}": ""
        for number in (0, 1)
        for name in ("organisation_kind", "name")
    }

    answer = clerk.submit("/visitview/add", typed(county, county.child(), **nobody))
    clerk.submit("/visitview/add", typed(county, county.child(), **nobody, kind="home"))

    assert "请填写参加劝返的人员" in answer.get_data(as_text=True)
    assert county.all(select(Visit.kind)) == ["home"]


def test_lines_are_changed_dropped_and_added(county, clerk):
    clerk.submit("/visitview/add", typed(county, county.child()))
    row = county.scalar(select(Visit))
    first = county.scalar(select(func.min(VisitParticipant.id)))

    clerk.submit(
        f"/visitview/edit/{row.id}",
        {
            "participants-0-name": "罗燕燕",
            "participants-1-organisation_kind": "",
            "participants-1-name": "",
            "participants-2-organisation_kind": kind_of(county, "school"),
            "participants-2-name": "黎浩",
        },
    )

    assert went(county) == ["罗燕燕", "黎浩"]
    assert county.scalar(select(func.min(VisitParticipant.id))) == first


def test_line_cannot_take_over_a_participant_of_another_visit(county, clerk):
    child = county.child()
    clerk.submit("/visitview/add", typed(county, child))
    other = visit(county, child, visited_on=DAY, kinds=("school",))
    row = county.scalar(select(Visit).order_by(Visit.id))

    clerk.submit(f"/visitview/edit/{row.id}", {"participants-0-id": str(other.participants[0].id)})

    held = county.all(select(VisitParticipant.visit_id).order_by(VisitParticipant.id))
    assert held.count(other.id) == 1
    assert held.count(row.id) == 2


def test_page_says_whether_the_visit_is_joint_and_why_not(county, clerk):
    child = county.child()
    joint = visit(county, child, visited_on=DAY)
    alone = visit(county, child, visited_on=DAY, kinds=("school",), has_evidence=False)

    yes = clerk.soup(f"/visitview/show/{joint.id}").select(".derived")
    no = clerk.soup(f"/visitview/show/{alone.id}").select(".derived")

    assert [part.h2.get_text(" ", strip=True) for part in yes] == [
        "联合劝访 是",
        "计为一次有效劝返 是",
    ]
    assert [part.h2.get_text(" ", strip=True) for part in no] == [
        "联合劝访 否",
        "计为一次有效劝返 否",
    ]
    assert [reason.get_text() for reason in no[0].select("li")] == [
        "没有佐证材料",
        "参加的单位类别不足",
        "没有乡镇政府或相关部门人员参加",
    ]
