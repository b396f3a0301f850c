"""Import and export monthly reports of the time before go-live, reviews and activities."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import select

from app.kit import (
    Entity,
    ImportColumn,
    ImportRow,
    Key,
    Lookup,
    Person,
    School,
    Session,
    Township,
    _,
    _l,
    now,
)

from .models import Activity, MonthlyReport, Review
from .views import ACTIVITY_KINDS

FIGURES = ("at_risk", "suspected", "dropped_out", "returned")
BY_TOWNSHIP, BY_SCHOOL = Lookup(Township), Lookup(School)


def _not_negative(row: ImportRow, *names: str) -> None:
    for name in names:
        if (row.get(name) or 0) < 0:
            row.fail(name, _("A count is not below zero."))


def _complete_report(row: ImportRow, today: date) -> None:
    """Let any day name its month; keep a nil report 零报告 to what it says."""
    _not_negative(row, *FIGURES)
    month = row.get("month")
    if month is None:
        return
    row.values["month"] = month.replace(day=1)
    if row.values["month"] > today:
        row.fail("month", _("This day lies in the future."))
    has_any = bool(row.get("suspected") or row.get("dropped_out"))
    if row.get("is_nil") is not None and row.get("is_nil") == has_any:
        text = _("A nil report has neither suspected dropouts nor dropouts, any other has some.")
        row.fail("is_nil", text)


def _check_report(session: Session, rows: Sequence[ImportRow]) -> None:
    """Refuse new reports from after the go-live: their figures come from the ledgers."""
    new = [row for row in rows if row.stored is None]
    if not new:
        return
    query = select(Township.id, Township.go_live_on)
    live = {row.id: row.go_live_on for row in session.execute(query)}
    for row in new:
        row.values["filed_at"] = now()
        day = live.get(row.place[1] or 0)
        if day is not None and row.get("month") >= day.replace(day=1):
            text = _("The township went live on %(day)s: later reports are filed on the screens.")
            row.fail("month", text % {"day": day.isoformat()})


def _complete_review(row: ImportRow, _today: date) -> None:
    """Let any day name its quarter."""
    _not_negative(row, "schools", "households")
    quarter = row.get("quarter")
    if quarter is not None:
        row.values["quarter"] = quarter.replace(month=(quarter.month - 1) // 3 * 3 + 1, day=1)


def _complete_activity(row: ImportRow, _today: date) -> None:
    _not_negative(row, "audience")


MONTHLY_REPORT = Entity(
    key="records_monthly_report",
    title=_l("Monthly report"),
    model=MonthlyReport,
    columns=(
        ImportColumn("school", _l("School"), "lookup", is_required=True, lookup=BY_SCHOOL),
        ImportColumn(
            "month",
            _l("Month"),
            "date",
            is_required=True,
            help=_l("Any day of the month, as 20260301."),
        ),
        ImportColumn("is_nil", _l("Nil report"), "flag", is_required=True),
        ImportColumn("at_risk", _l("Under priority monitoring"), "integer"),
        ImportColumn("suspected", _l("Suspected dropouts (A)"), "integer"),
        ImportColumn("dropped_out", _l("Dropouts"), "integer"),
        ImportColumn("returned", _l("Returned, still watched"), "integer"),
        ImportColumn("note", _l("Note")),
    ),
    keys=(Key(("school", "month")),),
    view="MonthlyReportView",
    place=("school",),
    only_adds=True,
    derived=("filed_at",),
    complete=_complete_report,
    check=_check_report,
)
REVIEW = Entity(
    key="records_review",
    title=_l("Quarterly review"),
    model=Review,
    columns=(
        ImportColumn(
            "quarter",
            _l("Quarter"),
            "date",
            is_required=True,
            help=_l("Any day of the quarter, as 20260301."),
        ),
        ImportColumn(
            "township",
            _l("Township"),
            "lookup",
            lookup=BY_TOWNSHIP,
            help=_l("Leave empty for a review of all townships."),
        ),
        ImportColumn("reviewed_on", _l("Reviewed on"), "date", is_required=True, is_past=True),
        ImportColumn("schools", _l("Schools visited"), "integer"),
        ImportColumn("households", _l("Households visited"), "integer"),
        ImportColumn("conclusion", _l("Result of the review"), is_required=True),
        ImportColumn("measures", _l("Measures asked for")),
        ImportColumn(
            "reviewed_by",
            _l("Reviewed by"),
            "lookup",
            lookup=Lookup(Person, by=("name",), qualifier="phone"),
        ),
    ),
    keys=(Key(("quarter", "reviewed_on"), optional=("township",)),),
    view="ReviewView",
    place=("township",),
    complete=_complete_review,
)
ACTIVITY = Entity(
    key="records_activity",
    title=_l("Publicity activity"),
    model=Activity,
    columns=(
        ImportColumn("township", _l("Township"), "lookup", lookup=BY_TOWNSHIP),
        ImportColumn("school", _l("School"), "lookup", lookup=BY_SCHOOL),
        ImportColumn("held_on", _l("Held on"), "date", is_required=True, is_past=True),
        ImportColumn("kind", _l("Kind"), "choice", is_required=True, choices=ACTIVITY_KINDS),
        ImportColumn("topic", _l("Topic"), is_required=True),
        ImportColumn("audience", _l("People reached"), "integer"),
        ImportColumn("organiser", _l("Organiser")),
        ImportColumn("note", _l("Note")),
    ),
    keys=(Key(("school", "held_on", "topic")), Key(("township", "held_on", "topic"))),
    view="ActivityView",
    place=("school", "township"),
    complete=_complete_activity,
)
