"""Show people, the appointments under which they act, and the units they are assigned to 挂点."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import Form

from app.crud.base import BureauModelView, ReadOnlyView
from app.crud.interface import BureauInterface
from app.crud.refusal import FieldRefused
from app.models import Appointment, LiaisonAssignment, Person
from app.parameters.level import WHOLE_COUNTY
from app.security.roles import CAPACITIES, LIAISON_CAPACITIES, ROLES
from app.views.organization import check_period

SCOPES = {
    "county": WHOLE_COUNTY,
    "township": _l("One township"),
    "schools": _l("Single schools"),
    "linked": _l("Units assigned by liaison"),
}


class AppointmentView(ReadOnlyView):
    """Show who holds which office; they are given on the screen for roles."""

    datamodel = BureauInterface(Appointment)
    noun = _l("Appointment")
    list_title = _l("Appointments")
    list_columns = [
        "person",
        "template",
        "scope_kind",
        "township",
        "school",
        "valid_from",
        "valid_to",
    ]
    show_columns = [
        "person", "template", "capacity", "title", "scope_kind", "township", "school",
        "acting_for", "valid_from", "valid_to",
    ]  # fmt: skip
    search_columns = [
        "person",
        "template",
        "scope_kind",
        "township",
        "school",
        "valid_from",
        "valid_to",
    ]
    base_order = ("valid_from", "desc")
    choices_columns = {"template": ROLES, "capacity": CAPACITIES, "scope_kind": SCOPES}
    label_columns = {
        "template": _l("Role"),
        "capacity": _l("Capacity"),
        "scope_kind": _l("Responsible for"),
        "acting_for": _l("Acting for"),
        "title": _l("Office"),
    }


class LiaisonAssignmentView(BureauModelView):
    """Keep the standing assignments 挂点 of leaders and departments to townships and schools."""

    datamodel = BureauInterface(LiaisonAssignment)
    noun = _l("Liaison assignment")
    list_title = _l("Liaison assignments")
    list_columns = [
        "person",
        "capacity",
        "department",
        "township",
        "school",
        "is_primary",
        "valid_from",
        "valid_to",
    ]
    show_columns = [
        "person",
        "capacity",
        "department",
        "township",
        "school",
        "is_primary",
        "valid_from",
        "valid_to",
    ]
    add_columns = edit_columns = [
        "person", "capacity", "department", "township", "school", "is_primary", "valid_from",
        "valid_to",
    ]  # fmt: skip
    search_columns = [
        "person",
        "capacity",
        "department",
        "township",
        "school",
        "valid_from",
        "valid_to",
    ]
    base_order = ("valid_from", "desc")
    choices_columns = {"capacity": LIAISON_CAPACITIES}
    label_columns = {
        "capacity": _l("Capacity"),
        "department": _l("Department"),
        "is_primary": _l("Responsible inspector"),
    }
    description_columns = {"school": _l("Leave empty for all schools of the township.")}

    def check(self, form: Form, item: LiaisonAssignment | None) -> None:
        """Ask for a unit, and for a period that does not end before it begins."""
        check_period(form.valid_from.data, form.valid_to.data)
        if form.township.data is None and form.school.data is None:
            raise FieldRefused("township", _("Choose a township or a school."))


class PersonView(BureauModelView):
    """Keep the people who act in the product or are named in it."""

    datamodel = BureauInterface(Person)
    noun = _l("Person")
    list_title = _l("People")
    list_columns = ["name", "unit", "title", "phone", "township", "school", "is_active"]
    show_columns = ["name", "unit", "title", "phone", "township", "school", "is_active"]
    add_columns = edit_columns = [
        "name",
        "unit",
        "title",
        "phone",
        "township",
        "school",
        "is_active",
    ]
    search_columns = ["name", "unit", "title", "township", "school", "is_active"]
    base_order = ("name", "asc")
    related_views = [AppointmentView, LiaisonAssignmentView]
    label_columns = {"name": _l("Full name"), "unit": _l("Unit"), "title": _l("Office")}
