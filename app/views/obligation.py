"""Show what is due, and the runs of the rules."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from app.crud.base import ReadOnlyView
from app.crud.interface import BureauInterface
from app.models import Obligation, RuleRun
from app.models.inspection import type_title
from app.security.roles import CAPACITIES


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
        "person", "clause_key", "excused_reason",
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
    }


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
