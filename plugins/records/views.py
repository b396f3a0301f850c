"""File monthly reports, keep reviews and activities, show the indicators of each month."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlalchemy import case, func, select
from wtforms import Form, SelectField
from wtforms.fields.choices import SelectChoice

from app.kit import (
    BureauModelView,
    FieldRefused,
    LedgerEntry,
    Page,
    _,
    _l,
    actor,
    hookimpl,
    interface,
    now,
    today,
)

from .indicators import AT_SCHOOL, BY_STATUS, ON_ROLL, month_before
from .models import Activity, Indicator, MonthlyReport, Review

MONITORED, SUSPECTED, DROPPED_OUT = (
    f"roll_and_attendance.{name}" for name in ("priority_monitoring", "suspected", "dropped_out")
)
ACTIVITY_KINDS = {
    "lecture": _l("Lecture"),
    "parents": _l("Parents' meeting"),
    "letter": _l("Letter to parents"),
    "media": _l("Broadcast and new media"),
    "poster": _l("Posters and slogans"),
    "law": _l("Legal education"),
    "walk": _l("Visits to all households"),
}


INDICATORS = {
    ON_ROLL: _l("Children on the rolls"),
    AT_SCHOOL: _l("Children at school"),
    BY_STATUS: _l("Children of one status"),
}


def _months() -> list[SelectChoice]:
    """Return the present month and the two before it."""
    first = today().replace(day=1)
    months = [first, month_before(first), month_before(month_before(first))]
    return [SelectChoice(month.isoformat(), month.isoformat()[:7]) for month in months]


def _quarters() -> list[SelectChoice]:
    """Return the present quarter and the three before it."""
    first = today().replace(month=(today().month - 1) // 3 * 3 + 1, day=1)
    starts = [first]
    for _each in range(3):
        starts.append(month_before(month_before(month_before(starts[-1]))))
    return [
        SelectChoice(
            one.isoformat(),
            _("%(year)s, quarter %(number)s", year=one.year, number=(one.month + 2) // 3),
        )
        for one in starts
    ]


def _day(value: Any) -> date:
    return date.fromisoformat(value)


class MonthlyReportView(BureauModelView):
    """File the report of a month; its figures come from the ledgers."""

    datamodel = interface(MonthlyReport)
    route_base = "/records/monthly"
    noun = _l("Monthly report")
    list_title = _l("Monthly reports of schools")
    list_columns = [
        "month", "school", "is_nil", "at_risk", "suspected", "dropped_out", "returned", "filed_at",
    ]  # fmt: skip
    show_columns = [
        "month", "township", "school", "is_nil", "at_risk", "suspected", "dropped_out", "returned",
        "note", "filed_at", "filed_by",
    ]  # fmt: skip
    add_columns = ["school", "month", "is_nil", "note", "evidence_set_id"]
    edit_columns: list[str] = []
    search_columns = ["month", "township", "school", "is_nil"]
    base_order = ("month", "desc")
    exclude_route_methods = {"edit", "delete"}
    add_form_extra_fields = {"month": SelectField(_l("Month"), choices=_months, coerce=_day)}
    label_columns = {
        "month": _l("Month"),
        "is_nil": _l("Nil report"),
        "at_risk": _l("Under priority monitoring"),
        "suspected": _l("Suspected dropouts (A)"),
        "dropped_out": _l("Dropouts"),
        "returned": _l("Returned, still watched"),
        "filed_at": _l("Filed at"),
        "filed_by": _l("Filed by"),
    }
    description_columns = {
        "is_nil": _l("Tick it where no child of the school is suspected or has dropped out."),
    }

    def check(self, form: Form, item: MonthlyReport | None) -> None:
        """Keep to one report of a school and month, and to what the ledgers say."""
        if form.school.data is None:
            raise FieldRefused("school", _("Choose the school."))

    def pre_add(self, item: MonthlyReport) -> None:
        """Take the figures of the ledgers, and compare them with what the school says."""
        session = self.datamodel.session
        same = select(MonthlyReport.id).filter_by(school_id=item.school_id, month=item.month)
        if session.scalar(same.limit(1)) is not None:
            raise FieldRefused("month", _("The report of this month is filed already."))
        for name, value in _standing(session, item.school_id).items():
            setattr(item, name, value)
        has_any = bool(item.suspected or item.dropped_out)
        if item.is_nil and has_any:
            text = _(
                "The ledgers hold %(suspected)s suspected dropouts and %(dropped_out)s dropouts: "
                "this is no nil report.",
                suspected=item.suspected,
                dropped_out=item.dropped_out,
            )
            raise FieldRefused("is_nil", text)
        if not item.is_nil and not has_any:
            raise FieldRefused("is_nil", _("The ledgers hold nothing: tick the nil report."))
        item.filed_at = now()
        item.filed_by_id = actor.get().person_id


def _standing(session: Any, school_id: int | None) -> dict[str, int]:
    """Count the open entries of a school's ledgers."""

    def count(ledger: str, category: str) -> Any:
        is_it = (LedgerEntry.ledger == ledger) & (LedgerEntry.category == category)
        return func.coalesce(func.sum(case((is_it, 1), else_=0)), 0)

    row = session.execute(
        select(
            count(MONITORED, "").label("at_risk"),
            count(SUSPECTED, "A").label("suspected"),
            count(DROPPED_OUT, "").label("dropped_out"),
            count(SUSPECTED, "C").label("returned"),
        ).where(LedgerEntry.school_id == school_id, LedgerEntry.closed_on.is_(None))
    ).one()
    return {name: int(value) for name, value in row._mapping.items()}


class ReviewView(BureauModelView):
    """Keep the quarterly reviews of the county."""

    datamodel = interface(Review)
    route_base = "/records/review"
    noun = _l("Quarterly review")
    list_title = _l("Quarterly reviews")
    list_columns = ["quarter", "township", "reviewed_on", "schools", "households", "reviewed_by"]
    show_columns = [
        "quarter", "township", "reviewed_on", "schools", "households", "conclusion", "measures",
        "reviewed_by",
    ]  # fmt: skip
    add_columns = [
        "quarter", "township", "reviewed_on", "schools", "households", "conclusion", "measures",
        "reviewed_by", "evidence_set_id",
    ]  # fmt: skip
    edit_columns = add_columns[2:]
    search_columns = ["quarter", "township", "reviewed_on", "reviewed_by"]
    base_order = ("quarter", "desc")
    add_form_extra_fields = {"quarter": SelectField(_l("Quarter"), choices=_quarters, coerce=_day)}
    label_columns = {
        "quarter": _l("Quarter"),
        "reviewed_on": _l("Reviewed on"),
        "schools": _l("Schools visited"),
        "households": _l("Households visited"),
        "conclusion": _l("Result of the review"),
        "measures": _l("Measures asked for"),
        "reviewed_by": _l("Reviewed by"),
    }
    description_columns = {"township": _l("Leave empty for a review of all townships.")}

    def check(self, form: Form, item: Review | None) -> None:
        """Keep the day out of the future and the counts sound."""
        if form.reviewed_on.data > today():
            raise FieldRefused("reviewed_on", _("This day lies in the future."))
        for name in ("schools", "households"):
            if (form[name].data or 0) < 0:
                raise FieldRefused(name, _("A count is not below zero."))


class ActivityView(BureauModelView):
    """Keep the publicity activities of schools and townships."""

    datamodel = interface(Activity)
    route_base = "/records/activity"
    noun = _l("Publicity activity")
    list_title = _l("Publicity activities")
    list_columns = ["held_on", "school", "township", "kind", "topic", "audience"]
    show_columns = [
        "held_on", "township", "school", "kind", "topic", "audience", "organiser", "note",
    ]  # fmt: skip
    add_columns = [
        "township", "school", "held_on", "kind", "topic", "audience", "organiser", "note",
        "evidence_set_id",
    ]  # fmt: skip
    edit_columns = add_columns[2:]
    search_columns = ["held_on", "township", "school", "kind", "topic"]
    base_order = ("held_on", "desc")
    choices_columns = {"kind": ACTIVITY_KINDS}
    label_columns = {
        "held_on": _l("Held on"),
        "topic": _l("Topic"),
        "audience": _l("People reached"),
        "organiser": _l("Organiser"),
    }
    description_columns = {"school": _l("Leave empty for an activity of the township.")}

    def check(self, form: Form, item: Activity | None) -> None:
        """Keep the day out of the future, and the place known."""
        if item is None and form.school.data is None and form.township.data is None:
            raise FieldRefused("township", _("Choose a township or a school."))
        if form.held_on.data > today():
            raise FieldRefused("held_on", _("This day lies in the future."))
        if (form.audience.data or 0) < 0:
            raise FieldRefused("audience", _("A count is not below zero."))


class IndicatorView(BureauModelView):
    """Show the indicators of each month, as they were taken."""

    datamodel = interface(Indicator)
    route_base = "/records/indicator"
    noun = _l("Indicator")
    list_title = _l("Indicators of each month")
    list_columns = ["month", "township", "school", "indicator", "status", "value", "taken_on"]
    show_columns = ["month", "township", "school", "indicator", "status", "value", "taken_on"]
    add_columns: list[str] = []
    edit_columns: list[str] = []
    search_columns = ["month", "township", "school", "indicator", "status"]
    choices_columns = {"indicator": INDICATORS}
    base_order = ("month", "desc")
    exclude_route_methods = {"add", "edit", "delete"}
    label_columns = {
        "month": _l("Month"),
        "indicator": _l("Indicator"),
        "value": _l("Value"),
        "taken_on": _l("Taken on"),
    }


@hookimpl
def views() -> Iterable[Page]:
    """Return the screens."""
    return [
        Page(MonthlyReportView, "Monthly reports of schools", "Reports", "fa-calendar-check"),
        Page(ReviewView, "Quarterly reviews", "Reports", "fa-magnifying-glass"),
        Page(ActivityView, "Publicity activities", "Reports", "fa-bullhorn"),
        Page(IndicatorView, "Indicators of each month", "Reports", "fa-chart-line"),
    ]
