"""Take the attendance of a class on a phone: all there, or the names of those who are not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from flask import abort, flash, redirect, request, url_for
from flask_appbuilder import AppBuilder, BaseView, expose, has_access
from flask_appbuilder.security.decorators import permission_name
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from sqlalchemy import Select, select
from sqlalchemy.exc import SQLAlchemyError
from wtforms import Field, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length, Optional

from app import clock
from app.base import Refused
from app.crud.base import ReadOnlyView
from app.crud.fields import ChoiceWidget, LookupField, trimmed
from app.crud.interface import BureauInterface
from app.crud.refusal import incident_text
from app.extensions import db
from app.files.field import EvidenceField
from app.models import Absence, AttendanceReport, Child, SchoolClass, SchoolYear
from app.workflow.attendance import Away, absences_of, on_roll, refusal_of, report, report_of

ROWS = 12
KIND_WORDS = {
    "sick_leave": _l("Sick leave"),
    "personal_leave": _l("Personal leave"),
    "pending": _l("Not yet contacted"),
    "unexplained": _l("Unexplained"),
}


class AttendanceForm(FlaskForm):
    """Ask for the children who are away; :func:`attendance_form` adds the lines."""

    count: ClassVar[int] = ROWS

    def lines(self) -> Iterator[tuple[Field, Field, Field, Field]]:
        """Yield child, kind, contact note and evidence of each line."""
        for number in range(1, self.count + 1):
            names = ("child", "kind", "contact", "evidence")
            yield tuple(self[f"{name}_{number}"] for name in names)

    def named(self) -> list[tuple[Away, Field]]:
        """Return the absences that were typed, each with its field for evidence."""
        return [
            (Away(child.data.id, kind.data or "", contact.data), evidence)
            for child, kind, contact, evidence in self.lines()
            if child.data is not None
        ]

    def complain(self) -> bool:
        """Name at each line what is wrong; tell if anything is."""
        seen: set[int] = set()
        for child, kind, contact, _evidence in self.lines():
            if child.data is None:
                if contact.data:
                    child.errors = [*child.errors, _("Choose the child.")]
                continue
            reason = refusal_of(Away(child.data.id, kind.data or "", contact.data))
            if reason:
                wrong = contact if kind.data else kind
                wrong.errors = [*wrong.errors, reason]
            if child.data.id in seen:
                child.errors = [*child.errors, _("A child is named twice.")]
            seen.add(child.data.id)
        return any(field.errors for field in self)

    def fill(self, absences: Sequence[Absence]) -> None:
        """Show what is stored."""
        for fields, absence in zip(self.lines(), absences, strict=False):
            child, kind, contact, evidence = fields
            child.data, kind.data = absence.child, absence.kind
            contact.data, evidence.data = absence.contact_note, absence.evidence_set_id


def attendance_form(school_class: SchoolClass, stored: int) -> type[AttendanceForm]:
    """Return the form of one class: its own children only, a few lines more than are stored."""
    kinds = [SelectChoice("", _l("(not chosen)"))]
    kinds += [SelectChoice(key, words) for key, words in KIND_WORDS.items()]
    count = max(ROWS, stored + ROWS // 2)
    fields: dict[str, Any] = {"count": count}
    for number in range(1, count + 1):
        fields[f"child_{number}"] = LookupField(
            _l("Pupil"), [Optional()], model=Child, narrow={"class_id": school_class.id}
        )
        fields[f"kind_{number}"] = SelectField(
            _l("Kind of absence"), choices=kinds, default="", widget=ChoiceWidget()
        )
        fields[f"contact_{number}"] = StringField(
            _l("Contact with the guardian"),
            [Length(max=200)],
            filters=[trimmed],
            render_kw={"class": "form-control"},
        )
        fields[f"evidence_{number}"] = EvidenceField(_l("Leave paper"), owner=lambda: school_class)
    return type("ClassAttendanceForm", (AttendanceForm,), fields)


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
            form.fill(absences)
        else:
            done = self._store(form, school_class)
            if done is not None:
                return done
        return self.render_template(
            "inspection/attendance.html",
            title=_("Attendance of %(name)s", name=str(school_class)),
            form=form,
            school_class=school_class,
            today=clock.today(),
            on_roll=on_roll(db.session(), school_class),
            stored=report_of(db.session(), school_class, clock.today()),
        )

    def _store(self, form: AttendanceForm, school_class: SchoolClass) -> Any | None:
        is_all = request.form.get("deed") == "all"
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
            session.commit()
        except Refused as refusal:
            db.session.rollback()
            flash(refusal.message, "danger")
            return None
        except SQLAlchemyError as error:
            db.session.rollback()
            flash(incident_text(error), "danger")
            return None
        flash(_("The attendance of today is stored."), "success")
        return redirect(url_for("AttendanceEntryView.report", pk=school_class.id))


def own_classes() -> Select[SchoolClass]:
    """Return this year's classes in scope: those of the school, for a teacher his own."""
    today = clock.today()
    return (
        select(SchoolClass)
        .join(SchoolYear, SchoolYear.id == SchoolClass.school_year_id)
        .where(SchoolClass.is_active, SchoolYear.starts_on <= today, SchoolYear.ends_on >= today)
        .order_by(SchoolClass.school_id, SchoolClass.position, SchoolClass.name)
    )


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
    choices_columns = {"kind": KIND_WORDS}
    label_columns = {
        "child": _l("Pupil"),
        "kind": _l("Kind of absence"),
        "contact_note": _l("Contact with the guardian"),
        "contact_at": _l("Contacted at"),
    }


def add_views(appbuilder: AppBuilder) -> None:
    """Add the attendance of today and the lists behind it."""
    category = {"category": "Daily work", "category_label": _l("Daily work")}
    appbuilder.add_view(
        AttendanceEntryView,
        "AttendanceEntryView",
        label=_l("Attendance today"),
        icon="fa-user-check",
        **category,
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
