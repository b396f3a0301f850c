"""Show children, where they sit, what becomes of them, who cares for them."""

from __future__ import annotations

from flask import flash
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import inspect, select
from stdnum.cn import ric
from wtforms import Form

from app import clock
from app.base import Model, Refused
from app.columns import blind_index
from app.crud.base import BureauModelView
from app.crud.fields import Beside
from app.crud.interface import BureauInterface
from app.crud.refusal import FieldRefused
from app.extensions import db
from app.models import (
    Child,
    ChildGroup,
    Enrolment,
    Guardian,
    StatusEvent,
)
from app.security import audit
from app.security.privacy import compact_number, number_fault
from app.views.organization import check_period
from app.workflow.child import change_status, first_event
from app.workflow.enrolment import begin, first_place, is_present, move

SEXES = {"male": _l("Male"), "female": _l("Female")}
ID_KINDS = {
    "resident": _l("Resident identity number"),
    "other": _l("Other document"),
    "none": _l("No document"),
}


def _changes(item: Model, *names: str) -> bool:
    """Tell whether the form gave one of the columns another value than the stored one."""
    return any(inspect(item).attrs[name].history.has_changes() for name in names)


class EnrolmentView(BureauModelView):
    """Keep a child's places in schools and classes 学籍与班级经历."""

    datamodel = BureauInterface(Enrolment)
    noun = _l("Enrolment")
    list_title = _l("Enrolments")
    list_columns = ["child", "school", "school_class", "valid_from", "valid_to", "is_registered"]
    show_columns = [
        "child",
        "township",
        "school",
        "school_class",
        "valid_from",
        "valid_to",
        "is_registered",
    ]
    add_columns = ["child", "school", "school_class", "valid_from", "valid_to", "is_registered"]
    edit_columns = ["school_class", "valid_from", "valid_to", "is_registered"]
    search_columns = [
        "child",
        "school",
        "township",
        "school_class",
        "valid_from",
        "valid_to",
        "is_registered",
    ]
    base_order = ("valid_from", "desc")
    lookup_columns = {"school_class": {"school_id": Beside("school")}}
    label_columns = {"is_registered": _l("Holds the enrolment record")}

    def check(self, form: Form, item: Enrolment | None) -> None:
        """Keep the class within the school, the period in order and the places apart."""
        check_period(form.valid_from.data, form.valid_to.data)
        school = form.school.data if item is None else item.school
        chosen = form.school_class.data
        if chosen is not None and school is not None and chosen.school_id != school.id:
            raise FieldRefused("school_class", _("The class belongs to another school."))
        child = form.child.data if item is None else item.child
        same = select(Enrolment.id).filter_by(child_id=child.id, valid_from=form.valid_from.data)
        if item is not None:
            same = same.where(Enrolment.id != item.id)
        if db.session.scalar(same.limit(1)) is not None:
            text = _("Another place of the child begins on the same day.")
            raise FieldRefused("valid_from", text)

    def pre_update(self, item: Enrolment) -> None:
        """Let the child follow when the class of the present place is corrected."""
        if _changes(item, "class_id") and is_present(db.session(), item):
            item.child.class_id = item.class_id

    def saved(self, item: Enrolment, *, is_new: bool) -> None:
        """Let a place that begins now end the one before, and move the child there."""
        if is_new and item.valid_to is None:
            begin(db.session(), item)
            db.session.flush()


class StatusEventView(BureauModelView):
    """Keep the changes of a child's status; an entry is never edited."""

    datamodel = BureauInterface(StatusEvent)
    noun = _l("Change of status")
    list_title = _l("Changes of status")
    list_columns = ["happened_on", "child", "status", "school", "basis"]
    show_columns = [
        "happened_on",
        "child",
        "status",
        "township",
        "school",
        "basis",
        "note",
        "created_at",
    ]
    add_columns = ["child", "status", "happened_on", "basis", "note", "evidence_set_id"]
    edit_columns: list[str] = []
    search_columns = ["happened_on", "child", "status", "school", "township", "basis"]
    base_order = ("happened_on", "desc")
    exclude_route_methods = {"edit", "delete"}
    lookup_columns = {"status": {"child_id": Beside("child")}}
    label_columns = {"happened_on": _l("Happened on"), "basis": _l("Basis")}
    description_columns = {
        "status": _l("Only statuses that may follow the child's present one are offered."),
        "basis": _l("What the change rests on: document, decision, contact with the guardian."),
    }

    def pre_add(self, item: StatusEvent) -> None:
        """Take the step, or refuse it with the reason."""
        try:
            change_status(db.session(), item.child, item)
        except Refused as refusal:
            raise FieldRefused("status", refusal.message) from None


class GuardianView(BureauModelView):
    """Keep the guardians 监护人 of children."""

    datamodel = BureauInterface(Guardian)
    noun = _l("Guardian")
    list_title = _l("Guardians")
    list_columns = ["name", "child", "relation", "phone", "is_primary"]
    show_columns = ["name", "child", "school", "relation", "phone", "is_primary"]
    add_columns = ["child", "name", "relation", "phone", "is_primary"]
    edit_columns = ["name", "relation", "phone", "is_primary"]
    search_columns = ["name", "child", "school", "township", "relation", "is_primary"]
    base_order = ("name", "asc")
    lookup_columns = {"relation": {"domain": "guardian_relation"}}
    label_columns = {
        "name": _l("Full name"),
        "relation": _l("Relation"),
        "is_primary": _l("First contact"),
    }


class ChildGroupView(BureauModelView):
    """Keep which special groups 特殊群体 a child belongs to."""

    datamodel = BureauInterface(ChildGroup)
    noun = _l("Special group of a child")
    list_title = _l("Children in special groups")
    list_columns = ["child", "group", "school", "valid_from", "valid_to"]
    show_columns = ["child", "group", "township", "school", "valid_from", "valid_to"]
    add_columns = ["child", "group", "valid_from", "valid_to"]
    edit_columns = ["group", "valid_from", "valid_to"]
    search_columns = ["child", "group", "school", "township", "valid_from", "valid_to"]
    base_order = ("valid_from", "desc")
    lookup_columns = {"group": {"domain": "special_group"}}
    label_columns = {"group": _l("Special group")}

    def check(self, form: Form, item: ChildGroup | None) -> None:
        """Refuse a period that ends before it begins."""
        check_period(form.valid_from.data, form.valid_to.data)


class ChildView(BureauModelView):
    """Keep the school-age children 适龄儿童少年, with or without enrolment."""

    datamodel = BureauInterface(Child)
    noun = _l("Child")
    list_title = _l("Children")
    list_columns = ["name", "sex", "born_on", "township", "school", "school_class", "status"]
    show_columns = [
        "name", "sex", "born_on", "id_kind", "id_number", "enrolment_number", "status",
        "township", "school", "school_class", "is_boarding", "household_place", "residence_place",
        "village", "school_responsible", "township_responsible",
    ]  # fmt: skip
    add_columns = [
        "name", "id_kind", "id_number", "enrolment_number", "sex", "born_on", "township", "school",
        "school_class", "status", "is_boarding", "household_place", "residence_place", "village",
        "school_responsible", "township_responsible",
    ]  # fmt: skip
    edit_columns = [name for name in add_columns if name != "status"]
    search_columns = [
        "name", "id_number", "enrolment_number", "township", "school", "school_class", "status",
        "sex", "born_on", "is_boarding", "village",
    ]  # fmt: skip
    choices_columns = {"sex": SEXES, "id_kind": ID_KINDS}
    lookup_columns = {"school_class": {"school_id": Beside("school")}}
    label_columns = {
        "name": _l("Full name"),
        "sex": _l("Sex"),
        "born_on": _l("Born on"),
        "id_kind": _l("Kind of document"),
        "id_number": _l("Id number"),
        "enrolment_number": _l("Enrolment number"),
        "is_boarding": _l("Boards at school"),
        "household_place": _l("Registered residence"),
        "residence_place": _l("Lives at"),
        "village": _l("Village"),
        "school_responsible": _l("Responsible person at the school"),
        "township_responsible": _l("Responsible person at the township"),
    }
    description_columns = {
        "school": _l("Leave empty for a child without enrolment; then choose the township."),
        "sex": _l("Read from the id number where there is one."),
        "born_on": _l("Read from the id number where there is one."),
    }
    related_views = [EnrolmentView, StatusEventView, GuardianView, ChildGroupView]

    def check(self, form: Form, item: Child | None) -> None:
        """Judge the id number, the class and the township together."""
        if form.id_kind.data == "resident" and not form.id_number.data:
            raise FieldRefused("id_number", _("This field is required."))
        school, chosen = form.school.data, form.school_class.data
        if school is None and form.township.data is None:
            raise FieldRefused("township", _("Choose a township or a school."))
        if chosen is not None and (school is None or chosen.school_id != school.id):
            raise FieldRefused("school_class", _("The class belongs to another school."))
        born_on = form.born_on.data
        if born_on is not None and born_on > clock.today():
            raise FieldRefused("born_on", _("This day lies in the future."))

    def pre_add(self, item: Child) -> None:
        """Derive sex and day of birth, and begin with a registered status."""
        self._derive(item)

    def pre_update(self, item: Child) -> None:
        """Derive sex and day of birth anew; note a move in the history of places."""
        self._derive(item)
        if _changes(item, "school_id", "class_id"):
            move(db.session(), item)

    def saved(self, item: Child, *, is_new: bool) -> None:
        """Begin the child's history with its first status and its first place."""
        if not is_new:
            return
        db.session.add(first_event(item, str(_("First entry"))))
        if item.school_id is not None:
            db.session.add(first_place(item))
        db.session.flush()

    def shown(self, item: Child) -> None:
        """Record who read a child's record, as the rules on children's data demand."""
        audit.record("read", table="child", row_id=item.id)

    def before_edit(self, item: Child) -> None:
        """Record the reading that comes with editing."""
        self.shown(item)

    def _derive(self, item: Child) -> None:
        if item.id_kind == "none":
            item.id_number = item.id_number_index = None
        if item.id_kind != "resident" or not item.id_number:
            return
        number = compact_number(item.id_number)
        fault = number_fault(number)
        if fault is not None and fault.level == "error":
            raise FieldRefused("id_number", fault.message)
        if fault is not None:
            flash(fault.message, "warning")
        item.id_number, item.id_number_index = number, blind_index(number)
        item.sex = "male" if int(number[16]) % 2 else "female"
        item.born_on = ric.get_birth_date(number)
        if item.born_on > clock.today():
            raise FieldRefused("id_number", _("This day lies in the future."))
