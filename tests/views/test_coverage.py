"""Show which inspections of a month are done and which are left, within the reader's scope."""

from __future__ import annotations

from datetime import date, datetime

import pytest
import time_machine
from sqlalchemy import select

from app import database
from app.cadence.obligation import settle
from app.models import ChecklistVersion, Inspection, InspectionParticipant, Semester
from tests.builder import CountyBuilder

TODAY = datetime(2026, 3, 18, 10).astimezone()


@pytest.fixture
def due(county: CountyBuilder):
    """Two schools of one township and one of another, with obligations up to today."""
    here, elsewhere = county.a_township, county.township("蒲芦瑶族乡")
    schools = [county.a_school, county.school("修仁小学"), county.school("蒲芦中学", elsewhere)]
    values = {"starts_on": date(2026, 3, 2), "ends_on": date(2026, 7, 10)}
    year = county.year.id
    county.add(Semester(county_id=county.here.id, school_year_id=year, name="下学期", **values))
    for town in (here, elsewhere):
        county.appointment(county.person(place=town), "township_leader", township=town)
    visit(county, schools[0], date(2026, 3, 5))
    with county.context(), database.writing():
        settle(county.session, TODAY.date())
        county.session.commit()
    return schools


def visit(
    county: CountyBuilder,
    school,
    day: date,
    type_key: str = "township_visit",
    capacity: str = "township_leader",
    person=None,
    joint: str | None = None,
) -> None:
    """Store a confirmed inspection with its participant, and one of another office if asked."""
    at = datetime.combine(day, datetime.min.time()).astimezone()
    scope = county.scope_of(school)
    row = county.add(
        Inspection(
            type_key=type_key,
            checklist_version_id=county.scalar(select(ChecklistVersion.id).limit(1)),
            occurred_on=day,
            state="submitted",
            submitted_at=at,
            confirmed_at=at,
            **scope,
        )
    )
    for office in filter(None, (capacity, joint)):
        someone = person or county.person(place=school)
        county.add(
            InspectionParticipant(
                inspection_id=row.id, person_id=someone.id, capacity=office, **scope
            )
        )


@pytest.mark.parametrize(
    ("role", "place", "expected", "left_out"),
    [
        ("supervision_office", {}, ["修仁小学", "蒲芦中学"], []),
        ("township_leader", {"township": True}, ["修仁小学"], ["蒲芦"]),
        ("school_leader", {"school": True}, [], ["修仁小学", "蒲芦"]),
    ],
)
def test_the_page_shows_what_is_left_of_the_reader_s_schools(
    login, county, due, role, place, expected, left_out
):
    with time_machine.travel(TODAY, tick=False):
        places = {"township": county.a_township, "school": county.a_school}
        page = login(role, **{key: places[key] for key in place}).soup("/coverage/?month=2026-03")

    text = page.select_one("main").get_text(" ", strip=True)
    rows = [row.get_text(" ", strip=True) for row in page.select("tbody tr")]
    of_visits = next(row for row in rows if row.startswith("乡镇领导督导"))
    for name in expected:
        assert (
            f"2026-03-13 {'修仁镇' if '修仁' in name else '蒲芦瑶族乡'} {name} 乡镇领导督导" in text
        )
    for name in left_out:
        assert name not in text
    # In time, late, pending (the fortnight that runs), missed, excused, joint, rate.
    done, missed, running = 1, len(expected), 1 + len(expected)
    assert of_visits.split()[1:4] == [str(done), "0", str(running)]
    assert of_visits.split()[4] == str(missed)
    assert of_visits.split()[-1] == f"{round(100 * done / (done + missed))}%"


def grouped(page, title):
    """Return the figures under the heading of the chosen group, by their first cell."""
    section = page.select_one("section[aria-labelledby=by-group]")
    assert section.h2.get_text(strip=True) == title
    rows = [
        [cell.get_text(" ", strip=True) for cell in row.select("td")]
        for row in section.select("tbody tr")
    ]
    return {cells[0]: cells[1:] for cells in rows}


def test_the_page_counts_by_place_office_person_and_period(login, county, due):
    """The same two fortnights of three schools, and their leader's month at one of them."""
    leader = county.person("韦挂点")
    county.liaison(leader, "liaison_leader", due[0])
    visit(county, due[1], date(2026, 3, 6), joint="liaison_leader")
    with county.context(), database.writing():
        settle(county.session, TODAY.date())
        county.session.commit()
    with time_machine.travel(TODAY, tick=False):
        office = login("supervision_office")
        page = {
            key: office.soup(f"/coverage/?month=2026-03&by={key}")
            for key in ("school", "capacity", "person", "period", "nonsense")
        }

    by_school = grouped(page["school"], "学校")
    # The township's fortnight done, the next running; the department's, too, with nobody in office
    # for the one before, which is excused; the month of the leader runs.
    assert by_school["修仁镇 · 修仁中学"][:5] == ["1", "0", "3", "0", "1"]
    by_office = grouped(page["capacity"], "督导身份")
    assert by_office["乡镇政府领导"] == ["2", "0", "3", "1", "0", "50%", "67%"]
    by_person = grouped(page["person"], "责任主体")
    assert by_person["韦挂点 · 教育局挂点领导"][:4] == ["0", "0", "1", "0"]
    assert by_person["修仁镇乡镇政府领导（未指定个人）"][:4] == ["2", "0", "2", "0"]
    by_period = grouped(page["period"], "周期")
    assert by_period["2026-03-02 — 2026-03-15 · 乡镇领导督导"][:4] == ["2", "0", "0", "1"]
    assert set(grouped(page["nonsense"], "乡镇")) == {"修仁镇", "蒲芦瑶族乡"}


@pytest.mark.parametrize(("acted", "shown"), [(2, False), (3, True)])
def test_schools_checked_by_acting_leaders_too_often_are_named(login, county, due, acted, shown):
    """Twenty percent of ten checks are not too many; three are."""
    school = due[0]
    holder, deputy = (county.person(name, place=school) for name in ("校长", "代理人"))
    office = county.appointment(holder, "school_leader", school=school)
    county.appointment(deputy, "school_leader", school=school, acting_for_id=office.id)
    for number in range(10):
        person = deputy if number < acted else holder
        visit(county, school, date(2026, 3, 2 + number), "daily_check", "school_leader", person)

    with time_machine.travel(TODAY, tick=False):
        page = login("supervision_office").soup("/coverage/?month=2026-03")

    rows = [
        row.get_text(" ", strip=True) for row in page.select("section[aria-labelledby=acting] tr")
    ]
    assert (f"修仁镇 修仁中学 10 {acted} {10 * acted}%" in rows) is shown


@pytest.mark.parametrize("month", ["2036-01", "2026-13", "x", "", "2026-03-01"])
def test_a_month_that_is_none_or_not_yet_shows_this_month(login, county, due, month):
    with time_machine.travel(TODAY, tick=False):
        page = login("supervision_office").soup(f"/coverage/?month={month}")

    assert page.select_one("#month")["value"] == "2026-03"


def test_an_empty_county_says_what_to_do(login, county):
    page = login("supervision_office").soup("/coverage/")

    assert "录入校历" in page.select_one(".empty-state").get_text()
