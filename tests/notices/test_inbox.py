"""The inbox, the list of what is to do, and reminders: each office its own, recorded, no names."""

from __future__ import annotations

from datetime import date, datetime

import pytest
import time_machine
from sqlalchemy import func, select, update

from app.models import Appointment, Change, Finding, Notification, Reminder
from app.notices.collect import collect
from app.notices.notify import notify
from tests.builder import CountyBuilder
from tests.crud.conftest import recorded
from tests.notices.conftest import give_calendar, night
from tests.notices.test_collect import a_finding
from tests.visitor import read

DUE, TODAY = date(2026, 5, 8), date(2026, 5, 12)
NOON = datetime(2026, 5, 12, 12).astimezone()


@pytest.fixture(autouse=True)
def may():
    """Stop the clock three working days after the due day: Saturday, Monday, Tuesday."""
    with time_machine.travel(NOON, tick=True):
        yield


@pytest.fixture
def finding(county: CountyBuilder) -> Finding:
    """A rectification that is overdue, about a child."""
    give_calendar(county)
    child = county.child("覃小明")
    return a_finding(county, "township_leader", state="served", due_on=DUE, child_id=child.id)


def a_night(county: CountyBuilder, day: date = TODAY) -> None:
    with night(county) as session:
        collect(session, day)
        notify(session, day)


def main_text(page) -> str:
    return page.select_one("main").get_text(" ", strip=True)


def openings(page) -> list[str]:
    return [str(button["formaction"]) for button in page.select(".inbox-line button")]


def unread(visitor) -> str:
    count = visitor.soup("/").select_one(".inbox-count")
    return "" if count is None else count.get_text(" ", strip=True)


def test_each_office_reads_its_own_inbox(county, finding, login) -> None:
    principal = login("school_leader", school=county.a_school)
    colleague = login("school_leader", school=county.a_school)
    a_night(county)
    before = unread(principal)

    page = principal.soup("/inbox/")
    opened = principal.post_with_token(openings(page)[0])

    text = main_text(page)
    assert before == "1 未读"
    for said in ("已逾期", "问题整改", "修仁中学", "2026-05-08", "逾期 3 个工作日"):
        assert said in text
    assert "覃小明" not in text
    assert opened.headers["Location"].endswith(f"/finding/show/{finding.id}")
    assert unread(principal) == ""
    assert unread(colleague) == "1 未读"
    assert colleague.post_with_token(openings(page)[0]).status_code == 404
    assert "问题整改" in main_text(principal.soup("/inbox/"))  # read, and still there


def test_a_person_with_two_offices_sees_of_each_what_was_told_to_it(county, finding, login) -> None:
    person = county.person(place=county.a_township)
    first_office = {"township": county.a_township, "person": person}
    second = county.appointment(person, "school_leader", school=county.a_school)
    leader = login("township_leader", **first_office)
    chosen = county.scalar(select(Appointment.id).filter_by(template="township_leader"))
    leader.post_with_token("/acting/choose", {"appointment_id": str(chosen)})
    a_night(county)

    first = unread(leader)
    option = leader.soup("/").select_one(f'option[value="{second.id}"]').get_text(strip=True)
    leader.post_with_token("/acting/choose", {"appointment_id": str(second.id)})

    assert first == ""
    assert "1条未读" in option
    assert unread(leader) == "1 未读"


def test_everything_is_marked_as_read_and_an_end_lays_aside(county, finding, login) -> None:
    a_finding(county, "township_leader", state="served", due_on=DUE)
    principal = login("school_leader", school=county.a_school)
    clerk = login("school_leader", school=county.a_school)
    a_night(county)
    before = unread(principal)

    principal.post_with_token("/inbox/read")
    county.execute(update(Finding).values(state="closed"))
    with time_machine.travel(datetime(2026, 5, 13, 12).astimezone()):
        a_night(county, date(2026, 5, 13))

    assert before == "2 未读"
    assert (unread(principal), unread(clerk)) == ("", "")
    assert "已办结" in main_text(clerk.soup("/inbox/"))


@pytest.mark.parametrize("query", ["page=-1", "page=x", "page=99999999999999999999", "page=3"])
def test_a_page_that_makes_no_sense_is_no_error(county, login, query) -> None:
    office = login("supervision_office")

    assert "暂无提醒" in main_text(office.soup(f"/inbox/?{query}"))


def test_the_pages_run_few_statements_however_many_rows(county, login) -> None:
    give_calendar(county)
    principal = login("school_leader", school=county.a_school)
    principal.get("/")
    with recorded(county.app) as baseline:
        principal.get("/lookup/school?id=0")
    counts = {}
    for rows in (1, 10):
        for _number in range(rows):
            a_finding(county, "township_leader", state="served", due_on=DUE)
        a_night(county)
        for url in ("/inbox/", "/due/list/"):
            principal.get(url)
            with recorded(county.app) as seen:
                assert principal.get(url).status_code == 200
            counts.setdefault(url, []).append(len(seen) - len(baseline))

    assert all(first == second <= 4 for first, second in counts.values()), counts


def test_the_list_shows_what_is_to_do_within_the_scope(county, finding, login) -> None:
    elsewhere = county.school("蒲芦中学", county.township("蒲芦瑶族乡"))
    other = a_finding(county, "township_leader", state="served", due_on=DUE)
    county.execute(
        update(Finding)
        .where(Finding.id == other.id)
        .values(school_id=elsewhere.id, township_id=elsewhere.township_id)
    )
    a_night(county)

    office, leader = login("supervision_office"), login("school_leader", school=county.a_school)

    assert "蒲芦中学" in main_text(office.soup("/due/list/"))
    text = main_text(leader.soup("/due/list/"))
    assert "修仁中学" in text
    assert "逾期 3 个工作日" in text
    assert "蒲芦中学" not in text


def reminded(visitor, item: int, note: str = ""):
    """Send the form of the reminder from the page of a thing."""
    return read(visitor.submit(f"/due/show/{item}", {"note": note}))


def an_item(county: CountyBuilder) -> int:
    return county.scalar(select(Notification.due_item_id).limit(1))


def test_a_reminder_is_recorded_shown_and_in_the_inbox(county, finding, login) -> None:
    principal = login("school_leader", school=county.a_school)
    office = login("supervision_office", person=county.person("何主任"))
    a_night(county)

    answer = reminded(office, an_item(county), "请于本周内整改到位")

    assert "催办已发送" in answer.get_text()
    row = county.scalar(select(Reminder))
    assert (row.reminded_on, row.note) == (TODAY, "请于本周内整改到位")
    assert (row.school_id, row.person_id) == (
        county.a_school.id,
        county.scalar(select(Reminder.person_id)),
    )
    inbox = main_text(principal.soup("/inbox/"))
    assert "何主任催办" in inbox
    assert "请于本周内整改到位" in inbox
    thing = main_text(principal.soup(f"/finding/show/{finding.id}"))
    assert "2026-05-12 何主任催办" in thing
    trail = county.all(select(Change.action).where(Change.table_name == "reminder"))
    assert trail == ["insert"]
    assert "何主任" in main_text(office.soup("/reminder/list/"))


def test_a_second_reminder_of_the_day_and_one_of_what_is_done_are_refused(
    county, finding, login
) -> None:
    login("school_leader", school=county.a_school)
    office = login("supervision_office")
    a_night(county)
    item = an_item(county)
    reminded(office, item)

    twice = reminded(office, item, "再催一次")
    long = reminded(office, item, "催" * 201)
    county.execute(update(Finding).values(state="claimed", claimed_on=TODAY))
    county.execute(update(Reminder).values(reminded_on=date(2026, 5, 11)))
    done = reminded(office, item)

    assert "今天已经催办过" in twice.get_text()
    assert "再催一次" in twice.select_one("textarea").get_text()
    assert "催" * 201 in long.select_one("textarea").get_text()
    assert long.select_one(".has-error, .field-error") is not None
    assert "该事项已经办理" in done.get_text()
    assert county.scalar(select(func.count(Reminder.id))) == 1


def test_who_answers_for_it_and_who_has_no_right_reminds_nobody(county, finding, login) -> None:
    principal = login("school_leader", school=county.a_school)
    a_finding(county, "township_leader", state="served", due_on=date(2026, 5, 13))
    a_night(county)
    item = an_item(county)

    page = principal.soup(f"/due/show/{item}")
    answer = principal.post_with_token(f"/due/remind/{item}", follow_redirects=True)

    assert page.select_one("form[action*=remind]") is None
    assert county.scalar(select(func.count(Reminder.id))) == 0
    assert "催办已发送" not in answer.get_data(as_text=True)


def test_nobody_is_reminded_of_what_is_not_overdue(county, finding, login) -> None:
    login("school_leader", school=county.a_school)
    county.execute(update(Finding).values(due_on=TODAY))
    a_night(county)
    item = an_item(county)
    office = login("supervision_office")

    answer = office.post_with_token(f"/due/remind/{item}", follow_redirects=True)

    assert "尚未逾期" in answer.get_data(as_text=True)
    assert office.soup(f"/due/show/{item}").select_one("form[action*=remind]") is None


def test_a_reminder_nobody_could_read_is_refused(county, finding, login) -> None:
    give = county.person("无账号校长", place=county.a_school)
    county.appointment(give, "school_leader", school=county.a_school)
    office = login("township_leader", township=county.a_township)
    a_night(county)
    from app.models import DueItem

    item = county.scalar(select(DueItem.id))
    answer = reminded(office, item)

    assert "无法送达催办" in answer.get_text()
    assert county.scalar(select(func.count(Reminder.id))) == 0
