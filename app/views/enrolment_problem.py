"""Show problem enrolments 问题学籍 to the schools that share a number, and settle them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

from flask_appbuilder import AppBuilder, expose, has_access
from flask_appbuilder.security.decorators import permission_name
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import TextAreaField
from wtforms.validators import Length

from app import clock
from app.crud.fields import PlainText, Required, trimmed
from app.crud.interface import BureauInterface
from app.crud.placement import place_of_reader
from app.extensions import db
from app.files.evidence import adopt, files_of
from app.files.field import EvidenceField
from app.models import EnrolmentProblem
from app.models.enrolment_problem import CORRECTED, ENDED, KEPT, OPEN, WITHDRAWN
from app.security import audit
from app.security.guard import current_scope, unrestricted
from app.views.finding_form import LoopForm
from app.views.loop import StepView
from app.workflow import enrolment_problem as problems
from app.workflow.enrolment_problem import Decision
from app.workflow.seat import counted_elsewhere, last_seen

STATES = {
    OPEN: _l("Not settled yet"),
    KEPT: _l("The child is at this school"),
    ENDED: _l("The child is at another school; this record has ended"),
    CORRECTED: _l("The number was corrected"),
    WITHDRAWN: _l("No other school reports the number any more"),
}


class DecisionForm(LoopForm):
    """Ask why a problem is settled so."""

    hint: ClassVar[Any] = ""
    note = TextAreaField(
        _l("Reason"),
        [Required(), PlainText(lines=True), Length(max=500)],
        filters=[trimmed],
        description=_l("What was checked: roll-call, household register, talk with the guardian."),
        render_kw={"class": "form-control", "rows": 3},
    )
    evidence = EvidenceField(_l("Proof"), owner=place_of_reader)

    def shown(self) -> list[Any]:
        """Return the fields in the order of the page."""
        return [self.note, self.evidence]


class KeepForm(DecisionForm):
    """Settle that the child is at this school."""

    key = "keep"
    heading = _l("The child is at this school")
    hint = _l("The records of the other schools end, with their class and their number.")


class GiveUpForm(DecisionForm):
    """Settle that the child is not at this school."""

    key = "give-up"
    heading = _l("The child is not at this school")
    hint = _l("The record of this school ends, with its class and its number.")


@dataclass(frozen=True, slots=True)
class Side:
    """One school's side of a number, as far as the reader may see it."""

    name: str | None
    school: str | None
    school_class: str | None
    seen_on: date | None
    is_own: bool
    is_seat: bool
    """Whether the child counts here."""
    has_other_name: bool


class EnrolmentProblemView(StepView):
    """List the schools' own sides of shared numbers; show what to do; settle."""

    datamodel = BureauInterface(EnrolmentProblem)
    route_base = "/enrolment-problems"
    noun = _l("Problem enrolment")
    list_title = _l("Problem enrolments")
    list_columns = ["child", "school", "township", "opened_on", "settled_on", "state"]
    show_columns = [
        "child", "township", "school", "opened_on", "settled_on", "state", "settled_by", "note",
    ]  # fmt: skip
    add_columns: list[str] = []
    edit_columns: list[str] = []
    search_columns = ["child", "school", "township", "opened_on", "settled_on", "state"]
    base_order = ("opened_on", "desc")
    exclude_route_methods = {"add", "edit", "delete"}
    show_template = "enrolment_problem/show.html"
    choices_columns = {"state": STATES}
    label_columns = {
        "opened_on": _l("Found on"),
        "settled_on": _l("Settled on"),
        "state": _l("State"),
        "settled_by": _l("Settled by"),
        "note": _l("Reason"),
    }

    @expose("/show/<pk>", methods=["GET"])
    @has_access
    def show(self, pk: str) -> Any:
        """Show what is known, what to do, and what the reader may settle."""
        problem = self.row(pk, self.show_columns)
        audit.record("read", table="child", row_id=problem.child_id)
        self.update_redirect()
        return self.page_of(problem)

    @expose("/keep/<pk>", methods=["POST"])
    @has_access
    @permission_name("settle")
    def keep(self, pk: str) -> Any:
        """Let this school keep the child."""
        return self._settle(pk, KeepForm, problems.keep)

    @expose("/give-up/<pk>", methods=["POST"])
    @has_access
    @permission_name("settle")
    def give_up(self, pk: str) -> Any:
        """End the record of this school."""
        return self._settle(pk, GiveUpForm, problems.give_up)

    def _settle(self, pk: str, kind: type[DecisionForm], act: Callable[..., None]) -> Any:
        form = kind(prefix=f"{kind.key}-")

        def settle(problem: EnrolmentProblem) -> str:
            session = db.session()
            proof = adopt(session, problem, problem.evidence_set_id, form.evidence.staged_id)
            act(session, problem, Decision(self.hand().person_id, form.note.data, proof))
            return _("The problem enrolment is settled.")

        return self.take(self.row(pk, self.show_columns), form, settle)

    def page_of(self, row: EnrolmentProblem, sent: Any | None = None) -> Any:
        """Return the page, with the form that came back among those offered."""
        sides = [] if row.settled_on is not None else list(_sides(row))
        return self.render_template(
            self.show_template,
            title=_("Problem enrolment: %(child)s", child=row.child.name),
            problem=row,
            state=STATES.get(row.state),
            sides=sides,
            differs=any(side.has_other_name for side in sides),
            files=files_of(db.session(), [row.evidence_set_id]).get(row.evidence_set_id, ()),
            forms=list(self._forms(row, sides, sent)),
            pk=row.id,
            may_edit=self.appbuilder.sm.has_access("can_edit", "ChildView"),
        )

    def _forms(
        self, row: EnrolmentProblem, sides: Sequence[Side], sent: Any | None
    ) -> Iterator[DecisionForm]:
        """Yield the forms that the reader may send: who sees all sides may choose between them."""
        if row.settled_on is not None:
            return
        may_settle = bool(self.appbuilder.sm.has_access("can_settle", self.class_permission_name))
        is_one_child = not any(side.has_other_name for side in sides)
        sees_all = all(side.school is not None for side in sides)
        offers = {KeepForm: may_settle and sees_all and is_one_child, GiveUpForm: may_settle}
        for form, is_offered in offers.items():
            if isinstance(sent, form):
                yield sent
            elif is_offered:
                yield form(formdata=None, prefix=f"{form.key}-")


def _sides(problem: EnrolmentProblem) -> Iterator[Side]:
    """Yield the sides of an open problem, this one first; of those outside only that they are."""
    session, today, scope = db.session(), clock.today(), current_scope()
    with unrestricted():
        rows = [problem, *problems.others_of(session, problem)]
        seen = last_seen(session, [row.child_id for row in rows], today)
        away = counted_elsewhere(session, today)
        for row in rows:
            is_open = scope.holds(row.county_id, row.township_id, row.school_id)
            child = row.child
            yield Side(
                name=child.name if is_open else None,
                school=str(row.school) if is_open else None,
                school_class=str(child.school_class or "") if is_open else None,
                seen_on=seen.get(row.child_id),
                is_own=row is problem,
                is_seat=row.child_id not in away,
                has_other_name=not problems.same_name(child, problem.child),
            )


def add_views(appbuilder: AppBuilder) -> None:
    """Add the problem enrolments beside the children."""
    appbuilder.add_view(
        EnrolmentProblemView,
        "EnrolmentProblemView",
        label=EnrolmentProblemView.list_title,
        icon="fa-clone",
        category="Children",
        category_label=_l("Children"),
    )
