"""List the steps that findings took, and the return visits."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from app.crud.interface import BureauInterface
from app.models import STEP_TITLES, FindingStep, ReturnVisit
from app.views.finding_label import LABELS, facts_line
from app.views.loop import LoopView
from app.workflow.state import STATE_TITLES


class FindingStepView(LoopView):
    """List the steps that findings took."""

    datamodel = BureauInterface(FindingStep)
    route_base = "/findingstep"
    list_title = _l("Steps of findings")
    noun = _l("Step of a finding")
    list_columns = ["happened_on", "township", "school", "finding.facts", "step", "person", "note"]
    show_columns = [
        "happened_on", "happened_at", "township", "school", "finding", "step", "from_state",
        "to_state", "person", "note", "due_on",
    ]  # fmt: skip
    search_columns = ["township", "school", "step", "happened_on"]
    base_order = ("happened_at", "desc")
    label_columns = {**LABELS, "happened_at": _l("Recorded at")}
    choices_columns = {
        "step": STEP_TITLES,
        "from_state": STATE_TITLES,
        "to_state": STATE_TITLES,
    }
    formatters_columns = {"finding.facts": facts_line}


class ReturnVisitView(LoopView):
    """List the return visits."""

    datamodel = BureauInterface(ReturnVisit)
    route_base = "/returnvisit"
    list_title = _l("Return visits")
    noun = _l("Return visit")
    list_columns = [
        "visited_on", "township", "school", "finding.facts", "is_rectified", "person",
    ]  # fmt: skip
    show_columns = [
        "visited_on", "township", "school", "finding", "is_on_site", "is_rectified", "person",
        "note",
    ]  # fmt: skip
    search_columns = ["township", "school", "visited_on", "is_rectified"]
    base_order = ("visited_on", "desc")
    formatters_columns = {"finding.facts": facts_line}
