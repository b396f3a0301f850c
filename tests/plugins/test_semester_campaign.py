"""The campaign of a semester: all focus schools, a sample to be drawn again, its coverage."""

from __future__ import annotations

from datetime import date, datetime
from hashlib import sha256
from io import BytesIO

import openpyxl
import pytest
import time_machine
from sqlalchemy import select

from app.clock import zone
from app.models import ChecklistVersion, Inspection, School, Semester
from plugins.semester_inspection.drawing import sample
from plugins.semester_inspection.models import Campaign, CampaignSchool

CODES = [f"S{number:03}" for number in range(40)]


@pytest.fixture(autouse=True)
def _today():
    with time_machine.travel(datetime(2026, 4, 8, 10, tzinfo=zone()), tick=True):
        yield


@pytest.fixture
def semester(county):
    """A running semester; two focus schools, ten others, one closed, one teaching point."""
    town, other = county.a_township, county.township("蒲芦瑶族乡")
    for number in range(2):
        county.school(f"重点{number}中学", town, is_focus=True)
    for number in range(10):
        county.school(f"普通{number}小学", other, kind="primary")
    county.school("撤并小学", town, closed_on=date(2026, 3, 1), is_focus=True)
    county.school("教学点", town, kind="teaching_point")
    return county.add(
        Semester(
            county_id=county.here.id, school_year_id=county.year.id, name="下学期",
            starts_on=date(2026, 3, 2), ends_on=date(2026, 7, 10),
        )
    )  # fmt: skip


def test_the_sample_follows_from_seed_and_codes():
    drawn = sample(CODES, "0123abcd", 30)

    assert len(drawn) == 12
    assert drawn == sample(list(reversed(CODES)), "0123abcd", 30)
    assert drawn != sample(CODES, "0123abce", 30)
    # The same for ever: whoever has the seed checks the draw.
    assert sorted(sample(CODES, "2026", 5)) == sorted_by_hand(CODES, "2026")[:2]
    assert [len(sample(CODES[:many], "x", 30)) for many in (0, 1, 3, 4)] == [0, 1, 1, 2]


def sorted_by_hand(codes, seed):
    first_two = sorted(codes, key=lambda code: sha256(f"{seed}:{code}".encode()).hexdigest())[:2]
    return sorted(first_two)


def plan(visitor, semester, note="重点督导请假手续"):
    return visitor.submit("/campaignview/add", {"semester": str(semester.id), "note": note})


def test_a_campaign_covers_the_focus_schools_and_a_sample(county, login, semester):
    office = login("supervision_office")

    assert plan(office, semester).status_code == 200
    page = plan(office, semester).get_data(as_text=True)  # one campaign a semester

    assert 'id="semester-error"' in page
    (campaign,) = county.all(select(Campaign))
    chosen = county.all(select(CampaignSchool))
    focus = [one for one in chosen if one.is_focus]
    assert sorted(one.school.name for one in focus) == ["重点0中学", "重点1中学"]
    assert (len(chosen) - len(focus), campaign.sample_percent) == (3, 30)
    assert {one.school.kind for one in chosen} == {"junior_high", "primary"}
    others = {one.school.code for one in chosen if not one.is_focus}
    codes = county.all(select(School.code).where(School.kind == "primary"))
    assert others == sample(codes, campaign.draw_seed, 30)


def test_a_past_semester_has_no_campaign_any_more_and_others_plan_none(county, login, semester):
    semester.ends_on = date(2026, 4, 7)
    county.add(semester)

    assert 'id="semester-error"' in plan(login("supervision_office"), semester).get_data(True)
    assert login("task_group").get("/campaignview/add").status_code in {302, 403}
    assert county.all(select(Campaign)) == []


def test_its_coverage_is_shown_and_printed_within_the_reader_s_scope(county, login, semester):
    office = login("supervision_office")
    plan(office, semester)
    campaign = county.scalar(select(Campaign))
    first = county.scalar(select(CampaignSchool).where(CampaignSchool.is_focus))
    at = datetime(2026, 3, 9, 12, tzinfo=zone())
    for day, state in ((date(2026, 3, 9), "submitted"), (date(2026, 1, 9), "submitted")):
        county.add(
            Inspection(
                type_key="semester_inspection", occurred_on=day, state=state, submitted_at=at,
                checklist_version_id=county.scalar(select(ChecklistVersion.id).limit(1)),
                **county.scope_of(first.school),
            )
        )  # fmt: skip

    text = office.get(f"/campaignview/show/{campaign.id}").get_data(as_text=True)
    answer = office.get(f"/campaignview/print/{campaign.id}")
    leader = login("township_leader", township=county.a_township)
    narrow = leader.get(f"/campaignview/show/{campaign.id}").get_data(as_text=True)

    for line in (
        "已督导：5所中的1所",
        "重点学校：2所中的1所",
        "抽查学校：3所中的0所",
        "修仁镇：2所中的1所",
    ):
        assert line in text
    assert "/inspection/semester-inspection/add?school=" in text
    assert "重点学校：2所中的1所" in narrow
    assert "普通" not in narrow
    sheet = openpyxl.load_workbook(BytesIO(answer.data)).worksheets[0]
    rows = {row[1]: row[2:4] for row in sheet.iter_rows(min_row=4, values_only=True) if row[1]}
    assert rows[first.school.name][0] == "重点督导学校"
    assert rows[first.school.name][1].date() == date(2026, 3, 9)
    assert campaign.draw_seed in str([cell.value for row in sheet.iter_rows() for cell in row])
