"""Import people, their appointments and the standing assignments 挂点."""

from __future__ import annotations

from datetime import date

from flask_babel import lazy_gettext as _l

from app.imports.core.organization import BY_PERSON, BY_SCHOOL, BY_TOWNSHIP, check_period
from app.imports.entity import Column, Entity, Items, Key, Row
from app.models import Appointment, AppointmentSchool, LiaisonAssignment, Person
from app.parameters.level import WHOLE_COUNTY
from app.security.roles import LIAISON_CAPACITIES, ROLES, TEMPLATES

SCOPES = {
    "county": WHOLE_COUNTY,
    "township": _l("One township"),
    "schools": _l("Single schools"),
    "linked": _l("Units assigned by liaison"),
}


def _complete_appointment(row: Row, _today: date) -> None:
    """Take the capacity of the role, and the reach that what is named implies."""
    check_period(row)
    template = TEMPLATES.get(row.get("template") or "")
    if template is None:
        return
    row.values["capacity"] = template.capacity
    if row.get("scope_kind") is None:
        row.values["scope_kind"] = template.scope_kind


def _complete_assignment(row: Row, _today: date) -> None:
    check_period(row)


PERSON = Entity(
    key="person",
    title=_l("Person"),
    model=Person,
    columns=(
        Column("name", _l("Full name"), "name", is_required=True),
        Column("phone", _l("Telephone"), "code"),
        Column("unit", _l("Unit")),
        Column("title", _l("Office")),
        Column("township", _l("Township"), "lookup", lookup=BY_TOWNSHIP),
        Column("school", _l("School"), "lookup", lookup=BY_SCHOOL),
        Column("is_active", _l("Active"), "flag"),
    ),
    keys=(
        Key(("name", "phone")),
        Key(("name",), optional=("township", "school"), is_weak=True),
    ),
    view="PersonView",
    place=("school", "township"),
)

APPOINTMENT = Entity(
    key="appointment",
    title=_l("Appointment"),
    model=Appointment,
    columns=(
        Column("person", _l("Person"), "lookup", is_required=True, lookup=BY_PERSON),
        Column("template", _l("Role"), "choice", is_required=True, choices=ROLES),
        Column("scope_kind", _l("Responsible for"), "choice", choices=SCOPES),
        Column("township", _l("Township"), "lookup", lookup=BY_TOWNSHIP),
        Column("school", _l("School"), "lookup", lookup=BY_SCHOOL),
        Column(
            "schools",
            _l("Listed schools"),
            "items",
            items=Items(
                AppointmentSchool,
                "appointment_id",
                (Column("school", _l("School"), "lookup", lookup=BY_SCHOOL),),
            ),
            help=_l("Only where one person answers for several schools; they are parted by 、"),
        ),
        Column("title", _l("Office")),
        Column("valid_from", _l("Valid from"), "date", is_required=True),
        Column("valid_to", _l("Valid until"), "date"),
    ),
    keys=(Key(("person", "template", "valid_from"), optional=("township", "school")),),
    place=("school", "township"),
    derived=("capacity", "scope_kind"),
    complete=_complete_appointment,
)

ASSIGNMENT = Entity(
    key="assignment",
    title=_l("Liaison assignment"),
    model=LiaisonAssignment,
    columns=(
        Column("person", _l("Person"), "lookup", is_required=True, lookup=BY_PERSON),
        Column("capacity", _l("Capacity"), "choice", is_required=True, choices=LIAISON_CAPACITIES),
        Column("department", _l("Department")),
        Column("township", _l("Township"), "lookup", lookup=BY_TOWNSHIP),
        Column(
            "school",
            _l("School"),
            "lookup",
            lookup=BY_SCHOOL,
            help=_l("Leave empty for all schools of the township."),
        ),
        Column("is_primary", _l("Responsible inspector"), "flag"),
        Column("valid_from", _l("Valid from"), "date", is_required=True),
        Column("valid_to", _l("Valid until"), "date"),
    ),
    keys=(Key(("person", "capacity", "valid_from"), optional=("township", "school")),),
    view="LiaisonAssignmentView",
    place=("school", "township"),
    complete=_complete_assignment,
)
