"""Show home visits 家访 and persuasion visits 劝返, and who took part in them."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import joinedload
from sqlalchemy.orm.attributes import set_committed_value
from wtforms import Form, StringField
from wtforms.validators import Length, Optional

from app import clock
from app.crud.base import BureauModelView
from app.crud.derived import Derived
from app.crud.fields import LookupField, PlainText, trimmed
from app.crud.interface import BureauInterface
from app.crud.lines import LineForm, LinesField
from app.crud.refusal import FieldRefused
from app.extensions import db
from app.models import Code, Person, Visit, VisitParticipant
from app.workflow.visit import VISIT_KINDS, standing


class ParticipantLine(LineForm):
    """Ask who took part: somebody whom the product knows, or a name."""

    organisation_kind = LookupField(
        _l("Kind of organisation"),
        [Optional()],
        model=Code,
        narrow={"domain": "organisation_kind"},
    )
    name = StringField(
        _l("Full name"),
        [PlainText(), Length(max=60)],
        filters=[trimmed],
        render_kw={"class": "form-control"},
    )
    person = LookupField(_l("Or a person of the list"), [Optional()], model=Person)

    def complain(self) -> None:
        """Ask for the kind of organisation and for a name; take the name of a known person."""
        if self.name.data is None and self.person.data is not None:
            self.name.data = self.person.data.name
        if self.name.data is None:
            words = _("Enter the name, or choose the person.")
            self.name.errors = [*self.name.errors, words]
        if self.organisation_kind.data is None and not self.organisation_kind.errors:
            words = _("Choose for which kind of organisation the person came.")
            self.organisation_kind.errors = [words]


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
        "child", "kind", "visited_on", "participants", "method", "is_remote", "met_child",
        "met_guardian", "reason", "outcome", "countermeasure", "next_step", "next_on",
        "evidence_set_id",
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
    add_form_extra_fields = edit_form_extra_fields = {
        "participants": LinesField(
            _l("Who went"),
            line=ParticipantLine,
            model=VisitParticipant,
            description=_l("Who went, and for which body. Blank lines are left out."),
        )
    }
    formatters_columns = {"participants": lambda rows: _(", ").join(map(str, rows))}
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
        if form.kind.data == "persuasion" and not form.participants.filled():
            raise FieldRefused("participants", _("Enter who took part in the persuasion visit."))

    def before_edit(self, item: Visit) -> None:
        """Read the participants with what their lines show, however many there are."""
        shown = (
            joinedload(VisitParticipant.organisation_kind),
            joinedload(VisitParticipant.person),
        )
        query = select(VisitParticipant).filter_by(visit_id=item.id).options(*shown)
        set_committed_value(item, "participants", list(db.session.scalars(query)))

    def derived(self, item: Visit) -> Sequence[Derived]:
        """Say whether the visit is joint and whether it counts, with the reasons."""
        found = standing(db.session(), item)
        return (
            _answer(_("Joint persuasion visit"), found.joint),
            _answer(_("Counts as a persuasion visit to the child"), found.counted),
        )


def _answer(title: str, lacking: Sequence[str]) -> Derived:
    """Answer a question that is answered with yes where nothing is lacking."""
    if not lacking:
        return Derived(title, _("Yes"), "success")
    return Derived(title, _("No"), "warning", lacking)
