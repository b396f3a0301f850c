"""Judge the ledgers: what every open entry has; and the monthly reports: that they are filed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from sqlalchemy import (
    Date,
    Select,
    String,
    case,
    column,
    exists,
    literal,
    or_,
    select,
    true,
    values,
)

from app.kit import (
    LedgerEntry,
    Period,
    Rule,
    School,
    Settings,
    Township,
    Window,
    _l,
    hookimpl,
)

from .documents import answers_behind, missing_documents
from .models import MonthlyReport

NEEDED = (
    LedgerEntry.reason_id,
    LedgerEntry.next_action,
    LedgerEntry.school_responsible_id,
    LedgerEntry.township_responsible_id,
)


def incomplete_entries(window: Window, _settings: Settings) -> Select:
    """Select the open entries in which something that is needed is missing."""
    there = sum((case((column.is_not(None), 1), else_=0) for column in NEEDED), literal(0))
    query = select(
        literal("ledger_entry").label("subject_type"),
        LedgerEntry.id.label("subject_id"),
        LedgerEntry.school_id,
        LedgerEntry.township_id,
        LedgerEntry.opened_on.label("period_start"),
        there.label("observed"),
        literal(len(NEEDED)).label("required"),
    ).where(
        LedgerEntry.closed_on.is_(None),
        LedgerEntry.opened_on <= window.as_of,
        there < len(NEEDED),
    )
    if window.school_ids is not None:
        query = query.where(LedgerEntry.school_id.in_(window.school_ids))
    return query


def missing_reports(window: Window, settings: Settings) -> Select:
    """Select the schools that have not filed the report of a month that is over and due."""
    due_day = int(settings.report_day)
    months = [one for one in window.periods if _due(one, due_day) < window.as_of]
    rows = [(one.start, one.key) for one in months] or [(window.start, "")]
    columns = column("month", Date), column("key", String)
    month = values(*columns, name="due_month").data(rows).cte("due_month")
    filed = exists().where(
        MonthlyReport.school_id == School.id, MonthlyReport.month == month.c.month
    )
    query = (
        select(
            literal("school").label("subject_type"),
            School.id.label("subject_id"),
            School.id.label("school_id"),
            School.township_id,
            month.c.month.label("period_start"),
            month.c.key.label("observed"),
            literal(due_day).label("required"),
        )
        .join(Township, Township.id == School.township_id)
        .join(month, true())
        .where(
            month.c.key != "",
            Township.go_live_on <= month.c.month,
            School.parent_id.is_(None),
            or_(School.closed_on.is_(None), School.closed_on > month.c.month),
            or_(School.opened_on.is_(None), School.opened_on <= month.c.month),
            ~filed,
        )
    )
    if window.school_ids is not None:
        query = query.where(School.id.in_(window.school_ids))
    return query


def _due(month: Period, due_day: int) -> date:
    """Return the day of the following month by which a month is reported."""
    return month.end + timedelta(days=due_day)


@hookimpl
def rules() -> Iterable[Rule]:
    """Return the rules."""
    return [
        Rule(
            key="records.incomplete_ledger_entry",
            code="LED-1",
            clause="LP24-1-1",
            subject="ledger_entry",
            period="none",
            severity="violation",
            absent="violation",
            select=incomplete_entries,
            message=_l(
                "The ledger entry has %(observed)s of %(required)s: reason, next action and both "
                "responsible persons"
            ),
            bound="≥",
            unit=_l("items"),
        ),
        Rule(
            key="records.monthly_report_missing",
            code="MON-1",
            clause="LP24-1-3",
            subject="school",
            period="month",
            severity="warning",
            absent="violation",
            select=missing_reports,
            message=_l(
                "The report of %(observed)s is not filed; it was due on day %(required)s of the "
                "next month"
            ),
        ),
        Rule(
            key="records.documents_missing",
            code="DOC-SCH",
            clause="LP24-A1",
            subject="school",
            period="semester",
            severity="violation",
            absent="unknown",
            select=missing_documents,
            evidence=answers_behind,
            message=_l("%(observed)s required documents were not there at the last look"),
        ),
    ]
