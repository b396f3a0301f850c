"""Show home visits 家访 and persuasion visits 劝返, and who took part in them."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import Form

from app import clock
from app.crud.base import BureauModelView
from app.crud.interface import BureauInterface
from app.crud.refusal import FieldRefused
from app.models import Visit, VisitParticipant

VISIT_KINDS = {"home": _l("Home visit"), "persuasion": _l("Persuasion visit")}


class VisitParticipantView(BureauModelView):
    """Keep who was on a visit, and for which kind of organisation he came."""

    datamodel = BureauInterface(VisitParticipant)
    noun = _l("Participant of a visit")
    list_title = _l("Participants of visits")
    list_columns = ["name", "organisation_kind", "person", "visit"]
    list_joins = ("visit.child",)
    show_columns = ["name", "organisation_kind", "person", "visit"]
    add_columns = ["visit", "name", "person", "organisation_kind"]
    edit_columns = ["name", "person", "organisation_kind"]
    search_columns = ["name", "organisation_kind", "person", "visit", "school", "township"]
    lookup_columns = {"organisation_kind": {"domain": "organisation_kind"}}
    label_columns = {
        "name": _l("Full name"),
        "organisation_kind": _l("Kind of organisation"),
        "visit": _l("Visit"),
    }


class VisitView(BureauModelView):
    """Keep the visits to children at home."""

    datamodel = BureauInterface(Visit)
    noun = _l("Visit")
    list_title = _l("Visits")
    list_columns = [
        "visited_on",
        "child",
        "school",
        "kind",
        "method",
        "reason",
        "outcome",
        "next_on",
    ]
    show_columns = [
        "visited_on", "child", "township", "school", "kind", "method", "is_remote", "met_child",
        "met_guardian", "reason", "outcome", "countermeasure", "next_step", "next_on",
        "is_backfilled",
    ]  # fmt: skip
    add_columns = [
        "child", "kind", "visited_on", "method", "is_remote", "met_child", "met_guardian", "reason",
        "outcome", "countermeasure", "next_step", "next_on", "evidence_set_id",
    ]  # fmt: skip
    edit_columns = add_columns[1:]
    search_columns = [
        "visited_on", "child", "school", "township", "kind", "method", "reason", "outcome",
        "next_on", "is_remote",
    ]  # fmt: skip
    base_order = ("visited_on", "desc")
    choices_columns = {"kind": VISIT_KINDS}
    lookup_columns = {
        "method": {"domain": "visit_method"},
        "reason": {"domain": "visit_reason"},
        "outcome": {"domain": "visit_outcome"},
    }
    related_views = [VisitParticipantView]
    label_columns = {
        "visited_on": _l("Visited on"),
        "method": _l("Method"),
        "is_remote": _l("Not on the spot"),
        "met_child": _l("Met the child"),
        "met_guardian": _l("Met a guardian"),
        "reason": _l("Reason"),
        "outcome": _l("Outcome"),
        "countermeasure": _l("Countermeasure"),
        "next_step": _l("Next step"),
        "next_on": _l("Next visit on"),
        "is_backfilled": _l("Entered later for the time before go-live"),
    }

    def check(self, form: Form, item: Visit | None) -> None:
        """Keep the visit out of the future, and the next one after it."""
        if form.visited_on.data > clock.today():
            raise FieldRefused("visited_on", _("This day lies in the future."))
        if form.next_on.data is not None and form.next_on.data < form.visited_on.data:
            raise FieldRefused("next_on", _("The next visit lies before this one."))
