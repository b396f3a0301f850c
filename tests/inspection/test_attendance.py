"""Reports of attendance: two phones, double clicks, children off the list, classes still hidden."""

from __future__ import annotations

from sqlalchemy import func, select

from app.models import Absence, AttendanceReport
from tests.inspection.conftest import TODAY
from tests.inspection.test_daily_check import children, line_of, report, start, teacher_of
from tests.inspection.test_inspection_flow import send
from tests.visitor import read

FORM = "#model_form"


def test_a_page_opened_before_anothers_report_stores_nothing(county, login, classes):
    one = classes[0]
    teacher = teacher_of(county, login, one)
    clerk = login("school_clerk", school=county.a_school)
    first, second, _third = children(county, one)
    url = f"/attendance/{one.id}"
    old = read(clerk.get(url)).select_one(FORM)
    report(teacher, one, child_1=str(first.id), kind_1="sick_leave")

    for deed in ("report", "all"):
        typed = {"deed": deed, "child_1": str(second.id), "kind_1": "pending"}
        page = read(clerk.send(old, url, typed))
        assert first.name in page.select_one(".alert-warning").parent.get_text()
        assert [row.child_id for row in county.all(select(Absence))] == [first.id]

    both = {"child_2": str(first.id), "kind_2": "sick_leave", "deed": "report"}
    clerk.send(page.select_one(FORM), url, both)
    assert {row.child_id for row in county.all(select(Absence))} == {first.id, second.id}
    assert county.scalar(select(AttendanceReport.present)) == 1


def test_a_report_that_is_sent_twice_is_stored_once_and_answered_alike(county, login, classes):
    teacher = teacher_of(county, login, classes[0])
    url = f"/attendance/{classes[0].id}"
    form = read(teacher.get(url)).select_one(FORM)
    typed = {"deed": "report", "child_1": str(children(county, classes[0])[0].id)}
    typed["kind_1"] = "sick_leave"

    answers = [teacher.send(form, url, typed, follow_redirects=False) for _press in range(2)]

    assert [answer.headers.get("Location") for answer in answers] == [url, url]
    assert county.scalar(select(AttendanceReport.row_version)) == 1
    assert county.scalar(select(func.count(Absence.id))) == 1


def test_only_children_on_the_list_are_offered_and_counted(county, login, classes):
    one = classes[0]
    teacher = teacher_of(county, login, one)
    gone = county.child("覃已离", school=county.a_school, school_class=one, status="transferred")
    field = read(teacher.get(f"/attendance/{one.id}")).select_one("[name=child_1]")

    offered = teacher.get(field["data-endpoint"]).get_json()["results"]
    page = report(teacher, one, child_1=str(gone.id), kind_1="sick_leave")

    assert {row["id"] for row in offered} == {child.id for child in children(county, one)} - {
        gone.id
    }
    assert 'id="child_1-error"' in page.get_data(as_text=True)
    assert county.scalar(select(func.count(Absence.id))) == 0


def test_the_number_of_a_class_to_count_is_nowhere_before_the_count(county, login, classes):
    for one in classes:
        teacher = teacher_of(county, login, one)
        first = children(county, one)[0]
        report(teacher, one, child_1=str(first.id), kind_1="sick_leave")
    leader = login("school_leader", school=county.a_school)
    url = start(leader)
    drawn = next(one for one in classes if line_of(county, one).is_drawn)
    told = county.scalar(select(AttendanceReport).filter_by(class_id=drawn.id, day=TODAY))
    away = county.scalar(select(Absence).filter_by(class_id=drawn.id, day=TODAY))

    def open_to(visitor) -> list[int]:
        pages = (f"/attendance/{drawn.id}", f"/attendancereportview/show/{told.id}")
        codes = [visitor.get(page).status_code for page in (*pages, f"/absenceview/show/{away.id}")]
        lists = ("/attendancereportview/list/", "/absenceview/list/")
        return [*codes, *(len(read(visitor.get(page)).select("tbody tr")) for page in lists)]

    assert open_to(leader) == [404, 404, 404, 3, 3]
    office = login("supervision_office")
    assert open_to(office)[1:] == [200, 200, 4, 4]

    send(leader, url, "save", **{f"item_classes_class_{drawn.id}_present": "2"})
    assert open_to(leader) == [200, 200, 200, 4, 4]
