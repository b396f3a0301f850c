"""Test the plugin suspension: the steps of a case, its screens, import, panel and demonstration."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from random import Random

import pytest
import time_machine
from sqlalchemy import func, select

from app.extensions import db
from app.kit import FieldRefused, Period, Settings, Window
from app.models import Absence, AttendanceReport, Child, ChildStatus, StatusEvent
from app.testing import PluginContract
from plugins.suspension import steps
from plugins.suspension.bulletins import figures
from plugins.suspension.kinds import CONSENT, HOSPITAL, MEDICAL, POLICY, RULING
from plugins.suspension.models import SuspensionCase, SuspensionPaper
from plugins.suspension.panel import content
from tests.suspensions import ALL_PAPERS, alone, case, joint, paper
from tests.visits import evidence

TODAY = date(2026, 3, 3)
NOON = "2026-03-03T04:00:00+00:00"
THREE = (date(2026, 1, 5), date(2026, 1, 20), date(2026, 2, 10))
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n"


class TestSuspension(PluginContract):
    """Hold the plugin to the contract."""

    name = "suspension"


@pytest.fixture
def noon():
    """Stop the clock at noon of the day."""
    with time_machine.travel(NOON, tick=False):
        yield


def status_of(county, child):
    """Return the key of a child's present status."""
    query = select(ChildStatus.key).join(Child, Child.status_id == ChildStatus.id)
    return county.scalar(query.where(Child.id == child.id))


def state_of(county, row):
    """Return the state of a case."""
    return county.scalar(select(SuspensionCase.state).where(SuspensionCase.id == row.id))


def test_school_applies_township_confirms_and_bureau_approves(county, login, noon):
    school, child = county.a_school, county.child(status="suspected")
    clerk = login("school_clerk", school=school)
    assistant = login("education_assistant", township=county.a_township)
    leader = county.person()
    county.liaison(leader, "liaison_leader", school)
    approver = login("liaison_leader", person=leader)
    joint(county, child, *THREE)

    clerk.submit(
        "/suspensioncaseview/add",
        {
            "child": str(child.id),
            "kind": "policy_suspension",
            "applied_on": "2026-02-20",
            "absent_from": "2025-12-01",
        },
    )
    row = county.scalar(select(SuspensionCase))
    numbered = {"number": "荔乡组〔2026〕3号", "dated_on": "2026-02-25"}
    for kind in ALL_PAPERS:
        clerk.submit(
            "/suspensionpaperview/add",
            {
                "case": str(row.id),
                "kind": kind,
                "evidence_set_id": (io.BytesIO(PDF + kind.encode()), f"{kind}.pdf"),
                **(numbered if kind == CONSENT else {}),
            },
        )
    assistant.submit(f"/suspensionconfirmationview/edit/{row.id}", {"confirmed_on": "2026-02-26"})
    answer = approver.submit(
        f"/suspensionapprovalview/edit/{row.id}",
        {"decision": "approve", "approved_on": "2026-03-02", "ends_on": "2026-09-01"},
    )

    assert answer.status_code == 200
    assert state_of(county, row) == "approved"
    assert status_of(county, child) == "policy_suspension"
    event = county.scalar(select(StatusEvent).where(StatusEvent.child_id == child.id))
    assert event.happened_on == date(2026, 3, 2)
    consent = county.scalar(select(SuspensionPaper).where(SuspensionPaper.kind == CONSENT))
    assert consent.issued_by == "市级乡村工作领导小组"


def decide(county, row, day=date(2026, 3, 2), ends_on=date(2026, 9, 1)):
    """Approve a case; return the refusal, or nothing."""
    with county.context():
        record = db.session.get(SuspensionCase, row.id)
        record.approved_on, record.ends_on = day, ends_on
        try:
            steps.approve(db.session, record)
        except steps.Refused as refusal:
            db.session.rollback()
            db.session.remove()
            return refusal.message
        db.session.commit()
        db.session.remove()
    return None


@pytest.mark.parametrize(
    ("lacking", "words"),
    [
        ("nothing", None),
        ("third visit", "批准前联合劝访2次（应不少于3次）"),
        ("third visit, but a ruling", None),
        ("determination_form", "缺少材料：认定表"),
        ("guardian_duty", "缺少材料：监护人已履行法定义务证明"),
        ("refusal", "缺少材料：学生本人拒不返校证明"),
        (CONSENT, "缺少材料：领导小组核实同意文件"),
    ],
)
def test_gate_opens_when_all_conditions_hold_and_says_what_is_missing(county, noon, lacking, words):
    child = county.child(status="suspected")
    held = [kind for kind in ALL_PAPERS if kind != lacking]
    row = case(county, child, papers=held, state="confirmed", confirmed_on=date(2026, 2, 26))
    joint(county, child, *(THREE[:2] if lacking.startswith("third") else THREE))
    if lacking.endswith("ruling"):
        paper(county, row, child, RULING)

    refusal = decide_in_chinese(county, row)

    if words is None:
        assert (refusal, state_of(county, row)) == (None, "approved")
    else:
        assert words in refusal
        assert (state_of(county, row), status_of(county, child)) == ("confirmed", "suspected")


def decide_in_chinese(county, row, **values):
    """Approve a case inside a request, so that the refusal is in Chinese."""
    with county.app.test_request_context("/"):
        from app.security.guard import unrestricted

        with unrestricted():
            return decide(county, row, **values)


@pytest.mark.parametrize(
    ("day", "ends_on", "words"),
    [
        (date(2026, 3, 2), date(2027, 3, 2), None),
        (date(2026, 3, 2), date(2027, 3, 3), "最长不超过12个月"),
        (date(2026, 3, 2), date(2026, 3, 2), "结束日期须晚于批准日期"),
        (date(2026, 3, 2), None, "请填写结束日期"),
        (date(2026, 3, 4), date(2026, 9, 1), "日期不能晚于今天"),
        (date(2026, 2, 25), date(2026, 9, 1), "早于上一环节"),
        (None, date(2026, 9, 1), "请填写日期"),
    ],
)
def test_approval_has_an_end_within_a_year_and_days_in_order(county, noon, day, ends_on, words):
    child = county.child(status="suspected")
    row = case(county, child, state="confirmed", confirmed_on=date(2026, 2, 26))
    joint(county, child, *THREE)

    refusal = decide_in_chinese(county, row, day=day, ends_on=ends_on)

    assert (refusal is None) is (words is None)
    assert words is None or words in refusal


@pytest.mark.parametrize("kind", MEDICAL)
def test_illness_needs_the_proof_of_a_hospital_and_no_visits(county, noon, kind):
    child = county.child(status="enrolled" if kind == MEDICAL[0] else "not_enrolled")
    row = case(county, child, kind=kind, papers=())

    refusal = decide_in_chinese(county, row)
    paper(county, row, child, HOSPITAL)
    approved = decide_in_chinese(county, row)

    assert "缺少材料：医院证明" in refusal
    assert (approved, status_of(county, child)) == (None, kind)


def test_renewal_is_a_new_case_with_new_papers_and_a_joint_visit(county, noon):
    child = county.child(status="policy_suspension")
    before = case(county, child, approved_on=date(2025, 9, 1))
    row = case(
        county, child, papers=(), state="confirmed", renews_id=before.id,
        absent_from=date(2025, 9, 2),
    )  # fmt: skip

    refusal = decide_in_chinese(county, row)
    for kind in ALL_PAPERS:
        paper(county, row, child, kind)
    joint(county, child, date(2026, 1, 5))
    renewed = decide_in_chinese(county, row)

    assert "缺少材料" in refusal
    assert "联合劝访0次（应不少于1次）" in refusal
    assert renewed is None
    assert state_of(county, before) == "renewed"


@pytest.mark.parametrize(
    ("values", "state"),
    [({"decision_note": "监护人已同意返校"}, "declined"), ({"decision_note": ""}, "confirmed")],
)
def test_refusal_of_a_case_needs_its_reason(county, login, noon, values, state):
    child = county.child(status="suspected")
    row = case(county, child, state="confirmed", confirmed_on=date(2026, 2, 26))
    leader = county.person()
    county.liaison(leader, "liaison_leader", county.a_school)
    approver = login("liaison_leader", person=leader)

    approver.submit(
        f"/suspensionapprovalview/edit/{row.id}",
        {"decision": "decline", "approved_on": "2026-03-02", "ends_on": "2026-09-01", **values},
    )

    stored = county.scalar(select(SuspensionCase).where(SuspensionCase.id == row.id))
    assert (stored.state, stored.approved_on) == (state, None)
    assert status_of(county, child) == "suspected"


def test_return_ends_the_case_and_moves_the_child(county, login, noon):
    child = county.child(status="policy_suspension")
    row = case(county, child, approved_on=date(2026, 2, 2), papers=())
    clerk = login("school_clerk", school=county.a_school)

    early = clerk.submit(f"/suspensionreturnview/edit/{row.id}", {"returned_on": "2026-02-01"})
    clerk.submit(f"/suspensionreturnview/edit/{row.id}", {"returned_on": "2026-03-02"})

    assert "早于上一环节" in early.get_data(as_text=True)
    assert (state_of(county, row), status_of(county, child)) == ("returned", "returned")


def test_return_of_a_child_that_came_back_by_its_status_only_closes_the_case(county, login, noon):
    child = county.child(status="enrolled")
    row = case(county, child, approved_on=date(2026, 2, 2), papers=())
    clerk = login("school_clerk", school=county.a_school)

    clerk.submit(f"/suspensionreturnview/edit/{row.id}", {"returned_on": "2026-03-02"})

    assert (state_of(county, row), status_of(county, child)) == ("returned", "enrolled")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, None),
        ({"absent_from": ""}, "请填写本次未到校的第一天"),
        ({"absent_from": "2026-02-21"}, "晚于申请日期"),
        ({"applied_on": "2026-03-04"}, "日期不能晚于今天"),
        ({"kind": "policy_deferral"}, "不能办理“政策性缓学”"),
        ({"kind": "other"}, None),
    ],
)
def test_application_is_refused_with_the_field_named(county, login, noon, values, words):
    child = county.child(status="suspected")
    clerk = login("school_clerk", school=county.a_school)
    typed = {
        "child": str(child.id),
        "kind": "policy_suspension",
        "applied_on": "2026-02-20",
        "absent_from": "2025-12-01",
        **values,
    }

    answer = clerk.submit("/suspensioncaseview/add", typed).get_data(as_text=True)

    stored = county.scalar(select(func.count()).select_from(SuspensionCase))
    assert stored == (0 if values else 1)
    assert words is None or words in answer


def test_first_day_of_absence_agrees_with_the_class_reports(county, noon):
    group = county.school_class()
    child = county.child(status="suspected", school_class=group)
    here = county.scope_of(county.a_school)
    present, away, before = date(2026, 1, 6), date(2026, 1, 7), date(2025, 12, 30)
    for day in (before, present, away, TODAY):
        at = datetime(day.year, day.month, day.day, 1, tzinfo=UTC)
        report = {"day": day, "on_roll": 1, "present": 0, "reported_at": at}
        county.add(AttendanceReport(class_id=group.id, **report, **here))
    missing = {"child_id": child.id, "class_id": group.id, "kind": "unexplained"}
    county.add(Absence(day=away, **missing, **here))

    refusals = {}
    for day in (before, present, away, date(2026, 1, 12)):
        with county.context():
            record = SuspensionCase(
                child=db.session.get(Child, child.id),
                kind=POLICY[0],
                applied_on=TODAY,
                absent_from=day,
            )
            try:
                steps.plan(db.session, record)
            except FieldRefused as refusal:
                refusals[day] = refusal.field, refusal.message
            db.session.rollback()
            db.session.remove()

    words = "班级考勤显示该生2026-01-06到校"
    assert set(refusals) == {before, present}
    assert all(field == "absent_from" and words in text for field, text in refusals.values())


def test_second_application_waits_for_the_first(county, login, noon):
    child = county.child(status="suspected")
    case(county, child, papers=())
    clerk = login("school_clerk", school=county.a_school)
    typed = {
        "child": str(child.id),
        "kind": "policy_suspension",
        "applied_on": "2026-02-20",
        "absent_from": "2025-12-01",
    }

    answer = clerk.submit("/suspensioncaseview/add", typed)

    assert "已有一份申请尚未办结" in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    ("born_on", "counted_from"),
    [
        (date(2019, 8, 31), date(2025, 9, 1)),
        (date(2019, 9, 1), date(2026, 9, 1)),
        (date(2018, 12, 31), date(2025, 9, 1)),
    ],
)
def test_visits_before_a_deferral_count_from_september_of_the_entry_age(
    county, noon, born_on, counted_from
):
    child = county.child(status="not_enrolled", born_on=born_on)

    with county.context():
        record = SuspensionCase(
            child=db.session.get(Child, child.id), kind=POLICY[1], applied_on=TODAY
        )
        steps.plan(db.session, record)
        found = record.counted_from
        db.session.rollback()
        db.session.remove()

    assert found == counted_from


@pytest.mark.parametrize(
    ("kind", "values", "words"),
    [
        (HOSPITAL, {}, "没有此种材料"),
        (CONSENT, {"dated_on": "2026-02-25"}, "必须填写文号和日期"),
        (CONSENT, {"number": "3号"}, "必须填写文号和日期"),
        ("refusal", {"evidence_set_id": None}, "请上传该材料的扫描件"),
        ("refusal", {"dated_on": "2026-03-04"}, "日期不能晚于今天"),
    ],
)
def test_paper_is_refused_with_the_field_named(county, login, noon, kind, values, words):
    row = case(county, county.child(status="suspected"), papers=())
    clerk = login("school_clerk", school=county.a_school)
    scan = {"evidence_set_id": (io.BytesIO(PDF), "scan.pdf")}

    answer = clerk.submit(
        "/suspensionpaperview/add", {"case": str(row.id), "kind": kind, **scan, **values}
    )

    assert words in answer.get_data(as_text=True)
    assert county.scalar(select(func.count()).select_from(SuspensionPaper)) == 0


def test_task_group_reads_and_can_neither_consent_nor_decide(county, login, noon):
    row = case(county, county.child(status="suspected"), state="confirmed")
    group = login("task_group")

    assert group.get(f"/suspensioncaseview/show/{row.id}").status_code == 200
    for url in ("/suspensionpaperview/add", f"/suspensionapprovalview/edit/{row.id}"):
        assert group.get(url).status_code in {302, 403, 404}
        assert group.post_with_token(url).status_code in {302, 403, 404}
    assert state_of(county, row) == "confirmed"


def test_page_of_a_case_names_what_is_missing_and_leads_to_the_next_step(county, login, noon):
    child = county.child(status="suspected")
    row = case(county, child, papers=ALL_PAPERS[1:])
    leader = login("township_leader", township=county.a_township)
    clerk = login("school_clerk", school=county.a_school)

    page = leader.soup(f"/suspensioncaseview/show/{row.id}")
    closed = clerk.soup(f"/suspensioncaseview/show/{row.id}")

    assert "缺少材料：认定表" in page.get_text()
    assert "批准前联合劝访0次（应不少于3次）" in page.get_text()
    assert page.select_one(f'.derived a[href$="/suspensionconfirmationview/edit/{row.id}"]')
    assert [link.get_text() for link in closed.select(".derived a")] == ["记一次劝访"]


def test_panel_shows_the_cases_and_what_is_due(county, noon):
    child = county.child(status="policy_suspension")
    case(county, child, approved_on=date(2025, 11, 30), papers=())
    ill = county.child(status="medical_suspension")
    case(county, ill, kind=MEDICAL[0], approved_on=date(2026, 2, 2), papers=())
    none = county.child()
    alone(county, child, [date(2025, 12, 15)])

    with county.app.test_request_context("/"):
        from app.security.guard import unrestricted

        with unrestricted():
            shown = content(db.session, db.session.get(Child, child.id))
            medical = content(db.session, db.session.get(Child, ill.id))
            nothing = content(db.session, db.session.get(Child, none.id))
            db.session.remove()

    assert nothing is None
    assert shown.rows[0].cells[4] == date(2025, 12, 15)
    assert [due.on for due in shown.due] == [date(2026, 3, 15), date(2026, 11, 30)]
    assert [due.on for due in medical.due] == [date(2027, 2, 2)]


def test_import_takes_old_cases_and_leaves_later_ones_to_the_screens(county, tmp_path):
    key = county.child("罗燕", id_number="450331201201011232").id
    county.child("韦明", id_number="450331201201011259")
    path = tmp_path / "cases.csv"
    path.write_text(
        "证件号码,类型,申请日期,批准日期,结束日期,返校日期\n"
        "450331201201011232,政策性休学,2023-09-20,2023-10-01,2024-07-01,2024-02-20\n"
        "450331201201011259,政策性休学,2024-09-20,2024-10-01,2025-07-01,\n",
        encoding="utf-8",
    )

    runner = county.app.test_cli_runner()
    first = runner.invoke(args=["import", "suspension", str(path)])
    again = runner.invoke(args=["import", "suspension", str(path)])

    rows = county.all(select(SuspensionCase))
    assert [(row.child_id, row.state) for row in rows] == [(key, "returned")], first.output
    assert "2024-02-26" in first.output
    assert county.all(select(SuspensionCase.child_id)) == [key], again.output


def test_demonstration_has_cases_in_every_state(county):
    away = [county.child(status="suspected") for _number in range(4)]
    held = [county.child(status=kind) for kind in (*POLICY, *MEDICAL)]
    for child in (*away, *held):
        county.add(
            StatusEvent(
                child_id=child.id, status_id=child.status_id, happened_on=date(2026, 1, 5),
                basis="示例", **county.scope_of(county.a_school),
            )
        )  # fmt: skip
    evidence(county, held[0])

    with county.context():
        from plugins.suspension.demo import fill

        fill(db.session, Random(1))
        db.session.commit()
        db.session.remove()

    states = county.all(select(SuspensionCase.state).order_by(SuspensionCase.state))
    assert states.count("approved") == 4
    assert set(states) == {"applied", "confirmed", "declined", "approved"}
    assert county.scalar(select(func.count()).select_from(SuspensionPaper)) > 20


def test_monthly_bulletin_counts_by_township_without_names(county, noon):
    for kind, values in (
        (POLICY[0], {}),
        (POLICY[0], {"returned_on": date(2026, 3, 1)}),
        (POLICY[1], {"ends_on": date(2026, 2, 27)}),
        (MEDICAL[0], {}),
    ):
        child = county.child(status=kind)
        case(county, child, kind=kind, approved_on=date(2026, 1, 5), papers=(), **values)
        alone(county, child, [date(2026, 2, 20), date(2026, 3, 1)])
    window = Window(TODAY, (Period("2026-03", date(2026, 3, 1), date(2026, 3, 31), TODAY),))

    with county.context():
        row = db.session.execute(figures(window, Settings({}))).one()._mapping
        found = {name: row[name] for name in row if name not in {"township_id", "school_id"}}
        db.session.remove()

    assert found == {
        "township": "修仁镇",
        "policy_suspension": 1,
        "policy_deferral": 0,
        "medical_suspension": 1,
        "medical_deferral": 0,
        "began": 0,
        "returned": 1,
        "visits": 2,
        "overdue": 1,
    }


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2025, 11, 30), 3, date(2026, 2, 28)),
        (date(2025, 12, 15), 12, date(2026, 12, 15)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2025, 8, 31), 16, date(2026, 12, 31)),
    ],
)
def test_months_are_clipped_to_the_end_of_the_month(day, months, expected):
    assert steps.months_after(day, months) == expected
