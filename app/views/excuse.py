"""Ask to be excused from an inspection that is due 督导任务免责, and decide on it."""

from __future__ import annotations

from typing import Any, ClassVar

from flask_appbuilder import AppBuilder
from flask_babel import lazy_gettext as _l

from app.base import Refused
from app.crud.base import BureauModelView
from app.crud.decision import DECISION_LABELS, REQUEST_STATES, DecisionMixin
from app.crud.interface import BureauInterface
from app.crud.refusal import FieldRefused
from app.extensions import db
from app.models import Excuse
from app.workflow import excuse as flow


class ExcuseView(DecisionMixin, BureauModelView):
    """Ask to be excused from an inspection that is due, and decide on it."""

    datamodel = BureauInterface(Excuse)
    route_base = "/excuse"
    noun = _l("Request to be excused")
    list_title = _l("Requests to be excused")
    list_columns = [
        "obligation", "township", "school", "reason", "state", "requested_by", "decided_by",
    ]  # fmt: skip
    list_joins = ("obligation.school",)
    show_columns = [
        "obligation", "township", "school", "reason", "requested_by", "created_at", "state",
        "decided_by", "decided_at", "decision_note",
    ]  # fmt: skip
    add_columns = ["obligation", "reason"]
    edit_columns: list[str] = []
    search_columns = ["state", "obligation", "school", "township", "requested_by"]
    base_order = ("id", "desc")
    exclude_route_methods = {"edit", "delete"}
    deeds: ClassVar[dict[str, tuple[Any, Any]]] = {
        "approve": (_l("Excuse it"), _l("The inspection is excused.")),
        "refuse": (_l("Do not approve"), _l("The request is refused.")),
    }
    choices_columns = {"state": REQUEST_STATES}
    label_columns = {
        "obligation": _l("Inspection due"),
        "reason": _l("Why it cannot be done"),
        **DECISION_LABELS,
    }
    description_columns = {
        "obligation": _l("The next level decides. What is excused counts in no rate."),
    }

    def pre_add(self, item: Excuse) -> None:
        """Refuse a request that is not needed, not one's own, or was made already."""
        try:
            flow.ask(db.session(), item)
        except Refused as refusal:
            raise FieldRefused("obligation", refusal.message) from None

    def refusal_of_decision(self, item: Excuse) -> str | None:
        """Return why the acting person cannot decide; None where he can."""
        return flow.refusal_of_decision(db.session(), item)

    def take(self, item: Excuse, deed: str, note: str) -> None:
        """Excuse the inspection, or refuse it."""
        flow.decide(db.session(), item, is_approved=deed == "approve", note=note)


def add_views(appbuilder: AppBuilder) -> None:
    """Add the requests beside the inspections that are due."""
    appbuilder.add_view(
        ExcuseView,
        "ExcuseView",
        label=ExcuseView.list_title,
        icon="fa-hand",
        category="Results",
    )
