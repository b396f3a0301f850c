"""Show due days with the working days that have passed since."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup, escape
from sqlalchemy import ColumnElement, select

from app import clock
from app.cadence.calendar import Calendar, load_calendar
from app.crud.fab import BaseFilter
from app.crud.filters import BureauFilterConverter, Condition, day
from app.crud.interface import BureauInterface
from app.extensions import db
from app.models import Finding, FindingState
from app.views.finding_label import facts_line
from app.workflow.standing import overdue, overdue_now


@dataclass(frozen=True, slots=True)
class Due:
    """A due day and the working days by which it is over."""

    day: date
    overdue: int = 0

    def __html__(self) -> str:
        """Return the day, and a badge where it is over."""
        return escape(self.day.isoformat()) + self.badge

    @property
    def badge(self) -> Markup:
        """Return in words by how much the day is over; nothing while it is not."""
        if not self.overdue:
            return Markup("")
        text = _("%(days)s working days overdue", days=self.overdue)
        return Markup(' <span class="badge-soft tone-danger">{}</span>').format(text)

    def __str__(self) -> str:
        return str(self.__html__())


class OverdueOn(Condition):
    """The rectification was overdue at the end of this day."""

    name = _l("overdue on")
    arg_name = "overdue_on"

    def test(self, column: Any, value: str) -> ColumnElement[bool]:
        """Judge by the rows themselves today, by their steps on a day that has passed."""
        as_of = day(value)
        if as_of >= clock.today():
            return overdue_now(as_of)
        then = overdue(as_of).subquery()
        return Finding.id.in_(select(then.c.finding_id))


class FindingConditions(BureauFilterConverter):
    """Offer besides what columns offer by their type whether a finding is overdue."""

    def convert(self, col_name: str) -> list[BaseFilter] | None:
        """Return the conditions of a column."""
        found = super().convert(col_name)
        if found is None or col_name != "due_on":
            return found
        return [*found, OverdueOn(col_name, self.datamodel)]


class FindingInterface(BureauInterface):
    """Show what is urgent and overdue; one calendar serves the whole page of rows."""

    filter_converter_class = FindingConditions

    def get_values(self, lst: Sequence[Any], list_columns: list[str]) -> Iterator[dict[str, Any]]:
        """Yield the values of the list's columns."""
        today = clock.today()
        calendar = _calendar_of(lst, today)
        values = super().get_values(lst, list_columns)
        for finding, shown in zip(lst, values, strict=True):
            shown["facts"] = facts_line(finding.facts, is_urgent=finding.is_urgent)
            if finding.due_on is not None:
                shown["due_on"] = Due(finding.due_on, _overdue(finding, today, calendar))
            yield shown


def is_running(finding: Finding) -> bool:
    """Tell whether the clock of the rectification runs."""
    return finding.state == FindingState.SERVED or (
        finding.state == FindingState.OPEN and finding.is_urgent
    )


def _calendar_of(findings: Sequence[Finding], today: date) -> Calendar | None:
    late = [f.due_on for f in findings if f.due_on and f.due_on < today and is_running(f)]
    return load_calendar(db.session(), min(late), today) if late else None


def _overdue(finding: Finding, today: date, calendar: Calendar | None) -> int:
    if calendar is None or finding.due_on is None or not is_running(finding):
        return 0
    in_term = finding.needs_pupils and not finding.is_urgent
    return calendar.elapsed(finding.due_on, today, in_term=in_term)
