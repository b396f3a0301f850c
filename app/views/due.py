"""Show due days with the working days that have passed since."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask_babel import gettext as _
from markupsafe import Markup, escape

from app import clock
from app.cadence.calendar import Calendar, load_calendar
from app.crud.interface import BureauInterface
from app.extensions import db
from app.models import Finding, FindingState
from app.views.finding_label import facts_line


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


class FindingInterface(BureauInterface):
    """Show what is urgent and overdue; one calendar serves the whole page of rows."""

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
