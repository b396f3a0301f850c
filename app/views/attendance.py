"""Take the attendance of a class on a phone: all there, or the names of those who are not."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any, ClassVar

import segno
from flask import abort, flash, g, redirect, request, url_for
from flask_appbuilder import AppBuilder, BaseView, expose, has_access
from flask_appbuilder.security.decorators import permission_name
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup
from sqlalchemy import Select, or_, select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import joinedload
from sqlalchemy.orm.exc import StaleDataError

from app import clock
from app.base import Refused, registry
from app.crud.base import ReadOnlyView
from app.crud.fab import BaseFilter
from app.crud.interface import BureauInterface
from app.crud.once import earlier_result, give_token, keep_token
from app.crud.refusal import incident_text
from app.extensions import db
from app.models import Absence, AttendanceReport, Child, SchoolClass, SchoolYear
from app.views.attendance_form import KIND_WORDS, AttendanceForm, attendance_form
from app.views.leave import LeaveView
from app.workflow.attendance import (
    absences_of,
    on_roll,
    report,
    report_of,
    uncounted,
)
from app.workflow.leave import Expected, expected


class AttendanceEntryView(BaseView):
    """Report the attendance of one's own class, today."""

    route_base = "/attendance"
    default_view = "list"
    looks_up: ClassVar[dict[str, tuple[type[Any], ...]]] = {"can_list": (Child,)}

    @expose("/")
    @has_access
    def list(self) -> Any:
        """Lead to the only class, or list those that may be reported."""
        classes = db.session.scalars(own_classes()).all()
        if len(classes) == 1:
            return redirect(url_for("AttendanceEntryView.report", pk=classes[0].id))
        found = select(AttendanceReport.class_id).where(AttendanceReport.day == clock.today())
        return self.render_template(
            "inspection/attendance_list.html",
            title=_("Attendance today"),
            classes=classes,
            reported=set(db.session.scalars(found)),
        )

    @expose("/<int:pk>", methods=["GET", "POST"])
    @has_access
    @permission_name("list")
    def report(self, pk: int) -> Any:
        """Show the form of a class, or store what came back in it."""
        school_class = db.session.scalars(own_classes().where(SchoolClass.id == pk)).first()
        if school_class is None:
            abort(404)
        absences = absences_of(db.session(), school_class, clock.today())
        form = attendance_form(school_class, len(absences))()
        if request.method == "GET":
            form.fill(absences or self._expected(school_class))
            form.row_version.data = _version_of(school_class)
        else:
            again = url_for("AttendanceEntryView.report", pk=pk)
            done = earlier_result(form, again) or self._store(form, school_class, again)
            if done is not None:
                return done
        give_token(form)
        return self.render_template(
            "inspection/attendance.html",
            title=_("Attendance of %(name)s", name=str(school_class)),
            form=form,
            school_class=school_class,
            today=clock.today(),
            on_roll=on_roll(db.session(), school_class),
            stored=report_of(db.session(), school_class, clock.today()),
        )

    @expose("/codes", methods=["GET"])
    @has_access
    @permission_name("list")
    def codes(self) -> Any:
        """Show a sheet to print for each school: a code for each class, to its report."""
        classes = db.session.scalars(_classes_of_the_year().options(joinedload(SchoolClass.school)))
        return self.render_template(
            "inspection/attendance_codes.html",
            title=_("Codes for the attendance"),
            schools=[
                (school, [(one, *_code_of(one)) for one in held])
                for school, held in groupby(classes, key=lambda one: one.school)
            ],
        )

    def _expected(self, school_class: SchoolClass) -> Sequence[Expected]:
        """Return who is on leave, while nothing is reported yet."""
        session, today = db.session(), clock.today()
        if report_of(session, school_class, today) is not None:
            return ()
        return expected(session, school_class, today)

    def _store(self, form: AttendanceForm, school_class: SchoolClass, again: str) -> Any | None:
        is_all = request.form.get("deed") == "all"
        if form.row_version.data != _version_of(school_class):
            _tell_stale(form, school_class)
            return None
        if not is_all and (not form.validate() or form.complain()):
            return None
        named = [] if is_all else form.named()
        if not is_all and not named:
            flash(_("Name the children who are away, or press “All present”."), "warning")
            return None
        try:
            session = db.session()
            aways = [away for away, _field in named]
            absences = report(session, school_class, clock.today(), aways)
            for absence, (_away, evidence) in zip(absences, named, strict=True):
                if evidence.is_touched:
                    evidence.populate_obj(absence, "evidence_set_id")
            keep_token(form, again)
            session.commit()
        except Refused as refusal:
            db.session.rollback()
            flash(refusal.message, "danger")
            return None
        except SQLAlchemyError as error:
            db.session.rollback()
            return self._explain(error, form, school_class, again)
        flash(_("The attendance of today is stored."), "success")
        return redirect(again)

    def _explain(
        self, error: SQLAlchemyError, form: AttendanceForm, school_class: SchoolClass, again: str
    ) -> Any | None:
        """Tell that another sending was faster, this form's own or somebody else's."""
        if not isinstance(error, StaleDataError | IntegrityError):
            flash(incident_text(error), "danger")
            return None
        done = earlier_result(form, again)
        if done is None:
            _tell_stale(form, school_class)
        return done


def _code_of(school_class: SchoolClass) -> tuple[str, Markup]:
    """Return the address of a class's report and its code, to be drawn on a page."""
    address = url_for("AttendanceEntryView.report", pk=school_class.id, _external=True)
    code = segno.make(address, error="m", micro=False)
    return address, Markup(code.svg_inline(scale=4, border=2))  # noqa: S704  # drawn by segno


def _version_of(school_class: SchoolClass) -> str:
    stored = report_of(db.session(), school_class, clock.today())
    return "" if stored is None else str(stored.row_version)


def _tell_stale(form: AttendanceForm, school_class: SchoolClass) -> None:
    """Say that somebody else reported meanwhile, and whom; what was typed stays."""
    flash(
        _(
            "Somebody else changed this record while you were editing it. Nothing was stored. "
            "What you typed is still here; compare it with what is stored now, then save again."
        ),
        "warning",
    )
    stored = absences_of(db.session(), school_class, clock.today())
    named = [f"{one.child.name}: {KIND_WORDS.get(one.kind, one.kind)}" for one in stored]
    shown = _(", ").join(named) or _("All present")
    flash(_("Stored now: %(value)s", value=shown), "warning")
    form.row_version.data = _version_of(school_class)


def counts_himself() -> bool:
    """Tell whether the acting office makes the school's own check, with its hidden counts."""
    acting = g.get("appointment")
    checks = (kind for kind in registry.inspection_types() if kind.self_inspection)
    return acting is not None and acting.capacity in {kind.capacity for kind in checks}


def own_classes() -> Select[SchoolClass]:
    """Return this year's classes in scope: for a teacher his own, for the leader what he may see.

    The number of a class that is drawn for the leader's own count stays hidden until he counted.
    """
    classes = _classes_of_the_year()
    if not counts_himself():
        return classes
    return classes.where(SchoolClass.id.not_in(uncounted(clock.today())))


def _classes_of_the_year() -> Select[SchoolClass]:
    today = clock.today()
    return (
        select(SchoolClass)
        .join(SchoolYear, SchoolYear.id == SchoolClass.school_year_id)
        .where(SchoolClass.is_active, SchoolYear.starts_on <= today, SchoolYear.ends_on >= today)
        .order_by(SchoolClass.school_id, SchoolClass.position, SchoolClass.name)
    )


class NotUncounted(BaseFilter):
    """Keep today's number of a class from who has yet to count that class."""

    name = ""
    arg_name = "not_uncounted"

    def apply(self, query: Any, value: Any) -> Any:
        """Leave out the rows of the classes that the acting person has yet to count."""
        if not counts_himself():
            return query
        today = clock.today()
        is_open = self.model.class_id.not_in(uncounted(today))
        return query.filter(or_(self.model.day != today, is_open))


class AttendanceReportView(ReadOnlyView):
    """List the class teachers' reports."""

    datamodel = BureauInterface(AttendanceReport)
    noun = _l("Attendance report")
    list_title = _l("Attendance reports")
    list_columns = ["day", "school", "school_class", "on_roll", "present", "reported_by"]
    show_columns = ["day", "school", "school_class", "on_roll", "present", "reported_by",
                    "reported_at"]  # fmt: skip
    search_columns = ["day", "township", "school", "school_class"]
    base_order = ("day", "desc")
    base_filters = [["class_id", NotUncounted, None]]
    label_columns = {
        "on_roll": _l("On roll"),
        "present": _l("Present"),
        "reported_by": _l("Reported by"),
        "reported_at": _l("Reported at"),
    }


class AbsenceView(ReadOnlyView):
    """List who was away, on which day and why."""

    datamodel = BureauInterface(Absence)
    noun = _l("Absence")
    list_title = _l("Absences")
    list_columns = ["day", "school", "school_class", "child", "kind"]
    show_columns = ["day", "school", "school_class", "child", "kind", "contact_note", "contact_at"]
    search_columns = ["day", "township", "school", "school_class", "child", "kind"]
    base_order = ("day", "desc")
    base_filters = [["class_id", NotUncounted, None]]
    choices_columns = {"kind": KIND_WORDS}
    label_columns = {
        "child": _l("Pupil"),
        "kind": _l("Kind of absence"),
        "contact_note": _l("Contact with the guardian"),
        "contact_at": _l("Contacted at"),
    }


def add_views(appbuilder: AppBuilder) -> None:
    """Add the attendance of today and the lists behind it."""
    category = {
        "category": "Daily work",
        "category_label": _l("Daily work"),
        "category_icon": "fa-briefcase",
    }
    appbuilder.add_view(
        AttendanceEntryView,
        "AttendanceEntryView",
        label=_l("Attendance today"),
        icon="fa-user-check",
        **category,
    )
    appbuilder.add_view(
        LeaveView, "LeaveView", label=LeaveView.list_title, icon="fa-envelope-open", **category
    )
    appbuilder.add_view(
        AttendanceReportView,
        "AttendanceReportView",
        label=_l("Attendance reports"),
        icon="fa-list-check",
        **category,
    )
    appbuilder.add_view(
        AbsenceView, "AbsenceView", label=_l("Absences"), icon="fa-user-xmark", **category
    )
