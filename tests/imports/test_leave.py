"""Import leave: a call explains the absences of its days; two leaves never share a day."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select

from app.models import Absence, Change, Leave

HEADS = (
    "证件号码",
    "请假类别",
    "请假首日",
    "请假末日",
    "原因",
    "请假监护人",
    "电话核实日期",
    "监护人说明",
)


def test_leave_with_a_call_explains_absences_and_days_are_not_taken_twice(
    county, load, sheets
) -> None:
    group = county.school_class()
    numbers = [sheets.id_number(date(2012, 3, 4), each) for each in (1, 2)]
    children = [county.child(school_class=group, id_number=number).id for number in numbers]
    for child_id in children:
        county.add(
            Absence(
                child_id=child_id, class_id=group.id, day=date(2026, 3, 5), kind="unexplained",
                **county.scope_of(county.a_school),
            )
        )  # fmt: skip
    call = ("20260305", "住院")
    rows = [
        (numbers[0], "病假", "20260304", "20260306", "发烧", "覃父", *call),
        (numbers[1], "事假", "20260304", "20260306", "家中有事", "韦母", "", ""),
        (numbers[1], "事假", "20260306", "20260309", "家中有事", "韦母", "", ""),
        (numbers[0], "病假", "20260310", "20260309", "发烧", "覃父", "", ""),
        (numbers[0], "病假", "20260311", "20260312", "发烧", "覃父", "20260311", ""),
    ]

    result = load("leave", rows, HEADS)
    again = load("leave", rows[:2], HEADS)

    assert (result.added, len(result.faults)) == (2, 3)
    assert (again.added, again.changed, again.faults) == (0, 0, ())
    kinds = {row.child_id: row.kind for row in county.all(select(Absence))}
    assert kinds == {children[0]: "sick_leave", children[1]: "unexplained"}
    assert len(county.all(select(Leave))) == 2
    trail = county.all(select(Change.after).filter_by(table_name="absence", action="update"))
    assert trail == ['{"kind":"sick_leave"}']
