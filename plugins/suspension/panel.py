"""Show on a child's page its cases of suspension and deferral, and what is due next."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from flask import url_for
from sqlalchemy import func, select

from app.kit import (
    Child,
    Due,
    PanelContent,
    PanelRow,
    Session,
    Settings,
    Township,
    Visit,
    _,
    is_counted,
    settings_of,
    today,
)

from .kinds import APPROVED, KINDS, POLICY, STATES
from .models import SuspensionCase
from .steps import PLUGIN, months_after


def content(session: Session, child: Child) -> PanelContent | None:
    """Return the cases of a child, newest first; None where there is none."""
    cases = session.execute(_cases(child)).all()
    if not cases:
        return None
    settings = settings_of(session, PLUGIN, today())
    return PanelContent(
        heads=(_("Kind"), _("State"), _("Approved on"), _("Last day"), _("Last visit that counts")),
        rows=[_row(*one) for one in cases],
        due=[due for one in cases for due in _due(settings, *one)],
    )


def _cases(child: Child) -> Any:
    last = (
        select(func.max(Visit.visited_on))
        .where(
            Visit.child_id == SuspensionCase.child_id,
            Visit.visited_on > SuspensionCase.approved_on,
            is_counted(),
        )
        .correlate(SuspensionCase)
        .scalar_subquery()
    )
    return (
        select(SuspensionCase, last, Township.go_live_on)
        .join(Township, Township.id == SuspensionCase.township_id)
        .where(SuspensionCase.child_id == child.id)
        .order_by(SuspensionCase.applied_on.desc(), SuspensionCase.id.desc())
    )


def _row(record: SuspensionCase, last: date | None, _go_live_on: date | None) -> PanelRow:
    cells = (
        KINDS.get(record.kind, record.kind),
        STATES.get(record.state, record.state),
        record.approved_on,
        record.ends_on,
        last,
    )
    return PanelRow(cells, url_for("SuspensionCaseView.show", pk=record.id))


def _due(
    settings: Settings, record: SuspensionCase, last: date | None, go_live_on: date | None
) -> Iterable[Due]:
    """Yield the next visit and the end of a case that is running."""
    if record.state != APPROVED or record.approved_on is None or record.ends_on is None:
        return
    page = url_for("SuspensionCaseView.show", pk=record.id)
    if record.kind in POLICY and go_live_on is not None:
        since = max(filter(None, (record.approved_on, go_live_on, last)))
        due_on = months_after(since, int(settings.visit_months))
        if due_on <= record.ends_on:
            add = url_for("VisitView.add", _flt_0_child=record.child_id)
            yield Due(due_on, _("Persuasion visit during the suspension or deferral"), add)
    yield Due(record.ends_on, _("Return to school, or renewal of the case"), page)
