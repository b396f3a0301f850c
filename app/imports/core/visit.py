"""Import home visits 家访 and persuasion visits 劝返."""

from __future__ import annotations

from datetime import date

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.imports.core.child import CHILD_COLUMN, CHILD_NAME, by_code, check_names
from app.imports.entity import Column, Entity, Items, Key, Row
from app.models import Visit, VisitParticipant
from app.workflow.visit import VISIT_KINDS


def _complete(row: Row, _today: date) -> None:
    first, following = row.get("visited_on"), row.get("next_on")
    if first is not None and following is not None and following < first:
        row.fail("next_on", _("The next visit lies before this one."))


VISIT = Entity(
    key="visit",
    title=_l("Visit"),
    model=Visit,
    columns=(
        CHILD_COLUMN,
        CHILD_NAME,
        Column("kind", _l("Kind"), "choice", is_required=True, choices=VISIT_KINDS),
        Column("visited_on", _l("Visited on"), "date", is_required=True, is_past=True),
        Column("method", _l("Method"), "lookup", lookup=by_code("visit_method")),
        Column("is_remote", _l("Not on the spot"), "flag"),
        Column("met_child", _l("Met the child"), "flag"),
        Column("met_guardian", _l("Met a guardian"), "flag"),
        Column("reason", _l("Reason"), "lookup", lookup=by_code("visit_reason")),
        Column("outcome", _l("Outcome"), "lookup", lookup=by_code("visit_outcome")),
        Column("countermeasure", _l("Countermeasure")),
        Column("next_step", _l("Next step")),
        Column("next_on", _l("Next visit on"), "date"),
        Column(
            "participants",
            _l("Participants"),
            "items",
            items=Items(
                VisitParticipant,
                "visit_id",
                (
                    Column("name", _l("Full name"), "name"),
                    Column(
                        "organisation_kind",
                        _l("Kind of organisation"),
                        "lookup",
                        is_required=True,
                        lookup=by_code("organisation_kind"),
                    ),
                ),
            ),
            help=_l("Name/kind of organisation; several are parted by 、"),
        ),
    ),
    keys=(Key(("child", "visited_on", "kind")),),
    view="VisitView",
    place=("child",),
    complete=_complete,
    check=check_names,
)
