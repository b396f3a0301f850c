"""Judge suspensions and deferrals at the edges of every decision."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import select

from app import database
from app.extensions import db
from app.models import (
    CalendarDay,
    CalendarException,
    ChildStatus,
    LedgerEntry,
    StatusEvent,
    Violation,
)
from app.rules.openings import open_entries
from plugins.suspension.kinds import CONSENT, RULING
from tests.suspensions import ALL_PAPERS, alone, case, joint, paper
from tests.visits import scope_of, semesters

APPROVED = date(2026, 3, 2)
LATER = date(2026, 3, 3)


def judged(county, run_rule, rule, as_of, children):
    """Return what a rule says of some children: period start, observed, required."""
    run_rule(f"suspension.{rule}", as_of)
    names = {child.id: name for name, child in children.items()}
    found = county.all(
        select(Violation)
        .where(Violation.rule_key == f"suspension.{rule}", Violation.resolved_on.is_(None))
        .order_by(Violation.subject_id, Violation.period_start)
    )
    said: dict = {}
    for one in found:
        said.setdefault(names[one.subject_id], []).append(
            (one.period_start, one.observed, one.required)
        )
    return said


def suspended(county, *names):
    """Return a suspended child for each name."""
    return {name: county.child(status="policy_suspension") for name in names}


def test_suspension_needs_three_joint_visits_or_a_ruling(county, run_rule):
    days = [date(2026, 1, 5), date(2026, 1, 20), date(2026, 2, 10), date(2026, 2, 20)]
    given = {
        "two": days[:2],
        "three": days[:3],
        "four": days,
        "two on one day": [*days[:2], days[1]],
        "first on the first day of absence": [date(2025, 12, 1), *days[:2]],
        "first before the absence": [date(2025, 11, 30), *days[:2]],
        "last on the day before": [*days[:2], date(2026, 3, 1)],
        "last on the day of approval": [*days[:2], APPROVED],
        "two and a ruling": days[:2],
        "two and a ruling too late": days[:2],
    }
    children = suspended(county, *given, "not joint", "for illness", "before go-live")
    rows = {
        name: case(county, children[name], approved_on=APPROVED, papers=())
        for name in (*given, "not joint")
    }
    for name, on in given.items():
        joint(county, children[name], *on)
    alone(county, children["not joint"], days)
    paper(county, rows["two and a ruling"], children["two and a ruling"], RULING)
    late = "two and a ruling too late"
    paper(county, rows[late], children[late], RULING, dated_on=LATER)
    ill = {"kind": "medical_suspension"}
    case(county, children["for illness"], approved_on=APPROVED, papers=(), **ill)
    case(county, children["before go-live"], approved_on=date(2024, 2, 25), papers=())

    found = judged(county, run_rule, "joint_visits_before", LATER, children)

    two = [(APPROVED, "2", "3")]
    assert found == {
        "two": two,
        "two on one day": two,
        "first before the absence": two,
        "last on the day of approval": two,
        "two and a ruling too late": two,
        "not joint": [(APPROVED, "0", "3")],
    }


def test_renewal_needs_one_joint_visit_since_the_approval_before(county, run_rule):
    first, second = date(2025, 9, 1), date(2026, 8, 20)
    days = {"none": (), "on the first approval": (first,), "after it": (date(2025, 9, 2),)}
    children = suspended(county, *days)
    for name, child in children.items():
        before = case(county, child, approved_on=first, papers=())
        case(
            county, child, approved_on=second, papers=(), renews_id=before.id,
            absent_from=first + timedelta(days=1),
        )  # fmt: skip
        joint(county, child, *days[name])

    found = judged(county, run_rule, "joint_visits_before", date(2026, 8, 21), children)

    renewals = {name: [one for one in said if one[0] == second] for name, said in found.items()}
    lacking = [(second, "0", "1")]
    assert renewals == {"none": lacking, "on the first approval": lacking, "after it": []}


def test_three_joint_visits_within_seven_days_are_a_warning(county, run_rule):
    days = {
        "seven": [date(2026, 2, 2), date(2026, 2, 5), date(2026, 2, 8)],
        "eight": [date(2026, 2, 2), date(2026, 2, 5), date(2026, 2, 9)],
        "two": [date(2026, 2, 2), date(2026, 2, 3)],
    }
    children = suspended(county, *days)
    for name, child in children.items():
        case(county, child, approved_on=APPROVED, papers=())
        joint(county, child, *days[name])

    found = judged(county, run_rule, "crowded_visits", LATER, children)

    assert found == {"seven": [(APPROVED, "3", "7")]}
    severities = set(county.all(select(Violation.severity)))
    assert severities == {"warning"}


def test_approval_needs_consent_and_two_proofs_in_time(county, run_rule):
    children = suspended(county, "all", "no consent", "no refusal", "late consent", "no number")
    for name, child in children.items():
        left_out = {"all": "", "no refusal": "refusal"}.get(name, CONSENT)
        row = case(
            county, child, approved_on=APPROVED,
            papers=[kind for kind in ALL_PAPERS if kind != left_out],
        )  # fmt: skip
        if name == "late consent":
            paper(county, row, child, CONSENT, dated_on=LATER)
        if name == "no number":
            paper(county, row, child, CONSENT, number=None)

    found = judged(county, run_rule, "consent_and_proofs", LATER, children)

    lacking = [(APPROVED, "2", "3")]
    assert found == dict.fromkeys(
        ("no consent", "no refusal", "late consent", "no number"), lacking
    )


def test_forms_without_scan_are_missing(county, run_rule):
    children = suspended(county, "all", "no scan")
    case(county, children["all"], approved_on=APPROVED)
    row = case(county, children["no scan"], approved_on=APPROVED, papers=ALL_PAPERS[1:])
    paper(county, row, children["no scan"], ALL_PAPERS[0], evidence_set_id=None)

    found = judged(county, run_rule, "forms", LATER, children)

    assert found == {"no scan": [(APPROVED, "3", "4")]}


def test_visit_is_due_three_calendar_months_after_the_one_before(county, run_rule):
    start, due = date(2025, 11, 30), date(2026, 2, 28)
    names = ("none", "on the due day", "a day late", "back before", "back on the due day",
             "ends before", "from afar", "home visit", "on approval only", "left")  # fmt: skip
    children = suspended(county, *names)
    for name, child in children.items():
        values = {}
        if name == "back before":
            values = {"returned_on": due - timedelta(days=1)}
        if name == "back on the due day":
            values = {"returned_on": due}
        if name == "ends before":
            values = {"ends_on": due - timedelta(days=1)}
        case(county, child, approved_on=start, papers=(), **values)
    alone(county, children["on the due day"], [due])
    alone(county, children["a day late"], [due + timedelta(days=1)])
    alone(county, children["from afar"], [due], is_remote=True)
    alone(county, children["home visit"], [due], kind="home")
    alone(county, children["on approval only"], [start])
    left(county, children["left"], "abroad", due)

    on_the_day = judged(county, run_rule, "visit_each_quarter", due, children)
    found = judged(county, run_rule, "visit_each_quarter", date(2026, 3, 1), children)

    late = [(start, due.isoformat(), "3")]
    assert on_the_day == {}
    assert found == dict.fromkeys(
        ("none", "a day late", "from afar", "home visit", "on approval only"), late
    )


def calendar_day(county, day, *, teaches=True):
    """Tell the calendar of a day."""
    county.add(
        CalendarDay(
            county_id=county.here.id, day=day, is_working_day=teaches, is_school_day=teaches
        )
    )


def left(county, child, status, day):
    """Let a child take another status without a step in its case."""
    key = county.scalar(select(ChildStatus.id).filter_by(key=status))
    county.add(
        StatusEvent(
            child_id=child.id, status_id=key, happened_on=day, basis="登记", **scope_of(child)
        )
    )


def test_each_stretch_without_a_visit_is_found_once(county, run_rule):
    child = county.child(status="policy_suspension")
    case(county, child, approved_on=date(2025, 9, 1), papers=())
    alone(county, child, [date(2025, 12, 15), date(2026, 3, 1)])

    found = judged(county, run_rule, "visit_each_quarter", date(2026, 6, 2), {"it": child})

    assert found == {
        "it": [
            (date(2025, 9, 1), "2025-12-01", "3"),
            (date(2026, 3, 1), "2026-06-01", "3"),
        ]
    }


def test_windows_start_at_the_go_live(county, run_rule):
    township = county.township(go_live_on=date(2026, 1, 10))
    school = county.school(township=township)
    child = county.child(school=school, status="policy_suspension")
    case(county, child, approved_on=date(2025, 9, 1), papers=())

    found = judged(county, run_rule, "visit_each_quarter", date(2026, 4, 11), {"it": child})

    assert found == {"it": [(date(2026, 1, 10), "2026-04-10", "3")]}
    assert judged(county, run_rule, "consent_and_proofs", date(2026, 4, 11), {"it": child}) == {}


def test_semester_asks_for_visits_by_the_days_that_a_case_covers(county, run_rule):
    semesters(county)
    end = date(2026, 3, 1)  # the window lasts from 1 September until the next semester begins
    starts = {
        "29 days": end - timedelta(days=28),
        "30 days": end - timedelta(days=29),
        "just under half": date(2025, 12, 2),
        "half": date(2025, 12, 1),
        "half with one": date(2025, 12, 1),
        "half with two": date(2025, 12, 1),
    }
    children = suspended(county, *starts)
    for name, child in children.items():
        case(county, child, approved_on=starts[name], papers=())
    alone(county, children["half with one"], [date(2026, 1, 5), date(2026, 1, 5)])
    alone(county, children["half with two"], [date(2026, 1, 5), end])

    assert judged(county, run_rule, "visits_each_semester", end, children) == {}
    found = judged(county, run_rule, "visits_each_semester", date(2026, 3, 2), children)

    assert found == {
        "30 days": [(starts["30 days"], "0", "1")],
        "just under half": [(starts["just under half"], "0", "1")],
        "half": [(starts["half"], "0", "2")],
        "half with one": [(starts["half with one"], "1", "2")],
    }


def test_year_asks_for_four_visits_or_those_of_its_full_months(county, run_rule):
    start = date(2025, 3, 10)
    ends = {
        "two months": date(2025, 5, 9),
        "three months": date(2025, 6, 9),
        "a day less than six": date(2025, 9, 8),
        "six months": date(2025, 9, 9),
        "a year": date(2026, 3, 9),
        "a year and a day": date(2026, 3, 10),
        "a year with four": date(2026, 3, 9),
    }
    children = suspended(county, *ends, "back with a visit that day")
    for name, ends_on in ends.items():
        case(county, children[name], approved_on=start, ends_on=ends_on, papers=())
    days = [date(2025, 6, 1), date(2025, 9, 1), date(2025, 12, 1), date(2026, 3, 9)]
    alone(county, children["a year with four"], days)
    back = children["back with a visit that day"]
    case(county, back, approved_on=start, returned_on=date(2025, 6, 10), papers=())
    alone(county, back, [date(2025, 6, 10)])

    found = judged(county, run_rule, "visits_each_year", date(2026, 3, 11), children)

    assert found == {
        "three months": [(start, "0", "1")],
        "a day less than six": [(start, "0", "1")],
        "six months": [(start, "0", "2")],
        "a year": [(start, "0", "4")],
        "a year and a day": [(start, "0", "4")],
    }


def test_year_is_judged_when_it_is_over_and_warned_of_before(county, run_rule):
    start = date(2025, 9, 1)
    children = suspended(county, "behind", "on pace")
    for child in children.values():
        case(county, child, approved_on=start, papers=())
    alone(county, children["on pace"], [date(2025, 11, 3)])

    year = judged(county, run_rule, "visits_each_year", date(2026, 2, 27), children)
    early = judged(county, run_rule, "pace", date(2025, 11, 29), children)
    pace = judged(county, run_rule, "pace", date(2025, 12, 1), children)

    assert (year, early) == ({}, {})
    assert pace == {"behind": [(start, "0", "1")]}


def test_age_ends_the_visits_of_children_without_a_class(county, run_rule):
    start = date(2025, 9, 1)
    room = county.school_class()
    given = {
        "sixteen on the due day": {"born_on": date(2009, 12, 1)},
        "sixteen after it": {"born_on": date(2009, 12, 2)},
        "sixteen in a class": {"born_on": date(2009, 10, 1), "school_class": room},
    }
    children = {
        name: county.child(status="policy_suspension", **values) for name, values in given.items()
    }
    for child in children.values():
        case(county, child, approved_on=start, papers=())

    found = judged(county, run_rule, "visit_each_quarter", date(2025, 12, 2), children)

    assert set(found) == {"sixteen after it", "sixteen in a class"}


def test_expired_case_is_cleared_until_the_next_school_day_only(county, run_rule):
    start, end, monday = date(2025, 9, 5), date(2026, 4, 3), date(2026, 4, 7)
    names = ("nothing", "back on the day", "back later", "renewed on the day", "renewed later",
             "left before", "suspected")  # fmt: skip
    children = suspended(county, *names)
    for day, teaches in ((date(2026, 4, 6), False), (monday, True)):  # 清明 on a Monday
        calendar_day(county, day, teaches=teaches)
    for name, child in children.items():
        values = {
            "back on the day": {"returned_on": monday},
            "back later": {"returned_on": monday + timedelta(days=1)},
        }.get(name, {})
        case(county, child, approved_on=start, ends_on=end, papers=(), **values)
    case(county, children["renewed on the day"], approved_on=monday, papers=())
    case(county, children["renewed later"], approved_on=monday + timedelta(days=1), papers=())
    left(county, children["left before"], "abroad", date(2026, 3, 1))
    left(county, children["suspected"], "suspected", monday)

    assert judged(county, run_rule, "expired", monday, children) == {}
    found = judged(county, run_rule, "expired", date(2026, 4, 8), children)

    late = [(end, monday.isoformat(), end.isoformat())]
    assert found == dict.fromkeys(("nothing", "back later", "renewed later", "suspected"), late)


def test_child_of_an_expired_case_comes_into_category_a(county):
    end, friday = date(2026, 4, 2), date(2026, 4, 3)
    children = suspended(county, "away", "back later", "renewed", "running")
    for name, child in children.items():
        values = {"back later": {"returned_on": date(2026, 4, 6)}}.get(name, {})
        ends_on = date(2026, 9, 1) if name == "running" else end
        case(county, child, approved_on=date(2025, 9, 5), ends_on=ends_on, papers=(), **values)
    case(county, children["renewed"], approved_on=friday, papers=())

    opened = {}
    for day in (friday, date(2026, 4, 4), date(2026, 4, 6)):
        with county.context(), database.writing():
            results = open_entries(db.session(), day)
            db.session.commit()
            db.session.remove()
        assert [one.error for one in results if one.opening == "suspension.expired"] == [None]
        query = select(LedgerEntry).where(LedgerEntry.source == "suspension.expired")
        opened[day] = [(one.child_id, one.category, one.since) for one in county.all(query)]

    away = (children["away"].id, "A", friday)
    back_later = (children["back later"].id, "A", friday)
    assert opened[friday] == []
    assert sorted(opened[date(2026, 4, 4)]) == sorted([away, back_later])
    assert opened[date(2026, 4, 6)] == opened[date(2026, 4, 4)]


def test_next_school_day_follows_the_schools_own_calendar(county, run_rule):
    child = county.child(status="policy_suspension")
    case(county, child, approved_on=date(2025, 9, 5), ends_on=date(2026, 4, 3), papers=())
    for day in (date(2026, 4, 7), date(2026, 4, 8)):
        calendar_day(county, day)
    closed = {"day": date(2026, 4, 7), "is_school_day": False, "reason": "停课"}
    county.add(CalendarException(**closed, **scope_of(child)))

    assert judged(county, run_rule, "expired", date(2026, 4, 8), {"it": child}) == {}
    found = judged(county, run_rule, "expired", date(2026, 4, 9), {"it": child})

    assert found == {"it": [(date(2026, 4, 3), "2026-04-08", "2026-04-03")]}


def test_next_weekday_stands_in_where_the_calendar_ends(county, run_rule):
    ends = {"thursday": date(2026, 4, 2), "friday": date(2026, 4, 3), "saturday": date(2026, 4, 4)}
    children = suspended(county, *ends)
    for name, child in children.items():
        case(county, child, approved_on=date(2025, 9, 5), ends_on=ends[name], papers=())

    found = judged(county, run_rule, "expired", date(2026, 4, 7), children)

    assert {name: said[0][1] for name, said in found.items()} == {
        "thursday": "2026-04-03",
        "friday": "2026-04-06",
        "saturday": "2026-04-06",
    }


def test_every_rule_runs_again_without_a_change(county, run_rule):
    semesters(county)
    child = county.child(status="policy_suspension")
    case(county, child, approved_on=date(2025, 9, 1), papers=())

    codes = ("SUS-1", "SUS-2", "SUS-3", "SUS-4", "SUS-5", "SUS-6", "DOC-SUS", "SUS-PACE")
    first = [run_rule(code, date(2026, 3, 3)).results[0] for code in codes]
    again = [run_rule(code, date(2026, 3, 3)).results[0] for code in codes]

    assert sum(one.opened for one in first) > 3
    assert all((one.opened, one.changed, one.resolved) == (0, 0, 0) for one in again)
