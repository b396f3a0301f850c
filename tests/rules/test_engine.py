"""Run rules on both databases: open, change, close, and never let one stop another."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import case, event, func, literal, select, union_all, update

from app.extensions import db
from app.kit import SchoolClass
from app.models import RuleRun
from app.parameters.value import Dated
from app.parameters.window import Window
from app.rules.rule import COLUMNS
from tests.rules.conftest import RULE, SPRING, crowded, rule, violations


def test_rule_opens_what_it_finds(county, limit, run) -> None:
    limit(("2024-02-26", 3))
    group = county.school_class()
    _crowd(county, 5)

    report = run(rule(clause="C-1"))

    (found,) = violations(county)
    assert (report.results[0].found, report.results[0].opened) == (1, 1)
    assert (found.subject_id, found.school_id) == (group.id, group.school_id)
    assert (found.township_id, found.county_id) == (group.township_id, group.county_id)
    assert (found.observed, found.required, found.message) == ("5", "3", "5 > 3")
    assert (found.parameter_key, found.parameter_value) == ("crowded.limit", "3")
    assert (found.effective_from, found.first_seen) == (date(2024, 2, 26), SPRING)
    assert (found.code, found.clause_key, found.resolved_on) == ("CROWD-1", "C-1", None)


def _crowd(county, position: int) -> None:
    county.execute(SchoolClass.__table__.update().values(position=position))


def test_unchanged_rerun_writes_only_its_run(county, limit, run) -> None:
    limit(("2024-02-26", 3))
    county.school_class()
    _crowd(county, 5)
    run(rule(_of_the_year))
    before = violations(county)[0]

    report = run(rule(_of_the_year), as_of=date(2026, 3, 5))

    after = violations(county)[0]
    result = report.results[0]
    assert (result.found, result.opened, result.changed, result.resolved) == (1, 0, 0, 0)
    assert (after.first_seen, after.changed_on) == (before.first_seen, None)
    assert county.scalar(select(func.count()).select_from(RuleRun).filter_by(rule_key=RULE)) == 2


def test_changed_figure_changes_the_row(county, limit, run) -> None:
    limit(("2024-02-26", 3))
    county.school_class()
    _crowd(county, 5)
    run(rule(_of_the_year))
    _crowd(county, 7)

    report = run(rule(_of_the_year), as_of=date(2026, 3, 5))

    (found,) = violations(county)
    assert report.results[0].changed == 1
    assert (found.observed, found.message, found.changed_on) == ("7", "7 > 3", date(2026, 3, 5))


def test_what_no_longer_holds_is_resolved_and_may_come_back(county, limit, run) -> None:
    limit(("2024-02-26", 3))
    county.school_class()
    _crowd(county, 5)
    no_period = rule(select_=_of_the_year)
    run(no_period)
    _crowd(county, 2)

    gone = run(no_period, as_of=date(2026, 3, 5))
    resolved = violations(county)[0].resolved_on
    _crowd(county, 6)
    back = run(no_period, as_of=date(2026, 3, 9))

    (found,) = violations(county)
    assert (gone.results[0].resolved, resolved) == (1, date(2026, 3, 5))
    assert (back.results[0].opened, back.results[0].changed) == (0, 1)
    assert (found.resolved_on, found.first_seen, found.observed) == (None, SPRING, "6")


def _of_the_year(window, settings):
    """Keep one identity whatever the judging day."""
    rows = crowded(window, settings).subquery()
    columns = [
        literal(date(2025, 9, 1)).label("period_start") if c.name == "period_start" else c
        for c in rows.c
    ]
    return select(*columns)


@pytest.mark.parametrize("classes", [1, 40])
def test_number_of_statements_does_not_grow(app, county, limit, run, classes) -> None:
    limit(("2024-02-26", 3))
    for _ in range(classes):
        county.school_class()
    _crowd(county, 5)
    statements: list[str] = []
    with app.app_context():
        engine = db.engine

    def note(_connection, _cursor, statement, *_rest) -> None:
        statements.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    run(rule())
    event.remove(engine, "before_cursor_execute", note)

    written = [one for one in statements if not one.startswith(("SAVEPOINT", "RELEASE", "BEGIN"))]
    assert len(violations(county)) == classes
    assert len(written) <= 17


def test_rule_that_raises_leaves_the_others_their_results(county, limit, run) -> None:
    limit(("2024-02-26", 3))
    county.school_class()
    _crowd(county, 5)

    def broken(window, settings):
        raise ValueError("no such thing")

    def twice(window, settings):
        return union_all(crowded(window, settings), crowded(window, settings)).subquery().select()

    def misnamed(window, settings):
        return select(*crowded(window, settings).subquery().c, literal(1).label("more"))

    report = run(
        rule(broken, key="crowded.broken"),
        rule(twice, key="crowded.twice"),
        rule(misnamed, key="crowded.misnamed"),
        rule(),
    )

    errors = [result.error for result in report.results]
    assert "ValueError: no such thing" in errors[0]
    assert errors[1]
    assert "WrongColumns" in errors[2]
    assert errors[3] is None
    assert len(violations(county)) == 1
    failed = select(func.count()).select_from(RuleRun).where(RuleRun.error.is_not(None))
    assert county.scalar(failed) == 3


def test_earlier_day_counts_and_writes_nothing(county, limit, run) -> None:
    limit(("2024-02-26", 3))
    county.school_class()
    _crowd(county, 2)
    run(rule(), as_of=date(2026, 3, 9))
    _crowd(county, 5)

    report = run(rule(), as_of=date(2026, 3, 2))

    assert report.is_stored is False
    assert (report.results[0].found, report.results[0].opened) == (1, 1)
    assert violations(county) == []
    assert county.scalar(select(func.count()).select_from(RuleRun).filter_by(rule_key=RULE)) == 1


def test_draft_values_are_tried_and_write_nothing(county, limit, run) -> None:
    limit(("2024-02-26", 3))
    county.school_class()
    _crowd(county, 5)
    draft = Dated("crowded.limit", "count", date(2026, 1, 1), 9, None, "decision")

    report = run(rule(), drafts=[draft])

    assert report.is_stored is False
    assert report.results[0].found == 0
    assert county.scalar(select(func.count()).select_from(RuleRun).filter_by(rule_key=RULE)) == 0


def test_window_is_split_where_a_parameter_changes(county, limit, run) -> None:
    limit(("2024-02-26", 3), ("2026-02-01", 5))
    year = county.year
    county.school_class()
    _crowd(county, 5)

    def monthly(window, settings):
        rows = crowded(window, settings).subquery()
        month = union_all(
            *(select(literal(period.start).label("start")) for period in window.periods)
        ).subquery()
        columns = [month.c.start.label(c.name) if c.name == "period_start" else c for c in rows.c]
        return select(*columns).select_from(rows.join(month, literal(value=True)))

    run(rule(monthly, period="month"))

    months = [found.period_start for found in violations(county)]
    assert year.starts_on == date(2025, 9, 1)
    assert months == [date(2025, month, 1) for month in (9, 10, 11, 12)] + [date(2026, 1, 1)]


def test_rule_without_a_value_does_not_apply(county, limit, run) -> None:
    limit(("2026-09-01", 3))
    county.school_class()
    _crowd(county, 5)

    report = run(rule())

    assert (report.results[0].found, report.results[0].error) == (0, None)


def test_run_for_one_school_leaves_the_others_alone(county, limit, run) -> None:
    limit(("2024-02-26", 3))
    first, second = (county.school_class(school=county.school()) for _ in range(2))
    _crowd(county, 5)
    narrow = rule(select_=_narrowed)
    run(narrow)
    _crowd(county, 1)

    report = run(narrow, as_of=date(2026, 3, 5), school_ids=frozenset({first.school_id}))

    assert report.results[0].resolved == 1
    assert [(v.school_id, v.resolved_on) for v in violations(county)] == [
        (first.school_id, date(2026, 3, 5)),
        (second.school_id, None),
    ]


def _narrowed(window, settings):
    """Keep to the schools of the window."""
    query = _of_the_year(window, settings)
    if window.school_ids is not None:
        query = query.where(query.selected_columns.school_id.in_(window.school_ids))
    return query


def test_violation_says_what_a_reader_sees(county, limit, run) -> None:
    limit(("2024-02-26", 3))
    county.school_class()
    _crowd(county, 5)

    run(rule())

    assert str(violations(county)[0]) == "CROWD-1 2026-03-02"


def test_event_is_judged_by_the_values_of_its_day(county, limit, run):
    limit(("2024-02-26", 3), ("2026-01-01", 5))
    rows = [(date(2025, 12, 31), 4), (date(2026, 1, 1), 4), (date(2026, 1, 1), 6)]
    classes = [county.school_class(position=position) for _day, position in rows]
    days = {one.id: day for one, (day, _position) in zip(classes, rows, strict=True)}

    def crowded_on(window: Window, settings: Any) -> Any:
        day = case(days, value=SchoolClass.id)
        return (
            crowded(window, settings)
            .with_only_columns(
                literal("school_class").label("subject_type"),
                SchoolClass.id.label("subject_id"),
                SchoolClass.school_id,
                SchoolClass.township_id,
                day.label("period_start"),
                SchoolClass.position.label("observed"),
                literal(settings.limit).label("required"),
            )
            .where(day.between(window.start, window.end))
        )

    run(rule(crowded_on, period="event"))

    found = [(one.subject_id, one.period_start, one.required) for one in violations(county)]
    assert found == [
        (classes[0].id, date(2025, 12, 31), "3"),
        (classes[2].id, date(2026, 1, 1), "5"),
    ]


def test_event_of_an_earlier_year_is_closed_when_it_no_longer_holds(county, limit, run):
    limit(("2024-02-26", 3))
    room = county.school_class(position=4)

    def crowded_in_2024(window: Window, settings: Any) -> Any:
        rows = crowded(window, settings).subquery()
        columns = [rows.c[name] for name in COLUMNS if name != "period_start"]
        columns.insert(4, literal(date(2024, 9, 1)).label("period_start"))
        return select(*columns)

    run(rule(crowded_in_2024, period="event"))
    county.execute(update(SchoolClass).where(SchoolClass.id == room.id).values(position=1))
    run(rule(crowded_in_2024, period="event"))

    assert [one.resolved_on for one in violations(county)] == [SPRING]
