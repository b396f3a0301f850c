"""Test the plugin records: monthly reports, indicators that stay, activities, ledger entries."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import partial

import pytest
import time_machine
from sqlalchemy import event, func, select

from app import database
from app.base import registry
from app.extensions import db
from app.models import (
    Answer,
    AttendanceReport,
    ChecklistItem,
    Code,
    Finding,
    FindingState,
    FindingStep,
    Inspection,
    LedgerEntry,
    StatusEvent,
    Violation,
)
from app.testing import PluginContract
from plugins.records.indicators import last_day, month_before, take
from plugins.records.models import Activity, Indicator, MonthlyReport, Review
from tests.builder import CountyBuilder
from tests.visits import semesters

DAY = date(2026, 4, 3)
SUSPECTED = "roll_and_attendance.suspected"


class TestRecords(PluginContract):
    """Hold the plugin to the contract."""

    name = "records"


@pytest.fixture
def april():
    """Stand on a Friday in April."""
    with time_machine.travel(DAY):
        yield


def entry(county: CountyBuilder, category: str = "A", **values) -> LedgerEntry:
    """Add an open entry."""
    return county.add(
        LedgerEntry(
            child_id=county.child().id, ledger=SUSPECTED, category=category, opened_on=DAY,
            since=DAY, **values, **county.scope_of(county.a_school),
        )
    )  # fmt: skip


def test_monthly_report_takes_the_ledgers_figures_and_a_nil_report_must_be_true(
    county, login, april
) -> None:
    other = county.school("蒲芦中学")
    clerk, second = (
        login("school_clerk", school=county.a_school),
        login("school_clerk", school=other),
    )
    entry(county)
    entry(county, "C")
    entry(county, closed_on=DAY)
    typed = {"school": str(county.a_school.id), "month": "2026-03-01"}
    url = "/records/monthly/add"

    untrue = clerk.submit(url, typed | {"is_nil": "y"}, select="#model_form")
    filed = clerk.submit(url, typed, select="#model_form")
    again = clerk.submit(url, typed, select="#model_form")
    silent = second.submit(url, typed | {"school": str(other.id)}, select="#model_form")
    nil = {"school": str(other.id), "is_nil": "y"}
    second.submit(url, typed | nil, select="#model_form")

    assert "台账中有疑似辍学1人、辍学0人，不能作零报告。" in untrue.get_data(as_text=True)
    assert filed.status_code == 200
    assert "该月月报已报送。" in again.get_data(as_text=True)
    assert "台账无在册人员，请勾选零报告。" in silent.get_data(as_text=True)
    reports = county.all(select(MonthlyReport).order_by(MonthlyReport.id))
    assert [(one.is_nil, one.suspected, one.returned) for one in reports] == [
        (False, 1, 1), (True, 0, 0),
    ]  # fmt: skip
    assert all(one.filed_by_id for one in reports)


@pytest.mark.parametrize(
    ("day", "before"),
    [(date(2026, 3, 1), date(2026, 2, 1)), (date(2026, 1, 31), date(2025, 12, 1))],
)
def test_month_before_a_day(day, before) -> None:
    assert month_before(day) == before
    assert last_day(before).month == before.month


def test_indicators_say_how_it_was_and_are_never_taken_again(app, county) -> None:
    scope = county.scope_of(county.a_school)
    group = county.school_class()
    stays, went = (county.child(school_class=group) for _each in range(2))
    outside = county.child(status="not_enrolled")
    enrolled, suspended = stays.status_id, county.child(status="policy_suspension").status_id
    for child, status_id, day in (
        (stays, enrolled, date(2025, 9, 1)),
        (went, enrolled, date(2025, 9, 1)),
        (went, suspended, date(2026, 3, 31)),
        (stays, suspended, date(2026, 4, 1)),
        (outside, outside.status_id, date(2026, 3, 9)),
    ):
        county.add(
            StatusEvent(
                child_id=child.id, status_id=status_id, happened_on=day, basis="文件", **scope
            )
        )
    for day, present in ((date(2026, 3, 30), 2), (date(2026, 3, 31), 1), (date(2026, 4, 1), 0)):
        at = datetime(day.year, day.month, day.day, 1, tzinfo=UTC)
        county.add(
            AttendanceReport(
                class_id=group.id, day=day, on_roll=2, present=present, reported_at=at, **scope
            )
        )

    counts = _take(app), _take(app)

    rows = county.all(select(Indicator))
    found = {(row.indicator, row.status.key if row.status else ""): row.value for row in rows}
    assert counts == (len(rows), 0)
    assert found == {
        ("status", "enrolled"): 1, ("status", "policy_suspension"): 1,
        ("status", "not_enrolled"): 1, ("on_roll", ""): 2, ("at_school", ""): 1,
    }  # fmt: skip
    assert {(row.school_id, row.month, row.taken_on) for row in rows} == {
        (county.a_school.id, date(2026, 3, 1), DAY)
    }


def _take(app) -> int:
    statements: list[str] = []
    with app.app_context(), database.writing():
        engine = db.engine

        def note(_connection, _cursor, statement, *_rest) -> None:
            statements.append(statement)

        event.listen(engine, "before_cursor_execute", note)
        count = take(db.session(), date(2026, 3, 1), DAY)
        event.remove(engine, "before_cursor_execute", note)
        db.session.commit()
        db.session.remove()
    assert len([one for one in statements if "plg_records_indicator" in one]) <= 2
    return count


def test_night_takes_the_month_that_is_over(app, county) -> None:
    child = county.child()
    county.add(
        StatusEvent(
            child_id=child.id, status_id=child.status_id, happened_on=date(2025, 9, 1),
            basis="入学", **county.scope_of(county.a_school),
        )
    )  # fmt: skip
    with app.app_context(), database.writing():
        failed = registry.nightly(db.session(), DAY)
        db.session.commit()
        db.session.remove()

    assert failed == []
    assert county.all(select(Indicator.month).distinct()) == [date(2026, 3, 1)]


def test_ledger_entries_need_reason_next_action_and_both_persons(
    county, run_rule, has_violation
) -> None:
    code = county.scalar(select(Code.id).filter_by(domain="visit_reason"))
    person = county.person()
    whole = {
        "reason_id": code, "next_action": "入户", "school_responsible_id": person.id,
        "township_responsible_id": person.id,
    }  # fmt: skip
    good, closed = entry(county, **whole), entry(county, closed_on=DAY)
    lacking = [entry(county, **{k: v for k, v in whole.items() if k != name}) for name in whole]

    run_rule("LED-1", as_of=DAY)

    assert not has_violation(good, "records.incomplete_ledger_entry")
    assert not has_violation(closed, "records.incomplete_ledger_entry")
    assert all(has_violation(one, "records.incomplete_ledger_entry") for one in lacking)


def test_activity_of_a_township_is_kept_by_its_clerk(county, login, april) -> None:
    clerk = login("township_clerk", township=county.a_township)
    typed = {
        "township": str(county.a_township.id), "held_on": "2026-04-04", "kind": "lecture",
        "topic": "义务教育法宣传", "audience": "120",
    }  # fmt: skip

    refused = clerk.submit("/records/activity/add", typed, select="#model_form")
    clerk.submit("/records/activity/add", typed | {"held_on": "2026-04-02"}, select="#model_form")

    assert "held_on-error" in refused.get_data(as_text=True)
    (kept,) = county.all(select(Activity))
    assert (kept.township_id, kept.school_id, kept.audience) == (county.a_township.id, None, 120)
    assert county.scalar(select(func.count(Activity.id))) == 1


def test_school_without_the_months_report_is_warned_after_the_day(
    county, run_rule, has_violation
) -> None:
    late, filed = county.a_school, county.school("蒲芦中学")
    county.year  # noqa: B018  # the months of the school year are judged
    for month in (date(2025, 9, 1), *(date(2026, number, 1) for number in range(1, 4))):
        report = MonthlyReport(
            month=month, is_nil=True, filed_at=datetime(2026, 4, 1, tzinfo=UTC),
            **county.scope_of(filed),
        )  # fmt: skip
        county.add(report)
    key = "records.monthly_report_missing"

    run_rule("MON-1", as_of=date(2025, 10, 5))
    assert not has_violation(late, key)
    run_rule("MON-1", as_of=date(2025, 10, 6))
    assert has_violation(late, key)
    assert not has_violation(filed, key)
    run_rule("MON-1", as_of=date(2025, 11, 6))
    assert has_violation(filed, key)


def test_documents_missing_at_the_last_look_are_told(county, run_rule) -> None:
    autumn, spring = (semester.starts_on for semester in semesters(county))
    schools = {name: county.school(name) for name in ("甲校", "乙校", "丙校", "丁校", "戊校")}
    look = partial(_look, county)
    look(schools["甲校"], date(2026, 3, 5), meeting_notice="fails", meeting_minutes="fails")
    look(schools["甲校"], date(2026, 3, 6), meeting_notice="unchecked", meeting_minutes="conforms")
    look(schools["乙校"], date(2026, 3, 5), meeting_notice="fails", meeting_minutes="fails")
    look(schools["乙校"], date(2026, 3, 5), state="draft", meeting_notice="conforms")
    look(schools["丙校"], date(2026, 1, 5), meeting_notice="fails")
    look(schools["丙校"], date(2026, 3, 5), meeting_notice="conforms")
    look(schools["丁校"], date(2026, 3, 5), meeting_notice="fails", ended=FindingState.CLOSED)
    look(schools["戊校"], date(2026, 3, 10), meeting_notice="fails")

    run_rule("DOC-SCH", as_of=date(2026, 3, 9))

    names = {school.id: name for name, school in schools.items()}
    rows = county.all(select(Violation).where(Violation.rule_key == "records.documents_missing"))
    assert {(names[row.subject_id], row.period_start, row.observed) for row in rows} == {
        ("甲校", spring, "1"),
        ("乙校", spring, "2"),
        ("丙校", autumn, "1"),
    }


def _look(county, school, day, *, state="submitted", ended=None, **verdicts) -> None:
    """Store an inspection that looked for documents; its findings may have ended since."""
    scope = county.scope_of(school)
    items = {
        key: county.scalar(select(ChecklistItem).where(ChecklistItem.key == key))
        for key in verdicts
    }
    version_id = next(iter(items.values())).version_id
    row = Inspection(
        type_key="department_visit", checklist_version_id=version_id, occurred_on=day,
        state=state, **scope,
    )  # fmt: skip
    row.answers = [
        Answer(item_id=items[key].id, verdict=verdict, **scope) for key, verdict in verdicts.items()
    ]
    county.add(row)
    if ended is None:
        return
    finding = Finding(
        inspection_id=row.id, item_id=row.answers[0].item_id, facts="事实", state=ended,
        found_on=day, **scope,
    )  # fmt: skip
    finding.steps = [
        FindingStep(
            step="close", from_state="open", to_state=ended, happened_on=day,
            happened_at=datetime(2026, 3, 5, 4, tzinfo=UTC), **scope,
        )
    ]  # fmt: skip
    county.add(finding)


def test_command_takes_the_indicators_of_a_month_that_is_over(app, county, april) -> None:
    child, scope = county.child(), county.scope_of(county.a_school)
    county.add(
        StatusEvent(
            child_id=child.id, status_id=child.status_id, happened_on=date(2025, 9, 1),
            basis="入学", **scope,
        )
    )  # fmt: skip
    runner, asked = app.test_cli_runner(), ["records", "snapshot", "--month"]

    early = runner.invoke(args=[*asked, "2026-04"])
    first, second = (runner.invoke(args=[*asked, "2026-03"]) for _each in range(2))

    assert early.exit_code == 2
    assert "the month is not over yet" in early.output
    assert (first.exit_code, second.exit_code) == (0, 0), first.output
    assert ("2 figures" in first.output, "0 figures" in second.output) == (True, True)
    assert set(county.all(select(Indicator.month))) == {date(2026, 3, 1)}


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({}, None),
        ({"reviewed_on": "2026-04-04"}, "reviewed_on"),
        ({"households": "-1"}, "households"),
        ({"conclusion": ""}, "conclusion"),
    ],
)
def test_office_reviews_a_quarter_and_names_what_is_wrong(
    county, login, april, values, field
) -> None:
    office = login("supervision_office")
    typed = {
        "quarter": "2026-01-01", "reviewed_on": "2026-04-02", "schools": "6", "households": "20",
        "conclusion": "台账与实际相符。", **values,
    }  # fmt: skip

    answer = office.submit("/records/review/add", typed, select="#model_form")
    reader = login("township_leader", township=county.a_township)

    kept = county.all(select(Review))
    assert [(str(one), one.township_id, one.households) for one in kept] == (
        [] if field else [("2026-Q1", None, 20)]
    )
    assert field is None or f"{field}-error" in answer.get_data(as_text=True)
    listed = reader.get("/records/review/list/").get_data(as_text=True)
    assert ("2026" in listed and "row-link" in listed) is (field is None)
