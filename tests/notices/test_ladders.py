"""Climb the ladders in working days: vacations, make-up days, vacancies, acting persons."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import pytest
from sqlalchemy import delete, select, update

from app.cadence.calendar import Calendar
from app.models import Appointment, DueItem, Notification, Person
from app.notices.notify import notify
from tests.builder import CountyBuilder
from tests.notices.conftest import add_due, night, told_by

SOON = "soon"
FRIDAY, MONDAY = date(2026, 3, 6), date(2026, 3, 9)


@dataclass(frozen=True)
class Case:
    """A thing of a role with its due day: who has been told of it by a day, under which step."""

    role: str
    due_on: date
    day: date
    told: dict[str, str] = field(default_factory=dict)
    person: str | None = None
    in_term: bool = False


INSPECTOR, SCHOOL, TOWN = "escalation.inspector", "escalation.school", "escalation.township"
CASES = {
    "long before": Case("school_leader", FRIDAY, date(2026, 3, 3)),
    "two working days before": Case("school_leader", FRIDAY, date(2026, 3, 4), {"校长": SOON}),
    "on the day": Case("school_leader", FRIDAY, FRIDAY, {"校长": SOON}),
    "a weekend lets nothing elapse": Case("school_leader", FRIDAY, date(2026, 3, 8)),
    "the first working day": Case("school_leader", FRIDAY, MONDAY, {"校长": "overdue"}),
    "the school, three more days on": Case(
        "school_leader",
        FRIDAY,
        date(2026, 3, 12),
        {"校长": "overdue", "督学": f"{SCHOOL}.department", "股室": f"{SCHOOL}.department"},
    ),
    "the school, a day before that": Case(
        "school_leader", FRIDAY, date(2026, 3, 11), {"校长": "overdue"}
    ),
    "the school, up to the bureau": Case(
        "school_leader",
        FRIDAY,
        date(2026, 3, 19),
        {
            "校长": "overdue",
            "督学": f"{SCHOOL}.department",
            "股室": f"{SCHOOL}.department",
            "督导办": f"{SCHOOL}.bureau",
        },
    ),
    "a named inspector is told alone": Case(
        "liaison_department", FRIDAY, MONDAY, {"督学": "overdue"}, person="督学"
    ),
    "an inspector, then the department": Case(
        "liaison_department",
        FRIDAY,
        date(2026, 3, 11),
        {"督学": f"{INSPECTOR}.department", "股室": f"{INSPECTOR}.department"},
        person="督学",
    ),
    "nobody named: the department answers": Case(
        "liaison_department", FRIDAY, MONDAY, {"督学": "overdue", "股室": "overdue"}
    ),
    "nobody named: then the leader": Case(
        "liaison_department",
        FRIDAY,
        date(2026, 3, 12),
        {"督学": "overdue", "股室": "overdue", "领导": f"{INSPECTOR}.leader"},
    ),
    "a leader's own duty begins with him": Case(
        "liaison_leader", FRIDAY, MONDAY, {"领导": "overdue"}
    ),
    "a leader, then the task group": Case(
        "liaison_leader",
        FRIDAY,
        date(2026, 3, 16),
        {"领导": "overdue", "小组": f"{INSPECTOR}.task_group"},
    ),
    "the township, from the village up": Case(
        "township_cadre",
        FRIDAY,
        date(2026, 3, 23),
        {
            "村干部": "overdue",
            "副镇长": f"{TOWN}.deputy",
            "镇长": f"{TOWN}.head",
            "小组": f"{TOWN}.task_group",
        },
    ),
    "a township leader's duty begins with the deputy": Case(
        "township_leader", FRIDAY, MONDAY, {"副镇长": "overdue"}
    ),
    "a holiday lets nothing elapse": Case("school_leader", date(2026, 4, 30), date(2026, 5, 5)),
    "after a holiday": Case(
        "school_leader", date(2026, 4, 30), date(2026, 5, 6), {"校长": "overdue"}
    ),
    "a make-up day counts": Case(
        "school_leader",
        date(2026, 5, 5),
        date(2026, 5, 9),
        {"校长": "overdue", "督学": f"{SCHOOL}.department", "股室": f"{SCHOOL}.department"},
    ),
    "vacations do not matter": Case(
        "school_leader", date(2026, 7, 10), date(2026, 7, 13), {"校长": "overdue"}
    ),
    "what needs pupils waits for them": Case(
        "school_leader", date(2026, 7, 10), date(2026, 8, 31), in_term=True
    ),
    "and goes on with them": Case(
        "school_leader", date(2026, 7, 10), date(2026, 9, 1), {"校长": "overdue"}, in_term=True
    ),
}


def latest_steps(county: CountyBuilder) -> dict[str, str]:
    """Return for each person the newest step that he was told."""
    rows = county.all(select(Notification).order_by(Notification.id).join(Notification.appointment))
    return {row.appointment.person.name: row.step for row in rows}


def test_each_case_of_the_ladders(county: CountyBuilder, staffed: dict[str, Person]) -> None:
    wrong = {}
    for name, case in CASES.items():
        person_id = staffed[case.person].id if case.person else None
        add_due(county, case.role, case.due_on, person_id=person_id, in_term=case.in_term)

        told_by(county, case.day)

        told = latest_steps(county)
        if told != case.told:
            wrong[name] = told
        for model in (Notification, DueItem):
            county.execute(delete(model))

    assert wrong == {}


@pytest.mark.parametrize(
    ("vacant", "role", "told"),
    [
        (("校长",), "school_leader", {"督学": "overdue", "股室": "overdue"}),
        (("校长", "督学", "股室"), "school_leader", {"督导办": "overdue"}),
        (("副镇长",), "township_leader", {"镇长": "overdue"}),
        (("副镇长", "镇长"), "township_leader", {"小组": "overdue"}),
        (("领导",), "liaison_leader", {"小组": "overdue"}),
        (("校长", "督学", "股室", "督导办"), "school_leader", {}),
    ],
)
def test_a_vacant_step_goes_up(county, staffed, vacant, role, told) -> None:
    for name in vacant:
        held = Appointment.person_id == staffed[name].id
        county.execute(update(Appointment).where(held).values(valid_to=FRIDAY))
    add_due(county, role, FRIDAY)

    with night(county) as session:
        report = notify(session, MONDAY)

    assert latest_steps(county) == told
    assert report.unheard == (0 if told else 1)


def test_nobody_hears_without_an_account(county, staffed) -> None:
    county.execute(update(Person).where(Person.id == staffed["校长"].id).values(is_active=False))
    add_due(county, "school_leader", FRIDAY)

    told_by(county, MONDAY)

    assert set(latest_steps(county)) == {"督学", "股室"}


def test_who_acts_for_somebody_is_told_in_his_place(county, staffed) -> None:
    deputy = county.person("代理校长", place=county.a_school)
    county.account(deputy)
    held = county.scalar(select(Appointment).filter_by(person_id=staffed["校长"].id))
    days = {"valid_from": date(2026, 3, 2), "valid_to": date(2026, 3, 13)}
    county.appointment(
        deputy, "school_leader", school=county.a_school, acting_for_id=held.id, **days
    )
    add_due(county, "school_leader", FRIDAY)
    named = {"person_id": staffed["校长"].id}
    add_due(county, "school_leader", date(2026, 3, 13), **named)

    told_by(county, MONDAY)
    while_away = latest_steps(county)
    told_by(county, date(2026, 3, 16))

    assert while_away == {"代理校长": "overdue"}
    assert latest_steps(county)["校长"] == "overdue"  # he is back, and hears of what is open


def test_another_place_hears_nothing(county, staffed) -> None:
    elsewhere = county.school("蒲芦中学", county.township("蒲芦瑶族乡"))
    add_due(county, "school_leader", FRIDAY, place=elsewhere)

    told_by(county, date(2026, 3, 20))

    assert set(latest_steps(county)) == {"督导办"}


def test_a_step_without_a_value_is_left_out(county, staffed) -> None:
    from app.models import Parameter, ParameterValue

    key = "escalation.school_to_department"
    parameter = county.scalar(select(Parameter.id).filter_by(key=key))
    ended = {"valid_from": date(2026, 3, 1), "basis": "decision", "number": None}
    county.add(ParameterValue(parameter_id=parameter, **ended))
    add_due(county, "school_leader", FRIDAY)

    told_by(county, date(2026, 3, 16))

    assert latest_steps(county) == {"校长": "overdue", "督导办": "escalation.school.bureau"}


def test_a_second_night_tells_nothing_twice(county, staffed) -> None:
    add_due(county, "school_leader", FRIDAY)
    told_by(county, date(2026, 3, 12))
    before = county.all(select(Notification.id))

    with night(county) as session:
        report = notify(session, date(2026, 3, 12))

    assert report.count == 0
    assert county.all(select(Notification.id)) == before


def test_days_after_a_day_are_counted_without_a_calendar() -> None:
    assert Calendar().day_after(FRIDAY, 2, Calendar().is_working_day) == date(2026, 3, 10)
