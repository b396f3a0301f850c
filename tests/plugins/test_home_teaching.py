"""Test the screens, the imports and the panel of home teaching."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from random import Random

import pytest
import time_machine
from flask import Flask
from sqlalchemy import event, func, select

from app import database, imports
from app.extensions import db
from app.models import (
    AttendanceReport,
    Child,
    ChildStatus,
    EvidenceFile,
    EvidenceSet,
    StatusEvent,
    Violation,
)
from app.parameters.settings import settings_of
from app.parameters.window import Period, Window
from app.security.scope import EVERYTHING
from app.testing import PluginContract
from plugins.home_teaching.bulletins import figures
from plugins.home_teaching.demo import seed_home_teaching
from plugins.home_teaching.models import Case, Excuse, Paper, SessionTeacher, TeachingSession
from plugins.home_teaching.papers import Held, faults
from tests.builder import CountyBuilder
from tests.plugins.home_teaching import excuse, lay_out_calendar, session, taught
from tests.visitor import read

NOW = date(2025, 10, 20)
COUNT = select(func.count(TeachingSession.id))


class TestHomeTeaching(PluginContract):
    """Hold the plugin to the contract."""

    name = "home_teaching"


@pytest.fixture(autouse=True)
def _today():
    with time_machine.travel(NOW.isoformat() + "T02:00:00+00:00", tick=False):
        yield


def line(number: int, day: str, teacher: object, **more: str) -> dict[str, str]:
    """Return what is typed into a line of the month."""
    typed = {"day": day, "start": "09:00", "end": "10:30", "hours": "3", **more}
    values = {f"{name}_{number}": value for name, value in typed.items()}
    return {**values, f"teachers_{number}": str(teacher.id)}  # type: ignore[attr-defined]


def month_of(case: Case, month: str = "2025-10") -> str:
    return f"/home-teaching/months/{case.id}?month={month}"


def test_month_is_entered_in_one_screen(county, login) -> None:
    lay_out_calendar(county)
    case, teacher = taught(county), county.person("韦老师", county.a_school)
    clerk = login("school_clerk", school=county.a_school)

    answer = clerk.submit(
        month_of(case),
        {
            **line(1, "2025-10-09", teacher, plan="感知训练", record="家长在场"),
            **line(2, "2025-10-14", teacher),
            **line(4, "2025-10-16", teacher, end="10:00", hours="2"),
        },
    )

    text = answer.get_data(as_text=True)
    assert "已保存3次送教记录" in text
    assert "计次2次，应送2次" in text
    rows = county.all(select(TeachingSession).order_by(TeachingSession.taught_on))
    assert [(row.taught_on.day, row.minutes, row.stated_hours) for row in rows] == [
        (9, 90, 3),
        (14, 90, 3),
        (16, 60, 2),
    ]
    assert (rows[0].plan, rows[0].record) == ("感知训练", "家长在场")
    assert {row.school_id for row in rows} == {county.a_school.id}
    assert county.all(select(SessionTeacher.person_id)) == [teacher.id] * 3


WRONG = [
    ({"day": ""}, "day", "必填"),
    ({"day": "2025-11-03"}, "day", "该日期不在本月"),
    ({"day": "2025-10-21"}, "day", "不能晚于今天"),
    ({"day": "2025-10-02"}, "day", "起止日期"),
    ({"start": "25:00"}, "start", "09:00"),
    ({"end": "08:00"}, "end", "结束时间不晚于开始时间"),
    ({"hours": "0"}, "hours", "1"),
    ({"day": "2025-10-09"}, "start", "另一行"),
]


def test_wrong_line_is_named_and_everything_typed_stays(county, login) -> None:
    case = taught(county, starts_on=date(2025, 10, 8))
    teacher = county.person("韦老师", county.a_school)
    clerk = login("school_clerk", school=county.a_school)
    first = line(1, "2025-10-09", teacher, record="已完成")

    for typed, field, said in WRONG:
        second = {**line(2, "2025-10-10", teacher), **{f"{k}_2": v for k, v in typed.items()}}
        page = read(clerk.submit(month_of(case), {**first, **second}))

        wrong = page.select_one(f"#{field}_2-error")
        assert wrong is not None, typed
        assert said in wrong.get_text()
        assert page.select_one("#record_1").get_text().strip() == "已完成"
        assert page.select_one("#teachers_2 option[selected]")["value"] == str(teacher.id)
    assert county.scalar(COUNT) == 0


def test_teacher_in_two_homes_at_once_is_refused_with_the_other_record_named(county, login) -> None:
    teacher = county.person("韦老师", county.a_school)
    other = taught(county, county.child("李小明", status="home_taught"))
    session(county, other, date(2025, 10, 9), ("10:00", "11:30", 3), [teacher])
    case = taught(county)
    clerk = login("school_clerk", school=county.a_school)

    answer = clerk.submit(month_of(case), line(1, "2025-10-09", teacher))

    text = answer.get_data(as_text=True)
    assert "韦老师在2025-10-09 10:00—11:30正为李小明送教" in text
    assert county.scalar(COUNT) == 1


def test_siblings_at_one_address_are_one_home(county, login) -> None:
    teacher = county.person("韦老师", county.a_school)
    home = {"status": "home_taught", "residence_place": "修仁镇念村12号"}
    other = taught(county, county.child(**home))
    sibling, neighbour = taught(county, county.child(**home)), taught(county)
    clerk = login("school_clerk", school=county.a_school)
    tried = [
        (9, neighbour, "10:30", "12:00", True),
        (10, neighbour, "10:29", "12:00", False),
        (13, sibling, "09:00", "10:30", True),
        (14, neighbour, "09:00", "10:30", False),
    ]

    for number, case, start, end, is_stored in tried:
        day = date(2025, 10, number)
        session(county, other, day, ("09:00", "10:30", 3), [teacher])
        typed = line(4, day.isoformat(), teacher, start=start, end=end)
        clerk.submit(month_of(case), typed)

        stored = COUNT.where(
            TeachingSession.child_id == case.child_id, TeachingSession.taught_on == day
        )
        assert county.scalar(stored) == is_stored, number


def test_clash_with_another_school_does_not_name_the_child(county, login) -> None:
    teacher = county.person("韦老师", county.a_school)
    far = county.school("青山中学", county.township("青山镇"))
    other = taught(county, county.child("李小明", school=far), **county.scope_of(far))
    session(county, other, date(2025, 10, 9), teachers=[teacher])
    clerk = login("school_clerk", school=county.a_school)

    answer = clerk.submit(month_of(taught(county)), line(1, "2025-10-09", teacher))

    text = answer.get_data(as_text=True)
    assert "正为其他学校的学生送教" in text
    assert "李小明" not in text


def test_month_sent_twice_is_stored_once(county, login) -> None:
    case, teacher = taught(county), county.person("韦老师", county.a_school)
    clerk = login("school_clerk", school=county.a_school)
    form = clerk.soup(month_of(case)).select_one("main form[method=post]")

    for _time in range(2):
        clerk.send(form, month_of(case), line(1, "2025-10-09", teacher))

    assert county.scalar(COUNT) == 1


def test_stored_sessions_are_changed_and_deleted_with_their_version(county, login) -> None:
    case, teacher = taught(county), county.person("韦老师", county.a_school)
    for day in (9, 10):
        session(county, case, date(2025, 10, day), teachers=[teacher])
    clerk = login("school_clerk", school=county.a_school)
    stale = clerk.soup(month_of(case)).select_one("main form[method=post]")

    clerk.submit(month_of(case), {"hours_1": "2", "drop_2": "y"})
    answer = clerk.send(stale, month_of(case), {"hours_1": "1"})

    rows = county.all(select(TeachingSession))
    assert [(row.taught_on.day, row.stated_hours) for row in rows] == [(9, 2)]
    assert "其他人已修改本月的送教记录" in answer.get_data(as_text=True)


def test_pictures_of_a_refused_month_stay(county, login) -> None:
    case, teacher = taught(county), county.person("韦老师", county.a_school)
    clerk = login("school_clerk", school=county.a_school)
    picture = (io.BytesIO(b"%PDF-1.4\n%%EOF\n"), "教案.pdf")

    answer = clerk.submit(
        month_of(case), {**line(1, "2025-10-09", teacher, end="08:00"), "files_1": picture}
    )
    form = read(answer).select_one("main form[method=post]")
    clerk.send(form, month_of(case), {"end_1": "10:30"})

    (row,) = county.all(select(TeachingSession))
    names = county.all(select(EvidenceFile.name).filter_by(evidence_set_id=row.evidence_set_id))
    assert names == ["教案.pdf"]


def test_month_of_another_school_is_not_found(county, login) -> None:
    far = county.school("青山中学", county.township("青山镇"))
    case = taught(county, county.child(school=far), **county.scope_of(far))
    clerk = login("school_clerk", school=county.a_school)

    assert clerk.get(month_of(case)).status_code == 404
    assert clerk.post_with_token(month_of(case)).status_code == 404


def test_readers_see_the_month_and_cannot_store_it(county, login) -> None:
    case, teacher = taught(county), county.person("韦老师", county.a_school)
    leader = login("school_leader", school=county.a_school)

    page = leader.soup(month_of(case))
    answer = leader.post_with_token(month_of(case), line(1, "2025-10-09", teacher))

    assert page.select_one("button[type=submit].btn-lg") is None
    assert answer.status_code in {302, 403}
    assert county.scalar(COUNT) == 0


def test_list_shows_where_every_child_stands(county, login) -> None:
    lay_out_calendar(county)
    case = taught(county)
    session(county, case, date(2025, 10, 9))
    office = login("supervision_office")

    text = office.get("/home-teaching/months/").get_data(as_text=True)

    assert "1 / 2" in text
    assert "3 / 60" in text
    assert "落后3课时" in text


def test_township_approves_an_excused_month(county, login) -> None:
    case = taught(county)
    asked = excuse(county, case, date(2025, 10, 1), state="requested")
    assistant = login("education_assistant", township=county.a_township)

    assistant.post_with_token(f"/home-teaching/excuses/action/approve/{asked.id}")

    (row,) = county.all(select(Excuse))
    assert row.state == "approved"
    assert row.decided_by_id is not None


def test_school_does_not_approve_its_own_excuse(county, login) -> None:
    asked = excuse(county, taught(county), date(2025, 10, 1), state="requested")
    clerk = login("school_clerk", school=county.a_school)

    clerk.post_with_token(f"/home-teaching/excuses/action/approve/{asked.id}")

    assert county.scalar(select(Excuse.state)) == "requested"


def test_excuse_needs_a_proof(county, login) -> None:
    case = taught(county)
    clerk = login("school_clerk", school=county.a_school)
    typed = {
        "child": str(case.child_id), "month": "2025-10-05", "reason": "hospital", "note": "住院",
    }  # fmt: skip

    refused = clerk.submit("/home-teaching/excuses/add", typed)
    picture = (io.BytesIO(b"%PDF-1.4\n%%EOF\n"), "住院证明.pdf")
    clerk.submit("/home-teaching/excuses/add", {**typed, "evidence_set_id": picture})

    assert "请上传证明材料" in refused.get_data(as_text=True)
    assert county.all(select(Excuse.month)) == [date(2025, 10, 1)]


def test_cases_of_a_child_do_not_overlap(county, login) -> None:
    case = taught(county)
    clerk = login("school_clerk", school=county.a_school)

    answer = clerk.submit(
        "/home-teaching/cases/add",
        {
            "child": str(case.child_id), "school": str(county.a_school.id),
            "determination": "unable", "determined_on": "2025-06-01", "starts_on": "2025-10-01",
        },
    )  # fmt: skip

    assert "请先结束该个案" in answer.get_data(as_text=True)
    assert county.scalar(select(func.count(Case.id))) == 1


def test_case_that_begins_changes_the_status_of_the_child(county, login) -> None:
    pupil, left = county.child(), county.child(status="graduated")
    clerk = login("school_clerk", school=county.a_school)

    for child in (pupil, left):
        clerk.submit(
            "/home-teaching/cases/add",
            {
                "child": str(child.id), "school": str(county.a_school.id),
                "determination": "unable", "determined_on": "2025-06-01",
                "starts_on": "2025-10-01",
            },
        )  # fmt: skip

    names = select(ChildStatus.key).join(Child, Child.status_id == ChildStatus.id)
    assert county.all(names.order_by(Child.id)) == ["home_taught", "graduated"]
    assert county.all(select(StatusEvent.child_id)) == [pupil.id]
    assert county.scalar(select(func.count(Case.id))) == 2


ALL = [
    Held("basic_form"), Held("assessment_form", 2020), Held("appraisal_form", 2020), Held("plan"),
    Held("certificate"), Held("guardian_opinion"),
]  # fmt: skip
OTHERS = [paper for paper in ALL if paper.kind != "certificate"]


SETS = [
    (ALL, date(2020, 12, 31), 0),
    (ALL, date(2017, 5, 1), 0),
    (ALL, date(2021, 1, 1), 2),
    (OTHERS, date(2020, 5, 1), 1),
    ([*OTHERS, Held("diagnosis")], date(2020, 5, 1), 1),
    ([*OTHERS, Held("diagnosis"), Held("certificate_application")], date(2020, 5, 1), 0),
    ([*ALL[:5], Held("guardian_opinion", has_files=False)], date(2020, 5, 1), 1),
    ([], date(2020, 5, 1), 6),
]


def test_six_documents_are_asked_for(app) -> None:
    with app.test_request_context():
        found = [len(list(faults(papers, day, 2020))) for papers, day, _wrong in SETS]

    assert found == [wrong for _papers, _day, wrong in SETS]


def test_case_says_which_papers_are_missing(county, login) -> None:
    case = taught(county)
    county.add(Paper(case_id=case.id, kind="basic_form", **county.scope_of(county.a_school)))
    office = login("supervision_office")

    text = office.get(f"/home-teaching/cases/show/{case.id}").get_data(as_text=True)

    assert "缺送教上门儿童基本情况表" in text
    assert "缺残疾人证复印件" in text


def test_child_page_shows_hours_and_the_next_visit(county, login) -> None:
    lay_out_calendar(county)
    case = taught(county)
    session(county, case, date(2025, 10, 9))
    office = login("supervision_office")

    text = office.get(f"/childview/show/{case.child_id}").get_data(as_text=True)

    assert "已送教3课时，应送教60课时" in text
    assert "送教上门：本月还需送教1次" in text


HEADS = ["Id number", "Taught on", "Starts at", "Ends at", "Stated class hours", "Teachers"]


def test_sessions_are_imported_and_exported_again(app: Flask, county: CountyBuilder) -> None:
    number = "11010119900307803X"
    child = county.child("王小红", status="home_taught", id_number=number)
    taught(county, child)
    for name in ("韦老师", "莫老师"):
        county.person(name, county.a_school)
    rows = [
        f"{number},2025-10-09,9:00,10:30,3,韦老师、莫老师",
        f"{number},2025-10-10,9:00,8:00,3,韦老师",
        f"{number},2025-08-10,9:00,10:30,3,韦老师",
        f"{number},2025-10-13,上午,10:30,3,韦老师",
        f"{number},2025-10-14,9:00,10:30,3,没有此人",
    ]

    first, again = (_load(app, rows) for _time in range(2))

    assert (first.added, len(first.faults)) == (1, 4)
    assert (again.added, again.changed) == (0, 0)
    (row,) = county.all(select(TeachingSession))
    assert (row.starts_at, row.ends_at, row.minutes, row.school_id) == (
        "09:00",
        "10:30",
        90,
        county.a_school.id,
    )
    assert county.scalar(select(func.count(SessionTeacher.id))) == 2
    assert all(_comes_back(app, key) for key in ("case", "session"))


def _comes_back(app: Flask, key: str) -> bool:
    """Export an entity and import the file again: equal rows change nothing."""
    with app.app_context(), database.writing():
        entity = imports.find_entity(f"home_teaching_{key}")
        content = imports.export(db.session(), entity, ".xlsx")
        opened = imports.open_file(entity, content, "导出.xlsx")
        result = imports.store(db.session(), opened, scope=EVERYTHING)
        db.session.rollback()
    return (result.total, result.added, result.changed, result.faults) == (1, 0, 0, ())


def _load(app: Flask, rows: list[str]):
    content = "\n".join([",".join(HEADS), *rows]).encode()
    with app.app_context(), database.writing():
        entity = imports.find_entity("home_teaching_session")
        opened = imports.open_file(entity, content, "送教.csv")
        result = imports.store(db.session(), opened, scope=EVERYTHING)
        db.session.commit()
    return result


def test_demonstration_has_cases_in_several_states(
    app: Flask, county: CountyBuilder, login
) -> None:
    lay_out_calendar(county)
    school_class = county.school_class()
    county.add(
        AttendanceReport(
            class_id=school_class.id, day=NOW, on_roll=1, present=1,
            reported_at=datetime(2025, 10, 20, tzinfo=UTC), **county.scope_of(county.a_school),
        )
    )  # fmt: skip
    county.person("韦老师", county.a_school)
    for _number in range(11):
        county.child(status="home_taught")

    with app.app_context(), database.writing():
        seed_home_teaching(db.session(), Random(1))
        db.session.commit()

    assert county.scalar(select(func.count(Case.id))) == 11
    assert county.scalar(select(func.max(TeachingSession.taught_on))) <= NOW
    assert set(county.all(select(Excuse.state))) == {"approved", "requested"}
    assert county.scalar(select(func.count(Child.id))) == 11
    fullest = select(TeachingSession.child_id).group_by(TeachingSession.child_id)
    child = county.scalar(fullest.order_by(func.count().desc()).limit(1))
    clerk = login("school_clerk", school=county.a_school)
    clerk.get(f"/childview/show/{child}")
    with counted(app) as statements:
        page = clerk.get(f"/childview/show/{child}").get_data(as_text=True)
    assert "已送教" in page
    # The beginning of a transaction is no statement of the page, nor is the kept reading.
    trail = ("BEGIN", "INSERT INTO change")
    own = [one for one in statements if not one.startswith(trail)]
    assert len(own) <= 20, own


def test_children_of_a_case_lack_documents_until_all_six_are_there(county, run_rule) -> None:
    complete, old, few = (
        taught(county, county.child(name), determined_on=day)
        for name, day in (
            ("complete", date(2017, 5, 1)),
            ("old forms", date(2025, 6, 1)),
            ("few", date(2020, 1, 1)),
        )
    )
    for case, papers in ((complete, ALL), (old, ALL), (few, OTHERS)):
        for paper in papers:
            held = county.add(EvidenceSet(is_staged=False, **county.scope_of(county.a_school)))
            county.add(
                Paper(
                    case_id=case.id,
                    kind=paper.kind,
                    form_year=paper.form_year,
                    evidence_set_id=held.id,
                    **county.scope_of(county.a_school),
                )
            )

    run_rule("home_teaching.documents", as_of=NOW)

    found = select(Violation.subject_id, Violation.observed).order_by(Violation.subject_id)
    with county.context():
        rows = county.session.execute(found).all()
        county.session.rollback()
    assert [tuple(row) for row in rows] == [(old.child_id, "4"), (few.child_id, "5")]


def test_bulletin_reports_townships_without_names(county, app) -> None:
    case = taught(county)
    session(county, case, date(2025, 10, 9))
    session(county, case, date(2025, 10, 10), ("09:00", "10:00", 2))
    excuse(county, taught(county), date(2025, 10, 1))
    period = Period("2025-10", date(2025, 10, 1), date(2025, 10, 31), date(2025, 10, 31))

    with county.context():
        values = settings_of(county.session, "home_teaching", NOW)
        rows = county.session.execute(figures(Window(NOW, (period,)), values)).all()
        county.session.rollback()

    told = {row.township: tuple(row)[3:] for row in rows}
    assert told[county.a_township.name] == (2, 1, 5, 1)
    assert all(row.school_id is None for row in rows)


def test_figures_of_a_month_take_a_constant_number_of_statements(app, county, login) -> None:
    lay_out_calendar(county)
    case = taught(county)
    office = login("supervision_office")
    counts = []
    for days in ((1, 2), (3, 6, 7, 8, 9, 10)):
        for day in days:
            session(county, case, date(2025, 10, day), teachers=[county.person()])
        office.get(month_of(case))
        with counted(app) as statements:
            assert office.get(month_of(case)).status_code == 200
        counts.append(len(statements))

    assert counts[0] == counts[1]


@contextmanager
def counted(app: Flask) -> Iterator[list[str]]:
    """Yield the list of the statements that run meanwhile."""
    seen: list[str] = []
    with app.app_context():
        engine = db.engine

    def note(_connection, _cursor, statement, *_rest) -> None:
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)
