"""Show the disability roster, the cases with their papers, and the sessions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from flask import url_for
from markupsafe import Markup, escape
from wtforms import Form

from app.kit import (
    BureauModelView,
    FieldRefused,
    NoValue,
    Page,
    _,
    _l,
    hookimpl,
    interface,
    settings_of,
    today,
)

from .excuse_view import HomeTeachingExcuseView
from .figures import PLUGIN
from .models import Case, Disability, Paper, TeachingSession
from .papers import DATED, faults, held_of
from .sheet import HomeTeachingView
from .spans import check_span, overlapping
from .status import follow
from .words import (
    DETERMINATIONS,
    DISABILITIES,
    END_REASONS,
    LEVELS,
    PAPERS,
    PLACEMENTS,
)

CATEGORY = "Children"


def shown_papers(papers: Sequence[Paper]) -> Markup:
    """Return what is wrong with the documents of a case, or that all are there."""
    session = interface(Paper).session
    try:
        first_year = int(settings_of(session(), PLUGIN, today()).first_forms_year)
    except NoValue:
        return Markup("")
    determined_on = papers[0].case.determined_on if papers else today()
    wrong = [escape(text) for text in faults(held_of(papers), determined_on, first_year)]
    if not wrong:
        return Markup('<span class="badge-soft tone-success">{}</span>').format(_("Complete"))
    return Markup('<ul class="waiting">{}</ul>').format(
        Markup("").join(Markup("<li>{}</li>").format(text) for text in wrong)
    )


def month_link(case_id: int) -> Markup:
    """Return the way to the sessions of a case."""
    return Markup('<a class="btn btn-default btn-sm" href="{}">{}</a>').format(
        url_for("HomeTeachingView.month", pk=case_id), _("Months and class hours")
    )


class DisabilityView(BureauModelView):
    """Keep the disability roster 残疾儿童花名册, with where each child is taught."""

    datamodel = interface(Disability)
    route_base = "/home-teaching/disabilities"
    noun = _l("Line of the disability roster")
    list_title = _l("Disability roster")
    list_columns = ["child", "school", "kind", "level", "placement", "valid_from", "valid_to"]
    show_columns = [
        "child", "township", "school", "kind", "level", "certificate_number", "placement",
        "valid_from", "valid_to", "note",
    ]  # fmt: skip
    add_columns = [
        "child", "kind", "level", "certificate_number", "placement", "valid_from", "valid_to",
        "note", "evidence_set_id",
    ]  # fmt: skip
    edit_columns = add_columns[1:]
    search_columns = [
        "child", "school", "township", "kind", "level", "placement", "valid_from", "valid_to",
    ]  # fmt: skip
    base_order = ("valid_from", "desc")
    choices_columns = {"kind": DISABILITIES, "level": LEVELS, "placement": PLACEMENTS}
    label_columns = {
        "kind": _l("Kind of disability"),
        "level": _l("Level of disability"),
        "certificate_number": _l("Number of the disability certificate"),
        "placement": _l("Placement"),
        "valid_from": _l("On the roster from"),
        "valid_to": _l("On the roster until"),
    }
    description_columns = {
        "placement": _l("Leave empty only while the child is not placed yet."),
    }

    def check(self, form: Form, item: Disability | None) -> None:
        """Keep the days in order, and one line for each child at a time."""
        first, last = form.valid_from.data, form.valid_to.data
        check_span(first, last, "valid_to")
        child = form.child.data if item is None else item.child
        other = overlapping(Disability, child.id, first, last, item)
        if self.datamodel.session.scalar(other) is not None:
            text = _("The child is on the roster already on these days.")
            raise FieldRefused("valid_from", text)


class HomeTeachingPaperView(BureauModelView):
    """Keep the documents of a case of home teaching."""

    datamodel = interface(Paper)
    route_base = "/home-teaching/papers"
    noun = _l("Paper of home teaching")
    list_title = _l("Papers of home teaching")
    list_columns = ["case.child", "kind", "form_year", "issued_on"]
    show_columns = ["case", "kind", "form_year", "issued_on", "note"]
    add_columns = ["case", "kind", "form_year", "issued_on", "note", "evidence_set_id"]
    edit_columns = ["kind", "form_year", "issued_on", "note", "evidence_set_id"]
    search_columns = ["case", "school", "township", "kind", "form_year", "issued_on"]
    base_order = ("id", "desc")
    list_joins = ("case.child",)
    choices_columns = {"kind": PAPERS}
    label_columns = {
        "case": _l("Case of home teaching"),
        "case.child": _l("Child"),
        "kind": _l("Kind of paper"),
        "form_year": _l("Year of the form"),
        "issued_on": _l("Issued on"),
    }
    description_columns = {
        "form_year": _l("The year that is printed on the form."),
        "evidence_set_id": _l("Scan or photo; a paper without a file is missing."),
    }

    def check(self, form: Form, item: Paper | None) -> None:
        """Ask for the year of a form that has one, and keep the paper out of the future."""
        if form.kind.data in DATED and form.form_year.data is None:
            raise FieldRefused("form_year", _("This form bears a year: enter it."))
        if form.issued_on.data is not None and form.issued_on.data > today():
            raise FieldRefused("issued_on", _("This day lies in the future."))


class HomeTeachingSessionView(BureauModelView):
    """List the sessions of home teaching; a child's month takes and changes them."""

    datamodel = interface(TeachingSession)
    route_base = "/home-teaching/sessions"
    noun = _l("Session of home teaching")
    list_title = _l("Sessions of home teaching")
    list_columns = [
        "taught_on", "child", "school", "starts_at", "ends_at", "minutes", "stated_hours",
    ]  # fmt: skip
    show_columns = [
        "taught_on", "child", "township", "school", "starts_at", "ends_at", "minutes",
        "stated_hours", "teachers", "plan", "record",
    ]  # fmt: skip
    add_columns: list[str] = []
    edit_columns: list[str] = []
    search_columns = ["taught_on", "child", "school", "township", "stated_hours", "minutes"]
    base_order = ("taught_on", "desc")
    label_columns = {
        "taught_on": _l("Taught on"),
        "starts_at": _l("Starts at"),
        "ends_at": _l("Ends at"),
        "minutes": _l("Minutes"),
        "stated_hours": _l("Stated class hours"),
        "teachers": _l("Teachers"),
        "plan": _l("Lesson plan"),
        "record": _l("Record of the session"),
    }


class HomeTeachingCaseView(BureauModelView):
    """Keep the cases of home teaching 送教上门 with their papers."""

    datamodel = interface(Case)
    route_base = "/home-teaching/cases"
    noun = _l("Case of home teaching")
    list_title = _l("Cases of home teaching")
    list_columns = ["child", "school", "teacher", "determination", "starts_on", "ends_on"]
    show_columns = [
        "child", "township", "school", "teacher", "determination", "determined_on", "starts_on",
        "ends_on", "end_reason", "note", "papers", "id",
    ]  # fmt: skip
    add_columns = [
        "child", "school", "teacher", "determination", "determined_on", "starts_on", "ends_on",
        "end_reason", "note",
    ]  # fmt: skip
    edit_columns = add_columns[1:]
    search_columns = [
        "child", "school", "township", "teacher", "determination", "determined_on", "starts_on",
        "ends_on",
    ]  # fmt: skip
    base_order = ("starts_on", "desc")
    choices_columns = {"determination": DETERMINATIONS, "end_reason": END_REASONS}
    related_views = [HomeTeachingPaperView]
    formatters_columns = {"papers": shown_papers, "id": month_link}
    label_columns = {
        "teacher": _l("Responsible teacher"),
        "determination": _l("Determination"),
        "determined_on": _l("Determined on"),
        "starts_on": _l("Taught at home from"),
        "ends_on": _l("Taught at home until"),
        "end_reason": _l("Reason of the end"),
        "papers": _l("Papers"),
        "id": _l("Sessions"),
    }
    description_columns = {
        "school": _l("The school whose teachers go to the child."),
        "determination": _l("What the board of experts found."),
    }

    def check(self, form: Form, item: Case | None) -> None:
        """Keep the days in order, and one case for each child at a time."""
        first, last = form.starts_on.data, form.ends_on.data
        check_span(first, last, "ends_on")
        if form.determined_on.data > today():
            raise FieldRefused("determined_on", _("This day lies in the future."))
        if (last is None) != (form.end_reason.data is None):
            raise FieldRefused("end_reason", _("The last day and its reason belong together."))
        child = form.child.data if item is None else item.child
        if (
            self.datamodel.session.scalar(overlapping(Case, child.id, first, last, item))
            is not None
        ):
            text = _("Another case of the child covers some of these days. End it first.")
            raise FieldRefused("starts_on", text)

    def saved(self, item: Case, *, is_new: bool) -> None:
        """Let the child's status follow a case that begins."""
        if is_new:
            follow(self.datamodel.session(), item)


@hookimpl
def views() -> Iterable[Page]:
    """Return the screens."""
    return [
        Page(HomeTeachingView, "Home teaching this month", CATEGORY, "fa-house-chimney-user"),
        Page(HomeTeachingCaseView, "Cases of home teaching", CATEGORY, "fa-folder-open"),
        Page(HomeTeachingSessionView, "Sessions of home teaching", CATEGORY, "fa-chalkboard"),
        Page(HomeTeachingPaperView, "Papers of home teaching", CATEGORY, "fa-file-lines"),
        Page(
            HomeTeachingExcuseView, "Excused months of home teaching", CATEGORY, "fa-calendar-xmark"
        ),
        Page(DisabilityView, "Disability roster", CATEGORY, "fa-wheelchair"),
    ]
