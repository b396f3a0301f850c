"""List all inspections, of every type, those of plugins that are gone included."""

from __future__ import annotations

from flask_appbuilder import AppBuilder
from flask_babel import lazy_gettext as _l

from app.crud.base import ReadOnlyView
from app.crud.inspection_sheet import LABELS, SHOW_COLUMNS, STATES, SheetMixin, shown_title
from app.crud.interface import BureauInterface
from app.models import Inspection


class InspectionView(SheetMixin, ReadOnlyView):
    """Read inspections of all types in one list."""

    datamodel = BureauInterface(Inspection)
    route_base = "/inspection/all"
    noun = _l("Inspection")
    list_title = _l("Inspections")
    list_columns = ["occurred_on", "type_key", "township", "school", "state", "confirmed_at"]
    show_columns = ["type_key", *SHOW_COLUMNS]
    search_columns = ["occurred_on", "township", "school", "state", "theme"]
    base_order = ("occurred_on", "desc")
    label_columns = LABELS
    choices_columns = {"state": STATES}
    formatters_columns = {"type_key": shown_title}


def add_views(appbuilder: AppBuilder) -> None:
    """Add the list over all types; the views of single types come with their plugins."""
    appbuilder.add_view(
        InspectionView,
        "InspectionView",
        label=_l("Inspections"),
        icon="fa-clipboard-list",
        category="Inspections",
        category_label=_l("Inspections"),
        category_icon="fa-clipboard-list",
    )
