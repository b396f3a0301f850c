"""Screens of accountability: superior findings, cases and their steps, candidates, one's own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from flask import url_for
from flask_appbuilder.models.filters import BaseFilter
from sqlalchemy import select
from wtforms import Form

from app.kit import (
    BureauModelView,
    Derived,
    FieldRefused,
    Page,
    Person,
    Violation,
    _,
    _l,
    actor,
    capacity_title,
    hookimpl,
    interface,
    today,
)

from . import steps
from .models import AccountabilityCase, SuperiorFinding
from .words import (
    APPEALED,
    CANDIDATE,
    DISMISSED,
    HELD,
    INTERVIEW,
    KINDS,
    OPENED,
    PLUGIN,
    RECOMMENDED,
    SOURCES,
    STATES,
    TRANSFERRED,
)

CASE_COLUMNS = [
    "kind", "state", "opened_on", "school", "township", "person", "capacity", "unit", "ground",
    "superior_finding", "inspection", "violation", "statement", "stated_on", "recommendation",
    "recommended_on", "appeal", "appealed_on", "appeal_reply", "replied_on", "transferred_to",
    "transferred_on", "outcome", "outcome_number", "outcome_on", "dismissal", "dismissed_on",
]  # fmt: skip
OWN_COLUMNS = [one for one in CASE_COLUMNS if one not in ("superior_finding", "violation")]
LABELS = {
    "kind": _l("Kind of case"),
    "opened_on": _l("Case opened on"),
    "person": _l("Person concerned"),
    "capacity": _l("Capacity"),
    "unit": _l("Unit concerned"),
    "ground": _l("Ground of the case"),
    "superior_finding": _l("Superior finding"),
    "inspection": _l("Inspection"),
    "violation": _l("Candidate"),
    "statement": _l("Statement"),
    "stated_on": _l("Stated on"),
    "recommendation": _l("Recommendation"),
    "recommended_on": _l("Recommended on"),
    "appeal": _l("Appeal"),
    "appealed_on": _l("Appealed on"),
    "appeal_reply": _l("Answer to the appeal"),
    "replied_on": _l("Answered on"),
    "transferred_to": _l("Transferred to"),
    "transferred_on": _l("Transferred on"),
    "outcome": _l("Result of the case"),
    "outcome_number": _l("Number of the outcome"),
    "outcome_on": _l("Day of the outcome"),
    "dismissal": _l("Why it is not pursued"),
    "dismissed_on": _l("Not pursued since"),
}
RESULTS = {HELD: _l("To be established"), "unclear": _l("Cannot be established")}


class SuperiorFindingView(BureauModelView):
    """Enter what superiors found; the comparison with the county's inspections opens cases."""

    datamodel = interface(SuperiorFinding)
    noun = _l("Superior finding")
    list_title = _l("Superior findings")
    list_columns = ["found_on", "school", "township", "source", "item", "issuer"]
    show_columns = [
        "found_on", "school", "township", "source", "issuer", "number", "item", "child",
        "condition_since", "facts",
    ]  # fmt: skip
    add_columns = [
        "school", "found_on", "source", "issuer", "number", "item", "child", "condition_since",
        "facts", "evidence_set_id",
    ]  # fmt: skip
    edit_columns = [
        "found_on", "source", "issuer", "number", "item", "child", "condition_since", "facts",
        "evidence_set_id",
    ]  # fmt: skip
    search_columns = ["found_on", "school", "township", "source", "item", "issuer"]
    base_order = ("found_on", "desc")
    exclude_route_methods = {"delete"}
    choices_columns = {"source": SOURCES}
    label_columns = {
        "found_on": _l("Found on"),
        "source": _l("Kind of check"),
        "issuer": _l("Superior who checked"),
        "number": _l("Number of the paper"),
        "item": _l("Item of the checklist"),
        "condition_since": _l("It stood so since"),
        "facts": _l("Problem that was found"),
    }
    description_columns = {
        "item": _l("It is compared with what inspections before said of the same item."),
        "condition_since": _l(
            "Leave it empty where nobody knows: then nobody can be held to have overlooked it."
        ),
    }

    def check(self, form: Form, item: SuperiorFinding | None) -> None:
        """Keep the days in their order, and to a school."""
        day, since = form.found_on.data, form.condition_since.data
        if item is None and form.school.data is None:
            raise FieldRefused("school", _("Choose the school."))
        if day > today():
            raise FieldRefused("found_on", _("This day lies in the future."))
        if since is not None and since > day:
            raise FieldRefused("condition_since", _("This day lies after the day it was found."))

    def saved(self, item: SuperiorFinding, *, is_new: bool) -> None:
        """Open the cases that the comparison gives, in the same transaction."""
        steps.open_cases(self.datamodel.session, item)

    def derived(self, item: SuperiorFinding) -> Sequence[Derived]:
        """Show what the comparison with the county's inspections gives."""
        session = self.datamodel.session
        rows = steps.compare(session, item)
        names = dict(
            session.execute(
                select(Person.id, Person.name).where(Person.id.in_({row[2] for row in rows}))
            ).all()
        )
        titles = steps.type_titles()
        lines = [
            _(
                "%(day)s %(kind)s: %(person)s (%(capacity)s) found the item in order; %(result)s",
                day=day.isoformat(),
                kind=titles.get(kind, kind),
                person=names.get(person, ""),
                capacity=capacity_title(capacity),
                result=RESULTS[result],
            )
            for day, kind, person, capacity, result in rows
        ]
        title = _("Comparison with inspections before")
        links = []
        if self.appbuilder.sm.has_access("can_list", "AccountabilityCaseView"):
            address = url_for("AccountabilityCaseView.list", _flt_0_superior_finding=item.id)
            links = [(_("Cases"), address)]
        if not lines:
            return [Derived(title, _("Nobody had found it in order"), "success", links=links)]
        return [Derived(title, str(len(lines)), "warning", lines, links)]


class AccountabilityCaseView(BureauModelView):
    """Keep the cases, and confirm candidates for interviews."""

    datamodel = interface(AccountabilityCase)
    noun = _l("Case of accountability")
    list_title = _l("Cases of accountability")
    list_columns = ["opened_on", "kind", "school", "township", "person", "state"]
    show_columns = CASE_COLUMNS
    list_joins = ("superior_finding.school", "inspection.school", "inspection.township")
    add_columns = ["violation", "unit", "person", "ground"]
    edit_columns: list[str] = []
    search_columns = [
        "state", "kind", "opened_on", "school", "township", "person", "superior_finding",
    ]  # fmt: skip
    base_order = ("opened_on", "desc")
    exclude_route_methods = {"edit", "delete"}
    add_title = _l("Confirm a candidate for an interview")
    choices_columns = {"kind": KINDS, "state": STATES}
    formatters_columns = {"capacity": capacity_title}
    label_columns = LABELS
    description_columns = {
        "violation": _l("What a rule found is only a candidate: you confirm that it is so."),
        "unit": _l("The unit that had to act, never the school that was inspected."),
    }

    def pre_add(self, item: AccountabilityCase) -> None:
        """Open an interview, or refuse it."""
        steps.confirm_candidate(self.datamodel.session, item)

    def derived(self, item: AccountabilityCase) -> Sequence[Derived]:
        """Lead to the steps that the case can take now."""
        may = self.appbuilder.sm.has_access
        links = [
            (str(view.noun), url_for(f"{view.__name__}.edit", pk=item.id))
            for view in STEPS
            if view.waits_for(item) and may("can_edit", view.__name__)
        ]
        return [Derived(_("Next steps"), "", links=links)] if links else []


class Waiting(BaseFilter):
    """Keep the cases that wait for a step."""

    def apply(self, query: Any, value: Any) -> Any:
        """Narrow a query to some states."""
        return query.filter(AccountabilityCase.state.in_(value))


class Own(BaseFilter):
    """Keep the cases that concern the acting person."""

    def apply(self, query: Any, value: Any) -> Any:
        """Narrow a query to the person's own cases."""
        return query.filter(AccountabilityCase.person_id == (actor.get().person_id or 0))


class StepView(BureauModelView):
    """List the cases that wait for a step, and take it."""

    states: Sequence[str] = ()
    list_columns = ["opened_on", "kind", "school", "township", "person", "state"]
    show_columns: list[str] = []
    add_columns: list[str] = []
    search_columns = ["kind", "school", "township", "opened_on"]
    base_order = ("opened_on", "asc")
    choices_columns = {"kind": KINDS, "state": STATES}
    exclude_route_methods = {"show", "add", "delete"}
    label_columns = LABELS

    @classmethod
    def waits_for(cls, item: AccountabilityCase) -> bool:
        """Tell whether a case waits for this step."""
        return item.state in cls.states


class CaseRecommendationView(StepView):
    """Make the recommendation, after the statement and again after an appeal."""

    states = (OPENED, APPEALED)
    datamodel = interface(AccountabilityCase)
    noun = _l("Make the recommendation")
    list_title = _l("Cases that wait for a recommendation")
    edit_columns = ["recommendation", "appeal_reply"]
    base_filters = [["state", Waiting, (OPENED, APPEALED)]]
    description_columns = {"appeal_reply": _l("Needed after an appeal.")}

    def pre_update(self, item: AccountabilityCase) -> None:
        """Recommend, or refuse with the reason."""
        steps.recommend(self.datamodel.session, item)


class CaseTransferView(StepView):
    """Transfer cases."""

    states = (RECOMMENDED,)
    datamodel = interface(AccountabilityCase)
    noun = _l("Transfer the case")
    list_title = _l("Cases to transfer")
    edit_columns = ["transferred_to", "transferred_on"]
    base_filters = [["state", Waiting, (RECOMMENDED,)]]

    def pre_update(self, item: AccountabilityCase) -> None:
        """Transfer, or refuse with the reason."""
        steps.transfer(self.datamodel.session, item)


class CaseOutcomeView(StepView):
    """Enter the outcomes."""

    states = (RECOMMENDED, TRANSFERRED)
    datamodel = interface(AccountabilityCase)
    noun = _l("Enter the outcome")
    list_title = _l("Cases that wait for their outcome")
    edit_columns = ["outcome", "outcome_number", "outcome_on"]
    base_filters = [["state", Waiting, (RECOMMENDED, TRANSFERRED)]]

    @classmethod
    def waits_for(cls, item: AccountabilityCase) -> bool:
        """Tell whether the outcome can be entered: of an interview also without a transfer."""
        return item.state == TRANSFERRED or (item.kind == INTERVIEW and item.state == RECOMMENDED)

    def pre_update(self, item: AccountabilityCase) -> None:
        """Conclude, or refuse with the reason."""
        steps.conclude(self.datamodel.session, item)


class CaseDismissalView(StepView):
    """Leave cases alone that are not to be pursued."""

    states = (OPENED, RECOMMENDED, APPEALED)
    datamodel = interface(AccountabilityCase)
    noun = _l("Do not pursue it")
    list_title = _l("Cases that may be left alone")
    edit_columns = ["dismissal"]
    base_filters = [["state", Waiting, (OPENED, RECOMMENDED, APPEALED)]]

    def pre_update(self, item: AccountabilityCase) -> None:
        """Dismiss, or refuse with the reason."""
        steps.dismiss(item)


class OwnCaseView(BureauModelView):
    """Show people the cases that concern themselves."""

    datamodel = interface(AccountabilityCase)
    noun = _l("Case that concerns me")
    list_title = _l("Cases that concern me")
    list_columns = ["opened_on", "kind", "school", "township", "state"]
    show_columns = OWN_COLUMNS
    list_joins = ("inspection.school", "inspection.township")
    add_columns: list[str] = []
    edit_columns: list[str] = []
    search_columns = ["state", "kind", "opened_on"]
    base_order = ("opened_on", "desc")
    base_filters = [["person", Own, True]]
    exclude_route_methods = {"add", "edit", "delete"}
    choices_columns = {"kind": KINDS, "state": STATES}
    formatters_columns = {"capacity": capacity_title}
    label_columns = LABELS

    def derived(self, item: AccountabilityCase) -> Sequence[Derived]:
        """Lead to the statement or the appeal, while it is time for it."""
        session = self.datamodel.session
        if item.state == OPENED:
            until = steps.last_day_of_statement(session, item).isoformat()
            link = (str(OwnStatementView.noun), url_for("OwnStatementView.edit", pk=item.id))
            text = _("You may state your view; it is waited for until %(day)s.", day=until)
            return [Derived(_("Statement"), "", reasons=[text], links=[link])]
        if item.state == RECOMMENDED and item.replied_on is None:
            last = steps.last_day_of_appeal(session, item)
            if today() <= last:
                link = (str(OwnAppealView.noun), url_for("OwnAppealView.edit", pk=item.id))
                text = _("You may appeal until %(day)s.", day=last.isoformat())
                return [Derived(_("Appeal"), "", reasons=[text], links=[link])]
        return []


class OwnStepView(StepView):
    """Let people speak on the cases that concern themselves."""

    list_columns = ["opened_on", "kind", "school", "township", "state"]


class OwnStatementView(OwnStepView):
    """Take the statement of the person concerned."""

    states = (OPENED,)
    datamodel = interface(AccountabilityCase)
    noun = _l("State my view")
    list_title = _l("Cases that wait for my statement")
    edit_columns = ["statement"]
    base_filters = [["person", Own, True], ["state", Waiting, (OPENED,)]]

    def pre_update(self, item: AccountabilityCase) -> None:
        """Keep the statement, or refuse with the reason."""
        steps.state_own(item)


class OwnAppealView(OwnStepView):
    """Take the appeal of the person concerned."""

    states = (RECOMMENDED,)
    datamodel = interface(AccountabilityCase)
    noun = _l("Appeal against it")
    list_title = _l("Cases that I may appeal against")
    edit_columns = ["appeal"]
    base_filters = [["person", Own, True], ["state", Waiting, (RECOMMENDED,)]]

    def pre_update(self, item: AccountabilityCase) -> None:
        """Keep the appeal, or refuse with the reason."""
        steps.appeal(self.datamodel.session, item)


class Candidates(BaseFilter):
    """Keep what the rules on interviews found and what still holds."""

    def apply(self, query: Any, value: Any) -> Any:
        """Narrow a query to the candidates."""
        return query.filter(
            Violation.code == value,
            Violation.rule_key.startswith(f"{PLUGIN}."),
            Violation.resolved_on.is_(None),
        )


class InterviewCandidateView(BureauModelView):
    """List the candidates for interviews; a person confirms them."""

    datamodel = interface(Violation)
    noun = _l("Candidate for an interview")
    list_title = _l("Candidates for interviews")
    list_columns = ["period_start", "township", "school", "message", "first_seen"]
    show_columns = [
        "township", "school", "message", "observed", "required", "period_start", "first_seen",
    ]  # fmt: skip
    add_columns: list[str] = []
    edit_columns: list[str] = []
    search_columns = ["township", "school", "period_start", "first_seen"]
    base_order = ("first_seen", "desc")
    base_filters = [["code", Candidates, CANDIDATE]]
    exclude_route_methods = {"add", "edit", "delete"}
    label_columns = {
        "message": _l("What was found"),
        "observed": _l("Observed"),
        "required": _l("Required value"),
        "period_start": _l("Period from"),
        "first_seen": _l("First seen"),
    }

    def derived(self, item: Violation) -> Sequence[Derived]:
        """Lead to the interview under way, or to the confirmation."""
        session = self.datamodel.session
        query = select(AccountabilityCase.id).where(
            AccountabilityCase.violation_id == item.id, AccountabilityCase.state != DISMISSED
        )
        case = session.scalar(query.limit(1))
        if case is not None:
            address = url_for("AccountabilityCaseView.show", pk=case)
            links = [(_("Open it"), address)]
            return [Derived(_("Interview"), _("Being dealt with"), "info", links=links)]
        if not self.appbuilder.sm.has_access("can_add", "AccountabilityCaseView"):
            return []
        address = url_for("AccountabilityCaseView.add", _flt_0_violation=item.id)
        return [Derived(_("Interview"), "", links=[(_("Confirm the candidate"), address)])]


STEPS: tuple[type[StepView], ...] = (
    CaseRecommendationView,
    CaseTransferView,
    CaseOutcomeView,
    CaseDismissalView,
)


@hookimpl
def views() -> Iterable[Page]:
    """Return the screens, in the order of the work."""
    group = "Accountability"
    placed: tuple[tuple[type[BureauModelView], str], ...] = (
        (SuperiorFindingView, "fa-magnifying-glass-plus"),
        (InterviewCandidateView, "fa-user-clock"),
        (AccountabilityCaseView, "fa-gavel"),
        (OwnCaseView, "fa-user-shield"),
    )
    hidden: tuple[type[StepView], ...] = (*STEPS, OwnStatementView, OwnAppealView)
    return [
        *(Page(view, view.list_title, group, icon) for view, icon in placed),
        *(Page(view, view.list_title, "") for view in hidden),
    ]
