"""Show the words of the data: the statuses of children and the coded answers."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.crud.base import BureauModelView
from app.crud.interface import BureauInterface
from app.crud.refusal import FieldRefused
from app.models import ChildStatus, Code


class ChildStatusView(BureauModelView):
    """Show the statuses that a child can have, and their words."""

    datamodel = BureauInterface(ChildStatus)
    noun = _l("Child status")
    list_title = _l("Child statuses")
    list_columns = ["name", "key", "position", "is_monitored", "is_enrolled", "plugin"]
    show_columns = ["name", "key", "position", "is_monitored", "is_enrolled", "plugin"]
    add_columns: list[str] = []
    edit_columns = ["name", "position", "is_monitored"]
    search_columns = ["name", "key", "is_monitored", "is_enrolled"]
    base_order = ("position", "asc")
    exclude_route_methods = {"add", "delete"}
    label_columns = {
        "is_monitored": _l("Priority monitoring"),
        "is_enrolled": _l("Holds an enrolment record"),
    }


DOMAINS = {
    "guardian_relation": _l("Relation of a guardian"),
    "ledger_closing": _l("Reason for closing a ledger entry"),
    "organisation_kind": _l("Kind of organisation"),
    "special_group": _l("Special group"),
    "superior_authority": _l("Superior authority"),
    "superior_check_kind": _l("Kind of a superior's check"),
    "visit_method": _l("Method of a visit"),
    "visit_outcome": _l("Outcome of a visit"),
    "visit_reason": _l("Reason for a visit"),
}


class CodeView(BureauModelView):
    """Keep the coded answers: reasons, methods, outcomes, organisations, groups."""

    datamodel = BureauInterface(Code)
    noun = _l("Coded answer")
    list_title = _l("Coded answers")
    list_columns = ["domain", "name", "key", "position", "is_counted", "valid_to"]
    show_columns = ["domain", "name", "key", "position", "is_counted", "valid_to"]
    add_columns = ["domain", "key", "name", "position", "is_counted", "valid_to"]
    edit_columns = ["name", "position", "is_counted", "valid_to"]
    search_columns = ["domain", "name", "key", "is_counted", "valid_to"]
    choices_columns = {"domain": DOMAINS}
    base_order = ("domain", "asc")
    label_columns = {"domain": _l("Domain"), "is_counted": _l("Counts")}
    description_columns = {
        "is_counted": _l(
            "Kind of organisation: its people make a visit joint. "
            "Special group: contact from afar counts for its children."
        )
    }

    def pre_add(self, item: Any) -> None:
        """Keep keys plain, since records and plugins name them."""
        if not item.key.isascii() or not item.key.replace("_", "").isalnum():
            raise FieldRefused("key", _("A key has only Latin letters, digits and underscores."))
