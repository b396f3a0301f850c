"""Make the screens of an inspection type: list, record in steps, confirmation, correction."""

from __future__ import annotations

import secrets
from typing import Any, ClassVar

from flask import flash, redirect, request, url_for
from flask_appbuilder import expose, has_access
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm.exc import StaleDataError

from app import clock
from app.base import Refused, registry
from app.checklists.forms import (
    ChecklistForm,
    bound_form,
    complete_answers,
)
from app.checklists.kind import stored_words
from app.crud.base import BureauModelView
from app.crud.inspection_form import (
    AttendantsForm,
    attendant_fields,
    opening_form,
)
from app.crud.inspection_sheet import (
    LABELS,
    SHOW_COLUMNS,
    STATES,
    SheetMixin,
    context_of,
    load_answers,
    view_name,
)
from app.crud.inspection_step import StepsMixin
from app.crud.interface import BureauInterface
from app.crud.placement import only_place
from app.crud.refusal import incident_text
from app.crud.review_form import ReviewForm, review_fields
from app.extensions import db
from app.models import (
    ChecklistItem,
    ClassLine,
    Inspection,
    InspectionParticipant,
    InspectionState,
    Person,
)
from app.workflow import closing, daily, draw, late
from app.workflow import inspection as flow
from app.workflow.kind import Unit
from app.workflow.review import drawn_for

LIST_COLUMNS = ["occurred_on", "township", "school", "state", "submitted_by", "confirmed_at"]


class TypedInspectionView(StepsMixin, SheetMixin, BureauModelView):
    """Record inspections of one type; :func:`inspection_view_for` makes the subclass."""

    kind: ClassVar[Any]
    list_columns = LIST_COLUMNS
    show_columns = SHOW_COLUMNS
    add_columns: ClassVar[list[str]] = ["school", "township", "occurred_on", "theme"]
    edit_columns: ClassVar[list[str]] = ["theme", "note"]
    search_columns: ClassVar[list[str]] = ["occurred_on", "township", "school", "state", "theme"]
    base_order = ("occurred_on", "desc")
    label_columns = LABELS
    choices_columns: ClassVar[dict[str, Any]] = {"state": STATES}
    # Only drafts may go, and a draft's own page discards it.
    exclude_route_methods = frozenset({"delete"})
    looks_up: ClassVar[dict[str, tuple[type[Any], ...]]] = {
        "can_add": (Person,),
        "can_edit": (Person,),
    }

    @expose("/add", methods=["GET", "POST"])
    @has_access
    def add(self) -> Any:
        """Ask for unit, day and participants; open the draft and lead to its form."""
        form = opening_form(self.kind)()
        if request.method == "POST":
            done = self._result_of(form) or self._open(form)
            if done is not None:
                return done
        else:
            self._begin(form)
        form.submit_token.data = form.submit_token.data or secrets.token_urlsafe(24)
        return self.render_template(
            "inspection/open.html", title=self.add_title, form=form, kind=self.kind
        )

    def _begin(self, form: Any) -> None:
        school, _township = only_place()
        form.school.data = self._school_asked() or school
        form.begin_with_actor(db.session(), self.kind)

    def _school_asked(self) -> Any | None:
        """Return the school that a link to this form names."""
        from app.crud.interface import find
        from app.models import School

        key = request.args.get("school") or request.args.get("_flt_0_school")
        return find(db.session, School, key) if key else None

    def _open(self, form: Any) -> Any | None:
        if not form.validate() or form.complain(db.session(), self.kind):
            return None
        begun = self._begun(form)
        if begun is not None:
            return begun
        try:
            inspection = self._draft(form)
            complete_answers(context_of(inspection, self.kind))
            self.saved(inspection, is_new=True)
            url = url_for(f"{self.endpoint}.edit", pk=inspection.id)
            self._keep_token(form, url)
            db.session.commit()
        except Refused as refusal:
            db.session.rollback()
            flash(refusal.message, "danger")
            return None
        except SQLAlchemyError as error:
            db.session.rollback()
            done = self._result_of(form)
            if done is None:
                flash(incident_text(error), "danger")
            return done
        return redirect(url)

    def _begun(self, form: Any) -> Any | None:
        """Lead to the draft that the same person left open for this place and day, if any."""
        if self.kind.self_inspection:  # its record of the day is found anyway
            return None
        draft = flow.own_draft(db.session(), self.kind, form.place, form.occurred_on.data)
        if draft is None:
            return None
        flash(
            _("You began this record before: here is your draft. Discard it to begin anew."), "info"
        )
        return redirect(url_for(f"{self.endpoint}.edit", pk=draft.id))

    def _draft(self, form: Any) -> Inspection:
        session = db.session()
        day, place = form.occurred_on.data, form.place
        if not self.kind.self_inspection:
            return flow.open_draft(
                session, self.kind, place, day, form.attendants(), form.theme.data
            )
        attendant = form.own_attendant(session, self.kind)
        if attendant is None:
            raise Refused(_("Only a holder of the office records this check."))
        return daily.daily_record(session, self.kind, place, day, attendant)

    @expose("/edit/<pk>", methods=["GET", "POST"])
    @has_access
    def edit(self, pk: str) -> Any:
        """Show the checklist form; save, submit or correct what came back in it."""
        inspection = self.row(pk)
        load_answers(inspection)
        form = self._form(inspection)
        if request.method == "POST":
            done = self._result_of(form) or self._take(form, inspection)
            if done is not None:
                return done
        form.submit_token.data = form.submit_token.data or secrets.token_urlsafe(24)
        is_draft = inspection.state != InspectionState.SUBMITTED
        return self.render_template(
            "inspection/form.html",
            title=str(inspection),
            form=form,
            inspection=inspection,
            kind=self.kind,
            is_draft=is_draft,
            context=form.context,
            coverage=self._coverage(inspection),
            is_closed=self._is_late(inspection),
            may_discard=flow.refusal_of_discard(inspection) is None,
            line_of=_line_of,
            radio_options=_radio_options,
            choice_options=_choice_options,
            stored_words=_stored_words,
        )

    def _form(self, inspection: Inspection) -> ChecklistForm:
        is_draft = inspection.state != InspectionState.SUBMITTED
        asks_people = is_draft and not self.kind.self_inspection
        bases: tuple[type[Any], ...] = (AttendantsForm,) if asks_people else ()
        extra = attendant_fields(self.kind) if asks_people else {}
        drawn = drawn_for(db.session(), inspection)
        if drawn:
            bases, extra = (*bases, ReviewForm), {**extra, **review_fields(drawn)}
        form = bound_form(context_of(inspection, self.kind), bases, extra)
        if asks_people and request.method == "GET":
            form.fill_attendants(inspection)
        return form

    def _coverage(self, inspection: Inspection) -> closing.Coverage | None:
        is_self = self.kind.self_inspection
        return closing.coverage(db.session(), inspection) if is_self else None

    def _is_late(self, inspection: Inspection) -> bool:
        return bool(self.kind.self_inspection) and closing.is_closed(db.session(), inspection)

    def _take(self, form: ChecklistForm, inspection: Inspection) -> Any | None:
        """Do what the pressed button says; return where to go, None where the form comes back."""
        if form.row_version.data != str(inspection.row_version):
            self._tell_stale(form, inspection)
            return None
        if not form.validate() or self._lacks(form, inspection):
            return None
        deed = request.form.get("deed", "save")
        nested = db.session.begin_nested()
        try:
            done = self._do(deed, form, inspection)
            if not done:
                nested.rollback()
                return None
            self.saved(inspection, is_new=False)
            url = self._after(deed, inspection)
            self._keep_token(form, url)
            nested.commit()
            db.session.commit()
        except Refused as refusal:
            db.session.rollback()
            flash(refusal.message, "danger")
        except SQLAlchemyError as error:
            db.session.rollback()
            earlier = self._result_of(form)
            if earlier is not None:
                return earlier
            if isinstance(error, StaleDataError):
                self._tell_stale(form, inspection)
            else:
                flash(incident_text(error), "danger")
        else:
            flash(self._done_text(deed), "success")
            return redirect(url)
        return None

    def _lacks(self, form: ChecklistForm, inspection: Inspection) -> bool:
        """Name the reason or the participant that is missing for what was asked."""
        is_draft = inspection.state != InspectionState.SUBMITTED
        if not is_draft and not form.reason.data:
            form.reason.errors = [*form.reason.errors, _("Say why the record is corrected.")]
            return True
        if is_draft and self._is_late(inspection) and not form.late_reason.data:
            text = _("The day is closed: say why the entry comes late.")
            form.late_reason.errors = [*form.late_reason.errors, text]
            return True
        if not isinstance(form, AttendantsForm):
            return False
        unit = Unit(inspection.county_id, inspection.township_id, inspection.school_id)
        return form.complain_of_attendants(db.session(), unit, self.kind, inspection.occurred_on)

    def _do(self, deed: str, form: ChecklistForm, inspection: Inspection) -> bool:
        """Store the form and take the step; tell whether nothing stands against it."""
        session = db.session()
        self._reopen(inspection)
        form.store()
        inspection.changed_at = clock.now()  # every save counts as a new version of the record
        if form.late_reason.data:
            inspection.late_reason = form.late_reason.data
        if isinstance(form, AttendantsForm):
            sync_participants(inspection, form)
        if inspection.state == InspectionState.SUBMITTED:
            session.flush()
            if form.complain():
                return False
            flow.correct(session, inspection, form.reason.data)
            return True
        if deed == "agree":
            daily.agree(session, inspection)
            form.store_proposals()
        elif deed == "redraw":
            draw.redraw(session, inspection, self.kind, form.redraw_reason.data or "")
        elif deed == "submit":
            session.flush()
            if form.complain():
                return False
            flow.submit(session, inspection, self.kind)
        session.flush()
        return True

    def _reopen(self, inspection: Inspection) -> None:
        """Open a record that lapsed again, unless its day lies too far back."""
        if inspection.state == InspectionState.SUBMITTED or not self.kind.self_inspection:
            return
        school, day = inspection.school, inspection.occurred_on
        if school is None:
            return
        reason = late.refusal_of_entry(db.session(), self.kind, school, day)
        if reason:
            raise Refused(reason)
        inspection.state = InspectionState.DRAFT

    def _after(self, deed: str, inspection: Inspection) -> str:
        is_ended = deed == "submit" or inspection.state == InspectionState.SUBMITTED
        return url_for(f"{self.endpoint}.{'show' if is_ended else 'edit'}", pk=inspection.id)

    def _done_text(self, deed: str) -> str:
        texts = {
            "submit": _("The inspection record was submitted."),
            "agree": _("The reported classes were accepted."),
            "redraw": _("The classes were drawn again."),
        }
        return texts.get(deed) or _("Saved.")

    def _tell_stale(self, form: ChecklistForm, inspection: Inspection) -> None:
        db.session.refresh(inspection)
        form.row_version.data = str(inspection.row_version)
        form.row_version.raw_data = None
        flash(
            _(
                "Somebody else changed this record while you were editing it. Nothing was stored. "
                "What you typed is still here; compare it with what is stored now, then save again."
            ),
            "warning",
        )

    def saved(self, item: Any, *, is_new: bool) -> None:
        """Let plugins follow the record in the same transaction; their Refused takes it back."""
        db.session.flush()
        registry.inspection_saved(db.session(), item)


TONES = {"conforms": "success", "fails": "danger"}


def _radio_options(field: Any) -> list[tuple[str, Any, str]]:
    """Return the choices of a verdict with the colour of each."""
    return [(each.value, each.label, TONES.get(each.value, "")) for each in field.choices]


def _choice_options(field: Any) -> list[tuple[str, Any]]:
    """Return the choices of a select, without the empty one that the macro adds."""
    return [(each.value, each.label) for each in field.choices if each.value]


def _line_of(inspection: Inspection, key: str) -> ClassLine:
    """Return the line of a class."""
    return next(line for line in inspection.class_lines if str(line.class_id) == key)


def _stored_words(inspection: Inspection, item: ChecklistItem) -> str:
    """Return what an item holds whose kind nobody knows any more."""
    answers = (answer for answer in inspection.answers if answer.item_id == item.id)
    return " ".join(stored_words(answer) for answer in answers)


def sync_participants(inspection: Inspection, form: AttendantsForm) -> None:
    """Bring the people on a draft into line with the form."""
    wanted = {attendant.person_id: attendant for attendant in form.attendants()}
    for part in list(inspection.participants):
        if part.person_id not in wanted:
            inspection.participants.remove(part)
        else:
            part.capacity = wanted.pop(part.person_id).capacity
    for attendant in wanted.values():
        inspection.participants.append(
            InspectionParticipant(
                person_id=attendant.person_id,
                capacity=attendant.capacity,
                county_id=inspection.county_id,
                township_id=inspection.township_id,
                school_id=inspection.school_id,
            )
        )


def inspection_view_for(kind: Any) -> type[BureauModelView]:
    """Return the view class of an inspection type: own route, own permissions."""
    attributes = {
        "__module__": __name__,
        "__doc__": kind.title,
        "kind": kind,
        "datamodel": BureauInterface(kind.model, db.session),
        "route_base": f"/inspection/{kind.key.replace('_', '-')}",
        "class_permission_name": kind.model.__name__,
        "noun": _l(kind.title),
        "list_title": _l(kind.title),
    }
    return type(view_name(kind.key), (TypedInspectionView,), attributes)
