"""Show a child's home teaching on his page: hours against the required ones, what is due next."""

from __future__ import annotations

from collections.abc import Iterator

from flask import url_for
from sqlalchemy import select

from app.kit import (
    Child,
    Due,
    PanelContent,
    PanelRow,
    Session,
    _,
    today,
)

from .figures import STATES, ChildYear, child_year, hours_text
from .hours import running
from .models import Case


def home_teaching(session: Session, child: Child) -> PanelContent | None:
    """Return the months of the year and the next visit that is due; None without a running case."""
    case = session.scalars(
        select(Case).where(Case.child_id == child.id, running(today())).limit(1)
    ).first()
    if case is None:
        return None
    year = child_year(session, child.id, today())
    url = url_for("HomeTeachingView.month", pk=case.id)
    begun = [month for month in year.months if month.period.start <= today()]
    return PanelContent(
        heads=[_("Month"), _("Teaching visits"), _("Class hours"), _("State")],
        rows=[
            PanelRow([month.title, month.visits, month.hours, str(STATES[month.state])], url)
            for month in begun
        ],
        note=_note(year),
        due=list(_due(year, url)),
    )


def _note(year: ChildYear) -> str:
    text = hours_text(year.hours, year.required)
    if year.hours >= year.due:
        return text
    behind = _("%(count)s class hours behind", count=year.due - year.hours)
    return _("%(hours)s; %(behind)s", hours=text, behind=behind)


def _due(year: ChildYear, url: str) -> Iterator[Due]:
    month = year.month_of(today())
    if month is not None and month.lacking:
        text = _("Teach at home: %(count)s more visits this month", count=month.lacking)
        yield Due(month.period.due_on, text, url)
