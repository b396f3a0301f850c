"""Compare lists, follow up and close the lines, and show the head-count of a day."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import abort, flash, g, make_response, redirect, request, url_for
from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select
from wtforms import Form, SelectField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Optional

from app.kit import (
    BureauModelView,
    FieldRefused,
    Kept,
    KeptFileField,
    Page,
    Refused,
    check_list,
    hookimpl,
    interface,
    today,
    workbook_answer,
)

from .catalogue import FROM_FILE, closures, methods, own_lists, titles
from .closing import close, fitting_codes, is_open, may_take_over, reopen, take_over
from .headcount_view import HeadcountView
from .lists import LIST
from .models import Comparison, Residual
from .outcome import parts_of
from .page import KINDS, LIKENESSES, sides_of, summary_of
from .sheets import sheets_of
from .work import SIDES, begin, state

CATEGORY, ICON = "Children", "fa-scale-balanced"
PURPOSE_LENGTH = 200
SOURCES = {FROM_FILE: _l("Uploaded file"), **titles(own_lists())}


def _kept_file(form: Form, side: str) -> Kept | None:
    """Return the file of a side that comes from one; raise FieldRefused where it is unreadable."""
    if form[f"{side}_source"].data != FROM_FILE:
        return None
    kept: Kept | None = form[f"{side}_upload"].kept
    if kept is None:
        raise FieldRefused(f"{side}_upload", _("Choose a file."))
    try:
        check_list(LIST, kept.content, kept.name)
    except Refused as refusal:
        raise FieldRefused(f"{side}_upload", refusal.message) from None
    return kept


class ReasonField(SelectField):
    """Offer codes of closing: another choice for each line, so never drawn once for all."""


def _reasons() -> list[SelectChoice]:
    known = titles(closures()).items()
    return [SelectChoice("", ""), *(SelectChoice(key, title) for key, title in known)]


class ResidualView(BureauModelView):
    """List the lines that do not agree, and close them with a reason and its proof."""

    datamodel = interface(Residual)
    route_base = "/comparison-lines"
    noun = _l("Line of a comparison")
    list_title = _l("Lines to be followed up")
    edit_title = _l("Close the line")
    list_columns = ["name", "kind", "likeness", "township", "school", "closure", "closed_at"]
    show_columns = [
        "comparison", "kind", "likeness", "township", "school", "remark", "closure",
        "closure_note", "closed_at", "closed_by",
    ]  # fmt: skip
    add_columns: list[str] = []
    edit_columns = ["closure", "closure_note", "evidence_set_id"]
    search_columns = [
        "name", "kind", "likeness", "closure", "closed_at", "is_sound", "comparison", "school",
        "township",
    ]  # fmt: skip
    base_order = ("id", "asc")
    exclude_route_methods = frozenset({"add", "delete"})
    show_template = "reconciliation/line.html"
    choices_columns = {
        "kind": KINDS,
        "likeness": LIKENESSES,
        "closure": titles(closures()),
    }
    label_columns = {
        "name": _l("Full name"),
        "comparison": _l("Comparison of lists"),
        "kind": _l("What does not agree"),
        "likeness": _l("Why they may be one"),
        "remark": _l("The list says"),
        "closure": _l("Reason of closing"),
        "closure_note": _l("Remark on closing"),
        "closed_at": _l("Closed at"),
        "closed_by": _l("Closed by"),
        "is_sound": _l("The id numbers are sound"),
        "evidence_set_id": _l("Proof"),
    }
    edit_form_extra_fields = {
        "closure": ReasonField(
            _l("Reason of closing"),
            choices=_reasons,
            coerce=lambda key: key or None,
            validators=[Optional()],
            description=_l("Check the id number first: a slip of the pen is no dropout."),
            render_kw={"class": "form-control"},
        )
    }
    description_columns = {
        "evidence_set_id": _l("Most reasons need a paper or a picture that shows them."),
    }

    def before_edit(self, item: Residual) -> None:
        """Lead back from a line that is closed: it is opened again first."""
        if not is_open(item):
            flash(_("The line is closed. Open it again before you change it."), "warning")
            abort(redirect(url_for(".show", pk=item.id)))

    def prefill_form(self, form: Form, pk: int) -> None:
        """Offer the reasons that fit the line only."""
        fitting = {"", *fitting_codes(self.row(pk))}
        form.closure.choices = [one for one in form.closure.choices if one.value in fitting]

    def check(self, form: Form, item: Residual | None) -> None:
        """Ask for a reason that fits the line, and for its proof."""
        assert item is not None
        field = form.evidence_set_id
        kept = [file for file in field.files if file.id not in field.dropped]
        close(item, form.closure.data, has_proof=bool(kept))

    def saved(self, item: Residual, *, is_new: bool) -> None:
        """Let two different children become a line each."""
        code = closures().get(item.closure or "")
        if code is not None and code.parts:
            self.datamodel.session.add_all(list(parts_of(item)))
            self.datamodel.session.flush()

    def shown(self, item: Residual) -> None:
        """Remember the line for the template."""
        g.shown_line = item

    def render_template(self, template: str, **kwargs: Any) -> Any:
        """Set the two sides of a line beside each other."""
        line = g.get("shown_line")
        if template == self.show_template and line is not None:
            kwargs.update(
                line=line,
                sides=sides_of(line),
                is_open=is_open(line),
                may_edit=self._may("can_edit", type(self).__name__),
                takes_over=self._may("can_edit", "ChildView") and may_take_over(line),
            )
        return super().render_template(template, **kwargs)

    @expose("/take-over/<pk>", methods=["POST"])
    @has_access
    @permission_name("edit")
    def take_over(self, pk: str) -> Any:
        """Give the product's own child the id number of the other list, and close the line."""
        if not self._may("can_edit", "ChildView"):
            abort(403)
        return self._do(pk, take_over, _("The id number was corrected and the line closed."))

    @expose("/reopen/<pk>", methods=["POST"])
    @has_access
    @permission_name("reopen")
    def reopen(self, pk: str) -> Any:
        """Open a closed line again; the trail keeps how it was closed."""
        return self._do(pk, reopen, _("The line is open again."))

    def _do(self, pk: str, deed: Any, told: str) -> Any:
        session, line = self.datamodel.session, self.row(pk)
        try:
            deed(session(), line)
            session.commit()
            flash(told, "success")
        except Refused as refusal:
            session.rollback()
            flash(refusal.message, "danger")
        return redirect(url_for(".show", pk=pk))

    def _may(self, permission: str, view: str) -> bool:
        return bool(self.appbuilder.sm.has_access(permission, view))


class ComparisonView(BureauModelView):
    """Compare two lists, each a file or the product's own children."""

    datamodel = interface(Comparison)
    route_base = "/comparisons"
    noun = _l("Comparison of lists")
    list_title = _l("Comparisons of lists")
    list_columns = [
        "compared_on", "method", "township", "school", "left_count", "right_count", "agreeing",
    ]  # fmt: skip
    show_columns = [
        "compared_on", "method", "township", "school", "left_source", "left_file", "left_count",
        "right_source", "right_file", "right_count", "agreeing", "note",
    ]  # fmt: skip
    add_columns = ["method", "left_source", "left_upload", "right_source", "right_upload", "note"]
    edit_columns = ["note"]
    search_columns = ["compared_on", "method", "township", "school"]
    base_order = ("id", "desc")
    related_views = [ResidualView]
    show_template = "reconciliation/comparison.html"
    choices_columns = {
        "method": titles(methods()),
        "left_source": SOURCES,
        "right_source": SOURCES,
    }
    add_form_extra_fields = {
        "left_upload": KeptFileField(
            _l("File of the first list"),
            description=_l("Workbook or .csv with the columns name and, best, id number."),
        ),
        "right_upload": KeptFileField(
            _l("File of the second list"),
            description=_l("Workbook or .csv with the columns name and, best, id number."),
        ),
    }
    label_columns = {
        "compared_on": _l("Compared on"),
        "method": _l("What is compared"),
        "left_source": _l("First list"),
        "left_file": _l("File of the first list"),
        "left_count": _l("Rows of the first list"),
        "right_source": _l("Second list"),
        "right_file": _l("File of the second list"),
        "right_count": _l("Rows of the second list"),
        "agreeing": _l("Agreeing"),
        "note": _l("Note"),
    }
    description_columns = {
        "method": _l("The first list stands before the ×, the second after it."),
    }

    def check(self, form: Form, item: Comparison | None) -> None:
        """See that the files can be read before anything is stored; the job reads their lines."""
        if item is None:
            g.kept_files = {side: _kept_file(form, side) for side in SIDES}

    def pre_add(self, item: Comparison) -> None:
        """Note the day and the files."""
        item.compared_on = today()
        for side, kept in g.kept_files.items():
            if kept is not None:
                setattr(item, f"{side}_file", kept.name)

    def post_add(self, item: Comparison) -> None:
        """Let the stored comparison be worked off."""
        begin(self.datamodel.session(), item, g.kept_files)

    def pre_delete(self, item: Comparison) -> None:
        """Take open lines along; one with a closed line, or at work, stays."""
        session = self.datamodel.session
        job = state(session(), item)
        if job is not None and job.is_busy:
            raise Refused(_("The lists are being compared just now."))
        lines = Residual.comparison_id == item.id
        closed = select(Residual.id).where(lines, Residual.closed_at.is_not(None))
        if session.scalar(closed.limit(1)) is not None:
            raise Refused(_("Lines of this comparison are closed already; it stays."))
        session.execute(delete(Residual).where(lines))

    def shown(self, item: Comparison) -> None:
        """Remember the comparison for the template."""
        g.shown_comparison = item

    def render_template(self, template: str, **kwargs: Any) -> Any:
        """Add how many lines of each kind there are, and how many are open."""
        shown = g.get("shown_comparison")
        if template == self.show_template and shown is not None:
            kwargs.update(
                comparison=shown,
                summary=summary_of(self.datamodel.session(), shown),
                job=state(self.datamodel.session(), shown),
                may_export=self.appbuilder.sm.has_access("can_export", type(self).__name__),
                may_reveal=self._may_reveal(),
            )
        page = super().render_template(template, **kwargs)
        if not (kwargs.get("job") and kwargs["job"].is_busy):
            return page
        answer = make_response(page)
        answer.headers["Refresh"] = "2"
        return answer

    @expose("/workbook/<pk>", methods=["GET", "POST"])
    @has_access
    @permission_name("export")
    def workbook(self, pk: str) -> Any:
        """Hand out the lines in the reader's scope; id numbers in full only for a purpose."""
        item, purpose = self.row(pk), request.form.get("purpose", "").strip()[:PURPOSE_LENGTH]
        is_revealed = request.method == "POST"
        if is_revealed and not self._may_reveal():
            abort(403)
        if is_revealed and not purpose:
            flash(_("Say for what the id numbers are needed in full."), "warning")
            return redirect(url_for(".show", pk=pk))
        sheets = sheets_of(self.datamodel.session(), item, is_revealed=is_revealed)
        note = f"comparison {item.id}"
        return workbook_answer(str(item), sheets, f"{note}: {purpose}" if is_revealed else note)

    def _may_reveal(self) -> bool:
        return bool(self.appbuilder.sm.has_access("can_reveal", "ChildView"))


@hookimpl
def views() -> Iterable[Page]:
    """Return the screens, all within the children's part of the menu."""
    return [
        Page(ComparisonView, "Comparisons of lists", CATEGORY, ICON),
        Page(ResidualView, "Lines to be followed up", CATEGORY, "fa-list-check"),
        Page(HeadcountView, "Head-count of a day", CATEGORY, "fa-users-viewfinder"),
    ]
