"""Cases run with statement and appeal to the outcome; whom they concern sees only his own."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select

from app.clock import zone
from app.models import Change, ChecklistItem, Violation
from plugins.accountability.models import AccountabilityCase, SuperiorFinding

MONDAY = datetime(2026, 5, 25, 10, tzinfo=zone())
IN_TIME, AFTER = timedelta(days=7), timedelta(days=8)
"""Five working days end on the Monday after."""
OFFICE = "supervision_office"


@pytest.fixture
def concerned(county):
    """An inspector whose case is opened, and a colleague of the same school."""
    county.concerned, county.colleague = county.person("黄督学"), county.person("蓝督学")
    for person in (county.concerned, county.colleague):
        county.liaison(person, "liaison_department", county.a_school)
    return county.add(
        AccountabilityCase(
            kind="overlooked", state="opened", opened_on=MONDAY.date(), ground="请假手续不全",
            person_id=county.concerned.id, capacity="liaison_department",
            **county.scope_of(county.a_school),
        )
    )  # fmt: skip


def stored(county) -> AccountabilityCase:
    return county.scalar(select(AccountabilityCase).order_by(AccountabilityCase.id.desc()))


def recommended(county, day: date) -> None:
    """Let the recommendation have been made on a day."""
    county.execute(AccountabilityCase.__table__.update().values(recommended_on=day))


def step(visitor, view, case, **typed):
    return visitor.submit(f"/{view}/edit/{case.id}", typed)


def test_a_case_runs_from_statement_and_appeal_to_its_outcome(county, login, concerned):
    case = concerned
    with time_machine.travel(MONDAY, tick=True):
        office = login(OFFICE)
        own = login("liaison_department", person=county.concerned)
        advice = {"recommendation": "批评教育"}
        step(office, "caserecommendationview", case, **advice)
        assert stored(county).state == "opened"  # the statement is waited for
        step(own, "ownstatementview", case, statement="当日请假台账齐全")
        assert stored(county).stated_on == MONDAY.date()
        step(office, "caserecommendationview", case, **advice)
        assert stored(county).state == "recommended"
        sent = {"transferred_to": "市纪委监委驻教育局纪检监察组", "transferred_on": "2026-05-25"}
        step(office, "casetransferview", case, **sent)
        assert stored(county).state == "recommended"  # an appeal is possible yet
        recommended(county, MONDAY.date() - IN_TIME)
        step(own, "ownappealview", case, appeal="该项当日不在抽查范围")
        assert (stored(county).state, stored(county).appealed_on) == ("appealed", MONDAY.date())
        page = step(office, "caserecommendationview", case, recommendation="谈话提醒")
        assert 'id="appeal_reply-error"' in page.get_data(as_text=True)
        step(
            office,
            "caserecommendationview",
            case,
            recommendation="谈话提醒",
            appeal_reply="部分采纳",
        )
        assert (stored(county).state, stored(county).recommendation) == ("recommended", "谈话提醒")
        assert own.get(f"/ownappealview/edit/{case.id}").status_code == 200
        step(own, "ownappealview", case, appeal="再次申诉")
        assert stored(county).state == "recommended"  # one appeal
        step(office, "casetransferview", case, **sent)
        assert stored(county).state == "transferred"
        page = step(office, "caseoutcomeview", case, outcome="谈话提醒", outcome_on="2026-05-25")
        assert 'id="outcome_number-error"' in page.get_data(as_text=True)
        step(
            office, "caseoutcomeview", case,
            outcome="谈话提醒", outcome_number="荔教纪〔2026〕3号", outcome_on="2026-05-25",
        )  # fmt: skip

    assert (stored(county).state, stored(county).outcome_number) == (
        "concluded", "荔教纪〔2026〕3号",
    )  # fmt: skip
    touched = county.all(select(Change.table_name).where(Change.action == "update"))
    assert touched.count("plg_accountability_case") >= 6


def test_times_pass_without_a_word(county, login, concerned):
    """After five working days neither the statement nor the appeal is waited for."""
    with time_machine.travel(MONDAY + AFTER, tick=True):
        office = login(OFFICE)
        step(office, "caserecommendationview", concerned, recommendation="批评教育")
        assert stored(county).state == "recommended"
        recommended(county, MONDAY.date())
        own = login("liaison_department", person=county.concerned)
        step(own, "ownappealview", concerned, appeal="申诉")
        assert stored(county).state == "recommended"
        step(office, "casedismissalview", concerned, dismissal="")
        assert stored(county).state == "recommended"
        step(office, "casedismissalview", concerned, dismissal="经核实已尽责")

    assert (stored(county).state, stored(county).dismissal) == ("dismissed", "经核实已尽责")


@pytest.mark.parametrize("who", ["colleague", "township_leader", "school_leader"])
def test_others_see_and_state_nothing(county, login, concerned, who):
    places = {
        "township_leader": {"township": county.a_township},
        "school_leader": {"school": county.a_school},
    }
    with time_machine.travel(MONDAY, tick=True):
        if who == "colleague":
            visitor = login("liaison_department", person=county.colleague)
        else:
            visitor = login(who, **places[who])
        own = login("liaison_department", person=county.concerned)
        key = concerned.id
        pages = [
            visitor.get(address)
            for address in (
                f"/owncaseview/show/{key}",
                f"/ownstatementview/edit/{key}",
                f"/accountabilitycaseview/show/{key}",
                f"/lookup/plg_accountability_case?id={key}",
            )
        ]
        listed = visitor.get("/owncaseview/list/").get_data(as_text=True)
        shown = own.get(f"/owncaseview/show/{key}")

    assert {page.status_code for page in pages} <= {302, 403, 404}
    assert pages[-1].status_code == 404  # the lookup, too
    assert county.a_school.name not in listed
    assert shown.status_code == 200
    assert "请假手续不全" in shown.get_data(as_text=True)


def test_nobody_leads_his_own_case(county, login, concerned):
    with time_machine.travel(MONDAY + AFTER, tick=True):
        office = login(OFFICE, person=county.concerned)
        step(office, "caserecommendationview", concerned, recommendation="不予追究")
        step(office, "casedismissalview", concerned, dismissal="不予追究")

    assert stored(county).state == "opened"


def test_what_superiors_found_is_entered_and_compared(county, login):
    """A day in the future and one after the finding are named; nothing typed is lost."""
    item = county.scalar(select(ChecklistItem).limit(1))
    typed = {
        "school": str(county.a_school.id), "found_on": "2026-05-20", "source": "covert",
        "issuer": "自治区教育督导组", "item": str(item.id), "facts": "两名学生无请假手续",
    }  # fmt: skip
    with time_machine.travel(MONDAY, tick=True):
        office = login(OFFICE)
        wrong = {"condition_since": "2026-05-21", "found_on": "2026-05-26"}
        for name, value in wrong.items():
            page = office.submit("/superiorfindingview/add", {**typed, name: value})
            text = page.get_data(as_text=True)
            assert f'id="{name}-error"' in text
            assert "两名学生无请假手续" in text
        office.submit("/superiorfindingview/add", typed)
        finding = county.scalar(select(SuperiorFinding))
        page = office.get(f"/superiorfindingview/show/{finding.id}").get_data(as_text=True)

    assert (finding.township_id, finding.condition_since) == (county.a_township.id, None)
    assert "此前无督导人员作出“符合”结论" in page
    assert stored(county) is None


def test_a_person_confirms_a_candidate_once(county, login):
    scope = county.scope_of(county.a_school)
    facts = {
        "code": "ACC-2", "severity": "warning", "subject_type": "school",
        "subject_id": county.a_school.id, "first_seen": date(2026, 5, 20), "message": "反复发生",
    }  # fmt: skip
    rows = [
        county.add(
            Violation(
                rule_key="accountability.recurrence", period_start=date(2025, 9, day),
                **{**facts, **more}, **scope,
            )
        )
        for day, more in (
            (1, {}),
            (2, {"resolved_on": date(2026, 5, 21)}),
            (3, {"code": "ACC-1"}),
        )
    ]  # fmt: skip
    typed = {"unit": "修仁中学", "ground": "同一问题销号后两次再次发生"}
    with time_machine.travel(MONDAY, tick=True):
        office = login(OFFICE)
        listed = office.soup("/interviewcandidateview/list/").select("tbody tr")
        for row in rows[1:]:
            page = office.submit("/accountabilitycaseview/add", {**typed, "violation": str(row.id)})
            assert 'id="violation-error"' in page.get_data(as_text=True)
        for _time in range(2):
            page = office.submit(
                "/accountabilitycaseview/add", {**typed, "violation": str(rows[0].id)}
            )

    assert len(listed) == 1
    assert 'id="violation-error"' in page.get_data(as_text=True)
    (case,) = county.all(select(AccountabilityCase))
    assert (case.kind, case.state, case.school_id) == ("interview", "opened", county.a_school.id)
