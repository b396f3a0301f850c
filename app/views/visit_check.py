"""Let schools say that nobody came 未到校, and the bureau look into it."""

from __future__ import annotations

from typing import Any, ClassVar

from flask_appbuilder import AppBuilder
from flask_babel import lazy_gettext as _l

from app.base import Refused
from app.crud.base import BureauModelView
from app.crud.decision import DECISION_LABELS, DecisionMixin
from app.crud.interface import BureauInterface
from app.crud.refusal import FieldRefused
from app.extensions import db
from app.models import RequestState, VisitCheck
from app.workflow import visit_check as flow

STATES = {
    str(RequestState.REQUESTED): _l("To be looked into"),
    str(RequestState.APPROVED): _l("Did not take place"),
    str(RequestState.REFUSED): _l("Took place"),
}


class VisitCheckView(DecisionMixin, BureauModelView):
    """Say for a school that nobody came, and decide whether the inspection took place."""

    datamodel = BureauInterface(VisitCheck)
    route_base = "/visit-check"
    noun = _l("Check whether an inspection took place")
    list_title = _l("Checks whether inspections took place")
    list_columns = [
        "inspection", "township", "school", "reason", "state", "requested_by", "decided_by",
    ]  # fmt: skip
    list_joins = ("inspection.school", "inspection.township")
    show_columns = [
        "inspection", "township", "school", "reason", "requested_by", "created_at", "state",
        "decided_by", "decided_at", "decision_note",
    ]  # fmt: skip
    add_columns = ["inspection", "reason"]
    edit_columns: list[str] = []
    search_columns = ["state", "inspection", "school", "township", "requested_by"]
    base_order = ("id", "desc")
    exclude_route_methods = {"edit", "delete"}
    decision_title = _l("Did the inspection take place?")
    deeds: ClassVar[dict[str, tuple[Any, Any]]] = {
        "absent": (_l("It did not take place"), _l("The inspection counts no more.")),
        "present": (_l("It took place"), _l("The inspection stands as it is.")),
    }
    choices_columns = {"state": STATES}
    label_columns = {
        **DECISION_LABELS,
        "inspection": _l("Inspection"),
        "reason": _l("What the school says"),
        "requested_by": _l("Said by"),
        "created_at": _l("Said at"),
        "decision_note": _l("What was found out"),
    }
    description_columns = {
        "inspection": _l("Nobody of those named came to the school on this day."),
        "reason": _l("For instance who was at the school on this day, and what its register says."),
    }

    def pre_add(self, item: VisitCheck) -> None:
        """Refuse what the school cannot say of this inspection."""
        try:
            flow.deny(db.session(), item)
        except Refused as refusal:
            raise FieldRefused("inspection", refusal.message) from None

    def refusal_of_decision(self, item: VisitCheck) -> str | None:
        """Return why the acting person cannot decide; None where he can."""
        return flow.refusal_of_decision(db.session(), item)

    def take(self, item: VisitCheck, deed: str, note: str) -> None:
        """Decide whether the inspection took place."""
        flow.decide(db.session(), item, took_place=deed == "present", note=note)


def add_views(appbuilder: AppBuilder) -> None:
    """Add the checks beside the inspections."""
    appbuilder.add_view(
        VisitCheckView,
        "VisitCheckView",
        label=VisitCheckView.list_title,
        icon="fa-user-slash",
        category="Inspections",
    )
