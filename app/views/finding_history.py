"""List the steps that findings took, the return visits, and what outside visits looked at."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from app.crud.interface import BureauInterface
from app.crud.review_form import OUTCOMES
from app.models import STEP_TITLES, FindingReview, FindingStep, ReturnVisit, ReviewOutcome
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


class FindingReviewView(LoopView):
    """List what outside visits looked at of the schools' own closings."""

    datamodel = BureauInterface(FindingReview)
    route_base = "/findingreview"
    list_title = _l("Own closings looked at")
    noun = _l("Own closing looked at")
    list_columns = [
        "inspection.occurred_on", "township", "school", "finding.facts", "outcome", "reviewed_by",
    ]  # fmt: skip
    show_columns = [
        "inspection", "township", "school", "finding", "outcome", "reviewed_by", "note",
    ]  # fmt: skip
    search_columns = ["township", "school", "outcome"]
    base_order = ("id", "desc")
    choices_columns = {"outcome": {key: OUTCOMES[key] for key in ReviewOutcome}}
    formatters_columns = {"finding.facts": facts_line}
