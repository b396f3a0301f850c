"""Ask for the approval of daily checks that are entered too late 每日督导补录, and decide on it."""

from __future__ import annotations

from typing import Any, ClassVar

from flask_appbuilder import AppBuilder
from flask_babel import lazy_gettext as _l
from wtforms import SelectField
from wtforms.fields.choices import SelectChoice

from app.base import Refused, registry
from app.crud.base import BureauModelView
from app.crud.decision import DECISION_LABELS, REQUEST_STATES, DecisionMixin
from app.crud.fields import ChoiceWidget
from app.crud.inspection_sheet import shown_title
from app.crud.interface import BureauInterface
from app.crud.refusal import FieldRefused
from app.extensions import db
from app.models import LateEntry
from app.models.inspection import type_title
from app.workflow import late


def _own_checks() -> list[SelectChoice]:
    """Return the inspection types in which a school checks itself."""
    kinds = [kind for kind in registry.inspection_types() if kind.self_inspection]
    return [SelectChoice(kind.key, type_title(kind.key)) for kind in kinds]


def _only_check() -> str | None:
    return next((choice.value for choice in _own_checks()), None)


class LateEntryView(DecisionMixin, BureauModelView):
    """Ask for the approval of a check that is entered too late, and decide on it."""

    datamodel = BureauInterface(LateEntry)
    route_base = "/daily/late"
    noun = _l("Late entry")
    list_title = _l("Late entries")
    list_columns = ["day", "school", "township", "reason", "state", "requested_by", "decided_by"]
    show_columns = [
        "day", "type_key", "school", "township", "reason", "requested_by", "created_at", "state",
        "decided_by", "decided_at", "decision_note",
    ]  # fmt: skip
    add_columns = ["type_key", "school", "day", "reason"]
    edit_columns: list[str] = []
    search_columns = ["state", "day", "school", "township", "requested_by"]
    base_order = ("id", "desc")
    exclude_route_methods = {"edit", "delete"}
    deeds: ClassVar[dict[str, tuple[Any, Any]]] = {
        "approve": (_l("Approve"), _l("The late entry is approved.")),
        "refuse": (_l("Do not approve"), _l("The request is refused.")),
    }
    choices_columns = {"state": REQUEST_STATES}
    formatters_columns = {"type_key": shown_title}
    add_form_extra_fields = {
        "type_key": SelectField(
            _l("Type of inspection"),
            choices=_own_checks,
            default=_only_check,
            widget=ChoiceWidget(),
        )
    }
    label_columns = {
        "type_key": _l("Type of inspection"),
        "day": _l("Day to enter"),
        "reason": _l("Reason for the late entry"),
        **DECISION_LABELS,
    }
    description_columns = {
        "day": _l("Only for days that lie too far back to be entered with a reason."),
    }

    def pre_add(self, item: LateEntry) -> None:
        """Refuse a request that is not needed, or was made already."""
        try:
            late.ask(db.session(), item)
        except Refused as refusal:
            raise FieldRefused("day", refusal.message) from None

    def refusal_of_decision(self, item: LateEntry) -> str | None:
        """Return why the acting person cannot decide; None where he can."""
        return late.refusal_of_decision(db.session(), item)

    def take(self, item: LateEntry, deed: str, note: str) -> None:
        """Approve or refuse."""
        late.decide(db.session(), item, is_approved=deed == "approve", note=note)


def add_views(appbuilder: AppBuilder) -> None:
    """Add the late entries to the daily work."""
    appbuilder.add_view(
        LateEntryView,
        "LateEntryView",
        label=LateEntryView.list_title,
        icon="fa-hourglass-end",
        category="Daily work",
        category_label=_l("Daily work"),
        category_icon="fa-briefcase",
    )
