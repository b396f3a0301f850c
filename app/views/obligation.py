"""Show what is due, and the runs of the rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app import clock
from app.cadence.fulfilment import Fulfilment, status_of
from app.crud.base import ReadOnlyView
from app.crud.derived import Derived
from app.crud.interface import BureauInterface
from app.extensions import db
from app.models import Obligation, RuleRun
from app.models.inspection import type_title
from app.security.guard import unrestricted
from app.security.roles import CAPACITIES
from app.workflow import excuse

STATUSES = {
    Fulfilment.MET: (_l("Done in time"), "success"),
    Fulfilment.LATE: (_l("Done, entered late"), "warning"),
    Fulfilment.PENDING: (_l("Pending"), "info"),
    Fulfilment.MISSED: (_l("Missed"), "danger"),
    Fulfilment.EXCUSED: (_l("Excused duty"), ""),
}
"""How an inspection that is due stands, in words and colour."""


class ObligationView(ReadOnlyView):
    """Show the inspections that are due, whether or not anybody entered anything."""

    datamodel = BureauInterface(Obligation)
    noun = _l("Inspection due")
    list_title = _l("Inspections due")
    list_columns = [
        "due_on",
        "township",
        "school",
        "type_key",
        "capacity",
        "period_start",
        "person",
    ]
    show_columns = [
        "due_on", "township", "school", "type_key", "capacity", "period_start", "period_end",
        "person", "clause_key", "excused_reason", "excused_by", "excused_at",
    ]  # fmt: skip
    search_columns = [
        "due_on", "township", "school", "type_key", "capacity", "period_start", "person",
    ]  # fmt: skip
    base_order = ("due_on", "desc")
    choices_columns = {"capacity": CAPACITIES}
    formatters_columns = {"type_key": type_title}
    label_columns = {
        "type_key": _l("Kind of inspection"),
        "capacity": _l("Capacity"),
        "period_start": _l("Period from"),
        "period_end": _l("Period until"),
        "excused_reason": _l("Excused because"),
        "excused_by": _l("Excused by"),
        "excused_at": _l("Excused at"),
    }

    def derived(self, item: Obligation) -> Sequence[Derived]:
        """Say how the inspection stands today, and lead to the request to be excused."""
        with unrestricted():
            status = status_of(db.session(), item, clock.today())
        title, tone = STATUSES[status]
        return [Derived(_("State"), str(title), tone, links=list(self._links(item)))]

    def _links(self, item: Obligation) -> Iterable[tuple[str, str]]:
        may = self.appbuilder.sm.has_access
        if may("can_add", "ExcuseView") and excuse.refusal_of_request(db.session(), item) is None:
            yield _("Ask to be excused"), url_for("ExcuseView.add", _flt_0_obligation=item.id)
        if may("can_list", "ExcuseView"):
            yield _("Requests to be excused"), url_for("ExcuseView.list", _flt_0_obligation=item.id)


class RuleRunView(ReadOnlyView):
    """Show the runs of the rules: what they changed, or why they failed."""

    datamodel = BureauInterface(RuleRun)
    noun = _l("Rule run")
    list_title = _l("Rule runs")
    list_columns = ["started_at", "rule_key", "as_of", "opened", "changed", "resolved", "error"]
    show_columns = [
        "rule_key", "as_of", "started_at", "finished_at", "opened", "changed", "resolved", "error",
    ]  # fmt: skip
    search_columns = ["rule_key", "as_of", "started_at"]
    base_order = ("started_at", "desc")
    label_columns = {
        "rule_key": _l("Rule"),
        "as_of": _l("Judging day"),
        "started_at": _l("Started at"),
        "finished_at": _l("Finished at"),
        "opened": _l("Opened"),
        "changed": _l("Changed"),
        "resolved": _l("Resolved"),
        "error": _l("Error"),
    }
