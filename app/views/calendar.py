"""Show school years and semesters, the county's calendar and the exceptions of schools."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import Form
from wtforms.validators import NumberRange

from app.crud.base import BureauModelView
from app.crud.interface import BureauInterface
from app.crud.refusal import FieldRefused
from app.models import GRADES, CalendarDay, CalendarException, SchoolYear, Semester
from app.views.organization import check_period

SOURCES = {
    "holidays": _l("State holidays"),
    "seed": _l("Seed data"),
    "entered": _l("Entered by hand"),
}


class SemesterView(BureauModelView):
    """Keep the semesters 学期."""

    datamodel = BureauInterface(Semester)
    noun = _l("Semester")
    list_title = _l("Semesters")
    list_columns = ["name", "school_year", "starts_on", "ends_on"]
    show_columns = ["name", "school_year", "starts_on", "ends_on"]
    add_columns = edit_columns = ["school_year", "name", "starts_on", "ends_on"]
    search_columns = ["name", "school_year", "starts_on", "ends_on"]
    base_order = ("starts_on", "desc")
    label_columns = {"school_year": _l("School year")}

    def check(self, form: Form, item: Semester | None) -> None:
        """Keep the semester inside its school year."""
        first, last, year = form.starts_on.data, form.ends_on.data, form.school_year.data
        check_period(first, last, "ends_on")
        if first < year.starts_on or last > year.ends_on:
            text = _(
                "The semester must lie within the school year, %(first)s to %(last)s.",
                first=year.starts_on,
                last=year.ends_on,
            )
            raise FieldRefused("starts_on", text)


class SchoolYearView(BureauModelView):
    """Keep the school years 学年."""

    datamodel = BureauInterface(SchoolYear)
    noun = _l("School year")
    list_title = _l("School years")
    list_columns = ["name", "starts_on", "ends_on"]
    show_columns = ["name", "starts_on", "ends_on"]
    add_columns = edit_columns = ["name", "starts_on", "ends_on"]
    search_columns = ["name", "starts_on", "ends_on"]
    base_order = ("starts_on", "desc")
    related_views = [SemesterView]

    def check(self, form: Form, item: SchoolYear | None) -> None:
        """Refuse a year that ends before it begins."""
        check_period(form.starts_on.data, form.ends_on.data, "ends_on")


class CalendarDayView(BureauModelView):
    """Keep the county's calendar: working days, school days, make-up days 调休."""

    datamodel = BureauInterface(CalendarDay)
    noun = _l("Calendar day")
    list_title = _l("County calendar")
    list_columns = ["day", "is_working_day", "is_school_day", "name", "source"]
    show_columns = ["day", "is_working_day", "is_school_day", "name", "source"]
    add_columns = edit_columns = ["day", "is_working_day", "is_school_day", "name"]
    search_columns = ["day", "is_working_day", "is_school_day", "name", "source"]
    base_order = ("day", "desc")
    choices_columns = {"source": SOURCES}
    label_columns = {
        "is_working_day": _l("Working day"),
        "is_school_day": _l("School day"),
        "name": _l("Occasion"),
        "source": _l("Comes from"),
    }

    def pre_update(self, item: CalendarDay) -> None:
        """Mark the day as entered, so that the next update of holidays leaves it alone."""
        item.source = "entered"


class CalendarExceptionView(BureauModelView):
    """Keep days on which a school, a grade or a class departs from the county's calendar."""

    datamodel = BureauInterface(CalendarException)
    noun = _l("Calendar exception")
    list_title = _l("Calendar exceptions")
    list_columns = ["day", "school", "grade", "school_class", "is_school_day", "reason"]
    show_columns = ["day", "school", "township", "grade", "school_class", "is_school_day", "reason"]
    add_columns = edit_columns = [
        "school", "day", "grade", "school_class", "is_school_day", "reason", "evidence_set_id",
    ]  # fmt: skip
    search_columns = ["day", "school", "township", "grade", "is_school_day", "reason"]
    base_order = ("day", "desc")
    label_columns = {
        "grade": _l("Grade"),
        "is_school_day": _l("School day"),
        "reason": _l("Reason"),
    }
    description_columns = {
        "grade": _l("Leave empty for the whole school."),
        "school_class": _l("Leave empty for the whole school or grade."),
        "is_school_day": _l("Ticked: lessons on a free day. Not ticked: free on a school day."),
    }
    validators_columns = {"grade": [NumberRange(min=GRADES[0], max=GRADES[-1])]}

    def check(self, form: Form, item: CalendarException | None) -> None:
        """Keep the class within the school; the database refuses a second one for the whole."""
        chosen = form.school_class.data
        if chosen is not None and chosen.school_id != form.school.data.id:
            raise FieldRefused("school_class", _("The class belongs to another school."))
        if chosen is not None and form.grade.data is not None:
            raise FieldRefused("grade", _("Choose a grade or a class, not both."))
