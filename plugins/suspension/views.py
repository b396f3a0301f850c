"""Screens of suspensions and deferrals: the cases with their papers, and the steps they take."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from flask import url_for
from flask_appbuilder.models.filters import BaseFilter
from sqlalchemy import and_
from wtforms import Form, SelectField
from wtforms.fields.choices import SelectChoice

from app.kit import (
    BureauModelView,
    Derived,
    FieldRefused,
    Page,
    Refused,
    _,
    _l,
    hookimpl,
    interface,
    settings_of,
    today,
)

from . import steps
from .conditions import missing
from .kinds import (
    APPLIED,
    APPROVED,
    CONFIRMED,
    CONSENT,
    KINDS,
    MEDICAL,
    NUMBERED,
    OPEN,
    PAPERS,
    POLICY,
    STATES,
    papers_of,
)
from .models import SuspensionCase, SuspensionPaper

APPROVE, DECLINE = "approve", "decline"
LABELS = {
    "absent_from": _l("First day of the present absence"),
    "applied_on": _l("Applied on"),
    "approved_on": _l("Approved on"),
    "confirmation_note": _l("Remark of the township"),
    "confirmed_on": _l("Confirmed on"),
    "counted_from": _l("Joint visits count from"),
    "decision_note": _l("Remark of the decision"),
    "ends_on": _l("Last day"),
    "renews": _l("Renews the case"),
    "return_note": _l("Remark on the return"),
    "returned_on": _l("Returned on"),
    "is_backfilled": _l("Entered later for the time before go-live"),
}


class SuspensionPaperView(BureauModelView):
    """Keep the papers in the files of cases."""

    datamodel = interface(SuspensionPaper)
    noun = _l("Paper of a case")
    list_title = _l("Papers of suspensions and deferrals")
    list_columns = ["kind", "number", "dated_on", "issued_by", "case"]
    list_joins = ("case.child",)
    show_columns = [
        "case", "kind", "number", "dated_on", "issued_by", "note", "township", "school",
    ]  # fmt: skip
    add_columns = ["case", "kind", "number", "dated_on", "evidence_set_id", "note"]
    edit_columns = ["number", "dated_on", "evidence_set_id", "note"]
    search_columns = ["kind", "number", "dated_on", "issued_by", "case", "school", "township"]
    choices_columns = {"kind": PAPERS}
    label_columns = {
        "case": _l("Case"),
        "kind": _l("Kind of paper"),
        "number": _l("Number of the paper"),
        "dated_on": _l("Dated"),
        "issued_by": _l("Issued by"),
    }
    description_columns = {
        "number": _l("Needed for the consent of the leading group and for a ruling."),
        "evidence_set_id": _l("The scan: without it the paper does not count."),
    }

    def check(self, form: Form, item: SuspensionPaper | None) -> None:
        """Keep papers to the kinds of the case, with what makes each of them count."""
        kind = form.kind.data if item is None else item.kind
        record = form.case.data if item is None else item.case
        if kind not in papers_of(record.kind):
            raise FieldRefused("kind", _("A case of this kind has no such paper."))
        if not form.evidence_set_id.files:
            raise FieldRefused("evidence_set_id", _("Add the scan of the paper."))
        if form.dated_on.data is not None and form.dated_on.data > today():
            raise FieldRefused("dated_on", _("This day lies in the future."))
        if kind in NUMBERED:
            for name in ("number", "dated_on"):
                if not form[name].data:
                    raise FieldRefused(name, _("This paper needs its number and its day."))

    def pre_add(self, item: SuspensionPaper) -> None:
        """Keep the child with the paper; the consent always comes from the group outside."""
        item.child, item.child_id = item.case.child, item.case.child_id
        if item.kind == CONSENT:
            day = item.dated_on or today()
            item.issued_by = str(
                settings_of(self.datamodel.session, steps.PLUGIN, day).consent_issuer
            )

    def pre_delete(self, item: SuspensionPaper) -> None:
        """Keep the papers on which a decision rests."""
        if item.case.state not in OPEN:
            raise Refused(_("A decision rests on this paper: correct it instead."))


class SuspensionCaseView(BureauModelView):
    """Keep the applications, and show what became of them."""

    datamodel = interface(SuspensionCase)
    noun = _l("Case of suspension or deferral")
    list_title = _l("Suspensions and deferrals")
    list_columns = ["child", "kind", "state", "school", "township", "approved_on", "ends_on"]
    show_columns = [
        "child", "kind", "state", "school", "township", "applied_on", "absent_from",
        "counted_from", "renews", "note", "confirmed_on", "confirmation_note", "approved_on",
        "ends_on", "decision_note", "returned_on", "return_note", "is_backfilled",
    ]  # fmt: skip
    list_joins = ("renews.child",)
    add_columns = ["child", "kind", "renews", "applied_on", "absent_from", "note"]
    edit_columns = ["applied_on", "absent_from", "note"]
    search_columns = [
        "child", "kind", "state", "school", "township", "applied_on", "approved_on", "ends_on",
        "returned_on",
    ]  # fmt: skip
    base_order = ("applied_on", "desc")
    choices_columns = {"kind": KINDS, "state": STATES}
    related_views = [SuspensionPaperView]
    label_columns = LABELS
    description_columns = {
        "renews": _l("Only where a case that was approved before is to go on."),
        "absent_from": _l(
            "Joint visits count from this day on. Leave it empty for a deferral or a renewal."
        ),
    }

    def check(self, form: Form, item: SuspensionCase | None) -> None:
        """Leave a case alone that the township has confirmed."""
        if item is not None and item.state != APPLIED:
            raise Refused(_("The township has confirmed this application; it stays as it is."))

    def pre_add(self, item: SuspensionCase) -> None:
        """Take the application in, or refuse it with the reason."""
        steps.apply_for(self.datamodel.session, item)

    def pre_update(self, item: SuspensionCase) -> None:
        """Derive anew what follows from the days."""
        steps.plan(self.datamodel.session, item)

    def pre_delete(self, item: SuspensionCase) -> None:
        """Delete an application only while nobody has acted on it."""
        if item.state != APPLIED:
            raise Refused(_("The township has confirmed this application; it stays as it is."))

    def derived(self, item: SuspensionCase) -> Sequence[Derived]:
        """Say what an approval today would lack, and lead to the next steps."""
        links = list(self._links(item))
        if item.state not in OPEN:
            return [Derived(_("Next steps"), "", links=links)] if links else []
        session = self.datamodel.session
        lacking = missing(session, item, today(), settings_of(session, steps.PLUGIN, today()))
        title = _("Conditions of an approval")
        if lacking:
            return [Derived(title, _("Not met yet"), "warning", lacking, links)]
        return [Derived(title, _("All met"), "success", links=links)]

    def _links(self, item: SuspensionCase) -> Iterable[tuple[str, str]]:
        """Yield the steps that the case can take now and the reader may take."""
        may = self.appbuilder.sm.has_access
        for view in STEPS:
            name = view.__name__
            if view.waits_for(item) and may("can_edit", name):
                yield str(view.noun), url_for(f"{name}.edit", pk=item.id)
        is_running = item.kind in POLICY and item.state in (*OPEN, APPROVED)
        if is_running and may("can_add", "VisitView"):
            yield _("Record a visit"), url_for("VisitView.add", _flt_0_child=item.child_id)


class Waiting(BaseFilter):
    """Keep the cases that wait for one kind of step."""

    def apply(self, query: Any, value: Any) -> Any:
        """Narrow a query to some states and kinds."""
        states, kinds = value
        return query.filter(and_(SuspensionCase.state.in_(states), SuspensionCase.kind.in_(kinds)))


class StepView(BureauModelView):
    """List the cases that wait for a step, and take it."""

    states: Sequence[str] = ()
    kinds: Sequence[str] = tuple(KINDS)
    list_columns = ["child", "kind", "school", "township", "applied_on", "approved_on", "ends_on"]
    show_columns: list[str] = []
    add_columns: list[str] = []
    search_columns = ["child", "kind", "school", "township", "applied_on"]
    base_order = ("applied_on", "asc")
    choices_columns = {"kind": KINDS, "state": STATES}
    exclude_route_methods = {"show", "add", "delete"}
    label_columns = LABELS

    @classmethod
    def waits_for(cls, item: SuspensionCase) -> bool:
        """Tell whether a case waits for this step."""
        return item.state in cls.states and item.kind in cls.kinds


class SuspensionConfirmationView(StepView):
    """Let the township confirm applications."""

    states, kinds = (APPLIED,), POLICY
    datamodel = interface(SuspensionCase)
    noun = _l("Confirm the application")
    list_title = _l("Applications to confirm")
    edit_columns = ["confirmed_on", "confirmation_note"]
    base_filters = [["state", Waiting, ((APPLIED,), POLICY)]]

    def pre_update(self, item: SuspensionCase) -> None:
        """Confirm, or refuse with the reason."""
        steps.confirm(item)


DECISION = SelectField(
    _l("Decision"),
    choices=[
        SelectChoice(APPROVE, _l("Approve")),
        SelectChoice(DECLINE, _l("Do not approve")),
    ],
    default=APPROVE,
    render_kw={"class": "form-control"},
)


class ApprovalView(StepView):
    """Decide on cases; what an approval lacks is named."""

    edit_columns = ["decision", "approved_on", "ends_on", "decision_note"]
    edit_form_extra_fields = {"decision": DECISION}
    description_columns = {"approved_on": _l("Visits on this day count neither before nor after.")}

    def check(self, form: Form, item: SuspensionCase | None) -> None:
        """Take the decision, or refuse it with the reason."""
        if item is None:
            return
        if form.decision.data == DECLINE:
            steps.decline(item)
        else:
            steps.approve(self.datamodel.session, item)


class SuspensionApprovalView(ApprovalView):
    """Decide on what the policy allows."""

    states, kinds = (CONFIRMED,), POLICY
    datamodel = interface(SuspensionCase)
    noun = _l("Decide on the case")
    list_title = _l("Suspensions and deferrals to decide on")
    base_filters = [["state", Waiting, ((CONFIRMED,), POLICY)]]


class MedicalApprovalView(ApprovalView):
    """Decide on suspensions and deferrals for illness."""

    states, kinds = (APPLIED,), MEDICAL
    datamodel = interface(SuspensionCase)
    noun = _l("Decide on the medical case")
    list_title = _l("Medical cases to decide on")
    base_filters = [["state", Waiting, ((APPLIED,), MEDICAL)]]


class SuspensionReturnView(StepView):
    """Record that children came back."""

    states = (APPROVED,)
    datamodel = interface(SuspensionCase)
    noun = _l("Record the return")
    list_title = _l("Suspended and deferred children not back yet")
    edit_columns = ["returned_on", "return_note"]
    base_filters = [["state", Waiting, ((APPROVED,), tuple(KINDS))]]

    def pre_update(self, item: SuspensionCase) -> None:
        """Record the return, or refuse it with the reason."""
        steps.bring_back(self.datamodel.session, item)


STEPS: tuple[type[StepView], ...] = (
    SuspensionConfirmationView,
    SuspensionApprovalView,
    MedicalApprovalView,
    SuspensionReturnView,
)


@hookimpl
def views() -> Iterable[Page]:
    """Return the screens, in the order of the work."""
    icons = ("fa-user-check", "fa-stamp", "fa-notes-medical", "fa-person-walking-arrow-loop-left")
    return [
        Page(SuspensionCaseView, SuspensionCaseView.list_title, "Children", "fa-user-clock"),
        Page(SuspensionPaperView, SuspensionPaperView.list_title, "", "fa-folder-open"),
        *(
            Page(view, view.list_title, "Children", icon)
            for view, icon in zip(STEPS, icons, strict=True)
        ),
    ]
