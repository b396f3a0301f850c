"""Show the county, its townships, schools and classes, and who links school and township."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from wtforms import Form, SelectMultipleField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import ValidationError
from wtforms.widgets import Select

from app.crud.base import BureauModelView
from app.crud.interface import BureauInterface
from app.crud.refusal import FieldRefused
from app.extensions import db
from app.models import (
    GRADES,
    ClassGrade,
    County,
    DailyMode,
    LiaisonContact,
    School,
    SchoolClass,
    SchoolKind,
    Township,
)

SCHOOL_KINDS = {
    SchoolKind.PRIMARY.value: _l("Primary school"),
    SchoolKind.JUNIOR_HIGH.value: _l("Junior high school"),
    SchoolKind.NINE_YEAR.value: _l("Nine-year school"),
    SchoolKind.TEACHING_POINT.value: _l("Teaching point"),
}
DAILY_MODES = {
    DailyMode.OWN.value: _l("Checks itself each day"),
    DailyMode.WITH_PARENT.value: _l("Checked by the parent school"),
}


def check_period(first: Any, last: Any, field: str = "valid_to") -> None:
    """Refuse a period that ends before it begins."""
    if first is not None and last is not None and last < first:
        raise FieldRefused(field, _("The last day lies before the first."))


class GradesField(SelectMultipleField):
    """The grades of a class, kept as one row each."""

    widget = Select(multiple=True)

    def __init__(self, label: Any = None, **kwargs: Any) -> None:
        choices = [SelectChoice(str(grade), str(grade)) for grade in GRADES]
        kwargs["render_kw"] = {"class": "my_select2 form-control"}
        super().__init__(label, coerce=int, choices=choices, **kwargs)
        self.flags.required = True

    def process_data(self, value: Sequence[ClassGrade] | None) -> None:
        """Read the grades of the rows."""
        self.data = [row.grade for row in value or ()]

    def pre_validate(self, form: Form) -> None:
        """Ask for at least one grade."""
        super().pre_validate(form)
        if not self.data:
            raise ValidationError(_("This field is required."))

    def populate_obj(self, obj: SchoolClass, name: str) -> None:
        """Keep the rows that stay, add the new ones and drop the others."""
        kept = {row.grade: row for row in getattr(obj, name)}
        chosen = sorted(set(self.data))
        setattr(obj, name, [kept.get(grade) or ClassGrade(grade=grade) for grade in chosen])


class LiaisonContactView(BureauModelView):
    """Keep who links a school with its township government 校镇联系人."""

    datamodel = BureauInterface(LiaisonContact)
    noun = _l("Liaison contact")
    list_title = _l("Liaison contacts")
    list_columns = [
        "school",
        "township",
        "school_person",
        "township_person",
        "valid_from",
        "valid_to",
    ]
    show_columns = [
        "school", "township", "school_person", "school_phone", "township_person",
        "township_phone", "duties", "valid_from", "valid_to",
    ]  # fmt: skip
    add_columns = edit_columns = [
        "school", "school_person", "school_phone", "township_person", "township_phone", "duties",
        "valid_from", "valid_to", "evidence_set_id",
    ]  # fmt: skip
    search_columns = [
        "school",
        "township",
        "school_person",
        "township_person",
        "valid_from",
        "valid_to",
    ]
    base_order = ("valid_from", "desc")
    label_columns = {
        "school_person": _l("Contact at the school"),
        "school_phone": _l("Telephone of the school's contact"),
        "township_person": _l("Contact at the township"),
        "township_phone": _l("Telephone of the township's contact"),
        "duties": _l("Duties"),
    }

    def check(self, form: Form, item: LiaisonContact | None) -> None:
        """Ask for a school, and for a period that does not end before it begins."""
        if form.school.data is None:
            raise FieldRefused("school", _("This field is required."))
        check_period(form.valid_from.data, form.valid_to.data)


class SchoolClassView(BureauModelView):
    """Keep the classes of a school year, multigrade classes 复式班 included."""

    datamodel = BureauInterface(SchoolClass)
    noun = _l("Class")
    list_title = _l("Classes")
    list_columns = ["name", "school", "grades", "school_year", "teacher", "is_active"]
    show_columns = [
        "name",
        "school",
        "township",
        "grades",
        "school_year",
        "teacher",
        "position",
        "is_active",
    ]
    add_columns = edit_columns = [
        "school", "school_year", "name", "grades", "teacher", "position", "is_active",
    ]  # fmt: skip
    search_columns = ["name", "school", "township", "school_year", "teacher", "is_active"]
    base_order = ("position", "asc")
    label_columns = {
        "grades": _l("Grades"),
        "school_year": _l("School year"),
        "teacher": _l("Class teacher"),
    }
    add_form_extra_fields = edit_form_extra_fields = {"grades": GradesField(_l("Grades"))}

    def pre_add(self, item: SchoolClass) -> None:
        """Give the grades the place of their class."""
        for grade in item.grades:
            grade.county_id = item.school.county_id
            grade.township_id = item.school.township_id
            grade.school_id = item.school.id

    pre_update = pre_add


class SchoolView(BureauModelView):
    """Keep the schools and teaching points 教学点."""

    datamodel = BureauInterface(School)
    noun = _l("School")
    list_title = _l("Schools")
    list_columns = [
        "name",
        "township",
        "code",
        "kind",
        "is_focus",
        "is_boarding",
        "parent",
        "closed_on",
    ]
    show_columns = [
        "name", "township", "code", "kind", "is_focus", "is_boarding", "parent", "daily_mode",
        "address", "phone", "opened_on", "closed_on",
    ]  # fmt: skip
    add_columns = edit_columns = [
        "township", "name", "code", "kind", "is_focus", "is_boarding", "parent", "daily_mode",
        "address", "phone", "opened_on", "closed_on",
    ]  # fmt: skip
    search_columns = [
        "name",
        "township",
        "code",
        "kind",
        "is_focus",
        "is_boarding",
        "parent",
        "closed_on",
    ]
    base_order = ("code", "asc")
    choices_columns = {"kind": SCHOOL_KINDS, "daily_mode": DAILY_MODES}
    related_views = [SchoolClassView, LiaisonContactView]
    label_columns = {
        "is_focus": _l("Focus school"),
        "is_boarding": _l("Boarding school"),
        "parent": _l("Parent school"),
        "daily_mode": _l("Daily check"),
        "address": _l("Address"),
        "opened_on": _l("Opened on"),
        "closed_on": _l("Closed down on"),
    }
    description_columns = {"parent": _l("Only for teaching points: the school they belong to.")}

    def check(self, form: Form, item: School | None) -> None:
        """Compare the dates; let only teaching points have a parent, and none be one."""
        check_period(form.opened_on.data, form.closed_on.data, "closed_on")
        parent, is_point = form.parent.data, form.kind.data == SchoolKind.TEACHING_POINT
        if parent is not None and parent is item:
            raise FieldRefused("parent", _("A school cannot be its own parent."))
        if parent is not None and not is_point:
            raise FieldRefused("parent", _("Only a teaching point has a parent school."))
        if parent is not None and parent.kind == SchoolKind.TEACHING_POINT:
            raise FieldRefused("parent", _("A teaching point cannot be a parent school."))
        if is_point and item is not None and _has_points(item):
            raise FieldRefused("kind", _("This school is the parent of teaching points."))


def _has_points(school: School) -> bool:
    points = select(School.id).where(School.parent_id == school.id)
    return db.session.scalar(points.limit(1)) is not None


class TownshipView(BureauModelView):
    """Keep the townships 乡镇 of the county."""

    datamodel = BureauInterface(Township)
    noun = _l("Township")
    list_title = _l("Townships")
    list_columns = ["name", "code", "alias", "position", "go_live_on"]
    show_columns = ["name", "code", "alias", "position", "go_live_on", "county"]
    add_columns = edit_columns = ["name", "code", "alias", "position", "go_live_on"]
    search_columns = ["name", "code", "go_live_on"]
    base_order = ("position", "asc")
    related_views = [SchoolView]
    label_columns = {
        "alias": _l("Other name"),
        "go_live_on": _l("Live since"),
        "county": _l("County"),
    }


class CountyView(BureauModelView):
    """Keep the county's name and code."""

    datamodel = BureauInterface(County)
    noun = _l("County")
    list_title = _l("County")
    list_columns = ["name", "code"]
    show_columns = ["name", "code"]
    add_columns: list[str] = []
    edit_columns = ["name", "code"]
    search_columns: list[str] = []
    exclude_route_methods = {"add", "delete"}
