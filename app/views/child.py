"""Show the children: who they are and, on one page each, all that is known of them."""

from __future__ import annotations

from flask import flash, g
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from stdnum.cn import ric
from wtforms import Form

from app import clock
from app.base import Refused
from app.columns import blind_index
from app.crud.base import BureauModelView
from app.crud.fields import Beside
from app.crud.interface import BureauInterface
from app.crud.refusal import FieldRefused
from app.extensions import db
from app.models import Child, SchoolClass
from app.security import audit
from app.security.completion import complete
from app.security.guard import current_scope
from app.security.privacy import compact_number, number_fault
from app.views.child_history import has_changes
from app.views.child_label import ID_KINDS, LABELS, SEXES
from app.views.child_page import ChildPage
from app.workflow import enrolment_problem as problems
from app.workflow.child import age_warning, first_event
from app.workflow.enrolment import first_place, move
from app.workflow.seat import refuse_open


def _refuse_foreign_grade(school_class: SchoolClass | None, grade: int) -> None:
    """Refuse an own grade that the class does not have."""
    if school_class is None:
        raise FieldRefused("grade", _("Choose the class of the child first."))
    grades = [one.grade for one in school_class.grades]
    if grade not in grades:
        names = _(", ").join(map(str, grades))
        raise FieldRefused("grade", _("The class has the grades: %(grades)s", grades=names))


class ChildView(ChildPage, BureauModelView):
    """Keep the school-age children 适龄儿童少年, with or without enrolment."""

    datamodel = BureauInterface(Child)
    noun = _l("Child")
    list_title = _l("Children")
    list_columns = ["name", "sex", "born_on", "township", "school", "school_class", "status"]
    show_columns = [
        "name", "sex", "born_on", "id_kind", "id_number", "enrolment_number", "status",
        "township", "school", "school_class", "grade", "is_boarding", "household_place",
        "residence_place", "village", "school_responsible", "township_responsible",
    ]  # fmt: skip
    add_columns = [
        "name", "id_kind", "id_number", "enrolment_number", "sex", "born_on", "township", "school",
        "school_class", "grade", "status", "is_boarding", "household_place", "residence_place",
        "village", "school_responsible", "township_responsible",
    ]  # fmt: skip
    edit_columns = [name for name in add_columns if name != "status"]
    search_columns = [
        "name", "id_number", "enrolment_number", "township", "school", "school_class", "status",
        "sex", "born_on", "is_boarding", "village",
    ]  # fmt: skip
    choices_columns = {"sex": SEXES, "id_kind": ID_KINDS}
    lookup_columns = {"school_class": {"school_id": Beside("school")}}
    label_columns = LABELS
    description_columns = {
        "school": _l("Leave empty for a child without enrolment; then choose the township."),
        "grade": _l("Only in a multigrade class: it tells who goes on at the year's turn."),
        "sex": _l("Read from the id number where there is one."),
        "born_on": _l("Read from the id number where there is one."),
    }

    def check(self, form: Form, item: Child | None) -> None:
        """Judge the id number, the class and the township together."""
        if form.id_kind.data == "resident" and not form.id_number.data:
            raise FieldRefused("id_number", _("This field is required."))
        school, chosen = form.school.data, form.school_class.data
        if school is None and form.township.data is None:
            raise FieldRefused("township", _("Choose a township or a school."))
        if chosen is not None and (school is None or chosen.school_id != school.id):
            raise FieldRefused("school_class", _("The class belongs to another school."))
        if form.grade.data is not None:
            _refuse_foreign_grade(chosen, form.grade.data)
        born_on = form.born_on.data
        if born_on is not None and born_on > clock.today():
            raise FieldRefused("born_on", _("This day lies in the future."))

    def pre_add(self, item: Child) -> None:
        """Derive sex and day of birth; look who else reports the number."""
        self._derive(item)
        self._warn(item)
        self._compare_number(item)

    def pre_update(self, item: Child) -> None:
        """Derive sex and day of birth anew; note a move in the history of places."""
        self._derive(item)
        if has_changes(item, "born_on"):
            self._warn(item)
        if has_changes(item, "school_id"):
            self._refuse_problem(item)
        if has_changes(item, "school_id", "id_number_index"):
            self._compare_number(item)
        if has_changes(item, "school_id", "class_id"):
            move(db.session(), item)

    def saved(self, item: Child, *, is_new: bool) -> None:
        """Begin the history of a new child; open or settle what his number asks for."""
        self._follow_number(item)
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

    def _refuse_problem(self, item: Child) -> None:
        try:
            refuse_open(db.session(), item.id)
        except Refused as refusal:
            raise FieldRefused("school", refusal.message) from None

    def _compare_number(self, item: Child) -> None:
        """Note for later whether other schools report the number; refuse where it cannot be."""
        complete(db.session(), item, current_scope())  # the county, which a new row lacks
        try:
            g.number_is_shared = problems.judge_number(db.session(), item)
        except Refused as refusal:
            raise FieldRefused("id_number", refusal.message) from None

    def _follow_number(self, item: Child) -> None:
        is_shared = g.pop("number_is_shared", None)
        if is_shared is None:
            return
        if is_shared and item.id_number_index is not None:
            problems.open_missing(db.session(), item.county_id, [item.id_number_index])
            flash(problems.told(), "warning")
        problems.close_stale(db.session())

    def _warn(self, item: Child) -> None:
        text = age_warning(db.session(), item.born_on)
        if text is not None:
            flash(text, "warning")

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
