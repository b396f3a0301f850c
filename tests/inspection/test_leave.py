"""Leave: until when its paper may come, which absences it explains, who begins the day's form."""

from __future__ import annotations

from datetime import date, timedelta

import time_machine
from sqlalchemy import select

from app.models import Absence, Leave
from tests.inspection.conftest import TODAY
from tests.inspection.test_daily_check import children, report, teacher_of
from tests.visitor import form_values, read

ONE_DAY = timedelta(days=1)
FORM = "#model_form"


def typed(child, first: date, last: date, **values) -> dict[str, str]:
    """Return what a teacher types, with a call unless it is left out."""
    given = {
        "child": str(child.id), "kind": "sick_leave", "starts_on": first.isoformat(),
        "ends_on": last.isoformat(), "reason": "发烧", "asked_by": "覃父",
        "called_on": first.isoformat(), "call_note": "在家休息",
    }  # fmt: skip
    return given | values


def test_leave_is_valid_until_the_third_school_day_after_the_return(county, login, classes) -> None:
    """Monday is the last day of the leave, Tuesday the return: Friday is the third day after."""
    monday = date(2026, 3, 2)
    for day, is_stored in (
        (monday + ONE_DAY, True),
        (monday + 3 * ONE_DAY, True),
        (monday + 4 * ONE_DAY, True),
        (monday + 7 * ONE_DAY, False),
        (monday + 8 * ONE_DAY, False),
    ):
        child = county.child(school_class=classes[0])
        with time_machine.travel(day):
            visitor = login("school_clerk", school=county.a_school)
            answer = visitor.submit("/leave/add", typed(child, monday, monday), select=FORM)

        stored = county.all(select(Leave).filter_by(child_id=child.id))
        assert bool(stored) is is_stored, day
        assert ("第3个上学日" in answer.get_data(as_text=True)) is not is_stored


def test_return_that_is_noted_counts_from_its_day(county, login, classes) -> None:
    monday, child = date(2026, 3, 2), children(county, classes[0])[0]
    back = {"returned_on": "2026-03-03"}

    for day, count in ((date(2026, 3, 9), 0), (date(2026, 3, 6), 1)):
        with time_machine.travel(day):
            visitor = login("school_clerk", school=county.a_school)
            answer = typed(child, monday, monday + 4 * ONE_DAY, **back)
            visitor.submit("/leave/add", answer, select=FORM)
        assert len(county.all(select(Leave))) == count


def test_leave_explains_its_days_and_only_with_paper_or_call(county, login, classes) -> None:
    teacher = teacher_of(county, login, classes[0])
    child, other, _third = children(county, classes[0])
    report(
        teacher, classes[0], child_1=str(child.id), kind_1="pending", child_2=str(other.id),
        kind_2="unexplained", contact_2="打不通",
    )  # fmt: skip
    without = typed(other, TODAY, TODAY, called_on="", call_note="")

    teacher.submit("/leave/add", typed(child, TODAY, TODAY + ONE_DAY), select=FORM)
    teacher.submit("/leave/add", without, select=FORM)
    second = teacher.submit("/leave/add", typed(child, TODAY, TODAY), select=FORM)

    kinds = {row.child_id: row.kind for row in county.all(select(Absence))}
    assert kinds == {child.id: "sick_leave", other.id: "unexplained"}
    assert "starts_on-error" in second.get_data(as_text=True)
    assert len(county.all(select(Leave))) == 2
    badges = [one.get_text() for one in teacher.soup("/leave/list/").select("tbody .badge-soft")]
    assert sorted(badges) == ["已电话核实", "缺请假材料"]


def test_the_days_form_begins_with_who_is_on_leave(county, login, classes) -> None:
    teacher = teacher_of(county, login, classes[0])
    child = children(county, classes[0])[0]
    teacher.submit("/leave/add", typed(child, TODAY, TODAY), select=FORM)
    url = f"/attendance/{classes[0].id}"

    form = read(teacher.get(url)).select_one(FORM)
    sent = form_values(form)
    teacher.send(form, url, {"deed": "report"})

    assert (sent["child_1"], sent["kind_1"]) == (str(child.id), "sick_leave")
    (absence,) = county.all(select(Absence))
    assert (absence.child_id, absence.kind) == (child.id, "sick_leave")


def test_codes_lead_to_the_classes_of_the_reader_only(county, login, classes) -> None:
    teacher = teacher_of(county, login, classes[0])
    clerk = login("school_clerk", school=county.a_school)
    other = login("school_clerk", school=county.school("蒲芦中学"))

    def led_to(visitor) -> list[str]:
        return [a["href"] for a in visitor.soup("/attendance/codes").select(".code-card a")]

    assert led_to(teacher) == [f"http://localhost/attendance/{classes[0].id}"]
    assert len(led_to(clerk)) == len(classes)
    assert led_to(other) == []
    assert teacher.soup("/attendance/codes").select_one(".code-card svg path")
