"""Show the history of children: where they sat, what became of them, who cares for them."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import inspect, select
from wtforms import Form

from app.base import Model, Refused
from app.crud.base import BureauModelView
from app.crud.fields import Beside
from app.crud.interface import BureauInterface
from app.crud.refusal import FieldRefused
from app.extensions import db
from app.models import ChildGroup, Enrolment, Guardian, StatusEvent
from app.views.organization import check_period
from app.workflow.child import change_status
from app.workflow.enrolment import begin, is_present


def has_changes(item: Model, *names: str) -> bool:
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
        if has_changes(item, "class_id") and is_present(db.session(), item):
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
